# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection limits of the packet filter: whether its table is loaded, and where unknown clients reached their share.

Source: libnftables-json(5). nft fails without the capability CAP_NET_ADMIN, which the service of the metrics does not have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..._core.json_types import JsonObject
from .services import CONNECTION_LIMITS
from .status_document import ReachedLimit, ServiceStatus

TABLE = "mailops_relay"
_TIMEOUT = 1200.0  # seconds: of the set `reached` (connection-limits.nft)
_NFT = ("/usr/sbin/nft", "--json", "list")


def reached(output: Callable[..., str], now: float) -> tuple[ReachedLimit, ...]:
    """The ports where unknown clients reached their share. `output`: runs a command; "" where it fails."""
    elements = [element for entry in _objects(output(*_NFT, "set", "inet", TABLE, "reached"), "set") for element in entry.get("elem", [])]
    return tuple(_limit(element.get("elem") or {}, now) for element in elements)


def _limit(element: JsonObject, now: float) -> ReachedLimit:
    """An element ends in `expires` seconds, which is _TIMEOUT after the last connection that was dropped."""
    return ReachedLimit("unknown clients", str(element.get("val")), now - _TIMEOUT + float(element.get("expires") or 0))


def checked(services: tuple[ServiceStatus, ...], output: Callable[..., str]) -> tuple[ServiceStatus, ...]:
    """The services; that of the connection limits is inactive where its table was removed, as by `nft flush ruleset`."""
    listed = output(*_NFT, "tables")
    if not listed or any(table.get("name") == TABLE for table in _objects(listed, "table")):
        return services
    return tuple(replace(one, state="inactive") if one.unit == CONNECTION_LIMITS and one.running else one for one in services)


def _objects(text: str, kind: str) -> Iterator[JsonObject]:
    """The objects of this kind in nft's output."""
    for entry in (json.loads(text) if text else {}).get("nftables", []):
        if kind in entry:
            yield entry[kind]
