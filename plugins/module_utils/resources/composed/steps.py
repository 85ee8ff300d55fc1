# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a tenant: the resources that its roles run, with their options, and what each needs of the earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..._composition.step import Plans, Step
from ..._core import option_values
from ..._core.spec import JOURNAL, TENANT, Spec
from ..._engine.resource import Resource
from ..._engine.tenant import Tenant
from ..._entra.application_lookup import permissions_of, registration_of
from ..._entra.applications import ApplicationChanges
from ..._exchange.mailbox_changes import MailboxChanges
from ..._exchange.predicted import PredictedExchange
from ..._exchange.rbac.consent import PERMISSION
from ..._planning.role_inputs import RoleInput

Resources = Mapping[str, Resource[Any, Any, Any]]  # by the module's name


def steps(inputs: Iterable[RoleInput], resources: Resources, shared: Mapping[str, Any]) -> list[Step]:
    """The steps of valid inputs, in their order. `shared`: options of several resources that are no role's variables."""
    result: list[Step] = []
    registration, consents = "", False
    for role_input in inputs:
        step = _step(role_input, resources, shared)
        result.append(step)
        if registers_sender_app(step):
            registration = step.label
            consents = any(item["name"] == PERMISSION for item in step.options["permissions"])
            if step.options["exclusive"] and not _has(inputs, "federated_credential", step.subject):
                result.append(_step(_no_credentials(step), resources, shared))
        if registration and step.resource.name == "exchange_service_principal" and not _has(inputs, "rbac_for_applications", step.subject):
            migrated = _step(_no_rbac(role_input, consents=consents), resources, shared)
            result.append(replace(migrated, applies=_is_migrated(registration)))
    return result


def registers_sender_app(step: Step) -> bool:
    """Whether a step registers the sender app: not one that only ends consents of an application, or removes it."""
    return (step.component, step.resource.name) == ("entra_app", "entra_app") and step.options["permissions"] is not None


def _has(inputs: Iterable[RoleInput], module: str, application: str) -> bool:
    return any((one.module, one.options.get("unique_name")) == (module, application) for one in inputs)


def _no_credentials(registration: Step) -> RoleInput:
    """An exclusive application without federated identity credentials loses those that it has."""
    options = {"unique_name": registration.subject, "credentials": [], "exclusive": True}
    return RoleInput("entra_app", "federated_credential", options)


def _no_rbac(principal: RoleInput, *, consents: bool) -> RoleInput:
    """The end of RBAC for Applications, where an application uses it that is to have permissions on mailboxes, or on none.

    `consents`: whether the application is to have consent to SMTP.SendAsApp, which it gets back at the end of a migration.
    """
    mailboxes = principal.options.get("full_access")
    options = {"unique_name": principal.options["unique_name"], "mailboxes": mailboxes, "replace": bool(mailboxes) or consents}
    return RoleInput("entra_app", "rbac_for_applications", options | {"state": "absent"})


def _is_migrated(registration: str) -> Callable[[Plans], bool]:
    """Whether the application uses RBAC for Applications or migrates from it, which a tag of the application records."""

    def applies(plans: Plans) -> bool:
        app = plans[registration].outcome["app"] if registration in plans else None
        return bool(app and app["authorization"] == "rbac")

    return applies


# -- one step ---------------------------------------------------------------------------------------------------------


def _step(role_input: RoleInput, resources: Resources, shared: Mapping[str, Any]) -> Step:
    resource = resources[role_input.module]
    spec = _own(resource.spec)
    known = {name: value for name, value in shared.items() if name in spec.options and value is not None}
    values, _problems = option_values.check(spec, known | role_input.options)
    step = Step(role_input.role, resource, values, input=role_input, restores=role_input.restores)
    wiring = _WIRING.get(role_input.module)
    return wiring(step) if wiring else step


def _own(spec: Spec) -> Spec:
    """A resource's spec without the connection and the journal."""
    common = TENANT.options.keys() | JOURNAL.options.keys()
    return replace(spec, options={name: option for name, option in spec.options.items() if name not in common})


def _restored(name: object) -> str:
    """What a step that restores the application provides: Exchange may have its service principal and permissions."""
    return f"restored application {name}"


def _is_registration(changes: ApplicationChanges) -> bool:
    """Whether the application exists, or has an id of its own or of its enterprise application, only after the changes."""
    return changes.create or changes.restore or changes.create_principal


def _is_restored(changes: ApplicationChanges) -> bool:
    """Whether the application is restored from the deleted items."""
    return changes.restore


def _registration(step: Step) -> Step:
    name = step.options["unique_name"]
    provides: dict[str, Callable[[Any], bool]] = {
        registration_of(name): _is_registration,
        permissions_of(name): bool,
        _restored(name): _is_restored,
    }
    return replace(step, subject=name, provides=provides)


def _of_application(step: Step) -> Step:
    name = step.options["unique_name"]
    return replace(step, subject=name, needs=frozenset({registration_of(name)}))


def _principal(step: Step) -> Step:
    one = _of_application(step)
    provides = {permissions_of(one.subject): bool}
    return replace(one, needs=one.needs | {_restored(one.subject)}, completes=one.needs, provides=provides)


def _rbac(step: Step) -> Step:
    name = step.options["unique_name"]
    if step.options["state"] == "absent" and not step.options["replace"]:  # what ends depends on no earlier step
        return replace(step, subject=name)
    return replace(step, subject=name, needs=frozenset({registration_of(name), permissions_of(name)}))


def _mailboxes(step: Step) -> Step:
    listed = step.options["mailboxes"]
    present = frozenset(item["address"].lower() for item in listed if item["state"] == "present")
    return replace(step, mailboxes=present, predicts=_predict_addresses)


def _predict_addresses(tenant: Tenant, changes: MailboxChanges) -> None:
    """Later steps find renamed mailboxes by their new addresses, and removed ones not at all."""
    if changes.renamed or changes.remove:
        tenant.exchange = PredictedExchange(tenant.exchange, changes.renamed, changes.remove.values())


def _sign_in(step: Step) -> Step:
    return replace(step, subject=step.options["user"], needs=frozenset({registration_of(step.options["app_unique_name"])}))


def _accounts(step: Step) -> Step:
    accounts = step.options["accounts"]
    return replace(step, needs=frozenset(registration_of(app) for account in accounts for app in account["apps"] or ()))


def _usernames(step: Step) -> Step:
    usernames = step.options["usernames"]
    return replace(step, needs=frozenset(registration_of(item["app"] or step.options["app"]) for item in usernames))


_WIRING: dict[str, Callable[[Step], Step]] = {
    "shared_mailbox": _mailboxes,
    "entra_app": _registration,
    "federated_credential": _of_application,
    "exchange_service_principal": _principal,
    "rbac_for_applications": _rbac,
    "delegated_sign_in": _sign_in,
    "hve_account": _accounts,
    "acs_smtp_username": _usernames,
}
