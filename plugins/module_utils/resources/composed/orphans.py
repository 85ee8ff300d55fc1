# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orphans: what is recorded, exists, and is not needed any more, by the owner or by another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..._clients.exchange import Command
from ..._core.json_types import JsonObject
from ..._engine.tenant import Tenant
from ..._entra import application_lookup
from ..._exchange import addresses, authentication_policies, lookup
from ..._planning.context import SHARED
from ..._planning.role_variables import basic_policy
from .. import acs_smtp_username, direct_send, smtp_auth
from .needed import Needed
from .record import (
    ACCESS,
    ACS_ROLE,
    APPLICATION,
    CONSENT,
    DIRECT_SEND,
    GRANTED_CONSENT,
    HVE_ACCESS,
    HVE_ACCOUNT,
    MAILBOX,
    OF_ACCOUNTS,
    OF_ACS,
    OF_APPLICATIONS,
    OF_MAILBOXES,
    POLICY,
    REJECTED,
    SMTP_AUTH,
    SMTP_USERNAME,
    Entry,
    Record,
)

_ACCOUNTS = Command("Get-MailUser", {"HVEAccount": True, "ResultSize": "Unlimited"}, lookup.SELECT, "list the High Volume Email accounts")
_REMOVED_ON_REQUEST = {
    MAILBOX: ("mailbox", "shared_mailbox_mailboxes"),
    HVE_ACCOUNT: ("High Volume Email account", "hve_account_accounts"),
    APPLICATION: ("application", "entra_app_unique_name"),
}


@dataclass(frozen=True)
class Orphans:
    """The orphans. `on_request`: entries of what holds data, costs money or identifies a sender, which is removed on request only."""

    entries: frozenset[Entry] = frozenset()

    def values(self, kind: str) -> dict[str, str]:
        """Name -> value of the entries of a kind."""
        return {entry.name: entry.value for entry in sorted(self.entries) if entry.kind == kind}

    def access(self) -> dict[str, list[str]]:
        """Mailboxes by the unique name of the application that has permissions on them."""
        entries = sorted(entry for entry in self.entries if entry.kind == ACCESS)
        return {app: [entry.name for entry in entries if entry.value == app] for app in sorted({entry.value for entry in entries})}

    def account_access(self) -> dict[str, list[str]]:
        """Unique names of applications by the address of the High Volume Email account that they may send with."""
        entries = sorted(entry for entry in self.entries if entry.kind == HVE_ACCESS)
        return {name: [entry.value for entry in entries if entry.name == name] for name in sorted({entry.name for entry in entries})}

    def of_services(self) -> dict[str, tuple[list[str], list[str]]]:
        """The SMTP usernames and the applications with a role, by Communication Services resource."""
        services = sorted({entry.value for entry in self.entries if entry.kind in OF_ACS})
        return {one: (self._of_service(SMTP_USERNAME, one), self._of_service(ACS_ROLE, one)) for one in services}

    def _of_service(self, kind: str, service: str) -> list[str]:
        return sorted(entry.name for entry in self.entries if (entry.kind, entry.value) == (kind, service))

    def consents(self) -> dict[str, list[str]]:
        """Permissions by the unique name of the application that was given them."""
        entries = sorted(entry for entry in self.entries if entry.kind == GRANTED_CONSENT)
        return {name: [entry.value for entry in entries if entry.name == name] for name in sorted({entry.name for entry in entries})}

    @property
    def on_request(self) -> frozenset[Entry]:
        return frozenset(entry for entry in self.entries if entry.kind in _REMOVED_ON_REQUEST)

    def attention(self) -> list[JsonObject]:
        """The orphans that are removed on request, as entries that need attention."""
        return [_attention(entry) for entry in sorted(self.on_request)]


def _attention(entry: Entry) -> JsonObject:
    what, variable = _REMOVED_ON_REQUEST[entry.kind]
    return {
        "kind": "orphan",
        "subject": entry.name,
        "problem": f"This {what} was created for senders that are no longer listed.",
        "remedy": f"Remove it with m365_remove_orphans: true, or set {variable} to keep it.",
    }


def orphans_of(tenant: Tenant, record: Record, needed: Needed, owner: str, former: Mapping[str, str]) -> Orphans:
    """The orphans. Only where there may be some, objects are read: an address may be another one of a needed mailbox.

    `former`: the former addresses of mailboxes that the plan renames, by their new ones, which may not exist yet.
    """
    candidates = {entry for entry in needed.without(record.entries) if entry.key not in record.keys_of_others and entry.kind != CONSENT}
    candidates = {entry for entry in candidates if entry.kind != GRANTED_CONSENT or not record.users_of_consent(entry)}
    if not candidates:
        return Orphans()
    guids = _guids(tenant, candidates, needed, former)
    existing = {entry for entry in candidates if (entry.kind, entry.value) == (DIRECT_SEND, REJECTED)}
    existing |= {entry for entry in candidates if entry.kind in guids and _is_orphan(entry, guids[entry.kind], needed)}
    existing |= _applications(tenant, candidates) | {entry for entry in candidates if entry.kind == GRANTED_CONSENT}
    existing |= _of_existing_services(tenant, candidates)
    existing -= _of_missing_applications(tenant, existing, needed)
    return Orphans(frozenset(existing - _changed_since(tenant, existing, guids, owner, former)))


_Guids = dict[str, str]  # by address


def _guids(tenant: Tenant, candidates: set[Entry], needed: Needed, former: Mapping[str, str]) -> dict[str, _Guids]:
    """The Guids of the candidates' mailboxes or accounts, and of the needed ones that they may be, by kind.

    A shared mailbox that somebody has converted to a user's is that user's: it is not among those of kind MAILBOX.
    """
    kinds = {entry.kind for entry in candidates} & OF_MAILBOXES
    of_mailboxes = kinds - OF_ACCOUNTS
    named = {entry.name for entry in candidates if entry.kind in of_mailboxes}.union(*map(needed.names, of_mailboxes))
    named |= {former[address] for address in named if address in former}
    commands = [addresses.look_up(address, "Guid", "RecipientTypeDetails") for address in sorted(named)]
    commands += [_ACCOUNTS] if kinds & OF_ACCOUNTS else []
    outcomes = tenant.exchange.batch(commands)
    items = {address: lookup.only(outcome, "m365_senders", address) for address, outcome in zip(sorted(named), outcomes, strict=False)}
    guids = {address: str(item["Guid"]) for address, item in items.items() if item}
    guids |= {new: guids[old] for new, old in former.items() if new not in guids and old in guids}
    rows = [item for outcome in outcomes[len(named) :] for item in outcome.checked().values]
    accounts = {address: str(item["Guid"]) for item in rows for address in lookup.smtp_addresses(item)}
    accounts |= {new: accounts[old] for new, old in former.items() if new not in accounts and old in accounts}
    others = {str(item["Guid"]) for item in items.values() if item and item.get("RecipientTypeDetails") != SHARED}
    shared = {address: guid for address, guid in guids.items() if guid not in others}
    return {kind: accounts if kind in OF_ACCOUNTS else shared if kind == MAILBOX else guids for kind in kinds}


def _is_orphan(entry: Entry, guids: _Guids, needed: Needed) -> bool:
    """Whether the mailbox or account exists and is not a needed one under another address."""
    app = entry.key[2]
    kept = {guids[name] for kind, name, of in needed.keys if (kind, of) == (entry.kind, app) and name in guids}
    return entry.name in guids and guids[entry.name] not in kept


def _applications(tenant: Tenant, candidates: set[Entry]) -> set[Entry]:
    """The candidates of kind APPLICATION that exist."""
    entries = sorted(entry for entry in candidates if entry.kind == APPLICATION)
    calls = [application_lookup.registration(entry.name, "look for applications that no sender needs") for entry in entries]
    return {entry for entry, answer in zip(entries, tenant.graph.batch(calls), strict=True) if answer}


def _of_existing_services(tenant: Tenant, candidates: set[Entry]) -> set[Entry]:
    """The candidates of Communication Services resources that exist: with a resource that is gone everything in it is gone, too."""
    entries = {entry for entry in candidates if entry.kind in OF_ACS}
    services = {one: acs_smtp_username.exists(tenant, service_options(one)) for one in sorted({entry.value for entry in entries})}
    return {entry for entry in entries if services[entry.value]}


def service_options(service: str) -> dict[str, str]:
    """The options that name a Communication Services resource of the record."""
    return dict(zip(acs_smtp_username.SERVICE, service.split("/"), strict=True))


def _of_missing_applications(tenant: Tenant, entries: set[Entry], needed: Needed) -> set[Entry]:
    """The permissions of applications that do not exist any more: they are without effect, and cannot be revoked by name."""
    applications = {entry: entry.value for entry in entries if entry.kind in OF_APPLICATIONS}
    applications |= {entry: entry.name for entry in entries if entry.kind in (GRANTED_CONSENT, ACS_ROLE)}
    names = sorted(set(applications.values()) - needed.names(APPLICATION))
    existing = application_lookup.find(tenant, names)
    return {entry for entry, name in applications.items() if name in names and not existing[name]}


def _changed_since(tenant: Tenant, entries: set[Entry], guids: Mapping[str, _Guids], owner: str, former: Mapping[str, str]) -> set[Entry]:
    """The settings that somebody has changed since: they are not restored."""
    names = sorted(entry.name for entry in entries if entry.kind == SMTP_AUTH)
    enabled = smtp_auth.enabled_mailboxes(tenant, {name: guids[SMTP_AUTH][name] if name in former else name for name in names})
    users = {entry.name: guids[POLICY][entry.name] for entry in sorted(entries) if entry.kind == POLICY}
    current = authentication_policies.policies_of(tenant, authentication_policies.read_policies(tenant), users) if users else {}
    own = basic_policy(owner).lower()
    rejected = any(entry.kind == DIRECT_SEND for entry in entries) and direct_send.read(tenant)
    return {
        entry
        for entry in entries
        if (entry.kind == SMTP_AUTH and entry.name not in enabled)
        or (entry.kind == POLICY and current.get(entry.name) != own)
        or (entry.kind == DIRECT_SEND and rejected)
    }
