# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a tenant's plan requires, compared with those in the tokens before the first write. It costs no request.

What a token does not show is not reported: Exchange role groups, ownership of applications, custom directory roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._clients import permissions
from ..._clients.permissions import RequiredPermission
from ..._composition.step import PlannedStep
from ..._core.errors import InvalidInput, MailopsError
from ..._core.json_types import JsonObject
from ..._engine.tenant import Tenant
from ..._entra.applications import ApplicationChanges
from ..._exchange.rbac.authorization import AuthorizationChanges
from ..._exchange.rbac.migration import Action
from ..._planning import options
from ..._planning.context import PlanningContext
from ..._planning.role_inputs import RoleInput, is_true, role_inputs
from ..._planning.role_variables import roles_to_run
from ..._planning.sending_plan import plan_sender
from .. import sender_plan

_Options = Mapping[str, Any]


# -- what components require ------------------------------------------------------------------------------------------


def _types(application: _Options) -> set[str]:
    """The types of the permissions that change: application where none is listed."""
    options_with_list = (application.get(name) for name in ("permissions", "revoked_permissions"))
    items = [item for listed in options_with_list if isinstance(listed, list) for item in listed if isinstance(item, Mapping)]
    return {"delegated" if item.get("type") == "delegated" else "application" for item in items} or {"application"}


def _reads_of_application(application: _Options) -> Iterator[RequiredPermission]:
    yield from (permissions.APPLICATIONS_READ, permissions.CONSENTS_READ)
    if is_true(application.get("exclusive")) or "delegated" in _types(application):
        yield permissions.GRANTS_READ


def _reads_of_accounts(accounts: _Options) -> Iterator[RequiredPermission]:
    listed = accounts.get("accounts")
    if isinstance(listed, list) and any(isinstance(item, Mapping) and item.get("apps") for item in listed):
        yield permissions.APPLICATIONS_READ


def _always(*required: RequiredPermission) -> Callable[[Any], Iterable[RequiredPermission]]:
    return lambda _options_or_changes: required


def _possible_writes_of_application(application: _Options) -> Iterator[RequiredPermission]:
    yield permissions.APPLICATIONS_WRITE
    types = _types(application)
    if "application" in types:
        yield permissions.CONSENTS_WRITE
    if "delegated" in types:
        yield permissions.GRANTS_WRITE


def _writes_of_application(changes: ApplicationChanges) -> Iterator[RequiredPermission]:
    registers = changes.create or changes.create_principal or changes.delete or (changes.renewal is not None and changes.renewal.creates)
    if registers or changes.patch or changes.add_certificates or changes.remove_keys:
        yield permissions.APPLICATIONS_WRITE
    if changes.assign or changes.unassign:
        yield permissions.CONSENTS_WRITE
    if changes.scopes:
        yield permissions.GRANTS_WRITE


def _writes_of_rbac(changes: AuthorizationChanges) -> Iterator[RequiredPermission]:
    actions = {step.action for step in changes.steps}
    if Action.ENTER_PHASE in actions:
        yield permissions.APPLICATIONS_WRITE
    if actions & {Action.CONSENT, Action.WITHDRAW}:
        yield permissions.CONSENTS_WRITE


# By module. Exchange.ManageAsApp is required by every plan.
_READS: dict[str, Callable[[_Options], Iterable[RequiredPermission]]] = {
    "entra_app": _reads_of_application,
    "federated_credential": _always(permissions.APPLICATIONS_READ),
    "exchange_service_principal": _always(permissions.APPLICATIONS_READ),
    "rbac_for_applications": _always(permissions.APPLICATIONS_READ, permissions.CONSENTS_READ),
    "delegated_sign_in": _always(permissions.APPLICATIONS_READ),
    "hve_account": _reads_of_accounts,
}
_POSSIBLE_WRITES: dict[str, Callable[[_Options], Iterable[RequiredPermission]]] = {
    "entra_app": _possible_writes_of_application,
    "federated_credential": _always(permissions.APPLICATIONS_WRITE),
    "rbac_for_applications": _always(permissions.APPLICATIONS_WRITE, permissions.CONSENTS_WRITE),
}
_WRITES: dict[str, Callable[[Any], Iterable[RequiredPermission]]] = {
    "entra_app": _writes_of_application,
    "federated_credential": _always(permissions.APPLICATIONS_WRITE),
    "rbac_for_applications": _writes_of_rbac,
    "record": _always(permissions.APPLICATIONS_WRITE),
    "automation_certificate": _always(permissions.APPLICATIONS_WRITE),
}


def of_planning(params: sender_plan.Params) -> list[RequiredPermission]:
    """What the reads require that select the method of each sender."""
    of_senders = [permissions.SECURITY_DEFAULTS_READ, permissions.DOMAINS_READ] if params.senders else []
    return [permissions.EXCHANGE, *of_senders]


def of_removal_reads() -> list[RequiredPermission]:
    """What the reads require that show what was created. Without the record a removal would leave it and report nothing."""
    return [permissions.EXCHANGE, permissions.APPLICATIONS_READ]


def of_assumed_removal() -> list[RequiredPermission]:
    """What the removal of everything that is recorded requires, where the record could not be read."""
    return [permissions.APPLICATIONS_WRITE, permissions.CONSENTS_WRITE]


def of_new_automation_app(listed: Sequence[JsonObject], *, directory_roles: bool, role_groups: bool) -> list[RequiredPermission]:
    """What the registration of an automation app requires. `listed`: its permissions, as in option permissions of module entra_app."""
    required = list(_possible_writes_of_application({"permissions": listed}))
    required += [permissions.DIRECTORY_ROLES_WRITE] if directory_roles else []
    return required + ([permissions.EXCHANGE] if role_groups else [])


def of_reads(inputs: Iterable[RoleInput]) -> list[RequiredPermission]:
    """What the reads of the components require."""
    return [required for one in inputs if one.module in _READS for required in _READS[one.module](one.options)]


def of_possible_writes(inputs: Iterable[RoleInput]) -> list[RequiredPermission]:
    """What the writes of the components may require, where their changes are not planned yet."""
    return [required for one in inputs if one.module in _POSSIBLE_WRITES for required in _POSSIBLE_WRITES[one.module](one.options)]


def of_changes(planned: Iterable[PlannedStep]) -> list[RequiredPermission]:
    """What the changes of the plan require."""
    changed = [one for one in planned if one.plan.changed and one.name in _WRITES]
    return [required for one in changed for required in _WRITES[one.name](one.plan.changes)]


def of_assumed_plan(params: sender_plan.Params) -> list[RequiredPermission]:
    """What the components require for these senders in a tenant that could not be read: nothing exists and every domain is accepted."""
    try:
        senders = [options.sender(item) for item in params.senders]
        context = PlanningContext(
            domains=frozenset(sender.domain for sender in senders),
            hve=params.hve,
            acs="acs_smtp_username_communication_service" in params.inventory_names,
            relay_hosts=params.relay_hosts,
        )
        assumed = sender_plan.PlannedSenders([plan_sender(sender, context) for sender in senders], context)
        variables = {**assumed.variables(params), **params.inventory}
    except MailopsError:
        return []
    inputs = role_inputs(roles_to_run(variables), variables)
    return of_reads(inputs) + of_possible_writes(inputs)


# -- comparing --------------------------------------------------------------------------------------------------------


def refuse_missing(
    tenant: Tenant, required: Sequence[RequiredPermission], others: Callable[[], Sequence[RequiredPermission]] = tuple
) -> None:
    """InvalidInput with all permissions that the tokens lack. `others`: what is required later, which is reported with them."""
    lacking = _missing(tenant, required)
    if lacking:
        lacking = _missing(tenant, [*required, *others()]) or lacking
        raise InvalidInput(*_sentences(tenant, lacking), remedy=_remedy(tenant, lacking))


def _missing(tenant: Tenant, required: Sequence[RequiredPermission]) -> list[RequiredPermission]:
    """The missing permissions. A token of an earlier task is renewed, and roles that this run has granted are waited for."""
    result: list[RequiredPermission] = []
    for service in permissions.APIS:
        own = [one for one in required if one.service == service]
        if not own:
            continue
        scope = tenant.cloud.scope(service)
        token = tenant.tokens.token(scope)
        lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        if lacking and tenant.tokens.renewed(scope, token):
            lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        while lacking and tenant.tokens.await_grant(service):
            lacking = permissions.missing(tenant.tokens.permissions(scope), own)
        result += lacking
    return result


def _names(tenant: Tenant, lacking: Iterable[RequiredPermission]) -> dict[tuple[str, str], list[str]]:
    """Service and name of the permissions to grant, each with its purposes."""
    result: dict[tuple[str, str], list[str]] = {}
    for one in lacking:
        token = tenant.tokens.permissions(tenant.cloud.scope(one.service))
        name = one.name_for(token) if token else one.name
        result.setdefault((one.service, name), []).append(one.purpose)
    return result


def _sentences(tenant: Tenant, lacking: Iterable[RequiredPermission]) -> list[str]:
    who = f"The automation app ({tenant.client_id})" if tenant.client_id else "The managed identity"
    return [
        f"{who} lacks the permission {name} of {permissions.APIS[service]}, which this plan requires to {' and '.join(purposes)}."
        for (service, name), purposes in _names(tenant, lacking).items()
    ]


def _remedy(tenant: Tenant, lacking: Sequence[RequiredPermission]) -> str:
    """Who grants what, and where."""
    names = _names(tenant, lacking)
    parts = []
    for service in permissions.APIS:
        own = [name for of, name in names if of == service]
        token = tenant.tokens.permissions(tenant.cloud.scope(service)) if own else None
        if own:
            parts.append(permissions.grant_instruction(own, service, delegated=bool(token and token.delegated)))
    token = tenant.tokens.permissions(tenant.cloud.scope("exchange"))
    if token and token.directory_roles is not None and not token.directory_roles & permissions.EXCHANGE_ROLES:
        parts.append(
            "It has no directory role for Exchange, either: unless it is in an Exchange role group, let them assign it "
            "Exchange Administrator (Roles and administrators)."
        )
    return " ".join([*parts, "Nothing was changed."])
