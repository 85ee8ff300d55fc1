# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What authorizes an application to send: its state in Entra and Exchange, the changes of one run, and the result that the user sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..._clients import permissions
from ..._clients.graph import Call
from ..._clients.odata import key
from ..._clients.permissions import RequiredPermission
from ..._engine.tenant import Tenant
from ..._entra import application_lookup, applications
from ..._entra.application_lookup import Application
from ..._entra.graph_objects import ServicePrincipalObject
from .. import customization
from . import migration
from .consent import PERMISSION, AppRole, Consent
from .migration import Action, MigrationPlan, Step
from .scopes import CurrentScopes, ScopeChanges, ScopesResult


@dataclass(frozen=True)
class EntraState:
    """What Entra has. `tags`: of the enterprise application; `app_role`: None where the tenant does not offer it."""

    application: Application | None = None
    tags: tuple[str, ...] = ()
    app_role: AppRole | None = None
    consents: tuple[Consent, ...] = ()

    @property
    def object_id(self) -> str | None:
        return self.application.object_id if self.application else None

    @property
    def phase(self) -> migration.Phase | None:
        return migration.read_phase(self.tags)


@dataclass(frozen=True)
class CurrentAuthorization:
    """What Entra and Exchange have.

    `is_registered`: whether Exchange has the service principal; `full_access`: those of the listed mailboxes that the application has
    FullAccess on, in lower case.
    """

    entra: EntraState
    is_registered: bool
    scopes: CurrentScopes
    full_access: tuple[str, ...]

    @property
    def phase(self) -> migration.Phase | None:
        return self.entra.phase

    @property
    def consented(self) -> bool:
        return bool(self.entra.consents)

    @property
    def is_removable(self) -> bool:
        return bool(self.scopes.scopes or self.scopes.assignments or self.phase)


@dataclass(frozen=True)
class AuthorizationChanges:
    """The steps of one run in their order, and the objects that they change.

    `scopes`: what the steps WRITE and REMOVE apply; `newly_covered`: the mailboxes that have to be in scope after WRITE; `full_access`: the
    mailboxes that REVOKE removes FullAccess from; `customize`: WRITE enables the organization's customization first.
    """

    steps: tuple[Step, ...]
    entra: EntraState
    scopes: ScopeChanges
    newly_covered: tuple[str, ...]
    full_access: tuple[str, ...]
    customize: bool = False

    def __bool__(self) -> bool:
        return bool(self.steps)

    def required_permissions(self) -> Iterator[RequiredPermission]:
        """What the steps require."""
        actions = {step.action for step in self.steps}
        if Action.ENTER_PHASE in actions:
            yield permissions.APPLICATIONS_WRITE
        if actions & {Action.CONSENT, Action.WITHDRAW}:
            yield permissions.CONSENTS_WRITE

    def cmdlets(self) -> Iterator[str]:
        """The cmdlets of the steps."""
        actions = {step.action for step in self.steps}
        if actions & {Action.WRITE, Action.REMOVE}:
            yield from [customization.ENABLE.cmdlet] if self.customize else []
            yield from self.scopes.cmdlets()
        if Action.REVOKE in actions and self.full_access:
            yield "Remove-MailboxPermission"


def read_entra(tenant: Tenant, app_id: str | None, unique_name: str | None) -> EntraState:
    """The application given by client id or unique name, in one or two requests."""
    attempted = "look for the enterprise application"
    read_exchange = application_lookup.principal(applications.EXCHANGE, "id,appRoles", "read the permissions of Exchange")
    calls, exchange = [read_exchange], None
    if not app_id:
        registration = application_lookup.registration(unique_name or "", attempted)
        exchange, application = tenant.graph.batch([read_exchange, registration])
        app_id, calls = (application or {}).get("appId"), []
    if not app_id:
        return EntraState(app_role=_app_role(exchange))
    calls.append(application_lookup.principal(app_id, "id,appId,displayName,tags", attempted))
    path = f"/servicePrincipals(appId='{key(app_id)}')/appRoleAssignments"
    calls.append(Call("GET", path, attempted="read the application's consent"))
    *answers, principal, assignments = tenant.graph.batch(calls)
    app_role = _app_role(answers[0] if answers else exchange)
    if not principal:
        return EntraState(app_role=app_role)
    items = [item for item in (assignments or {}).get("value", []) if app_role and item["appRoleId"] == app_role.role_id]
    consents = tuple(Consent(item["id"], item["resourceId"]) for item in items)
    return EntraState(
        Application(app_id, principal["id"], principal["displayName"]), tuple(principal.get("tags") or ()), app_role, consents
    )


def _app_role(exchange: ServicePrincipalObject | None) -> AppRole | None:
    """The app role SMTP.SendAsApp of Exchange Online's service principal."""
    ids = [role["id"] for role in (exchange or {}).get("appRoles") or [] if role.get("value") == PERMISSION]
    return AppRole(exchange["id"], ids[0]) if exchange and ids else None


def plan_customization(
    tenant: Tenant, changes: ScopeChanges, migration_plan: MigrationPlan, before: dict[str, object], after: dict[str, object]
) -> bool:
    """Whether the organization refuses the new scopes and assignments until its customization is enabled, which is added to the diff."""
    writes = Action.WRITE in migration_plan.actions and bool(changes.create or changes.assign)
    customize = writes and customization.read(tenant)
    if customize:
        customization.add_change(before, after)
    return customize


def current_result(current: CurrentAuthorization, scopes: ScopesResult, *, replace: bool, absent: bool) -> dict[str, object]:
    """The state before the task, for the diff: the scopes, and with `replace` the consent and permissions that they replace."""
    if not replace:
        return {"scopes": scopes} if scopes else {}
    replaces = not absent and (current.consented or current.full_access)
    if not (scopes or current.phase or replaces):
        return {}
    return {
        "scopes": scopes,
        "consent": current.consented,
        "full_access": sorted(current.full_access),
        "phase": current.phase.name if current.phase else None,
    }


def predicted_result(
    current: CurrentAuthorization, scopes: ScopesResult, migration_plan: MigrationPlan, *, replace: bool, absent: bool
) -> dict[str, object]:
    """The state after the steps of this run, for the diff. `scopes`: after the changes."""
    actions = migration_plan.actions
    if absent and (Action.REMOVE in actions or not (actions or scopes)):
        return {}
    if not replace:
        return {"scopes": scopes}
    return {
        "scopes": scopes,
        "consent": Action.CONSENT in actions or (current.consented and Action.WITHDRAW not in actions),
        "full_access": [] if Action.REVOKE in actions else sorted(current.full_access),
        "phase": migration_plan.phase.name if migration_plan.phase else None,
    }


def result(application: Application | None, state: Mapping[str, object], due: float | None) -> dict[str, object] | None:
    """The task's result. `state`: as in the diff; `due`: when a later run may continue, in seconds since 1970."""
    if not state:
        return None
    ids = {"app_id": application.app_id if application else None, "object_id": application.object_id if application else None}
    return {**ids, **state, "due": migration.iso_time(due) if due else None}
