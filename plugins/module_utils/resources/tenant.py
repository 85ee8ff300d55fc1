# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole tenant from one list of senders: planned as one before its first write, then applied step by step.

The steps of its components are in composed/steps.py; _composition plans and applies steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .._composition import reviewed_plan
from .._composition.changes import changes_of
from .._composition.objects import CUSTOMIZATION
from .._composition.reasons import Reasons
from .._composition.step import PlannedStep, Prediction, apply_steps, plan_steps
from .._core.json_types import JsonObject
from .._core.spec import DNS, JOURNAL, TENANT, Spec
from .._engine.journal import Journal
from .._engine.required_permissions import refuse_missing
from .._engine.resource import Plan
from .._engine.tenant import Tenant
from .._entra.application_credentials import sentences
from .._exchange import authentication_policies, inbound_connectors
from .._planning import new_senders
from .._planning.device_settings import settings_page
from .._planning.role_variables import COMPONENTS
from . import conditional_access, sender_plan
from .composed import automation_credential, permissions, record, removal
from .composed.automation_credential import AutomationCredential
from .composed.lifecycle import Lifecycle, Selection
from .composed.role_resources import ROLE_RESOURCES
from .composed.steps import registers_sender_app, steps
from .sender_plan import Prefetch

OPTIONS = Spec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "components": {"type": "list", "elements": "str", "choices": list(COMPONENTS), "default": list(COMPONENTS)},
        "plan_expected": {"type": "path", "variable": "m365_plan_expected"},
        "inventory_hostname": {"type": "str", "default": "", "variable": "inventory_hostname"},
    }
)

# What module sender_plan returns for the options of other modules, which this module plans itself.
_OF_SINGLE_MODULES = ("sign_ins", "expected_mailboxes", "relay_certificates", "relay_retired_certificates")


@dataclass(frozen=True)
class Params(sender_plan.Params):
    """The options of module tenant: those of module sender_plan, where the journal is, the state, the components to configure, and the
    reviewed plan, in which the tenant is named as in the inventory."""

    journal_dir: str | None = None
    dns_servers: tuple[str, ...] | None = None
    state: str = "present"
    components: tuple[str, ...] = tuple(COMPONENTS)
    plan_expected: str | None = None
    inventory_hostname: str = ""

    @property
    def absent(self) -> bool:
        return self.state == "absent"

    @property
    def selection(self) -> Selection:
        return Selection(self.components, self.absent)

    def without_senders(self) -> Params:
        """The options of a tenant for which nothing is configured: what is marked is no longer needed then."""
        empty: JsonObject = {"inventory_variables": (), "inventory_values": {}, "inventory_secrets": {}}
        return replace(self, senders=(), relays=(), unused_access="keep", app_exclusive=False, direct_send_rejected=False, **empty)

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the selected components."""
        return frozenset(role for component in self.components for role in COMPONENTS[component])

    @property
    def shared(self) -> dict[str, object]:
        """Options of resources that are no role's variables."""
        return {
            "basic_auth_end_date": self.basic_auth_end_date,
            "basic_reenabled": self.basic_reenabled,
            "owner": self.owner,
            "scope": self.inventory.get("entra_app_scope"),
            "settle_time": self.inventory.get("entra_app_settle_time"),
            "key_directory": self.key_directory,
            "dns_servers": None if self.dns_servers is None else list(self.dns_servers),
        }


@dataclass
class Changes:
    """The planned steps, of which at least one changes something, and what is known for applying them."""

    planned: list[PlannedStep]
    prediction: Prediction
    reasons: Reasons
    outcome: JsonObject

    def __bool__(self) -> bool:
        return any(one.plan.changed for one in self.planned)


class TenantResource:
    """Module tenant."""

    name = "tenant"
    spec = TENANT | DNS | sender_plan.OPTIONS | OPTIONS | JOURNAL
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = reviewed_plan.problems(params.plan_expected) if params.plan_expected else []
        return problems + sender_plan.RESOURCE.validate(replace(params, senders=(), relays=()) if params.absent else params)

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        with tenant.kept.planning():
            return self._plan(tenant, params, check_mode)

    def _plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[Changes]:
        listed, params = params, params.without_senders() if params.absent else params
        if params.absent:
            refuse_missing(tenant, permissions.of_removal_reads(), permissions.of_assumed_removal)
        else:
            refuse_missing(tenant, permissions.of_planning(params), lambda: permissions.of_assumed_plan(params))
        calls = [record.READ, *([automation_credential.call_of(tenant.client_id)] if tenant.client_id else [])]
        commands = [inbound_connectors.READ, authentication_policies.READ_POLICIES]
        senders = sender_plan.plan_senders(tenant, params, Prefetch(commands, calls))
        sender_plan.refuse(senders.problems(params))
        outcome: JsonObject = sender_plan.outcome(tenant, senders, params)
        sign_ins = outcome["sign_ins"]
        outcome = {name: value for name, value in outcome.items() if name not in _OF_SINGLE_MODULES}
        own = sender_plan.inventory_of(senders.plans, senders.context, params)
        lifecycle = Lifecycle.of(tenant, params, outcome["variables"] | own, senders.context.primary_address, params.selection)
        inputs = [one for one in lifecycle.inputs(outcome["roles"]) if one.role in params.roles]
        if params.absent:
            inputs = removal.ordered(tenant, inputs)
        refuse_missing(tenant, permissions.of_reads(inputs), lambda: permissions.of_possible_writes(inputs))
        prediction, reasons = Prediction(), Reasons(senders.plans, senders.context, outcome["variables"], params.inventory, params.owner)
        planned = plan_steps(tenant, steps(inputs, ROLE_RESOURCES, params.shared), prediction, check_mode, reasons.problem)
        planned = lifecycle.with_record(planned, params.roles)
        automation = AutomationCredential.of(tenant, params.key_directory, prefetched=bool(params.senders and tenant.client_id))
        renewal = automation_credential.step_of(tenant, automation) if "identity" in params.components and not params.absent else None
        planned += [renewal] if renewal else []
        refuse_missing(tenant, permissions.of_changes(planned), cmdlets=permissions.cmdlets_of_changes(planned))
        outcome["attention"] = lifecycle.attention() + automation.attention()
        if params.absent:
            outcome["attention"] += removal.attention(tenant, listed, lifecycle, params.shared)
        warnings = senders.warnings + sentences(automation.attention())
        if check_mode and sign_ins:
            blocked = _conditional_access(tenant, sign_ins)
            outcome["conditional_access"] = blocked.outcome["conditional_access"]
            warnings += blocked.warnings
        changes = Changes(planned, prediction, reasons, outcome)
        if params.plan_expected:
            reviewed_plan.refuse_another(params.plan_expected, params.inventory_hostname, _change_records(changes))
        # Those of steps that are applied are added then: such a step may be planned again.
        is_applied = bool(changes) and not check_mode
        warnings += [text for one in planned for text in one.plan.warnings if not (is_applied and one.is_applied)]
        return Plan(
            changes=changes or None,
            outcome=_outcome(tenant, changes),
            warnings=warnings,
            steps=[one for one in planned if not one.step.internal],
        )

    def apply(self, tenant: Tenant, params: Params, plan: Plan[Changes]) -> dict[str, object]:
        changes = plan.pending
        records = _change_records(changes)
        journal = Journal(params.journal_dir or "", tenant.name)

        def failure() -> dict[str, object]:
            return _parts(changes) | {"changes": records}

        def apply(planned: Sequence[PlannedStep]) -> list[str]:
            return apply_steps(tenant, planned, changes.prediction, journal, failure, changes.reasons.problem)

        def marks() -> list[str]:
            return removal.left_with_mark(tenant, params.owner, params.selection)

        if params.absent:
            plan.warnings += removal.apply_verified(tenant, changes.planned, apply, marks, failure)
        else:
            plan.warnings += apply(changes.planned)
        return _outcome(tenant, changes)


RESOURCE = TenantResource()


def _conditional_access(tenant: Tenant, sign_ins: list[JsonObject]) -> Plan[None]:
    """The policies that block senders. Reading them takes a second a page, so that only check runs do it."""
    optional: JsonObject = {"app_unique_name": None, "app_id": None}
    senders = tuple(conditional_access.SenderParams(**{**optional, **sign_in}) for sign_in in sign_ins)
    return conditional_access.INFO.plan(tenant, conditional_access.Params(senders=senders), check_mode=True)


def _outcome(tenant: Tenant, changes: Changes) -> dict[str, object]:
    parts, records = _parts(changes), _change_records(changes)
    client_id = str((parts["app"] or {}).get("app_id") or "")
    entries = [new_senders.completed(entry, client_id, records) for entry in changes.outcome["plan"]]
    page = settings_page(tenant.name, entries) if entries else ""
    return changes.outcome | parts | {"changes": records, "plan": entries, "settings_page": page}


def _change_records(changes: Changes) -> list[dict[str, object]]:
    """The changes as data. The steps of two resources may enable the organization's customization, which is one change."""
    every = [change for one in changes.planned if not one.step.internal for change in changes_of(one, changes.reasons)]
    first = next((change for change in every if change.kind == CUSTOMIZATION), None)
    return [change.as_result() for change in every if change.kind != CUSTOMIZATION or change is first]


def _parts(changes: Changes) -> JsonObject:
    """The components' outcomes, and what roles, later plays and the summary read: the sender app, the SPF records, what needs attention."""
    app = next((one for one in changes.planned if registers_sender_app(one.step)), None)
    records = [record for one in changes.planned if one.name == "spf" for record in one.plan.outcome["records"]]
    attention = [entry for one in changes.planned for entry in one.plan.outcome.get("attention") or ()]
    return {
        "attention": [*changes.outcome["attention"], *attention],
        "app": app.plan.outcome["app"] if app else None,
        "records": records,
        "components": [one.as_result() for one in changes.planned if not one.step.internal],
    }
