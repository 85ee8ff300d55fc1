# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP ranges of hMailServer: the range with the highest priority that contains a client's address counts alone.

Source: hMailServer's source (SMTPConnection): what a range requires and allows for each pair of local and external sender and recipient.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from .. import networks
from .options import Range
from .server import RANGE_OPTIONS, Row, Value

PREFIX = "mailops "
INTERNET = "Internet"  # the range that an installation makes for every address
PRIORITY = 60  # above the installed ranges (10, 30), below auto-ban's (100)
_CLOSED: dict[str, Value] = dict.fromkeys(RANGE_OPTIONS, False)
_TO_REMOTE = (("LocalToRemote", "LocalToExternal"), ("RemoteToRemote", "ExternalToExternal"))


def desired(ranges: Sequence[Range]) -> dict[str, dict[str, Value]]:
    """The values of every range by its name: one a network. hMailServer's own local domain receives nothing."""
    rows: dict[str, dict[str, Value]] = {}
    for one in ranges:
        options: dict[str, Value] = _CLOSED | {"AllowSMTPConnections": True, "RequireSSLTLSForAuth": True}
        options |= {"AllowDeliveryFromLocalToRemote": True, "AllowDeliveryFromRemoteToRemote": True}
        if one.authenticate:
            options |= {name: True for name in RANGE_OPTIONS if name.startswith("RequireSMTPAuth")}
        for text in one.networks:
            network = networks.parse(text)
            name = f"{PREFIX}{one.name.strip()}" + (f" {networks.written(network)}" if len(one.networks) > 1 else "")
            ends: dict[str, Value] = {"LowerIP": str(network[0]), "UpperIP": str(network[-1]), "Priority": PRIORITY, "Expires": False}
            rows[name] = ends | options
    return rows


def closed() -> dict[str, Value]:
    """The options of the range Internet: nobody else may connect."""
    return dict(_CLOSED)


def is_managed(row: Row) -> bool:
    return row.text("Name").lower().startswith(PREFIX)


def is_internet(row: Row) -> bool:
    return row.text("Name").lower() == INTERNET.lower()


def unmanaged(rows: Sequence[Row]) -> list[Row]:
    """Ranges of others, without the installed one of the host itself."""
    return [row for row in rows if not is_managed(row) and not is_internet(row) and not _is_loopback(row)]


def differing(row: Row, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that differ from a row's."""
    return {name: value for name, value in values.items() if row.values.get(name) != value}


def _is_loopback(row: Row) -> bool:
    ends = _addresses(row)
    return ends is not None and all(one.is_loopback for one in ends)


def _addresses(row: Row) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ipaddress.IPv4Address | ipaddress.IPv6Address] | None:
    try:
        return ipaddress.ip_address(row.text("LowerIP")), ipaddress.ip_address(row.text("UpperIP"))
    except ValueError:
        return None


def relays_without_authentication(row: Row) -> bool:
    pairs = [row.has(f"AllowDeliveryFrom{side}") and not row.has(f"RequireSMTPAuth{auth}") for side, auth in _TO_REMOTE]
    return row.has("AllowSMTPConnections") and any(pairs)


def is_open(row: Row) -> bool:
    """Whether addresses that are not private may relay without authentication."""
    return relays_without_authentication(row) and not _is_private(row)


def _is_private(row: Row) -> bool:
    ends = _addresses(row)
    if ends is None or not all(isinstance(one, ipaddress.IPv4Address) for one in ends):
        return False
    return any(all(one in network for one in ends) for network in networks.PRIVATE)


def described(name: str, values: Mapping[str, Value]) -> dict[str, object]:
    """A range as results and diffs have it."""
    return {
        "name": name,
        "first": values.get("LowerIP"),
        "last": values.get("UpperIP"),
        "connect": values.get("AllowSMTPConnections") is True,
        "relay": any(values.get(f"AllowDeliveryFrom{side}") is True for side, _setting in _TO_REMOTE),
        "authenticate": values.get("RequireSMTPAuthExternalToExternal") is True,
        "priority": values.get("Priority"),
    }
