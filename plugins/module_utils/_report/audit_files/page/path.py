# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the mail of a sender reaches its service, hop by hop: device, relay host, method, service."""

from __future__ import annotations

from collections.abc import Iterator

from ...._core.json_types import JsonObject
from ...._planning.upstreams import UPSTREAMS

_EXCHANGE = "Exchange Online"
_METHODS = {
    "oauth": ("SMTP AUTH with OAuth", _EXCHANGE),
    "delegated": ("SMTP AUTH with OAuth (delegated)", _EXCHANGE),
    "basic": ("SMTP AUTH with Basic authentication", _EXCHANGE),
    "connector": ("inbound connector", _EXCHANGE),
    "direct_send": ("Direct Send to the MX", _EXCHANGE),
    "hve": ("High Volume Email",),
    "acs": ("Azure Communication Services",),
    "hosted": ("hosted relay",),
    "smarthost": ("smart host",),
}


def path(row: JsonObject) -> list[str]:
    """The hops of a sender of the document mailops.audit/1, after the program itself."""
    return list(_hops(row))


def _hops(row: JsonObject) -> Iterator[str]:
    relay, method = row.get("relay_host"), row["method"]
    if relay:
        yield from (f"SASL user {user}" for user in relay["users"])
        yield f"relay host {relay['name']}"
        method = relay["upstream"]
    elif method == "relay_host":
        yield "relay host"
        method = "connector"
    elif not method:
        method = _seen(row)
    connector = row.get("connector")
    if method == "connector" and connector:
        yield from (f"inbound connector {connector}", _EXCHANGE)
    elif method in _METHODS:
        yield from _METHODS[method]
    else:
        hosted = UPSTREAMS[method].hosted_relay if method in UPSTREAMS else None
        yield hosted.label if hosted else "method not known"


def _seen(row: JsonObject) -> str:
    """The method of an address that is not in the inventory, as its evidence has it; "" where it has none."""
    if row["verdict"] == "breaks" or (row.get("basic") or {}).get("succeeded"):
        return "basic"
    if row.get("connector"):
        return "connector"
    return "oauth" if (row.get("clients") or {}).get("oauth") else ""
