# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that a tenant's plan requires: what its reads and writes may require, and what its changes do require."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._clients import permissions
from ..._clients.permissions import RequiredPermission
from ..._composition.step import PlannedStep
from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject
from ..._engine.required_permissions import cmdlets_of, of_plan
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
    return [required for one in planned for required in of_plan(one.step.resource, one.plan)]


def cmdlets_of_changes(planned: Iterable[PlannedStep]) -> list[str]:
    """The cmdlets that write the changes of the plan."""
    return [cmdlet for one in planned for cmdlet in cmdlets_of(one.step.resource, one.plan)]


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
