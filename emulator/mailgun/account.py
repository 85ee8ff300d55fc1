"""The monthly limit, the suppressions and the IP allow list of a Mailgun account.

Sources: Mailgun's OpenAPI document 3.0.0 (paths, types, texts); its manual: since 2024-04 the list counts for the API and for SMTP.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from emulator.http import Request, Response
from emulator.mailgun.documents import MailgunError
from emulator.state.hosted import AllowedAddress
from emulator.state.mailgun import MailgunAccount, MailgunDomain

_SUPPRESSION = re.compile(r"/v3/([^/]+)/(bounces|complaints|unsubscribes)/([^/]+)")
_ABSENT = {
    "bounces": "Address not found in bounces table",
    "complaints": "No spam complaints found for this address",
    "unsubscribes": "Address not found in unsubscribers table",
}
_LIST, _LIMIT = "/v2/ip_whitelist", "/v5/accounts/limit/custom/monthly"


def operation(
    account: MailgunAccount, domain: Callable[[str], MailgunDomain], now: float, request: Request, path: str, form: dict[str, str]
) -> Callable[[], Response] | None:
    """What answers a request; None where the path is of another part of the API. `domain`: finds a domain of the region."""
    suppressed = _SUPPRESSION.fullmatch(path)
    if suppressed and request.method == "GET":
        return lambda: _suppressed(domain(suppressed[1]), suppressed[2], unquote(suppressed[3]).lower())
    operations: dict[tuple[str, str], Callable[[], Response]] = {
        ("GET", _LIMIT): lambda: _limit(account),
        ("GET", _LIST): lambda: _listed(account),
        ("POST", _LIST): lambda: _add(account, now, form),
        ("PUT", _LIST): lambda: _edit(account, form),
        ("DELETE", _LIST): lambda: _remove(account, dict(parse_qsl(request.query)).get("address", "")),
    }
    return operations.get((request.method, path))


def _limit(account: MailgunAccount) -> Response:
    if not account.monthly_limit:
        raise MailgunError(404, "No threshold for account")
    return Response(200, {"limit": account.monthly_limit, "current": account.monthly_used, "period": "1m"})


def _suppressed(domain: MailgunDomain, name: str, address: str) -> Response:
    match = next((one for one in domain.suppressions if (one.list, one.address) == (name, address)), None)
    if match is None:
        raise MailgunError(404, _ABSENT[name])
    own: dict[str, Any] = {"address": match.address, "created_at": formatdate(match.added, usegmt=True)}
    more: dict[str, dict[str, Any]] = {"bounces": {"code": "550", "error": match.reason}, "unsubscribes": {"tags": ["*"]}, "complaints": {}}
    return Response(200, own | more[name])


def _listed(account: MailgunAccount) -> Response:
    """A single address is shown without its length."""
    items = []
    for one in account.allow_list:
        network = ipaddress.ip_network(one.address)
        address = network.network_address if network.num_addresses == 1 else network
        items.append({"ip_address": str(address), "description": one.description})
    return Response(200, {"addresses": items})


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise MailgunError(400, "Invalid IP Address or CIDR") from None


def _one(account: MailgunAccount, address: str) -> AllowedAddress:
    network = _network(address)
    entry = next((one for one in account.allow_list if one.address == network), None)
    if entry is None:
        raise MailgunError(400, "IP not found")
    return entry


def _add(account: MailgunAccount, now: float, form: dict[str, str]) -> Response:
    network = _network(form.get("address", ""))
    if any(one.address == network for one in account.allow_list):
        raise MailgunError(400, "IP already exists")
    account.allow_list.append(AllowedAddress(network, form.get("description", ""), added=now))
    return _listed(account)


def _edit(account: MailgunAccount, form: dict[str, str]) -> Response:
    _one(account, form.get("address", "")).description = form.get("description", "")
    return _listed(account)


def _remove(account: MailgunAccount, address: str) -> Response:
    if not address:
        raise MailgunError(400, "IP address can not be blank")
    account.allow_list.remove(_one(account, address))
    return _listed(account)
