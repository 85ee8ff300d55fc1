# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's plan adds to what the senders need: the end of what this collection made and nothing needs any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._composition.step import PLANNED, PlannedStep, Step
from ..._core.json_types import JsonObject
from ..._core.params import NoParams
from ..._engine.resource import Plan
from ..._engine.tenant import Tenant
from ..._exchange.authentication_policies import READ_POLICIES
from ..._planning.role_inputs import RoleInput, is_true, role_inputs
from ..._planning.role_variables import CONFIGURED, basic_policy
from .. import sender_plan
from . import record as records
from .record import Needed, Orphans, Record, RecordTags


def _policies(tenant: Tenant) -> frozenset[str]:
    """The names of the authentication policies, in lower case; none where they cannot be read."""
    outcome = tenant.exchange.prefetched(READ_POLICIES)
    if outcome is None:
        [outcome] = tenant.exchange.batch([READ_POLICIES])
        tenant.exchange.prefetch(READ_POLICIES, outcome)
    return frozenset(str(item["Name"]).lower() for item in outcome.values)


@dataclass(frozen=True)
class Lifecycle:
    """The record of the sender app, and its orphans. `variables`: the role variables of the senders and the inventory."""

    app: str
    owner: str
    record: Record | None
    needed: Needed
    orphans: Orphans
    removes_orphans: bool
    variables: Mapping[str, Any]
    primary: Callable[[str], str]
    policies: frozenset[str]

    @classmethod
    def of(cls, tenant: Tenant, params: sender_plan.Params, variables: Mapping[str, Any], primary: Callable[[str], str]) -> Lifecycle:
        app, owner = params.app_unique_name, params.owner
        record = records.read(tenant, app, owner)
        needed = Needed.of(variables, primary)
        orphans = records.orphans_of(tenant, record, needed) if record else Orphans()
        return cls(app, owner, record, needed, orphans, params.remove_orphans, variables, primary, _policies(tenant))

    def inputs(self, roles: Collection[str]) -> list[RoleInput]:
        """The input of every step. Connectors are always looked at: one of a sender that is gone is removed."""
        variables: JsonObject = {"inbound_connector_connectors": [], **self.variables}
        needed = {*roles, "inbound_connector"} - {"verify"}
        if restored := self._restored:
            variables |= {"smtp_auth_mailboxes": [*(variables.get("smtp_auth_mailboxes") or ()), *restored]}
            needed.add("smtp_auth")
        if self._removed:
            absent = [{"address": address, "state": "absent"} for address in self._removed]
            variables |= {"shared_mailbox_mailboxes": [*(variables.get("shared_mailbox_mailboxes") or ()), *absent]}
            needed.add("shared_mailbox")
        if orphan := self._orphaned_policy(variables):
            listed = variables.get("authentication_policy_policies") or ()
            variables |= {"authentication_policy_policies": [*listed, {"name": orphan, "state": "absent"}]}
            needed.add("authentication_policy")
        inputs = role_inputs([role for role in CONFIGURED if role in needed], variables)
        if set(self.orphans.access) - set(self._removed) and "entra_app" not in needed:
            return [*self._revocation(), *inputs]
        return self._revoking(inputs)

    def _orphaned_policy(self, variables: Mapping[str, Any]) -> str:
        """The owner's policy that allows Basic authentication, where no sender needs it any more; else empty."""
        name = basic_policy(self.owner)
        listed = {str(item.get("name", "")).lower() for item in variables.get("authentication_policy_policies") or ()}
        default = str(variables.get("authentication_policy_organization") or "").lower()
        return name if name.lower() in self.policies - listed - {default} else ""

    @property
    def _restored(self) -> list[JsonObject]:
        """Mailboxes that get the setting from before; with an exclusive list all unlisted ones get the same."""
        if is_true(self.variables.get("smtp_auth_exclusive")):
            return []
        switches = self.orphans.smtp_auth.items()
        return [{"address": address, "smtp_auth": before} for address, before in switches if address not in self._removed]

    @property
    def _removed(self) -> tuple[str, ...]:
        return self.orphans.mailboxes if self.removes_orphans else ()

    def _revoked(self) -> list[str]:
        """Mailboxes on which the application had permissions: it keeps only those that are needed."""
        recorded = self.record.access - self.record.of_others(records.ACCESS) if self.record else frozenset()
        return sorted(recorded - set(self._removed))

    def _revocation(self) -> list[RoleInput]:
        options: dict[str, object] = {"unique_name": self.app, "full_access": [], "send_as": [], "revoked": self._revoked()}
        return [RoleInput("entra_app", "exchange_service_principal", options)]

    def _revoking(self, inputs: Sequence[RoleInput]) -> list[RoleInput]:
        revoked = {"revoked": self._revoked()}
        return [
            RoleInput(one.role, one.module, one.options | revoked, one.variables) if one.module == "exchange_service_principal" else one
            for one in inputs
        ]

    def with_record(self, planned: Sequence[PlannedStep]) -> list[PlannedStep]:
        """The plan with the steps that record what is made, before it is made, and forget what is gone, at the end."""
        registration = next((n for n, one in enumerate(planned) if (one.step.component, one.name) == ("entra_app", "entra_app")), None)
        if self.record is None and registration is None:
            return list(planned)
        old = self.record or Record(others=(records.OWN_TAG,))
        kept = () if self.removes_orphans else self.orphans.mailboxes
        after = records.after(self.record, self.needed, kept, planned, self.primary)
        first, last = records.together(old, after).tags(self.owner), after.tags(self.owner)
        result = list(planned)
        if first != old.tags(self.owner):
            result.insert(0 if registration is None or self.record else registration + 1, self._step(first))
        if last != first:
            result.append(self._step(last))
        return result

    def _step(self, tags: Sequence[str]) -> PlannedStep:
        resource = RecordTags(self.app, tags)
        step = Step("record", resource, {}, internal=True)
        return PlannedStep(step, Plan({}, {"tags": list(tags)}, tags), NoParams(), False, PLANNED)

    def attention(self) -> list[JsonObject]:
        """Orphans that stay."""
        return [] if self.removes_orphans else self.orphans.attention()
