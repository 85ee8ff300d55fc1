# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's plan adds to what the senders need: the end of what this collection made and nothing needs any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._composition.changes import key_of
from ..._composition.step import PLANNED, PlannedStep, Step
from ..._core.json_types import JsonObject
from ..._core.params import NoParams
from ..._engine.resource import Plan
from ..._engine.tenant import Tenant
from ..._exchange import authentication_policies
from ..._planning.role_inputs import RoleInput, is_true, role_inputs
from ..._planning.role_variables import COMPONENTS, CONFIGURED, basic_policy
from .. import sender_plan
from . import needed as needs
from . import record as records
from .needed import Needed, Primary
from .orphans import Orphans, orphans_of, service_options
from .other_owners import with_others
from .record import (
    ACCESS,
    APPLICATION,
    DIRECT_SEND,
    GRANTED_CONSENT,
    HVE_ACCOUNT,
    MAILBOX,
    POLICY,
    SMTP_AUTH,
    Entry,
    Record,
    RecordChanges,
    RecordTags,
)

_PRINCIPAL, _RBAC, _ACS = "exchange_service_principal", "rbac_for_applications", "acs_smtp_username"
# Modules that restore settings: kind of the entries, and kind of the changes.
_RESTORED = {
    "smtp_auth": (SMTP_AUTH, "smtp_auth"),
    "authentication_policy": (POLICY, "policy_assignment"),
    "direct_send": (DIRECT_SEND, "direct_send"),
}


@dataclass(frozen=True)
class Selection:
    """What a run changes: the components, and whether everything of the owner ends (`absent`)."""

    components: Collection[str] = tuple(COMPONENTS)
    absent: bool = False

    def removed_kinds(self, remove_orphans: bool) -> frozenset[str]:
        """The kinds of orphans that are removed. An application holds no data, so that it ends with everything else."""
        kinds = {MAILBOX, HVE_ACCOUNT, APPLICATION} if remove_orphans else {APPLICATION} if self.absent else set[str]()
        return frozenset(kinds if "identity" in self.components else ())


@dataclass(frozen=True)
class Lifecycle:
    """The owner's record, and its orphans. `variables`: the role variables of the senders and the inventory.

    `policies`: the names of the authentication policies, by name in lower case. `record`: with the primary
    addresses that mailboxes have after the plan; None where it may not be read. `stored`: its entries as they are read.
    `removed_kinds`: of the orphans that the run removes. `handed_over`: applications and consents that another owner needs, each
    with that one.
    """

    app: str
    owner: str
    record: Record | None
    stored: frozenset[Entry]
    needed: Needed
    orphans: Orphans
    removed_kinds: frozenset[str]
    variables: Mapping[str, Any]
    primary: Primary
    policies: Mapping[str, str]
    selection: Selection
    handed_over: Mapping[Entry, str]

    @classmethod
    def of(
        cls, tenant: Tenant, params: sender_plan.Params, variables: Mapping[str, Any], primary: Primary, selection: Selection
    ) -> Lifecycle:
        app, owner = params.app_unique_name, params.owner
        record = records.read(tenant, owner)
        stored = record.entries if record else frozenset()
        former = needs.former_addresses(variables)
        record = record.renamed(lambda address: former.get(address) or primary(address)) if record else None
        needed = Needed.of(variables, app, owner, primary)
        new_addresses = {new: old for old, new in former.items()}
        orphans = orphans_of(tenant, record, needed, owner, new_addresses) if record else Orphans()
        handed_over = _handed_over(record, orphans, needed) if record and "identity" in selection.components else {}
        orphans = Orphans(orphans.entries - handed_over.keys())
        policies = {key: policy.name for key, policy in authentication_policies.read_policies(tenant).items()}
        if record:
            variables = with_others(tenant, record, variables, params.inventory_names, owner, primary)
        removed = selection.removed_kinds(params.remove_orphans)
        return cls(app, owner, record, stored, needed, orphans, removed, variables, primary, policies, selection, handed_over)

    def inputs(self, roles: Collection[str]) -> list[RoleInput]:
        """The input of every step. Connectors are always looked at: one of a sender that is gone is removed."""
        variables: JsonObject = {"inbound_connector_connectors": [], **self.variables}
        run = {*roles, "inbound_connector"} - {"verify"}
        for role, variable, items in self._ends():
            if items:
                variables |= {variable: [*(variables.get(variable) or ()), *items]}
                run.add(role)
        variables |= self._without_access(variables)
        if variables.get("hve_account_accounts"):
            run.add("hve_account")
        if self.orphans.values(DIRECT_SEND):
            variables |= {"direct_send_rejected": True, "direct_send_senders": []}
            run.add("direct_send")
        inputs = role_inputs([role for role in CONFIGURED if role in run], variables)
        return [
            *self._revocations(inputs),
            *self._smtp_username_ends(inputs),
            *map(self._ending, inputs),
            *self._consent_ends(inputs),
            *self._removed_applications(),
        ]

    def _ended_consents(self) -> dict[str, list[JsonObject]]:
        """The permissions that end, in the form of an option, by application. One that this run removes loses them with everything else."""
        removed = {entry.name for entry in self._removed(APPLICATION)}
        return {app: list(map(needs.permission_of, values)) for app, values in self.orphans.consents().items() if app not in removed}

    def _consent_ends(self, inputs: Sequence[RoleInput]) -> list[RoleInput]:
        """The end of consents of applications that no other step configures."""
        configured = {one.options.get("unique_name") for one in inputs if one.module == "entra_app"}
        return [
            RoleInput("entra_app", "entra_app", {"unique_name": app, "revoked_permissions": listed})
            for app, listed in self._ended_consents().items()
            if app not in configured
        ]

    def _without_access(self, variables: Mapping[str, Any]) -> JsonObject:
        """The High Volume Email accounts, with the applications that may no longer send with them."""
        withdrawn = self.orphans.account_access()
        listed = [dict(item) for item in variables.get("hve_account_accounts") or ()]
        for item in listed:
            apps = withdrawn.pop(str(item["address"]).lower(), None)
            if apps and item.get("state", "present") == "present":
                item["withdrawn_apps"] = apps
        listed += [{"address": address, "withdrawn_apps": apps} for address, apps in withdrawn.items()]
        return {"hve_account_accounts": listed} if listed else {}

    def _ends(self) -> list[tuple[str, str, list[JsonObject]]]:
        """What is added to the list variables of roles: role, variable, items."""
        removed = {kind: [{"address": one.name, "state": "absent"} for one in self._removed(kind)] for kind in (MAILBOX, HVE_ACCOUNT)}
        switches = [{"address": address, "smtp_auth": before} for address, before in self._restored(SMTP_AUTH).items()]
        return [
            ("shared_mailbox", "shared_mailbox_mailboxes", removed[MAILBOX]),
            ("hve_account", "hve_account_accounts", removed[HVE_ACCOUNT]),
            ("smtp_auth", "smtp_auth_mailboxes", [] if is_true(self.variables.get("smtp_auth_exclusive")) else switches),
            ("authentication_policy", "authentication_policy_policies", self._policy_ends()),
        ]

    def _policy_ends(self) -> list[JsonObject]:
        """The owner's policy where no sender needs it, and the policies that mailboxes had before."""
        listed = {str(item.get("name", "")).lower() for item in self.variables.get("authentication_policy_policies") or ()}
        default = str(self.variables.get("authentication_policy_organization") or "").lower()
        own = basic_policy(self.owner)
        unneeded = own.lower() in self.policies.keys() - listed - {default}
        ends: list[JsonObject] = [{"name": self.policies[own.lower()], "state": "absent"}] if unneeded else []
        if is_true(self.variables.get("authentication_policy_exclusive")):
            return ends
        before: dict[str, list[str]] = {}
        for address, policy in self._restored(POLICY).items():
            if name := self._policy_before(policy):
                before.setdefault(name, []).append(address)
        if unneeded:
            for address, policy in self._of_others().items():
                before.setdefault(policy, []).append(address)
        return ends + [{"name": name, "mailboxes": mailboxes} for name, mailboxes in before.items()]

    def _of_others(self) -> dict[str, str]:
        """Mailboxes of the owner's policy, which is removed, that another owner needs: they get that owner's policy."""
        recorded = {entry.name for entry in self.record.entries if entry.kind == POLICY} if self.record else set()
        by_owner = self.record.by_owner.items() if self.record else ()
        own = {entry.name: basic_policy(owner) for owner, entries in by_owner for entry in entries if entry.kind == POLICY}
        return {a: self.policies[name.lower()] for a, name in own.items() if a in recorded and name.lower() in self.policies}

    def _policy_before(self, recorded: str) -> str:
        """The name of a mailbox's policy before; empty for the organization's default, and where the policy does not exist any more."""
        return "" if recorded.lower() == basic_policy(self.owner).lower() else self.policies.get(recorded.lower(), "")

    def _removed(self, kind: str) -> list[Entry]:
        """The orphans of a kind that this run removes."""
        return sorted(entry for entry in self.orphans.on_request if entry.kind == kind and kind in self.removed_kinds)

    def _restored(self, kind: str) -> dict[str, str]:
        """Mailboxes that get their setting from before; not those that this run removes."""
        removed = {entry.name for entry in self._removed(MAILBOX)}
        return {address: before for address, before in self.orphans.values(kind).items() if address not in removed}

    def _revocations(self, inputs: Sequence[RoleInput]) -> list[RoleInput]:
        """The end of permissions of applications that no other step has."""
        configured = {one.options.get("unique_name") for one in inputs if one.module == _PRINCIPAL}
        removed = {entry.name for entry in self._removed(MAILBOX)}
        apps = {app: sorted({*mailboxes} - removed) for app, mailboxes in self.orphans.access().items() if app not in configured}
        options: JsonObject = {"full_access": [], "send_as": []}
        revoked = [
            RoleInput("entra_app", _PRINCIPAL, {**options, "unique_name": app, "revoked": mailboxes})
            for app, mailboxes in apps.items()
            if mailboxes
        ]
        return revoked + [
            RoleInput("entra_app", _RBAC, {"unique_name": app, "kept_mailboxes": self._of_others_with(app), "state": "absent"})
            for app in apps
        ]

    def _ending(self, one: RoleInput) -> RoleInput:
        """The input of a step with what it takes back of earlier runs."""
        if one.module == _PRINCIPAL and self.record:
            revoked = self._recorded_access(str(one.options.get("unique_name")))
            return replace(one, options=one.options | {"revoked": revoked, "kept_full_access": self._migrated_mailboxes()})
        if one.module == _ACS:
            return self._without_smtp_usernames(one)
        if one.module == _RBAC:
            return replace(one, options=one.options | {"kept_mailboxes": self._of_others_with(str(one.options.get("unique_name")))})
        ended = self._ended_consents().get(str(one.options.get("unique_name"))) if one.module == "entra_app" else None
        if ended:
            return replace(one, options=one.options | {"revoked_permissions": ended})
        if one.module not in _RESTORED or is_true(one.options.get("exclusive")):
            return one
        kind, changed = _RESTORED[one.module]
        restored = replace(one, restores=frozenset(key_of(changed, name) for name in self._restored(kind)))
        default = sorted(address for address, policy in self._restored(POLICY).items() if not self._policy_before(policy))
        if one.module == "authentication_policy" and default:
            return replace(restored, options=one.options | {"default_mailboxes": default})
        return restored

    def _migrated_mailboxes(self) -> list[str]:
        """The mailboxes whose FullAccess ends when the application has been migrated to RBAC for Applications."""
        if self.variables.get("entra_app_authorization") != "rbac":
            return []
        return sorted({self.primary(str(address).lower()) for address in self.variables.get("entra_app_full_access") or ()})

    def _recorded_access(self, app: str) -> list[str]:
        """Mailboxes on which the application keeps only the permissions that are needed."""
        record = self.record or Record()
        recorded = {entry.name for entry in record.entries if (entry.kind, entry.value) == (ACCESS, app)}
        return sorted(recorded - {*self._of_others_with(app)} - {entry.name for entry in self._removed(MAILBOX)})

    def _smtp_username_ends(self, inputs: Sequence[RoleInput]) -> list[RoleInput]:
        """The end of SMTP usernames and Azure roles of Communication Services resources that no other step has."""
        configured = {needs.service_of(one.options) for one in inputs if one.module == _ACS}
        empty: JsonObject = {"usernames": []}
        return [
            self._without_smtp_usernames(RoleInput(_ACS, _ACS, empty | service_options(service)))
            for service in self.orphans.of_services()
            if service not in configured
        ]

    def _without_smtp_usernames(self, one: RoleInput) -> RoleInput:
        """The input of a step with the SMTP usernames and Azure roles that end."""
        usernames, apps = self.orphans.of_services().get(needs.service_of(one.options), ([], []))
        ended = [{"name": name, "state": "absent"} for name in usernames]
        listed: Any = one.options.get("usernames") or ()
        return replace(one, options=one.options | {"usernames": [*listed, *ended], "revoked_apps": apps})

    def _of_others_with(self, app: str) -> list[str]:
        """The mailboxes on which an application has permissions that other owners need."""
        keys = self.record.keys_of_others if self.record else ()
        return sorted({name for kind, name, of in keys if (kind, of) == (ACCESS, app)})

    def _removed_applications(self) -> list[RoleInput]:
        return [
            RoleInput("entra_app", module, {"unique_name": entry.name, "state": "absent"})
            for entry in self._removed(APPLICATION)
            for module in (_PRINCIPAL, "entra_app")
        ]

    def with_record(self, planned: Sequence[PlannedStep], roles: Collection[str]) -> list[PlannedStep]:
        """The plan with the steps that record what is made, before it is made, and forget what is gone, at the end.

        `roles`: those that the plan configures; the entries of others stay as they are.
        """
        if self.record is None:
            return list(planned)
        last = needs.after(self.record, self.needed, self._kept, planned, self.primary)
        last = last.with_entries(
            [entry for entry in last.entries if records.ROLES[entry.kind] in roles]
            + [entry for entry in self.stored if records.ROLES.get(entry.kind) not in roles]
        )
        first = last.with_entries(self.stored | last.entries)
        for entry, owner in self.handed_over.items():
            last = last.handed_over(entry, owner)
        result = list(planned)
        if first.entries != self.stored:
            records.refuse_too_large(first.tags(self.owner))
            result.insert(0, _record_step(first.tags(self.owner)))
        if APPLICATION in self.removed_kinds and last.is_empty and (last.exists or first.entries):
            result.append(_record_step([]))
        elif last.entries != first.entries:
            result.append(_record_step(last.tags(self.owner)))
        return result

    def attention(self) -> list[JsonObject]:
        """Orphans that stay."""
        return Orphans(self._kept).attention()

    @property
    def _kept(self) -> frozenset[Entry]:
        """The orphans that stay: what is removed on request only."""
        return frozenset(entry for entry in self.orphans.on_request if entry.kind not in self.removed_kinds)


def _handed_over(record: Record, orphans: Orphans, needed: Needed) -> dict[Entry, str]:
    """The orphaned applications and the consents that another owner needs, each with that owner."""
    users = {entry: record.users_of(entry.name) for entry in orphans.entries if entry.kind == APPLICATION}
    users |= {entry: record.users_of_consent(entry) for entry in needed.without(record.entries) if entry.kind == GRANTED_CONSENT}
    return {entry: owners[0] for entry, owners in users.items() if owners}


def _record_step(tags: Sequence[str]) -> PlannedStep:
    """A step that writes the record, or removes it where there are no tags."""
    step = Step("record", RecordTags(tags), {}, internal=True)
    return PlannedStep(step, Plan({}, {"tags": list(tags)}, RecordChanges(tuple(tags))), NoParams(), False, PLANNED)
