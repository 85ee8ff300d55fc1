# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service principal of an application in Exchange, and its permissions on mailboxes (FullAccess, SendAs).

Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth"; New-ServicePrincipal, Add-MailboxPermission,
Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .._clients.exchange import Command, Outcome, boolean, is_missing, names
from .._core import mail_addresses
from .._core.errors import ExchangeError
from .._core.json_types import JsonObject
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.resource import Plan
from .._engine.tenant import Tenant
from .._entra.application_lookup import Application, find_application, refuse_missing
from .._exchange import addresses, consistency

FULL_ACCESS, SEND_AS = "FullAccess", "SendAs"
OPTIONS = Spec(
    {
        "unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "display_name": {"type": "str"},
        "full_access": {"type": "list", "elements": "str"},
        "send_as": {"type": "list", "elements": "str"},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"),),
)


class Permission(NamedTuple):
    """A permission on a mailbox: FullAccess or SendAs, and the mailbox's address in lower case."""

    right: str
    address: str


@dataclass(frozen=True)
class ServicePrincipalParams:
    """The options of the module exchange_service_principal."""

    expected_mailboxes: tuple[str, ...]
    unique_name: str | None
    app_id: str | None
    display_name: str | None
    full_access: tuple[str, ...] | None
    send_as: tuple[str, ...] | None
    exclusive: bool
    state: str

    def permissions(self) -> list[Permission]:
        full_access = [Permission(FULL_ACCESS, address.lower()) for address in self.full_access or ()]
        return full_access + [Permission(SEND_AS, address.lower()) for address in self.send_as or ()]


@dataclass(frozen=True)
class CurrentPrincipal:
    """What Exchange has. `principal`: registered with the right object id; `wrong_object_ids`: registered with another one."""

    application: Application | None
    principal: JsonObject | None
    wrong_object_ids: tuple[str, ...]
    permissions: frozenset[Permission]

    @property
    def display_name(self) -> str | None:
        name: str | None = (self.principal or {}).get("DisplayName")
        return name


@dataclass(frozen=True)
class PrincipalChanges:
    """The changes, in the order in which they are applied. `remove`: object ids; `display_name`: of the new or renamed principal."""

    application: Application | None
    display_name: str | None
    remove: tuple[str, ...] = ()
    create: bool = False
    rename: bool = False
    grant: tuple[Permission, ...] = ()
    revoke: tuple[Permission, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.remove or self.create or self.rename or self.grant or self.revoke)


class ExchangeServicePrincipal:
    """Implements the module exchange_service_principal."""

    name = "exchange_service_principal"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS
    params_type = ServicePrincipalParams

    def validate(self, params: ServicePrincipalParams) -> list[str]:
        return mail_addresses.problems("full_access", params.full_access or ()) + mail_addresses.problems("send_as", params.send_as or ())

    def plan(self, tenant: Tenant, params: ServicePrincipalParams, check_mode: bool) -> Plan[PrincipalChanges]:
        warnings: list[str] = []
        application = find_application(tenant, params.app_id, params.unique_name)
        if not application and params.state == "present":
            warnings = refuse_missing({str(params.unique_name or params.app_id): None}, check_mode, "module entra_app")
        current = read(tenant, application, params, addresses.expected(params.expected_mailboxes, check_mode))
        changes = difference(current, params)
        after = {} if params.state == "absent" else predicted(current, changes)
        outcome = {"service_principal": result(application, after)}
        return Plan(_current_result(current), after, changes if changes else None, outcome, warnings)

    def apply(self, tenant: Tenant, params: ServicePrincipalParams, plan: Plan[PrincipalChanges]) -> JsonObject:
        write(tenant, plan.pending)
        return plan.outcome


RESOURCE = ExchangeServicePrincipal()


def result(application: Application | None, principal: Mapping[str, object]) -> dict[str, object] | None:
    if not principal:
        return None
    ids = {"app_id": application.app_id, "object_id": application.object_id} if application else {"app_id": None, "object_id": None}
    return {**ids, **principal}


# -- reading ----------------------------------------------------------------------------------------------------------


def read(
    tenant: Tenant, application: Application | None, params: ServicePrincipalParams, expected: Collection[str] = ()
) -> CurrentPrincipal:
    """The service principals and permissions, in batches. InvalidInput names all mailboxes that do not exist."""
    listed = list(dict.fromkeys(address for _right, address in params.permissions() if address not in expected))
    if params.exclusive:
        all_mailboxes = Command("Get-Mailbox", {"ResultSize": "Unlimited"}, ("Guid", "PrimarySmtpAddress"), "list the mailboxes")
        values = tenant.exchange.run(all_mailboxes).values
        listed = list(dict.fromkeys(listed + [str(mailbox["PrimarySmtpAddress"]).lower() for mailbox in values]))
    commands = [Command("Get-ServicePrincipal", {}, attempted="read the service principals in Exchange")]
    for address in listed:
        commands += _permission_reads(address)
    principals, *outcomes = tenant.exchange.batch(commands)
    # A service principal in Exchange stays when its enterprise application is removed from Entra.
    app_id = application.app_id if application else params.app_id
    own, wrong = None, []
    for principal in principals.checked().values:
        if app_id and str(principal.get("AppId", "")).lower() == app_id.lower():
            if application and str(principal.get("ObjectId", "")).lower() == application.object_id.lower():
                own = principal
            else:
                wrong.append(str(principal["ObjectId"]))
    permissions: set[Permission] = set()
    missing = []
    for number, address in enumerate(listed):
        mailbox, recipient = outcomes[2 * number : 2 * number + 2]
        if is_missing(mailbox.error):
            missing.append(address)
            continue
        permissions |= {Permission(right, address) for right in rights_of(own, mailbox.checked(), recipient.checked())}
    addresses.refuse_missing(tenant.exchange, missing)
    return CurrentPrincipal(application, own, tuple(wrong), frozenset(permissions))


def _permission_reads(address: str) -> list[Command]:
    attempted = f"read the permissions on {address}"
    return [
        Command("Get-MailboxPermission", {"Identity": address}, attempted=attempted),
        Command("Get-RecipientPermission", {"Identity": address}, attempted=attempted),
    ]


def rights_of(principal: JsonObject | None, mailbox: Outcome, recipient: Outcome) -> set[str]:
    """The rights of a service principal on a mailbox. Exchange returns the trustee as a SID or as one of its ids."""
    if not principal:
        return set()
    own = {str(principal.get(name)).lower() for name in ("Sid", "ObjectId", "AppId") if principal.get(name)}
    rights = set()
    for entry in mailbox.values:
        trustees = {str(entry.get(name)).lower() for name in ("User", "UserSid")}
        if trustees & own and not boolean(entry.get("Deny")) and FULL_ACCESS in names(entry.get("AccessRights")):
            rights.add(FULL_ACCESS)
    for entry in recipient.values:
        trustees = {str(entry.get(name)).lower() for name in ("Trustee", "TrusteeSidString")}
        if trustees & own and entry.get("AccessControlType") != "Deny" and SEND_AS in names(entry.get("AccessRights")):
            rights.add(SEND_AS)
    return rights


# -- comparing --------------------------------------------------------------------------------------------------------


def difference(current: CurrentPrincipal, params: ServicePrincipalParams) -> PrincipalChanges:
    application = current.application
    if params.state == "absent":
        own = (str(current.principal["ObjectId"]),) if current.principal else ()
        return PrincipalChanges(application, None, remove=current.wrong_object_ids + own)
    desired = params.permissions()
    renamed = bool(current.principal and params.display_name and current.display_name != params.display_name)
    return PrincipalChanges(
        application,
        params.display_name or (application.display_name if application else params.unique_name),
        remove=current.wrong_object_ids,
        create=not current.principal,
        rename=renamed,
        grant=tuple(permission for permission in desired if permission not in current.permissions),
        revoke=tuple(sorted(current.permissions - set(desired))) if params.exclusive else (),
    )


def _principal_result(display_name: str | None, permissions: Iterable[Permission]) -> dict[str, object]:
    listed = sorted(permissions)
    return {
        "display_name": display_name,
        "full_access": [permission.address for permission in listed if permission.right == FULL_ACCESS],
        "send_as": [permission.address for permission in listed if permission.right == SEND_AS],
    }


def _current_result(current: CurrentPrincipal) -> dict[str, object]:
    if current.principal:
        return _principal_result(current.display_name, current.permissions)
    return {"registered_with_object_id": list(current.wrong_object_ids)} if current.wrong_object_ids else {}


def predicted(current: CurrentPrincipal, changes: PrincipalChanges) -> dict[str, object]:
    """The result after the changes."""
    display_name = current.display_name if current.principal and not changes.rename else changes.display_name
    return _principal_result(display_name, (current.permissions | set(changes.grant)) - set(changes.revoke))


# -- writing ----------------------------------------------------------------------------------------------------------


def write(tenant: Tenant, changes: PrincipalChanges) -> None:
    """Register the application, then change permissions, with retries during the replication delay between Exchange servers."""
    for object_id in changes.remove:
        remove = Command("Remove-ServicePrincipal", {"Identity": object_id, "Confirm": False}, attempted="remove the service principal")
        tenant.exchange.run(remove)
    application = changes.application
    if not application:
        return
    if changes.create:
        _register(tenant, application, changes.display_name)
    if changes.rename and changes.display_name:
        parameters = {"Identity": application.object_id, "DisplayName": changes.display_name}
        tenant.exchange.run(Command("Set-ServicePrincipal", parameters, attempted="rename the service principal"))
    consistency.run_all(tenant, [_grant(application.object_id, permission) for permission in changes.grant])
    consistency.run_all(tenant, [revoke(application.object_id, permission) for permission in changes.revoke])


def _register(tenant: Tenant, application: Application, display_name: str | None) -> None:
    parameters = {
        "AppId": application.app_id,
        "ObjectId": application.object_id,
        "DisplayName": display_name or application.display_name,
    }
    try:
        tenant.exchange.run(Command("New-ServicePrincipal", parameters, attempted="register the application in Exchange"))
    except ExchangeError as error:
        if not error.exists:
            raise


def _grant(object_id: str, permission: Permission) -> Command:
    right, address = permission
    attempted = f"grant {right} on {address}"
    if right == SEND_AS:
        parameters = {"Identity": address, "Trustee": object_id, "AccessRights": [SEND_AS], "Confirm": False}
        return Command("Add-RecipientPermission", parameters, attempted=attempted)
    parameters = {
        "Identity": address,
        "User": object_id,
        "AccessRights": [FULL_ACCESS],
        "InheritanceType": "All",
        "AutoMapping": False,
        "Confirm": False,
    }
    return Command("Add-MailboxPermission", parameters, attempted=attempted)


def revoke(object_id: str, permission: Permission) -> Command:
    """The command that removes a permission of a service principal."""
    right, address = permission
    attempted = f"remove {right} on {address}"
    if right == SEND_AS:
        parameters = {"Identity": address, "Trustee": object_id, "AccessRights": [SEND_AS], "Confirm": False}
        return Command("Remove-RecipientPermission", parameters, attempted=attempted)
    parameters = {"Identity": address, "User": object_id, "AccessRights": [FULL_ACCESS], "InheritanceType": "All", "Confirm": False}
    return Command("Remove-MailboxPermission", parameters, attempted=attempted)
