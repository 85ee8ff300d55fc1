# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender domains ("Domain Authentication"), API keys and state of a SendGrid account, API v3.

Sources: SendGrid's OpenAPI document, tsg_domain_authentication_v3, tsg_api_keys_v3, tsg_scopes_v3, tsg_user_v3,
tsg_suppressions_v3; "API Key Permissions List".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from .. import error_catalog
from .._core.bounds import HOSTED_RELAY
from .._core.errors import HostedRelayError
from .._core.json_types import JsonObject
from .._core.networks import Network, parse, written
from .._http.transport import Request, Response, Transport
from .account_state import Quota, Suppressed
from .allow_lists import AllowList, Entry
from .client_types import ProviderClients
from .credentials import CreatedCredential, ListedCredential, Listing
from .domains import DnsRecord, SenderDomain

_DOMAINS = "/v3/whitelabel/domains"
_PAGE = 50
_PURPOSES = {"mail_cname": "return_path", "mail_server": "return_path", "subdomain_spf": "spf", "spf": "spf"}
_SCOPES = {"create": "whitelabel.create", "verify": "whitelabel.update", "remove": "whitelabel.delete"}
_KEYS, _MOST_KEYS = "/v3/api_keys", 100
_SEND = "mail.send"
_ALLOW_LIST = "/v3/access_settings/whitelist"
_LISTS = {
    "bounces": "suppression/bounces", "blocks": "suppression/blocks", "invalid_emails": "suppression/invalid_emails",
    "spam_reports": "suppression/spam_reports", "global": "asm/suppressions/global",
}  # fmt: skip
# Purpose -> the permissions that it needs.
_RIGHTS = {
    "domains": tuple(f"whitelabel.{action}" for action in ("create", "read", "update", "delete")),
    "credentials": (_SEND, *(f"api_keys.{action}" for action in ("create", "read", "delete"))),
    "allow_list": tuple(f"access_settings.whitelist.{action}" for action in ("create", "read", "delete")),
    "quota": ("user.account.read", "user.credits.read"),
    "suppressions": ("suppression.read",),
}


class SendGridApi:
    """Requests to SendGrid's API in one region."""

    def __init__(self, transport: Transport, url: str, key: str, region: str) -> None:
        self._transport, self._url, self._key, self._region = transport, url.rstrip("/"), key, region

    def _lacks(self, needed: Collection[str]) -> list[str]:
        """The permissions among these that the key does not have."""
        return sorted({*needed} - self._scopes)

    @cached_property
    def _scopes(self) -> frozenset[str]:
        attempted = "read the permissions of the SendGrid API key"
        return frozenset(self._body(self._send("GET", "/v3/scopes", attempted), attempted).get("scopes") or [])

    def _send(self, method: str, path: str, attempted: str, body: JsonObject | None = None, *, repeatable: bool = True) -> Response:
        headers = {"Authorization": f"Bearer {self._key}"}
        request = Request(method, self._url + path, headers, body, repeatable=repeatable, attempted=attempted, bounds=HOSTED_RELAY)
        return self._transport.send(request)

    @staticmethod
    def _body(answer: Response, attempted: str) -> Any:
        """The answer's JSON; None where it has no body."""
        if answer.status < 300:
            return answer.json()
        body = answer.json()
        errors = body.get("errors") if isinstance(body, dict) else None
        texts = [str(one.get("message")) for one in errors or () if isinstance(one, dict)]
        message, code = "; ".join(texts) or answer.text[:200], str(answer.status)
        raise HostedRelayError(attempted, message, code=code, status=answer.status, entry=error_catalog.hosted(code, message))


class SendGridDomains(SendGridApi):
    """Implements DomainClient. Automated security: return path and DKIM are CNAME records, and SendGrid rotates the keys."""

    def read(self, names: Collection[str]) -> list[SenderDomain]:
        attempted = "list the domains at SendGrid"
        narrowed = {"domain": next(iter(names))} if len(names) == 1 else {}
        items: list[JsonObject] = []
        while True:
            query = urlencode({"limit": _PAGE, "offset": len(items), **narrowed})
            page = self._body(self._send("GET", f"{_DOMAINS}?{query}", attempted), attempted)
            items += page
            if len(page) < _PAGE:
                break
        listed = [item for item in items if str(item["domain"]).lower() in names]
        return [_domain(item) for item in sorted(listed, key=lambda item: int(item["id"]))]

    def predicted(self, name: str, label: str) -> SenderDomain:
        return_path = f"{label}.{name}"
        dkim = (DnsRecord(f"dkim{number}", "dkim", f"s{number}._domainkey.{name}", "CNAME") for number in (1, 2))
        return SenderDomain("", name, return_path, False, (DnsRecord("mail_cname", "return_path", return_path, "CNAME"), *dkim))

    def create(self, name: str, label: str) -> SenderDomain:
        attempted = f"create the domain {name} at SendGrid"
        body = {"domain": name, "subdomain": label, "automatic_security": True}
        # Only subusers of the EU have the property; elsewhere it is left out.
        body |= {"region": "eu"} if self._region == "eu" else {}
        return _domain(self._body(self._send("POST", _DOMAINS, attempted, body, repeatable=False), attempted))

    def verify(self, domain: SenderDomain) -> SenderDomain:
        attempted = f"verify the domain {domain.name} at SendGrid"
        body = self._body(self._send("POST", f"{_DOMAINS}/{domain.id}/validate", attempted), attempted)
        results = body.get("validation_results") or {}
        records = tuple(_validated(record, results.get(record.key) or {}) for record in domain.records)
        return replace(domain, valid=bool(body.get("valid")), records=records)

    def remove(self, domain: SenderDomain) -> None:
        attempted = f"remove the domain {domain.name} at SendGrid"
        answer = self._send("DELETE", f"{_DOMAINS}/{domain.id}", attempted)
        if answer.status != 404:
            self._body(answer, attempted)

    def missing_rights(self, *actions: str) -> list[str]:
        return self._lacks({_SCOPES[action] for action in actions})


class SendGridCredentials(SendGridApi):
    """Implements CredentialClient: API keys with the permission mail.send only. The user name of every key is apikey."""

    generates_passwords = True

    def read(self, domains: Collection[str]) -> Listing:
        attempted = "list the API keys at SendGrid"
        body = self._body(self._send("GET", f"{_KEYS}?limit={_MOST_KEYS}", attempted), attempted)
        listed = [ListedCredential(str(item["api_key_id"]), str(item.get("name") or "")) for item in body.get("result") or []]
        return Listing(tuple(listed))

    def identifier(self, label: str, domain: str) -> str:
        return ""

    def create(self, label: str, domain: str, password: str) -> CreatedCredential:
        """Names are not unique, and a key without permissions in the request would have all."""
        attempted = f"create the API key {label} at SendGrid"
        body = self._body(self._send("POST", _KEYS, attempted, {"name": label, "scopes": [_SEND]}, repeatable=False), attempted)
        return CreatedCredential(str(body["api_key_id"]), "apikey", str(body["api_key"]))

    def remove(self, identifier: str) -> None:
        attempted = f"remove the API key {identifier} at SendGrid"
        answer = self._send("DELETE", f"{_KEYS}/{identifier}", attempted)
        if answer.status != 404:
            self._body(answer, attempted)

    def missing_rights(self, *actions: str) -> list[str]:
        """A key cannot give a permission that it lacks."""
        needed = {"create": ("api_keys.create", _SEND), "remove": ("api_keys.delete",)}
        return self._lacks({scope for action in actions for scope in needed[action]})


class SendGridAccount(SendGridApi):
    """Implements AccountClient. Credits count recipients."""

    def missing_rights(self, *purposes: str) -> list[str]:
        return self._lacks({scope for purpose in purposes for scope in _RIGHTS[purpose]})

    def quota(self) -> Quota:
        attempted = "read the credits of the SendGrid account"
        body = self._body(self._send("GET", "/v3/user/credits", attempted), attempted)
        return Quota(int(body["used"]), int(body["total"]), "recipients", str(body.get("next_reset") or ""))

    def problems(self, domains: Collection[str]) -> list[str]:
        attempted = "read the plan of the SendGrid account"
        plan = self._body(self._send("GET", "/v3/user/account", attempted), attempted).get("type")
        return ["it is a trial account, which sends at most 100 messages a day."] if plan == "free" else []

    def suppressed(self, address: str, domains: Collection[str]) -> list[Suppressed]:
        """The global list answers with an object, the others with a list."""
        attempted, matches = f"read whether SendGrid suppresses {address}", []
        for name, path in _LISTS.items():
            body = self._body(self._send("GET", f"/v3/{path}/{quote(address, safe='@')}", attempted), attempted)
            listed = [body] if isinstance(body, dict) and body.get("recipient_email") else body if isinstance(body, list) else []
            matches += [Suppressed(address, name, str(one.get("reason") or "")) for one in listed]
        return matches

    def unknown_domains(self, domains: Collection[str]) -> list[str]:
        return []


class SendGridAllowList(SendGridApi):
    """Implements AllowListClient: IP Access Management, which decides on the console, the API and SMTP as soon as it has an entry."""

    has_switch = has_descriptions = False
    governs_api = True

    def read(self) -> AllowList:
        attempted = "read the IP access list of SendGrid"
        items = self._body(self._send("GET", _ALLOW_LIST, attempted), attempted).get("result") or []
        entries = tuple(Entry(parse(str(item["ip"])), str(item["id"])) for item in items)
        return AllowList(bool(entries), entries)

    def add(self, entries: Sequence[tuple[Network, str]]) -> None:
        attempted, ips = "add to the IP access list of SendGrid", [{"ip": written(network)} for network, _description in entries]
        self._body(self._send("POST", _ALLOW_LIST, attempted, {"ips": ips}, repeatable=False), attempted)

    def describe(self, entry: Entry, description: str) -> None:
        """Entries have no description."""

    def remove(self, entries: Sequence[Entry]) -> None:
        attempted = "remove from the IP access list of SendGrid"
        self._body(self._send("DELETE", _ALLOW_LIST, attempted, {"ids": [int(entry.id) for entry in entries]}), attempted)

    def enable(self, enabled: bool) -> None:
        """It has no switch."""

    def missing_rights(self, *actions: str) -> list[str]:
        needed = {"add": "access_settings.whitelist.create", "remove": "access_settings.whitelist.delete"}
        return self._lacks({needed[action] for action in actions if action in needed})


def _domain(item: JsonObject) -> SenderDomain:
    name, subdomain = str(item["domain"]).lower(), str(item["subdomain"]).lower()
    return SenderDomain(str(item["id"]), name, f"{subdomain}.{name}", bool(item["valid"]), tuple(_records(item["dns"])))


def _records(dns: JsonObject) -> Iterator[DnsRecord]:
    """The records of an answer. Names are absolute, types in lower case; only the answers of automated security are all CNAME."""
    for key, record in dns.items():
        name, value = str(record["host"]).lower().rstrip("."), str(record["data"]).rstrip(".")
        yield DnsRecord(key, _PURPOSES.get(key, "dkim"), name, str(record["type"]).upper(), value, bool(record["valid"]))


def _validated(record: DnsRecord, result: JsonObject) -> DnsRecord:
    return replace(record, valid=bool(result.get("valid")), reason=str(result.get("reason") or ""))


CLIENTS = ProviderClients(SendGridDomains, SendGridCredentials, SendGridAccount, SendGridAllowList, SendGridAllowList)
