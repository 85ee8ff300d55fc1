# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender domains, SMTP credentials and state of a Mailgun account.

Sources: Mailgun's OpenAPI document 3.0.0 (paths, types, states); "Domain Verification Setup Guide", "Automatic Sender Security".
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from urllib.parse import quote

from .. import error_catalog
from .._core.bounds import HOSTED_RELAY, MAILGUN_REMOVAL, MAILGUN_VERIFICATION, Bounds
from .._core.errors import HostedRelayError
from .._core.json_types import JsonObject
from .._core.networks import Network, parse, written
from .._core.waiting import Retry
from .._http.transport import Request, Response, Transport
from .account_state import Quota, Suppressed
from .allow_lists import AllowList, Entry
from .client_types import ProviderClients
from .credentials import CreatedCredential, ListedCredential, Listing
from .domains import DnsRecord, SenderDomain

_ALLOW_LIST = "/v2/ip_whitelist"
_PAGE = 1000  # the maximum
_SANDBOX = "it is a sandbox domain, from which Mailgun delivers to authorized recipients only."


class MailgunApi:
    """Requests to Mailgun's API in one region. Bodies are forms, answers JSON."""

    def __init__(self, transport: Transport, url: str, key: str, _region: str) -> None:
        self._transport, self._url = transport, url.rstrip("/")
        self._headers = {"Authorization": f"Basic {base64.b64encode(f'api:{key}'.encode()).decode()}"}

    def _call(
        self, method: str, path: str, attempted: str, form: dict[str, str] | None = None, bounds: Bounds = HOSTED_RELAY
    ) -> JsonObject | None:
        """The answer's document; None where the object does not exist. Only requests that read are repeated after a lost answer."""
        request = Request(
            method, self._url + path, dict(self._headers), form=form, repeatable=method == "GET", attempted=attempted, bounds=bounds
        )  # fmt: skip
        answer = self._transport.send(request)
        if answer.status == 404:
            return None
        body = answer.json()
        if answer.status >= 300 or not isinstance(body, dict):
            raise _error(answer, body if isinstance(body, dict) else {}, attempted)
        return body


class MailgunDomains(MailgunApi):
    """Implements DomainClient. The envelope sender is in the domain itself; DKIM keys are CNAME records, which Mailgun rotates.

    A domain has one region, and does not exist in the others. Tracking records are not read: they rewrite the links in messages.
    """

    def read(self, names: Collection[str]) -> list[SenderDomain]:
        answers = [self._call("GET", _path(name), f"read the domain {name} at Mailgun") for name in dict.fromkeys(names)]
        return [_domain(answer) for answer in answers if answer]

    def predicted(self, name: str, label: str) -> SenderDomain:
        dkim = (f"pdk{number}._domainkey.{name}" for number in (1, 2))
        records = (DnsRecord(name, "spf", name, "TXT"), *(DnsRecord(key, "dkim", key, "CNAME") for key in dkim))
        return SenderDomain("", name, name, False, records, f"{label}.{name}")

    def create(self, name: str, label: str) -> SenderDomain:
        form = {"name": name, "use_automatic_sender_security": "true", "web_prefix": label}
        attempted = f"create the domain {name} at Mailgun"
        return self._one(self._call("POST", "/v4/domains", attempted, form), attempted)

    def verify(self, domain: SenderDomain) -> SenderDomain:
        """Mailgun sets the domain to unverified before it reads DNS."""
        attempted = f"verify the domain {domain.name} at Mailgun"
        return self._one(self._call("PUT", f"{_path(domain.name)}/verify", attempted, bounds=MAILGUN_VERIFICATION), attempted)

    def remove(self, domain: SenderDomain) -> None:
        """Mailgun removes the domain in the background: wait until it is no longer listed."""
        attempted = f"remove the domain {domain.name} at Mailgun"
        self._call("DELETE", _path(domain.name).replace("/v4/", "/v3/"), attempted)
        retry = Retry(MAILGUN_REMOVAL, self._transport)
        while self.read([domain.name]) and retry.again():
            pass

    def missing_rights(self, *_actions: str) -> list[str]:
        """None: the API does not return the role of a key. A key of a role that may not write is refused with 403."""
        return []

    @staticmethod
    def _one(answer: JsonObject | None, attempted: str) -> SenderDomain:
        if answer is None:
            raise HostedRelayError(attempted, "Domain not found", code="404", status=404)
        return _domain(answer)


class MailgunCredentials(MailgunApi):
    """Implements CredentialClient. A credential belongs to a domain, which signs its messages; its user name is an address in it."""

    generates_passwords = False

    def read(self, domains: Collection[str]) -> Listing:
        pages = {domain: self._of_domain(domain) for domain in dict.fromkeys(domains)}
        listed = [one for page in pages.values() for one in page or ()]
        return Listing(tuple(listed), tuple(domain for domain, page in pages.items() if page is None))

    def _of_domain(self, domain: str) -> list[ListedCredential] | None:
        """None where the region does not have the domain."""
        items: list[JsonObject] = []
        while True:
            path = f"{_credentials(domain)}?skip={len(items)}&limit={_PAGE}"
            answer = self._call("GET", path, f"list the SMTP credentials of {domain} at Mailgun")
            if answer is None:
                return None
            page = answer.get("items") or []
            items += page
            if len(page) < _PAGE:
                logins = [str(item["login"]).lower() for item in items]
                return [ListedCredential(login, login.partition("@")[0]) for login in logins]

    def identifier(self, label: str, domain: str) -> str:
        return f"{label}@{domain}"

    def create(self, label: str, domain: str, password: str) -> CreatedCredential:
        login, attempted = self.identifier(label, domain), f"create the SMTP credential {label} of {domain} at Mailgun"
        if self._call("POST", _credentials(domain), attempted, {"login": login, "password": password}) is None:
            raise HostedRelayError(attempted, "Domain not found", code="404", status=404)
        return CreatedCredential(login, login, password)

    def remove(self, identifier: str) -> None:
        path = f"{_credentials(identifier.rpartition('@')[2])}/{quote(identifier, safe='')}"
        self._call("DELETE", path, f"remove the SMTP credential {identifier} at Mailgun")

    def missing_rights(self, *_actions: str) -> list[str]:
        """None: the API does not return the role of a key. A key of a role that may not write is refused with 403."""
        return []


class MailgunAccount(MailgunApi):
    """Implements AccountClient. Suppressions are of a domain. An account has a limit of its own only where somebody has set one."""

    def missing_rights(self, *purposes: str) -> None:
        """The API does not return the role of a key."""

    def quota(self) -> Quota | None:
        answer = self._call("GET", "/v5/accounts/limit/custom/monthly", "read the monthly limit of the Mailgun account")
        return Quota(int(answer["current"]), int(answer["limit"]), "messages") if answer and answer.get("limit") else None

    def problems(self, domains: Collection[str]) -> list[str]:
        known = (answer for name in dict.fromkeys(domains) if (answer := self._domain(name)))
        return [
            f"{own['name']}: {problem}" for own in (answer["domain"] for answer in known) if (problem := _problem(own) or _unverified(own))
        ]

    def suppressed(self, address: str, domains: Collection[str]) -> list[Suppressed]:
        """404 means that the list does not have the address."""
        matches = []
        for domain in dict.fromkeys(domains):
            for name in ("bounces", "complaints", "unsubscribes"):
                path = f"/v3/{quote(domain, safe='')}/{name}/{quote(address, safe='')}"
                answer = self._call("GET", path, f"read whether Mailgun suppresses {address}")
                if answer:
                    matches.append(Suppressed(address, name, str(answer.get("error") or ""), domain))
        return matches

    def unknown_domains(self, domains: Collection[str]) -> list[str]:
        return [name for name in dict.fromkeys(domains) if not self._domain(name)]

    def _domain(self, name: str) -> JsonObject | None:
        if name not in self._domains:
            self._domains[name] = self._call("GET", _path(name), f"read the domain {name} at Mailgun")
        return self._domains[name]

    @cached_property
    def _domains(self) -> dict[str, JsonObject | None]:
        """The domains that were read."""
        return {}


class MailgunAllowList(MailgunApi):
    """Implements AllowListClient: the list decides on the API and SMTP in all regions as soon as it has an entry."""

    has_switch, has_descriptions = False, True
    governs_api = True

    def read(self) -> AllowList:
        answer = self._call("GET", _ALLOW_LIST, "read the IP allow list of Mailgun") or {}
        items = answer.get("addresses") or []
        entries = [Entry(parse(str(one["ip_address"])), str(one["ip_address"]), str(one.get("description") or "")) for one in items]
        return AllowList(bool(entries), tuple(entries))

    def add(self, entries: Sequence[tuple[Network, str]]) -> None:
        for network, description in entries:
            form = {"address": written(network), "description": description}
            self._call("POST", _ALLOW_LIST, "add to the IP allow list of Mailgun", form)

    def describe(self, entry: Entry, description: str) -> None:
        form = {"address": entry.id, "description": description}
        self._call("PUT", _ALLOW_LIST, "change the IP allow list of Mailgun", form)

    def remove(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._call("DELETE", f"{_ALLOW_LIST}?address={quote(entry.id, safe='')}", "remove from the IP allow list of Mailgun")

    def enable(self, enabled: bool) -> None:
        """It has no switch."""

    def missing_rights(self, *_actions: str) -> list[str]:
        """None: the API does not return the role of a key. A key of a role that may not write is refused with 403."""
        return []


def _credentials(domain: str) -> str:
    return f"/v3/domains/{quote(domain, safe='')}/credentials"


def _path(name: str) -> str:
    return f"/v4/domains/{quote(name, safe='')}"


def _error(answer: Response, body: JsonObject, attempted: str) -> HostedRelayError:
    """The failure that an answer means. Some answers have the text in Reason or Description, or are no JSON."""
    texts = (body.get(name) for name in ("message", "Reason", "Description"))
    message, code = next((str(text) for text in texts if text), "") or answer.text[:200], str(answer.status)
    return HostedRelayError(attempted, message, code=code, status=answer.status, entry=error_catalog.hosted(code, message))


def _domain(answer: JsonObject) -> SenderDomain:
    own = answer["domain"]
    name = str(own["name"]).lower()
    records = [*_records(name, answer.get("sending_dns_records")), *_records(name, answer.get("receiving_dns_records"))]
    mark = f"{own.get('web_prefix') or ''}.{name}".lower()
    return SenderDomain(str(own.get("id") or name), name, name, own.get("state") == "active", tuple(records), mark, _problem(own))


def _problem(own: JsonObject) -> str:
    if own.get("is_disabled") or own.get("state") == "disabled":
        facts = own.get("disabled") or {}
        until = f" until {facts['until']}" if facts.get("until") and not facts.get("permanently") else ""
        return f"Mailgun has disabled it{until} and sends nothing for it: {facts.get('reason') or facts.get('note') or 'no reason given'}"
    return _SANDBOX if own.get("type") == "sandbox" else ""


def _unverified(own: JsonObject) -> str:
    """Mailgun accepts its mail, without a signature and an envelope sender that receivers can verify."""
    return "" if own.get("state") == "active" else "Mailgun has not verified it, so that receivers may refuse its mail."


def _records(domain: str, items: list[JsonObject] | None) -> Iterator[DnsRecord]:
    """Records without those for tracking. MX records have no name; the domain is verified without them."""
    for item in items or ():
        name, kind = str(item.get("name") or domain).lower().rstrip("."), str(item["record_type"]).upper()
        if kind == "CNAME" and "._domainkey." not in name:
            continue
        purpose = "return_path" if kind == "MX" else "dkim" if "._domainkey." in name else "spf"
        value = str(item["value"]) if kind == "TXT" else str(item["value"]).rstrip(".")
        valid = str(item.get("valid")).lower() == "valid"
        priority = int(item.get("priority") or 0)
        yield DnsRecord(name, purpose, name, kind, value, valid, required=kind != "MX", priority=priority)


CLIENTS = ProviderClients(MailgunDomains, MailgunCredentials, MailgunAccount, MailgunAllowList, MailgunAllowList)
