"""SMTP2GO's API v3: sender domains, SMTP users, the account and the permissions of a key, below /smtp2go/<region>/v3.

Sources: SMTP2GO's API document 3.0.4 (paths, types, error codes), its developer pages (permissions, rate limits) and zones in use (names of
the records). Validation reads the emulated DNS, when it is asked for and every 7 minutes.
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
from emulator.smtp2go import account as accounts
from emulator.smtp2go import users
from emulator.smtp2go.documents import Smtp2GoError, invalid
from emulator.state import new_guid
from emulator.state.smtp2go import Smtp2GoAccount, Smtp2GoDomain, Smtp2GoKey

_PATH = re.compile(r"/smtp2go/(?:global|us|eu|au)/v3(/.*)")
# Path -> its properties, besides subaccount_id; the first one is required where the path needs one.
_PROPERTIES: dict[str, dict[str, type]] = {
    "/domain/add": {
        "domain": str, "returnpath_subdomain": str, "tracking_subdomain": str, "auto_verify": bool, "requisition_ssl": bool
    },
    "/domain/view": {"domain": str},
    "/domain/verify": {"domain": str, "requisition_ssl": bool},
    "/domain/remove": {"domain": str},
    "/api_keys/permissions": {},
    **users.PROPERTIES,
    **accounts.PROPERTIES,
}  # fmt: skip
_READING = ("/domain/view", "/api_keys/permissions", *users.READING, *accounts.READING)
_DKIM, _RETURN, _TRACK = "dkim.smtp2go.net", "return.smtp2go.net", "track.smtp2go.net"
_SETUP = "https://app.smtp2go.com/setup/"
_INTERVAL = 420.0
_NOT_LISTED = "This request is coming from an IP address that isn't in the IP allow list"


def handles(path: str) -> bool:
    return path.startswith("/smtp2go/")


class Smtp2Go:
    """The service of all accounts. It counts the requests of each account."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._limit = RequestLimit(platform)

    def handle(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        path = match[1] if match else request.path
        account: Smtp2GoAccount | None = None
        body: dict[str, Any] = {}
        try:
            account, key = self._caller(request)
            body = request.json_object()
            fault = self.platform.faults.take("smtp2go", method=request.method, path=request.path)
            if fault:
                response = fault.response()
            elif not self._limit.admits(account.username, account.requests_per_minute):
                response = Response(429)
            else:
                response = _Call(self.platform, account, key, path, body).answer(request.method)
        except Smtp2GoError as error:
            response = error.response()
        except MalformedJsonError:
            response = invalid("the body is not a JSON object").response()
        self.platform.counters.count(account.username if account else None, "smtp2go")
        entry = {"service": "smtp2go", "method": request.method, "path": path, "query": request.query, "body": body}
        write = path not in _READING
        self.platform.record.write(entry | {"status": response.status, "write": write})
        return response

    def _caller(self, request: Request) -> tuple[Smtp2GoAccount, Smtp2GoKey]:
        value = request.headers.get("x-smtp2go-api-key", "")
        for account in self.platform.state.smtp2go:
            key = next((one for one in account.keys if one.value == value), None)
            if key and not account.allows(request.client, "api"):
                raise Smtp2GoError(403, _NOT_LISTED, "API_EXCEPTION")
            if key:
                return account, key
        raise Smtp2GoError(401, "The API Key passed was not in the correct format or does not exist", "API_EXCEPTION")


class _Call:
    """One request of an accepted key."""

    def __init__(self, platform: Platform, account: Smtp2GoAccount, key: Smtp2GoKey, path: str, body: dict[str, Any]) -> None:
        self.platform, self.account, self.key, self.path, self.body = platform, account, key, path, body

    def answer(self, method: str) -> Response:
        operations: dict[tuple[str, str], Callable[[], Any]] = {
            ("POST", "/domain/add"): lambda: self._documents(self._add()),
            ("POST", "/domain/view"): lambda: self._documents(self._view()),
            ("POST", "/domain/verify"): lambda: self._documents(self._verify()),
            ("POST", "/domain/remove"): lambda: self._documents(self._remove()),
            ("POST", "/api_keys/permissions"): lambda: [*self.key.paths, "/api_keys/permissions"],
        }
        operation = (
            operations.get((method, self.path))
            or users.operation(self.account, method, self.path, self.body)
            or accounts.operation(self.account, self.platform.now, method, self.path, self.body)
        )
        if operation is None:
            raise Smtp2GoError(404, "The requested endpoint does not exist", "API_EXCEPTION")
        for name, value in self.body.items():
            if not isinstance(value, ({"subaccount_id": str} | _PROPERTIES[self.path]).get(name, ())):
                raise invalid(f"{name} is not valid")
        if self.path not in (*self.key.paths, "/api_keys/permissions"):
            raise Smtp2GoError(400, "You do not have permission to access this API endpoint", "ENDPOINT_PERMISSION_DENIED")
        return Response(200, {"request_id": new_guid(), "data": operation()})

    def _documents(self, domains: list[Smtp2GoDomain]) -> dict[str, Any]:
        return {"domains": [self._document(one, is_alone=len(domains) == 1) for one in domains]}

    def _document(self, domain: Smtp2GoDomain, *, is_alone: bool) -> dict[str, Any]:
        """`is_alone`: only the answer with one domain has the link to its setup."""
        own = {
            **_parts(domain.domain),
            "dkim_selector": f"s{self.account.number}",
            "dkim_value": _DKIM,
            "dkim_verified": domain.dkim_verified,
            "dkim_status": self._status(domain, domain.dkim_verified),
            "rpath_selector": domain.return_path,
            "rpath_value": _RETURN,
            "rpath_verified": domain.rpath_verified,
            "rpath_status": self._status(domain, domain.rpath_verified),
        }
        if self.path != "/domain/remove":
            own["setup_link"] = f"{_SETUP}{domain.domain}" if is_alone else "unavailable"
        tracker = {
            **_parts(f"{domain.tracking}.{domain.domain}"),
            "cname_value": "" if self.path == "/domain/add" else _TRACK,  # known after the creation
            "cname_verified": domain.cname_verified,
            "cname_status": self._status(domain, domain.cname_verified),
            "enabled": False,
        }
        return {"domain": own, "trackers": [tracker], "subaccount_access": {"subaccounts": [], "future_subaccounts": False}}

    @staticmethod
    def _status(domain: Smtp2GoDomain, verified: bool) -> str:
        """Its wording is not published."""
        return "The CNAME record was not found" if domain.checked and not verified else ""

    def _one(self) -> Smtp2GoDomain:
        name = str(self.body.get("domain", "")).lower()
        domain = next((one for one in self.account.domains if one.domain == name), None)
        if domain is None:
            raise invalid("the domain does not exist")
        return domain

    def _add(self) -> list[Smtp2GoDomain]:
        name, label, tracking = (
            str(self.body.get(key, default)).lower()
            for key, default in (("domain", ""), ("returnpath_subdomain", f"em{self.account.number}"), ("tracking_subdomain", "link"))
        )
        if not names.DOMAIN.fullmatch(name) or not all(map(names.LABEL.fullmatch, (label, tracking))):
            raise invalid("the domain, its return path or its tracking subdomain is not valid")
        if any(one.domain == name for one in self.account.domains):
            raise invalid("the domain exists already")
        domain = Smtp2GoDomain(name, label, tracking)
        self.account.domains.append(domain)
        if self.body.get("auto_verify", True):
            self._validate(domain)
        return [domain]

    def _view(self) -> list[Smtp2GoDomain]:
        for domain in self.account.domains:
            if self.platform.now - domain.checked >= _INTERVAL:
                self._validate(domain)
        return [self._one()] if "domain" in self.body else self.account.domains

    def _verify(self) -> list[Smtp2GoDomain]:
        domain = self._one()
        self._validate(domain)
        return [domain]

    def _remove(self) -> list[Smtp2GoDomain]:
        domain = self._one()
        self.account.domains.remove(domain)
        return [domain]

    def _validate(self, domain: Smtp2GoDomain) -> None:
        view = View(self.platform.state)

        def has(name: str, value: str) -> bool:
            return any(one.data.rstrip(".").lower() == value for one in view.find(name, "CNAME").records)

        domain.rpath_verified = has(f"{domain.return_path}.{domain.domain}", _RETURN)
        domain.dkim_verified = has(f"s{self.account.number}._domainkey.{domain.domain}", _DKIM)
        domain.cname_verified = has(f"{domain.tracking}.{domain.domain}", _TRACK)
        domain.checked = self.platform.now


def _parts(name: str) -> dict[str, str | None]:
    """A name and its parts: `domain` is the label before the last one. Of a tracker, `subdomain` has its label."""
    rest, _, suffix = name.rpartition(".")
    subdomain, _, label = rest.rpartition(".")
    return {"fulldomain": name, "subdomain": subdomain or None, "domain": label, "suffix": suffix}
