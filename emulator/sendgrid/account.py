"""Plan, credits, suppressions and IP access management of a SendGrid account.

Sources: SendGrid's OpenAPI document (tsg_user_v3, tsg_suppressions_v3, tsg_ip_access_management_v3); its manual: the list is on as soon as
it has an entry. The names of the permissions to read are those of "API Key Permissions List".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from emulator.http import Response
from emulator.sendgrid.call import Call
from emulator.sendgrid.documents import SendGridError, not_found
from emulator.state.hosted import AllowedAddress, Suppression, month_of

_SUPPRESSION = re.compile(r"/v3/(?:suppression/(bounces|blocks|invalid_emails|spam_reports)|asm/suppressions/(global))/([^/]+)")
_ENTRY = re.compile(r"/v3/access_settings/whitelist/(\d+)")
_LIST = "/v3/access_settings/whitelist"


def operation(call: Call) -> Callable[[], Response] | None:
    """What answers a request; None where the path is of another part of the API."""
    method, entry, suppressed = call.request.method, _ENTRY.fullmatch(call.path), _SUPPRESSION.fullmatch(call.path)
    operations: dict[tuple[str, str], tuple[str, Callable[[], Response]]] = {
        ("GET", "/v3/user/account"): ("user.account.read", lambda: Response(200, {"type": call.account.type, "reputation": 99.7})),
        ("GET", "/v3/user/credits"): ("user.credits.read", lambda: _credits(call)),
        ("GET", _LIST): ("access_settings.whitelist.read", lambda: _result(200, call.account.allow_list)),
        ("POST", _LIST): ("access_settings.whitelist.create", lambda: _add(call)),
        ("DELETE", _LIST): ("access_settings.whitelist.delete", lambda: _remove(call, (call.body or {}).get("ids"))),
    }
    if entry:
        operations["DELETE", call.path] = ("access_settings.whitelist.delete", lambda: _remove(call, [int(entry[1])]))
    if suppressed:
        operations["GET", call.path] = (
            "suppression.read", lambda: _suppressed(call, suppressed[1] or suppressed[2], unquote(suppressed[3]).lower())
        )  # fmt: skip
    if (method, call.path) not in operations:
        return None
    scope, answer = operations[method, call.path]
    call.require(scope)
    return answer


def _credits(call: Call) -> Response:
    account, (start, end) = call.account, month_of(call.platform.now)
    counts = {
        "remain": max(0, account.credits - account.credits_used),
        "total": account.credits,
        "used": account.credits_used,
        "overage": 0,
    }
    dates = {"last_reset": f"{start:%Y-%m-%d}", "next_reset": f"{end:%Y-%m-%d}", "reset_frequency": "monthly"}
    return Response(200, counts | dates)


def _suppressed(call: Call, name: str, address: str) -> Response:
    """A list with the address, or an empty one; of the global list an object."""
    matches = [one for one in call.account.suppressions if (one.list, one.address) == (name, address)]
    if name == "global":
        return Response(200, {"recipient_email": address} if matches else {})
    return Response(200, [_suppression(one) for one in matches])


def _suppression(one: Suppression) -> dict[str, Any]:
    own: dict[str, Any] = {"created": int(one.added), "email": one.address}
    if one.list == "spam_reports":
        return own | {"ip": "192.0.2.1"}
    return own | {"reason": one.reason} | ({} if one.list == "invalid_emails" else {"status": "5.1.1"})


def _result(status: int, entries: list[AllowedAddress]) -> Response:
    items = [{"id": one.id, "ip": one.address, "created_at": int(one.added), "updated_at": int(one.added)} for one in entries]
    return Response(status, {"result": items})


def _add(call: Call) -> Response:
    """A single address gets its length, /32."""
    listed, entries = (call.body or {}).get("ips"), call.account.allow_list
    if not isinstance(listed, list) or not all(isinstance(one, dict) and isinstance(one.get("ip"), str) for one in listed):
        raise SendGridError(400, "invalid value for ips", "ips")
    try:
        networks = [str(ipaddress.ip_network(one["ip"])) for one in listed]
    except ValueError:
        raise SendGridError(400, "invalid ip", "ips") from None
    if len(entries) + len(networks) > 1000:
        raise SendGridError(400, "too many entries", "ips")
    number = max((one.id for one in entries), default=0)
    added = [AllowedAddress(network, id=number + place, added=call.platform.now) for place, network in enumerate(networks, 1)]
    entries += added
    return _result(201, added)


def _remove(call: Call, ids: Any) -> Response:
    entries = call.account.allow_list
    if not isinstance(ids, list) or not ids:
        raise SendGridError(400, "invalid value for ids", "ids")
    if set(ids) - {one.id for one in entries}:
        raise not_found()
    entries[:] = [one for one in entries if one.id not in ids]
    return Response(204)
