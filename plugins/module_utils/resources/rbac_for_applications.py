# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for Applications: an application sends as the mailboxes of a scope, without consent and without mailbox permissions.

Source: "Role Based Access Control for Applications in Exchange Online". _exchange/rbac has the order of a migration, and the scopes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from .._clients.exchange import Command, Outcome, is_missing
from .._clients.permissions import RequiredPermission
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Assumption, Plan, ReadOnlyResource, UnmetAssumptions
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._exchange import addresses, service_principals
from .._exchange.mailbox_permissions import FULL_ACCESS, rights_of
from .._exchange.rbac import migration, recipient_filter
from .._exchange.rbac import scopes as rbac
from .._exchange.rbac.authorization import (
    AuthorizationChanges,
    CurrentAuthorization,
    EntraState,
    current_result,
    plan_customization,
    predicted_result,
    read_entra,
    result,
)
from .._exchange.rbac.migration import Action, MigrationPlan
from .._exchange.rbac.migration_run import MigrationRun

APPLICATION = Spec(
    {"unique_name": {"type": "str"}, "app_id": {"type": "str"}, "scope": {"type": "str"}},
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
)
OPTIONS = Spec(
    {
        "mailboxes": {"type": "list", "elements": "str"},
        "kept_mailboxes": {"type": "list", "elements": "str", "default": []},
        "recipient_filter": {"type": "str"},
        "replace": {"type": "bool", "default": False},
        "settle_time": {"type": "int", "default": migration.SETTLE_TIME},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
)


@dataclass(frozen=True)
class RbacInfoParams:
    """The options of the module rbac_for_applications_info."""

    unique_name: str | None
    app_id: str | None
    scope: str | None
    mailboxes: tuple[str, ...] | None

    @property
    def application(self) -> str:
        return self.unique_name or self.app_id or ""

    @property
    def scope_name(self) -> str:
        return self.application[: rbac.MAX_NAME_LENGTH] if self.scope is None else self.scope

    @property
    def addresses(self) -> list[str]:
        """The mailboxes, in lower case."""
        return [address.lower() for address in self.mailboxes or ()]


@dataclass(frozen=True)
class RbacParams(RbacInfoParams):
    """The options of the module rbac_for_applications."""

    expected_mailboxes: tuple[str, ...]
    kept_mailboxes: tuple[str, ...]
    recipient_filter: str | None
    replace: bool
    settle_time: int
    state: str

    @property
    def absent(self) -> bool:
        return self.state == "absent"

    def scope_problems(self) -> list[str]:
        """The problems with scope and recipient_filter."""
        problems = line_problems("scope", self.scope)
        if not 1 <= len(self.scope_name.strip()) <= rbac.MAX_NAME_LENGTH:
            problems.append(f"scope is {self.scope_name!r}: use 1 to {rbac.MAX_NAME_LENGTH} characters.")
        if self.recipient_filter is not None:
            try:
                recipient_filter.canonical(self.recipient_filter)
            except ValueError as error:
                sentence = f"recipient_filter is {self.recipient_filter!r}: {error}"
                problems.append(f"{sentence}; write it as in PrimarySmtpAddress -eq 'erp@contoso.com'.")
        return problems


class RbacForApplications:
    """Implements the module rbac_for_applications."""

    name = "rbac_for_applications"
    spec = TENANT | JOURNAL | EXPECTED | APPLICATION | OPTIONS
    params_type = RbacParams

    def validate(self, params: RbacParams) -> list[str]:
        problems = mail_addresses.problems("mailboxes", params.mailboxes or ()) + params.scope_problems()
        if params.settle_time < 0:
            problems.append(f"settle_time is {params.settle_time}: give seconds, 0 or more.")
        if not params.absent and not params.mailboxes and (params.recipient_filter is None or params.replace):
            problems.append("mailboxes is empty: list the addresses of the mailboxes that the application sends as.")
        return problems

    def plan(self, tenant: Tenant, params: RbacParams, check_mode: bool) -> Plan[AuthorizationChanges]:
        expected = addresses.expected(params.expected_mailboxes, check_mode)
        current = read(tenant, params, expected, replace=params.replace, absent=params.absent)
        params = _with_kept(params, current)
        assumptions = [] if params.absent else _refuse_unregistered(current, params, check_mode)
        migration_plan = MigrationPlan(current.phase, tenant.clock.now(), params.settle_time, tenant.wait_timeout)
        scopes_before = scopes_after = rbac.scopes_result(current.scopes)
        desired: rbac.Filters = {}
        if params.absent:
            current, notes = _refuse_interruption(current, params, check_mode)
            assumptions += notes
            changes = rbac.removal(current.scopes)
            _add_removal_steps(migration_plan, current, params)
        else:
            scoped, desired, changes = _with_scopes(current, params)
            if changes:
                params = _with_primary_addresses(tenant, params, expected)
                scoped, desired, changes = _with_scopes(current, params)
            current = scoped
            scopes_before = rbac.scopes_result(current.scopes)
            _add_steps(tenant, migration_plan, current, params, changes)
            scopes_after = rbac.predicted(current.scopes, desired)
        before = current_result(current, scopes_before, replace=params.replace, absent=params.absent)
        after = predicted_result(current, scopes_after, migration_plan, replace=params.replace, absent=params.absent)
        warnings = [*migration_plan.notes()]
        if current.scopes.foreign and not params.absent:
            names = ", ".join(assignment.name for assignment in current.scopes.foreign)
            warnings.append(f"The application has the role by other assignments, too, which are left as they are: {names}.")
        covered = rbac.newly_covered(current.scopes, desired)
        newly_covered = tuple(sorted(params.mailboxes or () if covered is None else covered))
        outcome = {"rbac": result(current.entra.application, after, migration_plan.due)}
        customize = plan_customization(tenant, changes, migration_plan, before, after)
        steps = AuthorizationChanges(tuple(migration_plan.steps), current.entra, changes, newly_covered, current.full_access, customize)
        return Plan(before, after, steps or None, outcome, warnings, assumptions)

    def required_permissions(self, changes: AuthorizationChanges, /) -> Iterator[RequiredPermission]:
        return changes.required_permissions()

    def cmdlets(self, changes: AuthorizationChanges, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield from changes.cmdlets()

    def apply(self, tenant: Tenant, params: RbacParams, plan: Plan[AuthorizationChanges]) -> dict[str, object]:
        MigrationRun(tenant, params.mailboxes or (), plan.pending).run()
        return plan.outcome


class RbacForApplicationsInfo(ReadOnlyResource[RbacInfoParams]):
    """Implements the module rbac_for_applications_info."""

    name = "rbac_for_applications_info"
    spec = TENANT | APPLICATION | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)
    params_type = RbacInfoParams

    def validate(self, params: RbacInfoParams) -> list[str]:
        return mail_addresses.problems("mailboxes", params.mailboxes or ())

    def plan(self, tenant: Tenant, params: RbacInfoParams, check_mode: bool) -> Plan[None]:
        current = read(tenant, params, replace=True, absent=False)
        application = current.entra.application
        in_scope: dict[str, bool] = {}
        if current.is_registered and application:
            outside = rbac.uncovered(tenant, application.object_id, params.addresses)
            in_scope = {address: address not in outside for address in params.addresses}
        state = current_result(current, rbac.scopes_result(current.scopes), replace=True, absent=False)
        return Plan(outcome={"rbac": result(application, state, None), "in_scope": in_scope})


RESOURCE = RbacForApplications()
INFO = RbacForApplicationsInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, params: RbacInfoParams, expected: Collection[str] = (), *, replace: bool, absent: bool) -> CurrentAuthorization:
    """Entra in one or two requests, Exchange in one; mailbox permissions only while the application is migrated (`replace`)."""
    state = read_entra(tenant, params.app_id, params.unique_name)
    migrating = replace and (state.consents or not state.phase or state.phase.name != "alone" or absent)
    mailboxes = params.addresses if migrating and state.application else []
    return _read_exchange(tenant, state, params.scope_name, mailboxes, expected)


def _read_exchange(tenant: Tenant, state: EntraState, scope: str, mailboxes: list[str], expected: Collection[str]) -> CurrentAuthorization:
    commands = [service_principals.READ, *rbac.reads()]
    commands += [Command("Get-MailboxPermission", {"Identity": a}, attempted=f"read who may use {a}") for a in mailboxes]
    principals, scopes, assignments, *permissions = tenant.exchange.batch(commands)
    principal = None
    if state.object_id:
        by_id = {one.object_id.lower(): one for one in service_principals.read(principals)}
        principal = by_id.get(state.object_id.lower())
    current_scopes = rbac.read_scopes(scopes, assignments, scope, state.object_id)
    outcomes = {a: outcome for a, outcome in zip(mailboxes, permissions, strict=True) if not (a in expected and is_missing(outcome.error))}
    missing = [address for address, outcome in outcomes.items() if is_missing(outcome.error)]
    addresses.refuse_missing(tenant.exchange, {"mailboxes": missing})
    full_access = [a for a, outcome in outcomes.items() if FULL_ACCESS in rights_of(principal, outcome.checked(), Outcome())]
    return CurrentAuthorization(state, bool(principal), current_scopes, tuple(full_access))


# -- comparing --------------------------------------------------------------------------------------------------------


def _refuse_unregistered(current: CurrentAuthorization, params: RbacParams, check_mode: bool) -> list[Assumption]:
    """Raise InvalidInput where Entra or Exchange lacks the application. In check mode an earlier task may create it: return that."""
    if current.is_registered:
        return []
    if not current.entra.application:
        return application_lookup.refuse_missing({params.application: None}, check_mode, "module entra_app")
    problem = f"Exchange does not know the application {params.application}"
    remedy = "register it first (module exchange_service_principal)"
    assumption = application_lookup.assumption("unique_name", problem, remedy, application_lookup.permissions_of(params.application))
    if not check_mode:
        raise UnmetAssumptions(assumption)
    return [assumption]


def _add_steps(
    tenant: Tenant, migration_plan: MigrationPlan, current: CurrentAuthorization, params: RbacParams, changes: rbac.ScopeChanges
) -> None:
    if params.replace:
        migration_plan.to_rbac(consented=current.consented, permissions=bool(current.full_access), write=bool(changes))
    elif changes:
        migration_plan.add_step(Action.WRITE)
    if Action.WITHDRAW in migration_plan.actions and not changes and current.entra.object_id:
        rbac.refuse_uncovered(rbac.uncovered(tenant, current.entra.object_id, params.mailboxes or ()))


def _with_kept(params: RbacParams, current: CurrentAuthorization) -> RbacParams:
    """The options with the mailboxes that stay in the scopes. While there are some, the role assignment is not removed."""
    covered = {address.lower() for value in rbac.scopes_result(current.scopes).values() if isinstance(value, list) for address in value}
    kept = [address for address in params.kept_mailboxes if address.lower() in covered - {*params.addresses}]
    if not kept:
        return params
    if params.absent:
        return replace(params, state="present", mailboxes=tuple(kept), replace=False)
    return replace(params, mailboxes=(*(params.mailboxes or ()), *kept))


def _with_scopes(current: CurrentAuthorization, params: RbacParams) -> tuple[CurrentAuthorization, rbac.Filters, rbac.ScopeChanges]:
    """The current state with adopted scopes, the desired filters by scope, and the changes."""
    desired = rbac.desired_filters(params.scope_name, params.mailboxes or (), params.recipient_filter, current.scopes)
    scopes, filters = rbac.adopt(current.scopes, desired)
    return replace(current, scopes=scopes), filters, rbac.difference(scopes, filters)


def _with_primary_addresses(tenant: Tenant, params: RbacParams, expected: Collection[str]) -> RbacParams:
    """The options with each mailbox by its primary address, which the filter tests. InvalidInput names addresses without a mailbox."""
    listed = params.mailboxes or ()
    primary = addresses.primary(tenant.exchange, [address for address in listed if address.lower() not in expected])
    if all(address.lower() == own.lower() for address, own in primary.items()):
        return params
    return replace(params, mailboxes=tuple(dict.fromkeys(primary.get(address, address).lower() for address in listed)))


def _refuse_interruption(
    current: CurrentAuthorization, params: RbacParams, check_mode: bool
) -> tuple[CurrentAuthorization, list[Assumption]]:
    """Raise InvalidInput where the application could not send after the removal, because it lacks FullAccess.

    In check mode an earlier task may grant it: return the state that the prediction assumes, and the assumption.
    """
    lacking = [address for address in params.mailboxes or () if address.lower() not in current.full_access]
    migrates = params.replace and current.entra.application and current.is_removable
    if not (migrates and lacking) or current.consented:
        return current, []
    sentence = f"the application lacks FullAccess on {', '.join(lacking)}"
    refusal = f"mailboxes: {sentence}: grant it first (module exchange_service_principal); nothing was changed."
    if not check_mode:
        raise InvalidInput(refusal)
    note = f"{sentence[0].upper()}{sentence[1:]}; the prediction assumes that an earlier task of the real run grants it."
    assumption = Assumption(note, refusal, application_lookup.permissions_of(params.application))
    return replace(current, full_access=tuple(params.addresses)), [assumption]


def _add_removal_steps(migration_plan: MigrationPlan, current: CurrentAuthorization, params: RbacParams) -> None:
    if not current.is_removable:
        return
    if params.replace and current.entra.application:
        migration_plan.to_permissions(consented=current.consented)
        return
    migration_plan.add_step(Action.REMOVE)
    if current.phase:
        migration_plan.enter_phase("")
