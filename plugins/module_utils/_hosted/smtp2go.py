# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender domains, SMTP users and state of an SMTP2GO account (API v3).

Sources: SMTP2GO's API document 3.0.4, "Sender domains", "SMTP users", "Statistics", "Suppressions" and "API keys"; its developer pages for
errors and rate limits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from .. import error_catalog
from .._core.bounds import SMTP2GO
from .._core.errors import HostedRelayError
from .._core.json_types import JsonObject
from .._core.networks import Network, parse, written
from .._http.transport import Request, Response, Transport
from .account_state import Quota, Suppressed
from .allow_lists import AllowList, Entry
from .client_types import ProviderClients
from .credentials import CreatedCredential, ListedCredential, Listing
from .domains import DnsRecord, SenderDomain

# Purpose -> the paths that it calls.
_RIGHTS = {
    "domains": tuple(f"/domain/{action}" for action in ("add", "view", "verify", "remove")),
    "credentials": tuple(f"/users/smtp/{action}" for action in ("add", "view", "remove")),
    "allow_list": tuple(f"/ip_allow_list{action}" for action in ("", "/view", "/add", "/edit", "/remove")),
    "quota": ("/stats/email_cycle",),
    "suppressions": ("/suppression/view", "/users/smtp/view"),
}
_FIRST_DAY = "2000-01-01"  # before every entry: without a day, only the last 30 days are answered
_USER_PATHS = {"create": "/users/smtp/add", "remove": "/users/smtp/remove"}
_STATUS_PROBLEMS = {
    "sandbox": "SMTP2GO accepts its messages and delivers none, because the user is in the sandbox: set its status to allowed.",
    "blocked": "SMTP2GO refuses its messages, because the user is blocked: set its status to allowed.",
}
_PATHS = {"create": "/domain/add", "verify": "/domain/verify", "remove": "/domain/remove"}


class Smtp2GoApi:
    """Requests to SMTP2GO's API, which are POST with JSON, also where they read."""

    def __init__(self, transport: Transport, url: str, key: str, _region: str) -> None:
        self._transport, self._url, self._key = transport, url.rstrip("/"), key

    def _lacks(self, needed: Collection[str]) -> list[str]:
        """The paths among these that the key may not call. The answer is a list of paths, which the API's document wraps once more."""
        return sorted({*needed} - self._permitted)

    @cached_property
    def _permitted(self) -> frozenset[str]:
        body = self._call("/api_keys/permissions", {}, "read the permissions of the SMTP2GO API key")
        listed = body.get("data") or []
        return frozenset(path for item in listed for path in (item.get("data") or [] if isinstance(item, dict) else [item]))

    def _call(self, path: str, body: JsonObject, attempted: str, *, repeatable: bool = True) -> JsonObject:
        headers = {"X-Smtp2go-Api-Key": self._key}
        request = Request("POST", self._url + path, headers, body, repeatable=repeatable, attempted=attempted, bounds=SMTP2GO)
        answer = self._transport.send(request)
        content = answer.json()
        if answer.status >= 300 or not isinstance(content, dict):
            raise _error(answer, content if isinstance(content, dict) else {}, attempted)
        return content


class Smtp2GoDomains(Smtp2GoApi):
    """Implements DomainClient. An account has one authentication of a domain, in all regions.

    Tracking records are neither created nor read: they rewrite the links in messages.
    """

    def read(self, names: Collection[str]) -> list[SenderDomain]:
        domains = self._domains("/domain/view", {}, "list the domains at SMTP2GO")
        return [domain for domain in domains if domain.name in names]

    def predicted(self, name: str, label: str) -> SenderDomain:
        """The account's DKIM selector is known after the creation only."""
        return_path = f"{label}.{name}"
        records = (DnsRecord("rpath", "return_path", return_path, "CNAME"), DnsRecord("dkim", "dkim", "", "CNAME"))
        return SenderDomain("", name, return_path, False, records)

    def create(self, name: str, label: str) -> SenderDomain:
        body = {"domain": name, "returnpath_subdomain": label}
        return self._one(_PATHS["create"], body, name, f"create the domain {name} at SMTP2GO", repeatable=False)

    def verify(self, domain: SenderDomain) -> SenderDomain:
        return self._one(_PATHS["verify"], {"domain": domain.name}, domain.name, f"verify the domain {domain.name} at SMTP2GO")

    def remove(self, domain: SenderDomain) -> None:
        self._domains(_PATHS["remove"], {"domain": domain.name}, f"remove the domain {domain.name} at SMTP2GO")

    def missing_rights(self, *actions: str) -> list[str]:
        return self._lacks({_PATHS[action] for action in actions})

    def _one(self, path: str, body: JsonObject, name: str, attempted: str, *, repeatable: bool = True) -> SenderDomain:
        domains = self._domains(path, body, attempted, repeatable=repeatable)
        for domain in domains:
            if domain.name == name:
                return domain
        raise HostedRelayError(attempted, f"an answer without the domain {name}", code="IncompleteAnswer")

    def _domains(self, path: str, body: JsonObject, attempted: str, *, repeatable: bool = True) -> list[SenderDomain]:
        data = self._call(path, body, attempted, repeatable=repeatable).get("data") or {}
        return [_domain(item["domain"]) for item in data.get("domains") or [] if item.get("domain")]


class Smtp2GoCredentials(Smtp2GoApi):
    """Implements CredentialClient: SMTP users, which send for all domains of the account, without tracking."""

    generates_passwords = False

    def read(self, domains: Collection[str]) -> Listing:
        data = self._call("/users/smtp/view", {}, "list the SMTP users at SMTP2GO").get("data") or {}
        return Listing(tuple(_user(item) for item in data.get("results") or []))

    def identifier(self, label: str, domain: str) -> str:
        return label

    def create(self, label: str, domain: str, password: str) -> CreatedCredential:
        body = {
            "username": label,
            "email_password": password,
            "description": "Managed by mailops.m365",
            "open_tracking_enabled": False,
            "click_tracking_enabled": False,
        }
        self._call(_USER_PATHS["create"], body, f"create the SMTP user {label} at SMTP2GO", repeatable=False)
        return CreatedCredential(label, label, password)

    def remove(self, identifier: str) -> None:
        """SMTP2GO answers 400 for a user that does not exist, without a code of its own: read whether it exists."""
        if any(user.id == identifier for user in self.read(()).credentials):
            self._call(_USER_PATHS["remove"], {"username": identifier}, f"remove the SMTP user {identifier} at SMTP2GO")

    def missing_rights(self, *actions: str) -> list[str]:
        return self._lacks({_USER_PATHS[action] for action in actions})


def _user(item: JsonObject) -> ListedCredential:
    name, status = str(item["username"]), str(item.get("status") or "")
    problem = _STATUS_PROBLEMS.get(status, "")
    if not problem and item.get("sending_allowed") is False:
        problem = _STATUS_PROBLEMS["blocked"]
    return ListedCredential(name, name, problem, _limit(item))


def _limit(item: JsonObject) -> str:
    """Messages beyond it are refused. The API does not return how many were sent."""
    if not item.get("custom_ratelimit") or item.get("custom_ratelimit_value") is None:
        return ""
    count = int(item["custom_ratelimit_value"])
    return f"{count:,} message{'s' if count != 1 else ''} in {item.get('custom_ratelimit_period')}"


class Smtp2GoAccount(Smtp2GoApi):
    """Implements AccountClient. The quota counts messages of the month that the plan is paid for."""

    def missing_rights(self, *purposes: str) -> list[str]:
        return self._lacks({path for purpose in purposes for path in _RIGHTS[purpose]})

    def quota(self) -> Quota:
        data = self._call("/stats/email_cycle", {}, "read the quota of the SMTP2GO account")["data"]
        return Quota(int(data["cycle_used"]), int(data["cycle_max"]), "messages", str(data.get("cycle_end") or "")[:10])

    def problems(self, domains: Collection[str]) -> list[str]:
        data = self._call("/users/smtp/view", {}, "list the SMTP users at SMTP2GO").get("data") or {}
        users = [_user(item) for item in data.get("results") or []]
        return [f"SMTP user {user.label}: {user.problem}" for user in users if user.problem]

    def suppressed(self, address: str, domains: Collection[str]) -> list[Suppressed]:
        body = {"email_address": address, "start_date": _FIRST_DAY}
        data = self._call("/suppression/view", body, f"read whether SMTP2GO suppresses {address}").get("data") or {}
        listed = [one for one in data.get("results") or [] if str(one.get("email_address")).lower() == address.lower()]
        return [Suppressed(address, str(one["reason"]), str(one.get("block_description") or "")) for one in listed]

    def unknown_domains(self, domains: Collection[str]) -> list[str]:
        return []


class Smtp2GoAllowList(Smtp2GoApi):
    """Implements AllowListClient: the list for SMTP, or that for the API. Each has a switch."""

    has_switch = has_descriptions = True
    kind = "smtp"

    @property
    def governs_api(self) -> bool:
        return self.kind == "api"

    def read(self) -> AllowList:
        data = self._list("/view", {}, "read").get("data") or {}
        items = data.get("ip_addresses") or []
        entries = [Entry(parse(str(one["ip_address"])), str(one["ip_address"]), str(one.get("description") or "")) for one in items]
        return AllowList(bool(data.get("enabled")), tuple(entries))

    def add(self, entries: Sequence[tuple[Network, str]]) -> None:
        for network, description in entries:
            self._list("/add", {"ip_address": written(network), "description": description}, "add to", repeatable=False)

    def describe(self, entry: Entry, description: str) -> None:
        self._list("/edit", {"ip_address": entry.id, "new_ip_address": entry.id, "description": description}, "change")

    def remove(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._list("/remove", {"ip_address": entry.id}, "remove from", repeatable=False)

    def enable(self, enabled: bool) -> None:
        self._list("", {"enabled": enabled}, "enable" if enabled else "disable")

    def missing_rights(self, *actions: str) -> list[str]:
        paths = {"add": "/add", "describe": "/edit", "remove": "/remove", "enable": ""}
        return self._lacks({f"/ip_allow_list{paths[action]}" for action in actions})

    def _list(self, path: str, body: JsonObject, verb: str, *, repeatable: bool = True) -> JsonObject:
        attempted = f"{verb} the IP allow list for {self.kind.upper()} at SMTP2GO"
        return self._call(f"/ip_allow_list{path}", {"type": self.kind, **body}, attempted, repeatable=repeatable)


class Smtp2GoApiAllowList(Smtp2GoAllowList):
    """The list for the API."""

    kind = "api"


def _error(answer: Response, body: JsonObject, attempted: str) -> HostedRelayError:
    """The failure that an answer means. Its parts are in `data`, or at the top level."""
    data = body.get("data")
    parts = data if isinstance(data, dict) and "error" in data else body
    message = str(parts.get("error") or answer.text[:200])
    code = str(parts.get("error_code") or answer.status).rpartition(".")[2]
    entry = error_catalog.hosted(code, message) or error_catalog.hosted(str(answer.status), message)
    request_id = str(body.get("request_id") or "")
    return HostedRelayError(attempted, message, code=code, status=answer.status, entry=entry, request_id=request_id)


def _domain(item: JsonObject) -> SenderDomain:
    name = str(item["fulldomain"]).lower()
    return_path, dkim = f"{item['rpath_selector']}.{name}".lower(), f"{item['dkim_selector']}._domainkey.{name}".lower()
    records = (_record(item, "rpath", "return_path", return_path), _record(item, "dkim", "dkim", dkim))
    return SenderDomain(name, name, return_path, all(record.valid for record in records), records)


def _record(item: JsonObject, key: str, purpose: str, name: str) -> DnsRecord:
    value, valid = str(item[f"{key}_value"]).rstrip("."), bool(item.get(f"{key}_verified"))
    return DnsRecord(key, purpose, name, "CNAME", value, valid, "" if valid else str(item.get(f"{key}_status") or ""))


CLIENTS = ProviderClients(Smtp2GoDomains, Smtp2GoCredentials, Smtp2GoAccount, Smtp2GoAllowList, Smtp2GoApiAllowList)
