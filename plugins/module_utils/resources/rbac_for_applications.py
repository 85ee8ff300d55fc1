# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for Applications: an application sends as the mailboxes of a scope, without consent and without mailbox permissions.

Source: "Role Based Access Control for Applications in Exchange Online". The order of a migration is in
_exchange/rbac/migration.py, the scopes and assignments are in _exchange/rbac/scopes.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, is_missing
from .._clients.graph import Call, key
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra import applications as entra
from .._entra.application_lookup import Application
from .._exchange import addresses, consistency
from .._exchange.rbac import migration, recipient_filter
from .._exchange.rbac import scopes as rbac
from .exchange_service_principal import FULL_ACCESS, Permission, revoke, rights_of

APPLICATION = Spec(
    {"unique_name": {"type": "str"}, "app_id": {"type": "str"}, "scope": {"type": "str"}},
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
)
OPTIONS = Spec(
    {
        "mailboxes": {"type": "list", "elements": "str"},
        "recipient_filter": {"type": "str"},
        "replace": {"type": "bool", "default": False},
        "settle_time": {"type": "int", "default": migration.SETTLE_TIME},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
)


@dataclass
class CurrentAuthorization:
    application: Application | None = None
    tags: list[str] = field(default_factory=list)
    api: JsonObject | None = None  # Exchange Online as Entra knows it
    consents: list[JsonObject] = field(default_factory=list)  # to SMTP.SendAsApp
    principal: JsonObject | None = None  # the application as Exchange knows it
    reach: rbac.CurrentScopes = field(default_factory=rbac.CurrentScopes)
    full_access: list[str] = field(default_factory=list)  # of the mailboxes, those that the application has FullAccess on

    @property
    def phase(self) -> migration.Phase | None:
        return migration.read_phase(self.tags)


class RbacForApplications:
    """module rbac_for_applications"""

    name = "rbac_for_applications"
    spec = TENANT | JOURNAL | EXPECTED | APPLICATION | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = mail_addresses.problems("mailboxes", params["mailboxes"] or [])
        scope, text = scope_name(params), params["recipient_filter"]
        if not 1 <= len(scope.strip()) <= rbac.MAX_NAME_LENGTH:
            problems.append(f"scope is {scope!r}: use 1 to {rbac.MAX_NAME_LENGTH} characters.")
        if text is not None:
            try:
                recipient_filter.canonical(text)
            except ValueError as error:
                problems.append(f"recipient_filter is {text!r}: {error}; write it as in PrimarySmtpAddress -eq 'erp@contoso.com'.")
        if params["settle_time"] < 0:
            problems.append(f"settle_time is {params['settle_time']}: give seconds, 0 or more.")
        if params["state"] == "present" and not params["mailboxes"] and (text is None or params["replace"]):
            problems.append("mailboxes is empty: list the addresses of the mailboxes that the application sends as.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan[Any]:
        plan: Plan[Any] = Plan()
        expected = addresses.expected(params["expected_mailboxes"], check_mode)
        current = read(tenant, params, expected)
        _require(plan, current, params, check_mode)
        migration_plan = migration.MigrationPlan(current.phase, tenant.clock.now(), params["settle_time"], tenant.wait_timeout)
        changes, scopes = rbac.ScopeChanges(), rbac.scopes_result(current.reach)
        desired: dict[str, str] = {}
        if params["state"] == "present":
            changes, desired = _present(tenant, params, current, migration_plan, expected)
            scopes = rbac.predicted(current.reach, desired)
        else:
            _absent(plan, params, current, migration_plan, check_mode)
        plan.before = current_result(current, params, rbac.scopes_result(current.reach))
        plan.after = _after(current, params, migration_plan, scopes)
        plan.steps = [migration_plan, current, changes, desired] if migration_plan.steps else []
        plan.outcome = {"rbac": result(current, plan.after, migration_plan)}
        plan.warnings += migration_plan.notes()
        if current.reach.foreign and params["state"] == "present":
            names = ", ".join(current.reach.foreign)
            plan.warnings.append(f"The application has the role by other assignments, too, which are left as they are: {names}.")
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan[Any]) -> dict[str, Any]:
        migration_plan, current, changes, desired = plan.steps
        run = _Migration(tenant, params, current)
        for step, seconds in migration_plan.steps:
            if step == "wait":
                tenant.transport.pause(seconds)
            elif step == "write":
                run.write(changes, desired)
            elif step.startswith("phase:"):
                run.enter(step.removeprefix("phase:"))
            else:
                {"withdraw": run.withdraw, "revoke": run.revoke, "consent": run.consent, "remove": run.remove}[step]()
        return plan.outcome


class RbacForApplicationsInfo(Reading):
    """module rbac_for_applications_info"""

    name = "rbac_for_applications_info"
    spec = TENANT | APPLICATION | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return mail_addresses.problems("mailboxes", params["mailboxes"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan[Any]:
        params = params | {"replace": True, "state": "present"}
        current = read(tenant, params)
        tested: dict[str, bool] = {}
        if current.principal and current.application:
            mailboxes = [address.lower() for address in params["mailboxes"] or []]
            outside = rbac.uncovered(tenant, current.application.object_id, mailboxes)
            tested = {address: address not in outside for address in mailboxes}
        before = current_result(current, params, rbac.scopes_result(current.reach))
        return Plan(outcome={"rbac": result(current, before, None), "in_scope": tested})


RESOURCE = RbacForApplications()
INFO = RbacForApplicationsInfo()


def scope_name(params: dict[str, Any]) -> str:
    return str(params["scope"] if params["scope"] is not None else (params["unique_name"] or params["app_id"])[: rbac.MAX_NAME_LENGTH])


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, params: dict[str, Any], expected: Collection[str] = ()) -> CurrentAuthorization:
    """Entra in one or two requests, Exchange in one; mailbox permissions only while the application is being moved."""
    current = CurrentAuthorization()
    attempted = "look for the enterprise application"
    calls = [application_lookup.principal(entra.EXCHANGE, "id,appRoles", "read the permissions of Exchange")]
    app_id = params["app_id"]
    if not app_id:
        calls.append(application_lookup.registration(params["unique_name"], attempted))
        current.api, application = tenant.graph.batch(calls)
        app_id, calls = (application or {}).get("appId"), []
    if app_id:
        calls.append(application_lookup.principal(app_id, "id,appId,displayName,tags", attempted))
        consent = f"/servicePrincipals(appId='{key(app_id)}')/appRoleAssignments"
        calls.append(Call("GET", consent, attempted="read the application's consent"))
        *api, principal, assignments = tenant.graph.batch(calls)
        current.api = api[0] if api else current.api
        if principal:
            current.application = Application(app_id, principal["id"], principal["displayName"])
            current.tags = list(principal.get("tags") or [])
            current.consents = [a for a in (assignments or {}).get("value", []) if a["appRoleId"] == _role_id(current)]
    _read_exchange(tenant, params, current, expected)
    return current


def _role_id(current: CurrentAuthorization) -> str | None:
    return next((role["id"] for role in (current.api or {}).get("appRoles") or [] if role.get("value") == rbac.PERMISSION), None)


def _read_exchange(tenant: Tenant, params: dict[str, Any], current: CurrentAuthorization, expected: Collection[str]) -> None:
    moving = params["replace"] and (current.consents or not current.phase or current.phase.name != "alone" or params["state"] == "absent")
    mailboxes = [address.lower() for address in params["mailboxes"] or []] if moving and current.application else []
    listed = [address for address in mailboxes if address not in expected]
    commands = [Command("Get-ServicePrincipal", {}, attempted="read the service principals in Exchange"), *rbac.reads()]
    commands += [Command("Get-MailboxPermission", {"Identity": a}, attempted=f"read who may use {a}") for a in listed]
    principals, scopes, assignments, *permissions = tenant.exchange.batch(commands)
    application = current.application
    if application:
        by_id = {str(p.get("ObjectId", "")).lower(): p for p in principals.checked().values}
        current.principal = by_id.get(application.object_id.lower())
    current.reach = rbac.read_scopes(scopes, assignments, scope_name(params), application.object_id if application else None)
    missing = [address for address, outcome in zip(listed, permissions, strict=True) if is_missing(outcome.error)]
    addresses.refuse_missing(tenant.exchange, missing)
    for address, outcome in zip(listed, permissions, strict=True):
        if "FullAccess" in rights_of(current.principal, outcome.checked(), type(outcome)()):
            current.full_access.append(address)


def _require(plan: Plan[Any], current: CurrentAuthorization, params: dict[str, Any], check_mode: bool) -> None:
    """The application in Entra and in Exchange; a check run assumes that an earlier task of the real run makes them."""
    if params["state"] == "absent" or (current.application and current.principal):
        return
    name = params["unique_name"] or params["app_id"]
    if current.application:
        sentence, module = f"Exchange does not know the application {name}", "exchange_service_principal"
    else:
        sentence, module = f"Entra has no enterprise application for {name}", "entra_app"
    if not check_mode:
        raise InvalidInput(f"{sentence}: register it first (module {module}).")
    plan.warnings.append(f"{sentence} yet; the prediction assumes that an earlier task of the real run creates it.")


# -- comparing and showing --------------------------------------------------------------------------------------------


def _present(
    tenant: Tenant,
    params: dict[str, Any],
    current: CurrentAuthorization,
    migration_plan: migration.MigrationPlan,
    expected: Collection[str],
) -> tuple[rbac.ScopeChanges, dict[str, str]]:
    desired = rbac.desired_filters(scope_name(params), params["mailboxes"] or [], params["recipient_filter"], current.reach)
    changes = rbac.difference(current.reach, desired)
    if changes:
        _refuse_others(tenant, params, expected)
    if params["replace"]:
        migration_plan.to_rbac(consented=bool(current.consents), permissions=bool(current.full_access), write=bool(changes))
    elif changes:
        migration_plan.add_step("write")
    if ("withdraw", 0.0) in migration_plan.steps and not changes and current.application:
        rbac.refuse_uncovered(rbac.uncovered(tenant, current.application.object_id, params["mailboxes"]))
    return changes, desired


def _refuse_others(tenant: Tenant, params: dict[str, Any], expected: Collection[str]) -> None:
    """Raise InvalidInput for addresses that are no mailbox, or, where they make the filter, not a mailbox's primary one."""
    primary = addresses.primary(tenant.exchange, [a for a in params["mailboxes"] or [] if a.lower() not in expected])
    aliases = {given: own for given, own in primary.items() if given.lower() != own.lower()}
    if aliases and not params["recipient_filter"]:
        raise InvalidInput(*(f"mailboxes: {given} is an alias of {own}: list {own}." for given, own in aliases.items()))


def _absent(
    plan: Plan[Any], params: dict[str, Any], current: CurrentAuthorization, migration_plan: migration.MigrationPlan, check_mode: bool
) -> None:
    reach = current.reach
    if not (reach.scopes or reach.assignments or current.phase):
        return
    if not params["replace"] or not current.application:
        migration_plan.add_step("remove")
        if current.phase:
            migration_plan.enter_phase("")
        return
    lacking = [a for a in params["mailboxes"] or [] if a.lower() not in current.full_access]
    if lacking and not current.consents:
        sentence = f"The application lacks FullAccess on {', '.join(lacking)}"
        if not check_mode:
            raise InvalidInput(f"{sentence}: grant it first (module exchange_service_principal); nothing was changed.")
        plan.warnings.append(f"{sentence}; the prediction assumes that an earlier task of the real run grants it.")
        current.full_access = [address.lower() for address in params["mailboxes"]]
    migration_plan.to_permissions(consented=bool(current.consents))


def current_result(current: CurrentAuthorization, params: dict[str, Any], scopes: dict[str, Any]) -> dict[str, Any]:
    """What the diff shows: the scopes, and with `replace` what they replace."""
    if not params["replace"]:
        return {"scopes": scopes} if scopes else {}
    replaces = params["state"] == "present" and (current.consents or current.full_access)
    if not (scopes or current.phase or replaces):
        return {}
    return {
        "scopes": scopes,
        "consent": bool(current.consents),
        "full_access": sorted(current.full_access),
        "phase": current.phase.name if current.phase else None,
    }


def _after(
    current: CurrentAuthorization, params: dict[str, Any], migration_plan: migration.MigrationPlan, scopes: dict[str, Any]
) -> dict[str, Any]:
    done = {step for step, _seconds in migration_plan.steps}
    if params["state"] == "absent" and ("remove" in done or not (migration_plan.steps or scopes)):
        return {}
    if not params["replace"]:
        return {"scopes": scopes}
    return {
        "scopes": scopes,
        "consent": "consent" in done or (bool(current.consents) and "withdraw" not in done),
        "full_access": [] if "revoke" in done else sorted(current.full_access),
        "phase": migration_plan.phase.name if migration_plan.phase else None,
    }


def result(current: CurrentAuthorization, shape: dict[str, Any], migration_plan: migration.MigrationPlan | None) -> dict[str, Any] | None:
    if not shape:
        return None
    application = current.application
    ids = {"app_id": application.app_id if application else None, "object_id": application.object_id if application else None}
    due = migration_plan.due if migration_plan else None
    return ids | shape | {"due": migration.iso_time(due) if due else None}


# -- writing ----------------------------------------------------------------------------------------------------------


class _Migration:
    """Carries out the steps of a migration plan."""

    def __init__(self, tenant: Tenant, params: dict[str, Any], current: CurrentAuthorization) -> None:
        self.tenant, self.params, self.current = tenant, params, current
        self.object_id = current.application.object_id if current.application else ""
        self.tags = current.tags

    def write(self, changes: rbac.ScopeChanges, desired: dict[str, str]) -> None:
        rbac.write(self.tenant, changes, self.current.reach, self.object_id)
        covered = rbac.newly_covered(self.current.reach, desired)
        rbac.verify_scope(
            self.tenant, self.object_id, (self.params["mailboxes"] or []) if covered is None else covered, self.tenant.wait_timeout
        )

    def enter(self, name: str) -> None:
        phase = migration.Phase(name, self.tenant.clock.now()) if name else None
        self.tags = migration.with_phase(self.tags, phase)
        call = Call("PATCH", f"/servicePrincipals/{self.object_id}", {"tags": self.tags}, "note how far the application was moved")
        self.tenant.graph.write(call, retry_on=entra.is_replication_delay, limit=self.tenant.wait_timeout)

    def withdraw(self) -> None:
        rbac.verify_scope(self.tenant, self.object_id, self.params["mailboxes"], 0.0)
        rbac.withdraw(self.tenant, self.current.consents)

    def revoke(self) -> None:
        consistency.run_all(self.tenant, [revoke(self.object_id, Permission(FULL_ACCESS, address)) for address in self.current.full_access])

    def consent(self) -> None:
        api, role = self.current.api, _role_id(self.current)
        if not api or not role:
            raise InvalidInput("this tenant has no Exchange Online, or it does not offer SMTP.SendAsApp.")
        rbac.consent(self.tenant, self.object_id, api["id"], role)

    def remove(self) -> None:
        reach = self.current.reach
        names = dict.fromkeys([*reach.scopes, *(name for name in reach.assignments if name not in {s.lower() for s in reach.scopes})])
        rbac.remove(self.tenant, list(names), reach)
