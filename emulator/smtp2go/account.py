"""Quota, suppressions and IP allow lists of an SMTP2GO account.

Sources: SMTP2GO's API document 3.0.4, "Statistics", "Suppressions" and "IP allow list"; its manual for the window of 30 days and for CIDR.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from emulator.smtp2go.documents import invalid
from emulator.state.hosted import AllowedAddress, month_of
from emulator.state.smtp2go import Smtp2GoAccount

_ENTRY: dict[str, type] = {"ip_address": str, "description": str, "type": str}
PROPERTIES: dict[str, dict[str, type]] = {
    "/stats/email_cycle": {},
    "/suppression/view": {"email_address": str, "start_date": str, "end_date": str, "continue_token": str},
    "/ip_allow_list": {"enabled": bool, "type": str},
    "/ip_allow_list/view": {"type": str},
    "/ip_allow_list/add": _ENTRY,
    "/ip_allow_list/edit": {**_ENTRY, "new_ip_address": str},
    "/ip_allow_list/remove": {"ip_address": str, "type": str},
}
READING = ("/stats/email_cycle", "/suppression/view", "/ip_allow_list/view")
_WINDOW = 30 * 86400.0


def operation(account: Smtp2GoAccount, now: float, method: str, path: str, body: dict[str, Any]) -> Callable[[], Any] | None:
    """What answers a request with its `data`; None where the path has no such method."""
    operations: dict[str, Callable[[], Any]] = {
        "/stats/email_cycle": lambda: _cycle(account, now),
        "/suppression/view": lambda: _suppressed(account, now, body),
        "/ip_allow_list": lambda: _switch(account, body),
        "/ip_allow_list/view": lambda: _view(account, body),
        "/ip_allow_list/add": lambda: _add(account, now, body),
        "/ip_allow_list/edit": lambda: _edit(account, body),
        "/ip_allow_list/remove": lambda: _remove(account, body),
    }
    return operations.get(path) if method == "POST" else None


def _cycle(account: Smtp2GoAccount, now: float) -> dict[str, Any]:
    start, end = month_of(now)
    left = max(0, account.cycle_max - account.cycle_used)
    used = {"cycle_used": account.cycle_used, "cycle_max": account.cycle_max, "cycle_remaining": left}
    return {"cycle_start": start.isoformat(sep=" "), "cycle_end": end.isoformat(sep=" "), **used}


def _suppressed(account: Smtp2GoAccount, now: float, body: dict[str, Any]) -> dict[str, Any]:
    """Without `start_date`, those of the last 30 days."""
    try:
        first = datetime.fromisoformat(body["start_date"]).replace(tzinfo=UTC).timestamp() if "start_date" in body else now - _WINDOW
    except ValueError:
        raise invalid("start_date is not valid") from None
    address = str(body.get("email_address", "")).lower()
    results = [
        {
            "email_address": one.address,
            "reason": one.list,
            "block_description": one.reason,
            "complaint": "",
            "timestamp": datetime.fromtimestamp(one.added, UTC).isoformat(),
        }
        for one in account.suppressions
        if one.added >= first and address in ("", one.address)
    ]
    return {"results": results, "continue_token": None, "total_results": len(results)}


def _kind(body: dict[str, Any]) -> str:
    kind = body.get("type", "smtp")
    if kind not in ("smtp", "api"):
        raise invalid("type is not valid")
    return str(kind)


def _entries(account: Smtp2GoAccount, body: dict[str, Any]) -> list[AllowedAddress]:
    entries: list[AllowedAddress] = getattr(account, f"{_kind(body)}_allow_list")
    return entries


def _switch(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    setattr(account, f"{_kind(body)}_allow_list_enabled", body.get("enabled", False))
    return {"enabled": body.get("enabled", False)}


def _document(entry: AllowedAddress) -> dict[str, Any]:
    """A single address is shown without its length."""
    network = ipaddress.ip_network(entry.address)
    return {"ip_address": str(network.network_address if network.num_addresses == 1 else network), "description": entry.description}


def _view(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    enabled = getattr(account, f"{_kind(body)}_allow_list_enabled")
    return {"enabled": enabled, "ip_addresses": [_document(one) for one in _entries(account, body)]}


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise invalid("ip_address is not valid") from None


def _one(account: Smtp2GoAccount, body: dict[str, Any]) -> AllowedAddress:
    address = _network(str(body.get("ip_address", "")))
    entry = next((one for one in _entries(account, body) if one.address == address), None)
    if entry is None:
        raise invalid("the IP address is not in the list")
    return entry


def _add(account: Smtp2GoAccount, now: float, body: dict[str, Any]) -> dict[str, Any]:
    entries, address = _entries(account, body), _network(str(body.get("ip_address", "")))
    if any(one.address == address for one in entries):
        raise invalid("the IP address is in the list already")
    entry = AllowedAddress(address, str(body.get("description", "")), added=now)
    entries.append(entry)
    return _document(entry)


def _edit(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    entry = _one(account, body)
    entry.address = _network(str(body.get("new_ip_address", entry.address)))
    entry.description = str(body.get("description", entry.description))
    return _document(entry)


def _remove(account: Smtp2GoAccount, body: dict[str, Any]) -> dict[str, Any]:
    entry = _one(account, body)
    _entries(account, body).remove(entry)
    return _document(entry)
