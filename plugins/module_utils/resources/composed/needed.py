# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the senders and the inventory need, in the terms of the record, and the record after a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._composition.step import PlannedStep
from ..._entra.application_state import granted_scopes
from ..._entra.applications import APIS, ApplicationChanges
from ..._exchange.rbac.consent import PERMISSION as CONSENTED_PERMISSION
from ..._planning.role_inputs import DELEGATED_PERMISSIONS, is_true
from ..._planning.role_variables import basic_policy
from ..acs_smtp_username import SERVICE
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
    OF_ACS,
    OF_APPLICATIONS,
    ORGANIZATION,
    POLICY,
    REJECTED,
    SMTP_AUTH,
    SMTP_USERNAME,
    Entry,
    Key,
    Record,
)

Primary = Callable[[str], str]  # the primary address of an address in lower case, where it is known


@dataclass(frozen=True)
class Needed:
    """What is needed. `keys`: of all entries that stay; `opened`: those of them whose setting before is recorded."""

    keys: frozenset[Key]
    opened: frozenset[Key]

    @classmethod
    def of(cls, variables: Mapping[str, Any], app: str, owner: str, primary: Primary) -> Needed:
        """From role variables. `app`: the sender app."""
        opened = frozenset(_opened(variables, owner, primary))
        created = [
            *((MAILBOX, address, "") for address in _addresses(variables, primary, "shared_mailbox_mailboxes")),
            *((HVE_ACCOUNT, address, "") for address in _addresses(variables, primary, "hve_account_accounts")),
            *((APPLICATION, name, "") for name in _applications(variables)),
        ]
        access = _addresses(variables, primary, "entra_app_full_access", "entra_app_send_as")
        listed = [(SMTP_AUTH, address, "") for address in _addresses(variables, primary, "smtp_auth_mailboxes")]
        set_by_inventory = [(DIRECT_SEND, ORGANIZATION, "")] if variables.get("direct_send_rejected") is not None else []
        consents = [(kind, name, permission) for name, permission in _consents(variables) for kind in (CONSENT, GRANTED_CONSENT)]
        access_keys = [*((ACCESS, address, app) for address in access), *_account_access(variables), *_smtp_usernames(variables)]
        return cls(frozenset([*access_keys, *consents, *opened, *created, *listed, *set_by_inventory]), opened)

    def names(self, kind: str) -> set[str]:
        return {name for own, name, _value in self.keys if own == kind}

    def without(self, entries: Iterable[Entry]) -> set[Entry]:
        """The entries that are not needed."""
        return {entry for entry in entries if entry.key not in self.keys}


def former_addresses(variables: Mapping[str, Any]) -> dict[str, str]:
    """The new addresses of the mailboxes and accounts that are renamed (was), by the former one; in lower case."""
    items = [item for item in _items(variables, "shared_mailbox_mailboxes", "hve_account_accounts") if item.get("was")]
    return {str(item["was"]).lower(): str(item["address"]).lower() for item in items}


def _items(variables: Mapping[str, Any], *names: str) -> Iterator[Any]:
    for name in names:
        yield from variables.get(name) or ()


def _addresses(variables: Mapping[str, Any], primary: Primary, *names: str) -> set[str]:
    items = _items(variables, *names)
    return {primary(str(item["address"] if isinstance(item, Mapping) else item).lower()) for item in items}


def _opened(variables: Mapping[str, Any], owner: str, primary: Primary) -> Iterator[Key]:
    """Mailboxes for which SMTP AUTH is enabled or that have the owner's policy, and Direct Send where a sender uses it."""
    if variables.get("direct_send_senders"):
        yield DIRECT_SEND, ORGANIZATION, ""
    for item in _items(variables, "smtp_auth_mailboxes"):
        if item.get("smtp_auth", "enabled") == "enabled":
            yield SMTP_AUTH, primary(str(item["address"]).lower()), ""
    for policy in _items(variables, "authentication_policy_policies"):
        if str(policy.get("name", "")).lower() == basic_policy(owner).lower():
            yield from ((POLICY, primary(str(address).lower()), "") for address in policy.get("mailboxes") or ())


def _account_access(variables: Mapping[str, Any]) -> Iterator[Key]:
    """The High Volume Email accounts with the applications that may send with them."""
    for account in _items(variables, "hve_account_accounts"):
        yield from ((HVE_ACCESS, str(account["address"]).lower(), str(app)) for app in account.get("apps") or ())


def service_of(options: Mapping[str, Any]) -> str:
    """A Communication Services resource as the record has it, from the options that name it; "" where one is missing."""
    parts = [str(options.get(name) or "").lower() for name in SERVICE]
    return "/".join(parts) if all(parts) else ""


def _smtp_usernames(variables: Mapping[str, Any]) -> Iterator[Key]:
    """The SMTP usernames, and the applications that may send with their Communication Services resource."""
    options = {name.removeprefix("acs_smtp_username_"): value for name, value in variables.items()}
    service = service_of(options)
    listed = [item for item in _items(variables, "acs_smtp_username_usernames") if item.get("state", "present") == "present"]
    for item in listed if service else ():
        yield SMTP_USERNAME, str(item["name"]).lower(), service
        if app := item.get("app") or options.get("app"):
            yield ACS_ROLE, str(app), service


def _consents(variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The sender app, and that to which users sign in, with each of their permissions.

    The migration to RBAC for Applications ends consent to SMTP.SendAsApp; without mailboxes there is no migration.
    """
    without_consent = variables.get("entra_app_authorization") == "rbac" and not variables.get("entra_app_full_access")
    listed = {"entra_app_unique_name": list(_items(variables, "entra_app_permissions"))}
    if variables.get("delegated_sign_in_users") and is_true(variables.get("delegated_sign_in_app_register", True)):
        listed["delegated_sign_in_app_unique_name"] = DELEGATED_PERMISSIONS
    for variable, items in listed.items():
        for item in items if variables.get(variable) else ():
            if item["name"] == CONSENTED_PERMISSION and without_consent and variable == "entra_app_unique_name":
                continue
            delegated = item.get("type") == "delegated"
            yield str(variables[variable]), permission_value(str(item.get("api") or "exchange"), str(item["name"]), delegated=delegated)


_DELEGATED = "delegated"


def permission_value(api: str, name: str, *, delegated: bool) -> str:
    """A permission as the record has it. `api`: a key of APIS or the API's application id."""
    return "/".join((_API_NAMES.get(api.lower(), api.lower()), name, *([_DELEGATED] if delegated else ())))


def permission_of(value: str) -> dict[str, str]:
    """A permission of the record in the form of an option."""
    api, name, *delegated = value.split("/")
    return {"api": api, "name": name, **({"type": _DELEGATED} if delegated else {})}


_API_NAMES = {api: name for name, api in APIS.items()}


def _applications(variables: Mapping[str, Any]) -> Iterator[str]:
    """The unique names of the applications that the inventory or its senders name."""
    names = [variables.get("entra_app_unique_name"), variables.get("delegated_sign_in_app_unique_name")]
    names += [app for account in _items(variables, "hve_account_accounts") for app in account.get("apps") or ()]
    names += [item.get("app") or variables.get("acs_smtp_username_app") for item in _items(variables, "acs_smtp_username_usernames")]
    yield from (str(name) for name in names if name)


# -- the record after a plan ------------------------------------------------------------------------------------------


def after(record: Record, needed: Needed, kept: Iterable[Entry], planned: Sequence[PlannedStep], primary: Primary) -> Record:
    """The record after the plan: what is needed, with its settings before, and what is created. `kept`: orphans that stay."""
    before = _settings_before(planned, primary)
    entries = {Entry(*key) for key in needed.keys if key[0] in OF_APPLICATIONS or key[0] == CONSENT}
    for kind, name, _value in needed.opened:
        value = record.value(kind, name)
        entries.add(Entry(kind, name, before.get((kind, name), _unchanged(kind)) if value is None else value))
    created = set(_created(planned))
    entries |= {entry for entry in record.entries | created if entry.kind in _CREATED and entry.key in needed.keys}
    # What another owner has created and this one needs, too: none of them removes it for the others.
    entries |= {entry for entry in record.others if entry.kind in _SHARED and entry.key in needed.keys}
    return record.with_entries(entries | set(kept))


_CREATED = (MAILBOX, HVE_ACCOUNT, APPLICATION, GRANTED_CONSENT, SMTP_USERNAME, ACS_ROLE)
_SHARED = OF_ACS | {MAILBOX, HVE_ACCOUNT, APPLICATION}


def _unchanged(kind: str) -> str:
    """The setting before, where a plan leaves it as it is."""
    return "enabled" if kind == SMTP_AUTH else ""


def _settings_before(planned: Sequence[PlannedStep], primary: Primary) -> dict[tuple[str, str], str]:
    """The settings that the plan changes, as they are before."""
    result: dict[tuple[str, str], str] = {}
    for one in planned:
        kind = {"smtp_auth": SMTP_AUTH, "authentication_policy": POLICY}.get(one.name)
        if kind and one.plan.changed:
            result |= {(kind, primary(address)): str(value or "") for address, value in (one.plan.before.get("mailboxes") or {}).items()}
        if one.name == "direct_send" and one.plan.changed and one.plan.before["rejected"]:
            result[(DIRECT_SEND, ORGANIZATION)] = REJECTED
    return result


def _created(planned: Sequence[PlannedStep]) -> Iterator[Entry]:
    """The mailboxes, accounts and applications that the plan creates, and the consents that it grants.

    A deleted application that is restored is one, too, with all its consents.
    """
    kinds = {"shared_mailbox": MAILBOX, "hve_account": HVE_ACCOUNT}
    for one in planned:
        if not one.plan.changed:
            continue
        if one.name in kinds:
            yield from (Entry(kinds[one.name], a) for a, values in one.plan.after.items() if values and not one.plan.before.get(a))
        if one.name == "entra_app" and (one.plan.pending.create or one.plan.pending.restore):
            yield Entry(APPLICATION, one.step.subject)
        if one.name == "acs_smtp_username":
            service, before = service_of(one.step.options), {name.lower() for name in one.plan.before["usernames"]}
            yield from (Entry(SMTP_USERNAME, name.lower(), service) for name in one.plan.pending.write if name.lower() not in before)
            yield from (Entry(ACS_ROLE, app, service) for app in one.plan.pending.assign)
        if one.name == "entra_app":
            yield from (Entry(GRANTED_CONSENT, one.step.subject, value) for value in _granted(one.plan.pending))


def _granted(changes: ApplicationChanges) -> Iterator[str]:
    """The permissions that changes consent to, without those that have consent already."""
    yield from (permission_value(permission.api, permission.name, delegated=False) for permission in changes.assign)
    before = granted_scopes(changes.current)
    for resource, scopes in changes.scopes.items():
        api = str(changes.current.api_of(resource).get("appId") or resource)
        yield from (permission_value(api, name, delegated=True) for name in sorted(scopes - before.get(resource, frozenset())))
