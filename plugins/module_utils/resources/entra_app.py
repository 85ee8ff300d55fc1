# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra application that senders sign in as: registration, certificates, enterprise application, admin consent.

Source: "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from .._clients import permissions
from .._clients.graph import Call
from .._clients.permissions import RequiredPermission
from .._core import mail_addresses
from .._core.errors import GraphError
from .._core.json_types import JsonObject
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import application_lookup, certificates, deleted_applications
from .._entra.application_changes import ConsentChanges, certificate_changes, consent_changes
from .._entra.application_credentials import credentials_after, expiring, expiry_attention, moment, sentences
from .._entra.application_params import OPTIONS, EntraAppParams
from .._entra.application_state import (
    ApplicationState,
    assignment_label,
    current_state,
    label,
    required_permissions,
)
from .._entra.application_writer import ApplicationWriter
from .._entra.applications import (
    APIS,
    EXCHANGE,
    GRAPH,
    ApplicationChanges,
    CurrentApplication,
    Permission,
    find,
    is_replication_delay,
)
from .._entra.desired_application import (
    LOOPBACK,
    SEND_AS_APP,
    DesiredApplication,
    application_patch,
    desired_application,
    retired_thumbprints,
)
from .._entra.kept_credentials import cache_usable, kept_certificates
from .._entra.key_store import KeyStore, path_of
from .._entra.renewal import Renewal
from .._exchange import addresses
from .._exchange.rbac import migration
from .._identity.credentials import GUID
from .._planning import ownership

UNIQUE_NAME_LENGTH = 64  # the most characters that Graph accepts
RENEW = "Create a new one, add it to the application (entra_app_certificates), and configure what signs in with it."


@dataclass(frozen=True)
class EntraAppInfoParams:
    """The options of the module entra_app_info."""

    unique_name: str


class EntraApp:
    """Implements the module entra_app."""

    name = "entra_app"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS
    params_type = EntraAppParams

    def validate(self, params: EntraAppParams) -> list[str]:
        problems = mail_addresses.problems("mailboxes", params.mailboxes or ())
        if not re.fullmatch(rf"[A-Za-z0-9._-]{{1,{UNIQUE_NAME_LENGTH}}}", params.unique_name):
            problems.append(
                f"unique_name is {params.unique_name!r}: use 1 to {UNIQUE_NAME_LENGTH} letters, digits, dots, underscores and hyphens; "
                "it can never be changed."
            )
        problems += ownership.application_problems(params.unique_name) + line_problems("display_name", params.display_name)
        listed = [("permissions", one) for one in params.permissions or ()] + [
            ("revoked_permissions", o) for o in params.revoked_permissions
        ]
        for option, permission in listed:
            if permission.api not in APIS and not GUID.fullmatch(permission.api):
                problems.append(
                    f"{option}: the api of {permission.name} is {permission.api!r}: use exchange, graph or the API's "
                    "application id (a GUID)."
                )
        for text in params.certificates or ():
            problems += certificates.problems(text)
        for text in params.retired_certificates or ():
            problems += certificates.problems(text, "retired_certificates", retired=True)
        return problems + ([] if problems else _listed_and_retired(params))

    def plan(self, tenant: Tenant, params: EntraAppParams, check_mode: bool) -> Plan[ApplicationChanges]:
        current = read_application(tenant, params, params.display_name)
        if params.state == "present":
            current = deleted_applications.with_deleted(tenant, params.unique_name, current)
        state = current_state(current)
        before = state.as_result() if state else {}
        if params.state == "absent":
            changes = ApplicationChanges(current, delete=True) if current.application else None
            return Plan(before, {}, changes, {"app": None})
        now = moment(tenant.clock.now())
        desired, kept = self._desired(tenant, params, current)
        if desired.renewal and state:
            before["certificate_in_use"] = desired.renewal.in_use
        changes = difference(current, desired, params)
        if changes and params.mailboxes:
            expected = addresses.expected(params.expected_mailboxes, check_mode)
            addresses.refuse_unknown_mailboxes(tenant.exchange, params.mailboxes, expected)
        after = predicted(current, desired, params).as_result()
        if not current.application or current.deleted:
            application_lookup.cache_missing(tenant, params.unique_name)
        if not changes:
            cache(tenant, params.unique_name, current, after)
        attention = self._attention(tenant, params, changes, now)
        warnings = [f"{params.unique_name}: {sentence}" for sentence in kept] + sentences(attention)
        warnings += deleted_applications.restoration_notes(params.unique_name, current)
        outcome = {"app": result(current, after), "attention": attention}
        if desired.renewal:
            outcome["key_file"] = str(desired.renewal.store.path)
        return Plan(before, after, changes if changes else None, outcome, warnings)

    @staticmethod
    def _desired(tenant: Tenant, params: EntraAppParams, current: CurrentApplication) -> tuple[DesiredApplication, list[str]]:
        """The desired application, and a sentence for each certificate that is kept."""
        now = moment(tenant.clock.now())
        desired = desired_application(current, params)
        if params.certificate == "managed":
            renewal = Renewal.of(params.unique_name, KeyStore(path_of(params.key_directory, tenant.name, params.unique_name)), now)
            all_certificates, retired = renewal.with_managed(desired.certificates or (), desired.retired)
            desired = replace(desired, certificates=all_certificates, retired=retired, renewal=renewal)
        kept = kept_certificates(tenant, current, desired.certificates, desired.retired, params.exclusive, now)
        return replace(desired, kept=frozenset(kept)), list(kept.values())

    def _attention(self, tenant: Tenant, params: EntraAppParams, changes: ApplicationChanges, now: datetime.datetime) -> list[JsonObject]:
        """Credentials that expire; stores how many usable ones there are for later tasks."""
        after = credentials_after(changes.current.application, changes.add_certificates, changes.remove_keys)
        renewal = changes.renewal
        count = sum(one.is_usable(now) for one in after) + bool(renewal and renewal.creates)
        cache_usable(tenant, params.unique_name, count)
        concerned = [one for one in expiring(after, now) if not (renewal and renewal.replaces(one))]
        return list(expiry_attention(params.unique_name, concerned, now, RENEW)) + (renewal.attention() if renewal else [])

    def required_permissions(self, changes: ApplicationChanges, /) -> Iterator[RequiredPermission]:
        creates_key = changes.renewal is not None and changes.renewal.creates
        registers = changes.create or changes.create_principal or changes.delete or changes.restore or creates_key
        if registers or changes.patch or changes.add_certificates or changes.remove_keys:
            yield permissions.APPLICATIONS_WRITE
        if changes.assign or changes.unassign:
            yield permissions.CONSENTS_WRITE
        if changes.scopes:
            yield permissions.GRANTS_WRITE

    def apply(self, tenant: Tenant, params: EntraAppParams, plan: Plan[ApplicationChanges]) -> dict[str, object]:
        changes = plan.pending
        application_lookup.uncache_application(tenant, params.unique_name)
        application = changes.current.application
        if changes.delete and application:
            path, attempted = f"/applications/{application['id']}", f"delete application {params.unique_name}"
            tenant.graph.write(Call("DELETE", path, attempted=attempted))
            application_lookup.uncache_application(tenant, params.unique_name)
            return {"app": None}
        current, after = changes.current, dict(plan.after)
        if changes.restore:
            current = restore(tenant, params, current)
            desired, _sentences = self._desired(tenant, params, current)
            changes, after = difference(current, desired, params), predicted(current, desired, params).as_result()
        renewal = changes.renewal
        if renewal and renewal.creates:
            created = renewal.create()
            after["certificates"] = sorted({created.thumbprint, *after["certificates"]} - {renewal.new_label})
            changes = replace(changes, add_certificates=(*changes.add_certificates, created))
        current = ApplicationWriter(tenant, params.unique_name, current).write(changes)
        if renewal and current.application:
            refused = renewal.switch(tenant, current.application["appId"]) if renewal.switches else ""
            plan.warnings += [refused] if refused else []
            renewal.retire()
            in_use = renewal.store.current()
            after["certificate_in_use"] = in_use.thumbprint if in_use else None
        cache(tenant, params.unique_name, current, after)
        return plan.outcome | {"app": result(current, after)}


class EntraAppInfo(ReadOnlyResource[EntraAppInfoParams]):
    """Implements the module entra_app_info."""

    name = "entra_app_info"
    spec = TENANT | Spec({"unique_name": {"type": "str", "required": True}}, writes=False)
    params_type = EntraAppInfoParams

    def plan(self, tenant: Tenant, params: EntraAppInfoParams, check_mode: bool) -> Plan[None]:
        current = find(tenant, params.unique_name, None, (EXCHANGE, GRAPH), read_grants=True)
        state = current_state(current)
        return Plan(outcome={"app": result(current, state.as_result()) if state else None})


RESOURCE = EntraApp()
INFO = EntraAppInfo()


def cache(tenant: Tenant, name: str, current: CurrentApplication, state: Mapping[str, object]) -> None:
    """Store the application for later tasks of the run."""
    if current.application and current.principal:
        application = application_lookup.Application(current.application["appId"], current.principal["id"], str(state["display_name"]))
        application_lookup.cache_application(tenant, name, application)


def result(current: CurrentApplication, state: Mapping[str, object]) -> dict[str, object]:
    """The task's result: the state with the application's three ids, which are None in check mode before it is created."""
    application, principal = current.application, current.principal
    return {
        "object_id": application.get("id") if application else None,
        "app_id": application.get("appId") if application else None,
        "service_principal_id": principal.get("id") if principal else None,
        "authorization": "rbac" if has_migration_phase(current) else "mailbox_permissions",
        **state,
    }


def read_application(tenant: Tenant, params: EntraAppParams, display_name: str | None) -> CurrentApplication:
    """The application with what the options are about."""
    listed = (*(params.permissions or ()), *params.revoked_permissions)
    read_grants = params.exclusive or any(item.delegated for item in listed)
    apis = [item.api_id for item in listed]
    return find(tenant, params.unique_name, display_name, apis, read_grants=read_grants)


def restore(tenant: Tenant, params: EntraAppParams, deleted: CurrentApplication) -> CurrentApplication:
    """Restore a deleted application; the application as the directory has it then, with what came back with it."""

    def read() -> CurrentApplication:
        current = read_application(tenant, params, None)
        if not current.application:
            raise GraphError(f"restore the application {params.unique_name}", "it is not there yet", code="Request_ResourceNotFound")
        return current

    if deleted.application:
        deleted_applications.restore(tenant, params.unique_name, deleted.application)
    return tenant.graph.retry(read, is_replication_delay, tenant.wait_timeout)


# -- comparing --------------------------------------------------------------------------------------------------------


def _listed_and_retired(params: EntraAppParams) -> list[str]:
    """One sentence for each certificate that is listed and retired at once."""
    listed = {leaf.thumbprint: leaf.subject for leaf in map(certificates.read, params.certificates or ())}
    return [
        f"retired_certificates holds {listed[name]} ({name}), which certificates lists too: keep it in one of them."
        for name in sorted(retired_thumbprints(params.retired_certificates or ()) & set(listed))
    ]


def difference(current: CurrentApplication, desired: DesiredApplication, params: EntraAppParams) -> ApplicationChanges:
    """The changes that turn the current into the desired application."""
    add, remove = certificate_changes(current, desired.certificates, desired.retired, params.exclusive, desired.kept)
    consent = ConsentChanges()
    if params.permissions is not None and params.consent:
        consent = consent_changes(current, desired.permissions, params.exclusive, excluded_permission(current, params))
    consent = consent.revoking(current, desired.revoked)
    return ApplicationChanges(
        current,
        create=not current.application,
        restore=bool(current.deleted),
        patch=application_patch(current, desired, params),
        add_certificates=add,
        remove_keys=remove,
        create_principal=not current.principal,
        assign=consent.assign,
        unassign=consent.unassign,
        scopes=consent.scopes,
        renewal=desired.renewal,
    )


def has_migration_phase(current: CurrentApplication) -> bool:
    """Whether the module rbac_for_applications has started or finished a migration of the application."""
    return migration.read_phase((current.principal or {}).get("tags") or []) is not None


def excluded_permission(current: CurrentApplication, params: EntraAppParams) -> str:
    """The id of SMTP.SendAsApp where the module rbac_for_applications manages its consent; else empty."""
    return SEND_AS_APP if params.is_rbac or has_migration_phase(current) else ""


# -- predicting -------------------------------------------------------------------------------------------------------


def predicted(current: CurrentApplication, desired: DesiredApplication, params: EntraAppParams) -> ApplicationState:
    """The state after the changes."""
    before = current_state(current)
    labels, consented = before.permissions if before else (), before.consented if before else ()
    revoked = {str(p) for p in desired.revoked}
    labels = tuple(text for text in labels if text not in revoked)
    consented = tuple(text for text in consented if text not in revoked)
    if params.permissions is not None:
        kept = set() if params.exclusive else set(labels)
        if params.is_rbac:
            kept -= {label(current, permission) for permission in required_permissions(current) if permission.id == SEND_AS_APP}
        labels = tuple(sorted({str(permission) for permission in desired.permissions} | kept))
        if params.consent:
            consented = _consents(current, desired.permissions, params, consented)
    renewal = desired.renewal
    present = set(before.certificates if before else ())
    thumbprints = present - (desired.retired - desired.kept)
    if desired.certificates is not None:
        thumbprints = {leaf.thumbprint for leaf in desired.certificates} | (present & desired.kept if params.exclusive else thumbprints)
    uris = {*(before.redirect_uris if before else ()), *([LOOPBACK] if params.public_client else [])}
    return ApplicationState(
        unique_name=params.unique_name,
        display_name=params.display_name or (before.display_name if before else None) or params.unique_name,
        permissions=labels,
        consented=consented,
        certificates=tuple(sorted(thumbprints | ({renewal.new_label} if renewal and renewal.creates else set()))),
        enterprise_application=True,
        public_client=bool(before and before.public_client) if params.public_client is None else params.public_client,
        redirect_uris=tuple(sorted(uris)),
        certificate_in_use=renewal.in_use_after if renewal else None,
    )


def _consents(current: CurrentApplication, desired: Iterable[Permission], params: EntraAppParams, before: Iterable[str]) -> tuple[str, ...]:
    """The consents after the changes, sorted. The excluded permission is kept as it is."""
    excluded = excluded_permission(current, params)
    listed = {str(p) for p in desired if p.id != excluded}
    assigned = [assignment_label(current, a) for a in current.assignments if a["appRoleId"] == excluded][:1]
    return tuple(sorted(listed | {text for text in before if not params.exclusive or text in assigned}))
