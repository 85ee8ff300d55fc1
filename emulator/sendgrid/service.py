"""SendGrid's API v3: authenticated domains, API keys, the account and the permissions of a key, below /sendgrid/<region>.

Sources: SendGrid's OpenAPI document (twilio/sendgrid-oai, tsg_domain_authentication_v3, tsg_scopes_v3); "Rate limits"; published answers
for the texts of refusals and validations. Validation reads the emulated DNS. Of several authentications of a domain only one is valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from emulator.dns import names
from emulator.dns.zones import View
from emulator.http import MalformedJsonError, Request, Response
from emulator.platform import Platform
from emulator.request_limit import RequestLimit
from emulator.sendgrid import account as accounts
from emulator.sendgrid import api_keys
from emulator.sendgrid.call import ADDED_SCOPES, Call
from emulator.sendgrid.documents import SendGridError, domain_document, forbidden, not_found, records, unauthorized
from emulator.state.sendgrid import REGIONS, SendGridAccount, SendGridDomain, SendGridKey

_PATH = re.compile(rf"/sendgrid/({'|'.join(REGIONS)})(/v3/.*)")
_DOMAINS = re.compile(r"/v3/whitelabel/domains(?:/(\d+)(/validate)?)?")
_CREATE = {"domain": str, "subdomain": str, "automatic_security": bool, "custom_spf": bool, "default": bool, "region": str}


def handles(path: str) -> bool:
    return path.startswith("/sendgrid/")


class SendGrid:
    """The service of all accounts. It counts the requests of each account."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._limit = RequestLimit(platform)

    def handle(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        account: SendGridAccount | None = None
        body: Any = None
        try:
            if match is None:
                raise not_found()
            account, key = self._caller(match[1], request)
            body = request.json_object() if request.body else None
            response = (
                self._throttled(account) or self._faulty(request) or _Call(self.platform, account, key, request, match[2], body).answer()
            )
        except SendGridError as error:
            response = error.response()
        except MalformedJsonError:
            response = SendGridError(400, "bad request").response()
        if account:
            response.headers = self._rate_headers(account) | response.headers
        self._count(account, request, match[2] if match else request.path, body, response.status)
        return response

    def _caller(self, region: str, request: Request) -> tuple[SendGridAccount, SendGridKey]:
        """The account of a key; a key exists in its own region only."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise unauthorized()
        for account in self.platform.state.sendgrid:
            key = next((one for one in account.accepted_keys(self.platform.now) if one.value == value), None)
            if key and account.region == region and not account.allows(request.client):
                raise forbidden()
            if key and account.region == region:
                return account, key
        raise unauthorized()

    def _throttled(self, account: SendGridAccount) -> Response | None:
        if self._limit.admits(_account_of(account), account.requests_per_minute):
            return None
        return SendGridError(429, "too many requests").response()

    def _faulty(self, request: Request) -> Response | None:
        fault = self.platform.faults.take("sendgrid", method=request.method, path=request.path)
        return fault.response() if fault else None

    def _rate_headers(self, account: SendGridAccount) -> dict[str, str]:
        return {
            "x-ratelimit-limit": f"{account.requests_per_minute}",
            "x-ratelimit-remaining": f"{self._limit.remaining(_account_of(account), account.requests_per_minute)}",
            "x-ratelimit-reset": f"{self._limit.reset(_account_of(account))}",
        }

    def _count(self, account: SendGridAccount | None, request: Request, path: str, body: Any, status: int) -> None:
        self.platform.counters.count(account.username if account else None, "sendgrid")
        entry = {"service": "sendgrid", "method": request.method, "path": path, "query": request.query, "body": body, "status": status}
        self.platform.record.write(entry | {"write": request.method != "GET"})


def _account_of(account: SendGridAccount) -> str:
    return f"{account.region} {account.username}"


class _Call(Call):
    """A request about the account's domains, or to another part of the API."""

    def answer(self) -> Response:
        method = self.request.method
        if (method, self.path) == ("GET", "/v3/scopes"):
            return Response(200, {"scopes": [*self.key.scopes, *ADDED_SCOPES]})
        if api_keys.handles(self.path):
            return api_keys.answer(self)
        own = accounts.operation(self)
        if own:
            return own()
        match = _DOMAINS.fullmatch(self.path)
        if not match:
            raise not_found()
        one, validate = match[1] is not None, match[2] is not None
        operations: dict[tuple[str, bool, bool], tuple[str, Callable[[], Response]]] = {
            ("GET", False, False): ("read", self._list),
            ("POST", False, False): ("create", self._create),
            ("GET", True, False): ("read", lambda: Response(200, domain_document(self.account, self._domain(match[1])))),
            ("DELETE", True, False): ("delete", lambda: self._remove(self._domain(match[1]))),
            ("POST", True, True): ("update", lambda: self._validate(self._domain(match[1]))),
        }
        if (method, one, validate) not in operations:
            raise SendGridError(405, "method not allowed")
        scope, operation = operations[method, one, validate]
        self.require(f"whitelabel.{scope}")
        return operation()

    def _domain(self, number: str) -> SendGridDomain:
        match = next((one for one in self.account.domains if one.id == int(number)), None)
        if match is None:
            raise not_found()
        return match

    def _list(self) -> Response:
        query = self.query("limit", "offset", "domain", "username", "exclude_subusers")
        if not all(query.get(name, "0").isdecimal() for name in ("limit", "offset")):
            raise SendGridError(400, "invalid query parameter")
        first, limit = int(query.get("offset", "0")), int(query.get("limit", "50"))
        listed = [one for one in self.account.domains if query.get("domain", one.domain).lower() == one.domain]
        return Response(200, [domain_document(self.account, one) for one in listed[first : first + limit]])

    def _create(self) -> Response:
        values = self.body or {}
        for name, value in values.items():
            if not isinstance(value, _CREATE.get(name, ())):
                raise SendGridError(400, f"invalid value for {name}", name)
        domain = str(values.get("domain", "")).lower()
        subdomain = str(values.get("subdomain", f"em{1000 + len(self.account.domains)}")).lower()
        if not names.DOMAIN.fullmatch(domain):
            raise SendGridError(400, "invalid domain", "domain")
        if not names.LABEL.fullmatch(subdomain):
            raise SendGridError(400, "invalid subdomain", "subdomain")
        if values.get("region", self.account.region) != self.account.region:
            raise SendGridError(400, "invalid region", "region")
        if values.get("automatic_security") is False or values.get("custom_spf") is True:
            raise SendGridError(400, "manual security is not emulated", "automatic_security")
        if any((one.domain, one.subdomain) == (domain, subdomain) for one in self.account.domains):
            raise SendGridError(400, "An authenticated domain already exists for this URL. Please use a unique subdomain.")
        number = max((one.id for account in self.platform.state.sendgrid for one in account.domains), default=302182) + 1
        created = SendGridDomain(number, domain, subdomain, default=bool(values.get("default", False)))
        self.account.domains.append(created)
        return Response(201, domain_document(self.account, created))

    def _remove(self, domain: SendGridDomain) -> Response:
        self.account.domains.remove(domain)
        return Response(204)

    def _validate(self, domain: SendGridDomain) -> Response:
        """200 also where a record is missing. Another authentication of the domain becomes invalid when this one is valid."""
        view, results = View(self.platform.state), {}
        for name, (host, value) in records(self.account, domain).items():
            valid = any(one.data.rstrip(".").lower() == value for one in view.find(host, "CNAME").records)
            setattr(domain, name, valid)
            results[name] = {"valid": valid, "reason": None if valid else f'Expected CNAME for "{host}" to match "{value}".'}
        if domain.valid:
            for other in self.account.domains:
                if other.domain == domain.domain and other is not domain:
                    other.mail_cname = other.dkim1 = other.dkim2 = False
        return Response(200, {"id": domain.id, "valid": domain.valid, "validation_results": results})
