"""Mailgun's API: sending domains, their SMTP credentials and suppressions, the account, below /mailgun/<region>.

Sources: Mailgun's OpenAPI document 3.0.0 (paths, types, texts; a validation has a 429 of its own, whose limit is not published); its manual
for the states of a domain, the removal in the background and the rate limit. Validation reads the emulated DNS. A domain exists in one
region, and its name once in all accounts.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from emulator.dns import names
from emulator.dns.zones import View
from emulator.http import Request, Response
from emulator.mailgun import account as accounts
from emulator.mailgun import credentials
from emulator.mailgun.documents import HOSTS, MailgunError, domain_document, form, sending_records, whole_document
from emulator.platform import Platform
from emulator.request_limit import RequestLimit
from emulator.state.mailgun import REGIONS, MailgunAccount, MailgunDomain, MailgunKey

_PATH = re.compile(rf"/mailgun/({'|'.join(REGIONS)})(/v\d/.*)")
_DOMAINS = re.compile(r"/v([34])/domains(?:/([^/]+)(/verify)?)?")
_CREATE = {"name", "use_automatic_sender_security", "web_prefix"}
_LIST = {"limit", "skip", "state", "search"}


def handles(path: str) -> bool:
    return path.startswith("/mailgun/")


class Mailgun:
    """The service of all accounts. It counts the requests of each account."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._limit, self._validations = RequestLimit(platform), RequestLimit(platform)

    def handle(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        account: MailgunAccount | None = None
        fields: dict[str, str] = {}
        try:
            account, key = self._caller(request)
            if not account.allows(request.client):
                return self._recorded(account, request, match, {}, Response(401, b"Forbidden"))
            fields = form(request)
            if match is None:
                raise MailgunError(404, "not found")
            response = (
                self._throttled(account, request)
                or self._faulty(request)
                or _Call(self.platform, account, key, request, match, fields).answer()
            )
        except MailgunError as error:
            response = error.response()
        return self._recorded(account, request, match, fields, response)

    def _recorded(
        self, account: MailgunAccount | None, request: Request, match: re.Match[str] | None, fields: dict[str, str], response: Response
    ) -> Response:
        self.platform.counters.count(account.username if account else None, "mailgun")
        entry: dict[str, Any] = {"service": "mailgun", "method": request.method, "path": match[2] if match else request.path}
        entry |= {"query": request.query, "body": fields or None, "status": response.status, "write": request.method != "GET"}
        self.platform.record.write(entry)
        return response

    def _caller(self, request: Request) -> tuple[MailgunAccount, MailgunKey]:
        """The account of a key, which is the password of the user api."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        for account in self.platform.state.mailgun:
            key = next((one for one in account.keys if one.value == password), None)
            if key and (scheme, user) == ("Basic", "api"):
                return account, key
        raise MailgunError(401, "Invalid private key")

    def _throttled(self, account: MailgunAccount, request: Request) -> Response | None:
        """Validations have a limit of their own, and its answer names no time."""
        if not self._limit.admits(account.username, account.requests_per_minute):
            reset = {"x-ratelimit-reset": f"{self._limit.reset(account.username)}"}
            return Response(429, {"message": "too many requests"}, reset)
        is_validation = request.method == "PUT" and request.path.endswith("/verify")
        if is_validation and not self._validations.admits(account.username, account.verifications_per_minute):
            return Response(429, {"message": "too many requests"})
        return None

    def _faulty(self, request: Request) -> Response | None:
        fault = self.platform.faults.take("mailgun", method=request.method, path=request.path)
        return fault.response() if fault else None


class _Call:
    """One request of an accepted key in one region."""

    def __init__(
        self,
        platform: Platform,
        account: MailgunAccount,
        key: MailgunKey,
        request: Request,
        match: re.Match[str],
        fields: dict[str, str],
    ) -> None:
        self.platform, self.account, self.key, self.request, self.fields = platform, account, key, request, fields
        self.region, self.path = match[1], match[2]

    def answer(self) -> Response:
        own = credentials.match(self.path)
        operation = self._of_credentials(own[1], own[2]) if own else self._of_domains() or self._of_account()
        if operation is None:
            raise MailgunError(404, "not found")
        if self.key.role == "sending" or (self.request.method != "GET" and self.key.role != "admin"):
            raise MailgunError(403, "Forbidden")
        return operation()

    def _of_credentials(self, name: str, login: str | None) -> Callable[[], Response] | None:
        return credentials.operation(self.platform, self.request, self._domain(name), login, self.fields)

    def _of_account(self) -> Callable[[], Response] | None:
        return accounts.operation(self.account, self._domain, self.platform.now, self.request, self.path, self.fields)

    def _of_domains(self) -> Callable[[], Response] | None:
        match, method = _DOMAINS.fullmatch(self.path), self.request.method
        if not match:
            return None
        version, name, verify = match[1], match[2] or "", bool(match[3])
        operations: dict[tuple[str, str, bool, bool], Callable[[], Response]] = {
            ("GET", "4", False, False): self._list,
            ("POST", "4", False, False): self._create,
            ("GET", "4", True, False): lambda: Response(200, whole_document(self._domain(name))),
            ("PUT", "4", True, True): lambda: self._verify(self._domain(name)),
            ("DELETE", "3", True, False): lambda: self._remove(self._domain(name)),
        }
        return operations.get((method, version, bool(name), verify))

    @property
    def _listed(self) -> list[MailgunDomain]:
        """The domains of the region. A removed one goes on being listed for a while."""
        return [one for one in self.account.domains if one.region == self.region and not self._is_removed(one)]

    def _is_removed(self, domain: MailgunDomain) -> bool:
        return 0 < domain.listed_until <= self.platform.now

    def _domain(self, name: str) -> MailgunDomain:
        match = next((one for one in self._listed if one.name == name.lower()), None)
        if match is None:
            raise MailgunError(404, "Domain not found")
        return match

    def _list(self) -> Response:
        query = dict(parse_qsl(self.request.query, keep_blank_values=True))
        if query.keys() - _LIST or not all(query.get(name, "0").isdecimal() for name in ("limit", "skip")):
            raise MailgunError(400, "invalid query parameter")
        skip, limit = int(query.get("skip", "0")), int(query.get("limit", "100"))
        if limit > 1000:
            raise MailgunError(400, "Limit parameter can't be larger than 1000")
        listed = [one for one in self._listed if query.get("state", one.state) == one.state and query.get("search", "") in one.name]
        return Response(200, {"total_count": len(listed), "items": [domain_document(one) for one in listed[skip : skip + limit]]})

    def _create(self) -> Response:
        fields = self.fields
        if fields.keys() - _CREATE:
            raise MailgunError(400, f"{min(fields.keys() - _CREATE)} is not emulated")
        name, prefix = fields.get("name", "").lower(), fields.get("web_prefix", "email").lower()
        if not names.DOMAIN.fullmatch(name) or not names.LABEL.fullmatch(prefix):
            raise MailgunError(400, "the domain or its web_prefix is not valid")
        if fields.get("use_automatic_sender_security") != "true":
            raise MailgunError(400, "domains without automatic sender security are not emulated")
        domains = (one for account in self.platform.state.mailgun for one in account.domains)
        if any(one.name == name and not self._is_removed(one) for one in domains):
            raise MailgunError(400, "This domain name is already taken")
        domain = MailgunDomain(name, self.region, web_prefix=prefix, created=self.platform.now)
        self.account.domains.append(domain)
        return Response(200, {"message": "Domain has been created", **whole_document(domain)})

    def _verify(self, domain: MailgunDomain) -> Response:
        """The domain is unverified until the records have been read; a disabled one stays so."""
        view = View(self.platform.state)
        include = f"include:{HOSTS[domain.region]}"
        for attribute, (name, kind, value) in sending_records(domain).items():
            texts = [one.data.rstrip(".").lower() for one in view.find(name, kind).records]
            valid = value in texts if kind == "CNAME" else any(include in text.strip('"').split() for text in texts)
            setattr(domain, attribute, valid)
        if domain.state != "disabled":
            domain.state = "active" if domain.spf and domain.pdk1 and domain.pdk2 else "unverified"
        return Response(200, {"message": "Domain DNS records have been updated", **whole_document(domain)})

    def _remove(self, domain: MailgunDomain) -> Response:
        """In the background: with a delay the domain goes on being listed."""
        end = self.platform.after("mailgun_domain")
        domain.listed_until = end
        if not end:
            self.account.domains.remove(domain)
        return Response(200, {"message": "Domain will be deleted in the background"})
