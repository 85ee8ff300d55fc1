"""Role groups and their members: Get-RoleGroup, Get-, Add- and Remove-RoleGroupMember.

The groups are those that every organization has. A member here is an application's reference in Exchange. Sources: the
cmdlets' reference; "Permissions in Exchange Online" (what each group may do); "App-only authentication for unattended
scripts" (an application in a role group needs no directory role).
"""

from __future__ import annotations

from emulator.exchange.command import Command, Document, Result, cmdlet
from emulator.exchange.errors import TASKS, ExchangeError, object_not_found
from emulator.exchange.shapes import directory_object
from emulator.state import ExchangeServicePrincipal, Tenant
from emulator.well_known import derived_id

FULL, RECIPIENTS, READING = "Organization Management", "Recipient Management", "View-Only Organization Management"
GROUPS = {
    FULL: "Members of this management role group have permissions to manage Exchange objects and their properties.",
    RECIPIENTS: "Members of this management role group have rights to create, manage, and remove Exchange recipient objects.",
    READING: "Members of this management role group can view recipient and configuration objects and their properties.",
    "Discovery Management": "Members of this management role group can perform searches of mailboxes.",
    "Help Desk": "Members of this management role group can view and manage the configuration for individual recipients.",
}
# What Recipient Management may change, by the cmdlets' nouns.
RECIPIENT_NOUNS = {
    "Mailbox",
    "CASMailbox",
    "MailboxPermission",
    "RecipientPermission",
    "MailUser",
    "DistributionGroup",
    "DistributionGroupMember",
}


def of(tenant: Tenant, app_id: str, now: float) -> list[str]:
    """The groups that an application is in, as far as its membership has arrived."""
    ids = {principal.object_id for principal in tenant.exchange_service_principals.values() if principal.app_id == app_id}
    return [name for name, members in tenant.role_groups.items() if any(since <= now for one, since in members.items() if one in ids)]


def may_run(groups: list[str], cmdlet_name: str) -> bool:
    """What the cmdlets of a member are."""
    if FULL in groups:
        return True
    verb, _, noun = cmdlet_name.partition("-")
    if verb in ("Get", "Test"):
        return bool(groups)
    return RECIPIENTS in groups and noun in RECIPIENT_NOUNS


def _guid(tenant: Tenant, name: str) -> str:
    return derived_id(tenant.id, "role group", name)


def _find(tenant: Tenant, name: str) -> str:
    match = next((one for one in GROUPS if name.lower() in (one.lower(), _guid(tenant, one))), None)
    if match is None:
        raise object_not_found(name)
    return match


def _show(tenant: Tenant, name: str) -> Document:
    return directory_object(tenant, name, _guid(tenant, name), "group") | {
        "DisplayName": "",
        "Description": GROUPS[name],
        "Members": list(tenant.role_groups.get(name, {})),
        "ManagedBy": [FULL],
        "RoleGroupType": "Standard",
    }


@cmdlet("Get-RoleGroup")
def get_role_group(command: Command) -> Result:
    requested = command.text("Identity")
    names = list(GROUPS) if requested is None else [_find(command.tenant, requested)]
    return command.listed(names, lambda name: _show(command.tenant, name))


def _member(tenant: Tenant, principal: ExchangeServicePrincipal) -> Document:
    return directory_object(tenant, principal.object_id, principal.guid, "person") | {
        "DisplayName": principal.display_name,
        "ExternalDirectoryObjectId": principal.object_id,
        "RecipientType": "User",
        "RecipientTypeDetails": "ServicePrincipal",
    }


@cmdlet("Get-RoleGroupMember")
def get_role_group_member(command: Command) -> Result:
    tenant = command.tenant
    ids = tenant.role_groups.get(_find(command.tenant, command.text("Identity") or ""), {})
    matches = [tenant.exchange_service_principals[one] for one in ids if one in tenant.exchange_service_principals]
    return command.listed(matches, lambda principal: _member(tenant, principal))


def _principal(tenant: Tenant, name: str) -> ExchangeServicePrincipal:
    for principal in tenant.exchange_service_principals.values():
        names = (principal.object_id, principal.app_id, principal.display_name, principal.guid, principal.sid)
        if name.lower() in (one.lower() for one in names if one):
            return principal
    raise object_not_found(name)


@cmdlet("Add-RoleGroupMember")
def add_role_group_member(command: Command) -> Result:
    group = _find(command.tenant, command.text("Identity") or "")
    principal = _principal(command.tenant, command.text("Member") or "")
    members = command.tenant.role_groups.setdefault(group, {})
    if principal.object_id in members:
        text = f'The recipient "{principal.object_id}" is already a member of the group "{group}".'
        raise ExchangeError(400, f"{TASKS}.MemberAlreadyExistsException", text, "Ex272F73")
    members[principal.object_id] = command.platform.after("role_assignment")
    return Result()


@cmdlet("Remove-RoleGroupMember")
def remove_role_group_member(command: Command) -> Result:
    group = _find(command.tenant, command.text("Identity") or "")
    principal = _principal(command.tenant, command.text("Member") or "")
    if command.tenant.role_groups.get(group, {}).pop(principal.object_id, None) is None:
        text = f'The recipient "{principal.object_id}" isn\'t a member of the group "{group}".'
        raise ExchangeError(400, f"{TASKS}.MemberNotFoundException", text, "Ex16D12E")
    return Result()
