"""Roles of applications: Get-ManagementRole, Get-/New-/Set-/Remove-ManagementRoleAssignment, Test-ServicePrincipalAuthorization.

Source: "Role Based Access Control for Applications in Exchange Online". Assignments to users, groups and policies are not
played; what is assigned reaches SMTP later (lag kind rbac), while Test-ServicePrincipalAuthorization reports it at once.
"""

from __future__ import annotations

from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import already_exists, invalid, object_not_found, recipient_not_found
from emulator.exchange.mailboxes import find_mailbox
from emulator.exchange.management_scopes import find_scope
from emulator.exchange.service_principals import find_principal
from emulator.exchange.shapes import directory_object, written
from emulator.state import Tenant, derived_sid
from emulator.state.rbac import SMTP_ROLE, ManagementRoleAssignment
from emulator.state.recipient_filter import parse

ROLES = (
    SMTP_ROLE,
    "Application IMAP.AccessAsApp",
    "Application POP.AccessAsApp",
    "Application Mail.Send",
    "Application Mail.Read",
    "Application EWS.AccessAsApp",
    "Application Exchange Full Access",
)
NOT_PLAYED = ("User", "Policy", "SecurityGroup", "Delegating", "RecipientAdministrativeUnitScope", "RecipientGroupScope")
LONGEST_NAME = 64


def _role(name: str) -> str:
    match = next((role for role in ROLES if role.lower() == name.lower()), None)
    if match is None:
        raise object_not_found(name)
    return match


@cmdlet("Get-ManagementRole")
def get_management_role(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    result = list(ROLES) if requested is None else [_role(requested)]

    def show(role: str) -> Document:
        kind = role.replace(" ", "").replace(".", "")
        return directory_object(tenant, role, derived_sid(tenant.id, role), "msExchRole") | {"RoleType": kind, "IsRootRole": True}

    return Result(result, show)


def _show(tenant: Tenant, assignment: ManagementRoleAssignment) -> Document:
    scope = tenant.rbac.scope(assignment.scope)
    principal = tenant.exchange_service_principals.get(assignment.assignee)
    return (
        directory_object(tenant, assignment.name, assignment.guid, "msExchRoleAssignment")
        | written(assignment.changed)
        | {
            "Role": assignment.role,
            "RoleAssignee": assignment.assignee,
            "RoleAssigneeName": principal.display_name if principal else assignment.assignee,
            "EffectiveUserName": assignment.assignee,
            "RoleAssigneeType": "ServicePrincipal",
            "AssignmentMethod": "Direct",
            "RoleAssignmentDelegationType": "Regular",
            "CustomResourceScope": scope.name if scope else None,
            "CustomRecipientWriteScope": None,
            "CustomConfigWriteScope": None,
            "RecipientReadScope": "Organization",
            "ConfigReadScope": "OrganizationConfig",
            "RecipientWriteScope": "CustomRecipientScope" if scope else "Organization",
            "ConfigWriteScope": "None",
            "Enabled": assignment.enabled,
        }
    )


def _find(tenant: Tenant, name: str) -> ManagementRoleAssignment:
    match = next((a for a in tenant.rbac.live if name.lower() in (a.name.lower(), a.guid)), None)
    if match is None:
        raise object_not_found(name)
    return match


@cmdlet("Get-ManagementRoleAssignment")
def get_management_role_assignment(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    matches = tenant.rbac.live if requested is None else [_find(tenant, requested)]
    role, assignee = command.text("Role"), command.text("RoleAssignee")
    if role is not None:
        expected_role = _role(role)
        matches = [a for a in matches if a.role == expected_role]
    if assignee is not None:
        object_id = find_principal(tenant, assignee).object_id
        matches = [a for a in matches if a.assignee == object_id]
    return Result(matches, lambda one: _show(tenant, one))


@cmdlet("New-ManagementRoleAssignment")
def new_management_role_assignment(command: Command) -> Result:
    tenant = command.tenant
    others = [name for name in NOT_PLAYED if command.parameters.get(name)]
    if others or "App" not in command.parameters:
        raise invalid(f"{command.name} is played with App only, not with {', '.join(others) or 'computers'}.")
    principal, role = find_principal(tenant, command.text("App") or ""), _role(command.text("Role") or "")
    requested = command.text("CustomResourceScope")
    assignment = ManagementRoleAssignment(
        name=_name(command, f"{role}-{principal.display_name or principal.object_id}"),
        role=role,
        assignee=principal.object_id,
        scope=find_scope(tenant, requested).guid if requested else None,
        changed=command.platform.now,
        effective_from=command.platform.after("rbac"),
    )
    tenant.rbac.assignments.append(assignment)
    return Result([assignment], lambda one: _show(tenant, one))


def _name(command: Command, default: str) -> str:
    """The name of the parameter, which has to be free, else a free name."""
    taken = {assignment.name.lower() for assignment in command.tenant.rbac.live}
    name = command.text("Name")
    if name is None:
        stem = default[: LONGEST_NAME - 3]
        return next(free for free in (stem, *(f"{stem}-{n}" for n in range(1, 99))) if free.lower() not in taken)
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise invalid(f"The role assignment's name must have 1 to {LONGEST_NAME} characters.")
    if name.lower() in taken:
        raise already_exists(f"The management role assignment '{name}' already exists. Choose another name.")
    return name


@cmdlet("Set-ManagementRoleAssignment")
def set_management_role_assignment(command: Command) -> Result:
    tenant = command.tenant
    assignment = _find(tenant, command.text("Identity") or "")
    requested = command.writes()
    others = sorted(requested.keys() - {"CustomResourceScope", "Enabled"})
    if others:
        raise invalid(f"{command.name} is not played with {', '.join(others)}.")
    scope = find_scope(tenant, str(requested["CustomResourceScope"])).guid if requested.get("CustomResourceScope") else assignment.scope
    enabled = requested.get("Enabled", assignment.enabled)
    if (scope, enabled) == (assignment.scope, assignment.enabled):
        return Result(warnings=[unchanged(assignment.name)])
    later = command.platform.after("rbac")
    assignment.set_later("scope", scope, later)
    assignment.set_later("enabled", enabled, later)
    assignment.changed = command.platform.now
    return Result()


@cmdlet("Remove-ManagementRoleAssignment")
def remove_management_role_assignment(command: Command) -> Result:
    """SMTP goes on honouring it for a while, where the lag is set."""
    rbac, now = command.tenant.rbac, command.platform.now
    assignment = _find(command.tenant, command.text("Identity") or "")
    assignment.ends = command.platform.after("rbac")
    rbac.assignments = [a for a in rbac.assignments if a.ends is None or a.ends > now]
    return Result()


@cmdlet("Test-ServicePrincipalAuthorization")
def test_service_principal_authorization(command: Command) -> Result:
    """One row an assignment; without a resource the membership in the scope is not tested."""
    tenant, resource = command.tenant, command.text("Resource")
    principal = find_principal(tenant, command.text("Identity") or "")
    mailbox = find_mailbox(tenant, resource, recipient_not_found) if resource is not None else None

    def show(assignment: ManagementRoleAssignment) -> Document:
        scope = tenant.rbac.scope(assignment.scope)
        covered = "Not Run" if mailbox is None else str(scope is None or parse(scope.recipient_filter).matches(mailbox))
        return {
            "RoleName": assignment.role,
            "GrantedPermissions": assignment.role.removeprefix("Application "),
            "AllowedResourceScope": scope.name if scope else "Organization",
            "ScopeType": "CustomRecipientScope" if scope else "Organization",
            "InScope": covered,
        }

    return Result([a for a in tenant.rbac.live if a.assignee == principal.object_id and a.enabled], show)
