"""Management scopes: Get-/New-/Set-/Remove-ManagementScope. A filter is read back in the service's own spacing."""

from __future__ import annotations

from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import already_exists, invalid, object_not_found
from emulator.exchange.shapes import directory_object, written
from emulator.state import Tenant
from emulator.state.rbac import ManagementScope
from emulator.state.recipient_filter import FilterError, parse

LONGEST_NAME = 64


def find_scope(tenant: Tenant, name: str) -> ManagementScope:
    result = tenant.rbac.scopes.get(name.lower()) or tenant.rbac.scope(name.lower())
    if result is None:
        raise object_not_found(name)
    return result


def _show(tenant: Tenant, scope: ManagementScope) -> Document:
    return (
        directory_object(tenant, scope.name, scope.guid, "msExchScope")
        | written(scope.changed)
        | {
            "ScopeRestrictionType": "RecipientScope",
            "Exclusive": False,
            "RecipientRoot": "",
            "RecipientFilter": scope.recipient_filter,
            "ServerFilter": "",
            "DatabaseFilter": "",
        }
    )


@cmdlet("Get-ManagementScope")
def get_management_scope(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    matches = list(tenant.rbac.scopes.values()) if requested is None else [find_scope(tenant, requested)]
    if command.parameters.get("Orphan"):
        used = {assignment.scope for assignment in tenant.rbac.live}
        matches = [scope for scope in matches if scope.guid not in used]
    if command.parameters.get("Exclusive"):
        matches = []
    return Result(matches, lambda scope: _show(tenant, scope))


def _filter(text: str) -> str:
    try:
        return str(parse(text))
    except FilterError as error:
        raise invalid(f'Invalid filter syntax. For a description of the filter parameter syntax see the command help. "{error}"') from None


def _name(command: Command, old: str = "") -> str:
    name = command.text("Name") or old
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise invalid(f"The scope's name must have 1 to {LONGEST_NAME} characters.")
    if name.lower() != old.lower() and name.lower() in command.tenant.rbac.scopes:
        raise already_exists(f"The management scope '{name}' already exists. Choose another name.")
    return name


def _refuse_same_filter(tenant: Tenant, requested: str, apart: ManagementScope | None = None) -> None:
    """Two scopes with one filter are refused, as one public project reports."""
    others = [one for one in tenant.rbac.scopes.values() if one is not apart]
    other = next((one for one in others if one.recipient_filter.lower() == requested.lower()), None)
    if other:
        raise already_exists(f"The management scope '{other.name}' has the same recipient filter already.")


def _refuse_unsupported(command: Command) -> None:
    for name in ("Exclusive", "RecipientRoot"):
        if command.parameters.get(name):
            raise invalid(f"{command.name} is not played with {name}.")


@cmdlet("New-ManagementScope")
def new_management_scope(command: Command) -> Result:
    tenant = command.tenant
    _refuse_unsupported(command)
    requested = _filter(command.text("RecipientRestrictionFilter") or "")
    scope = ManagementScope(_name(command), requested, changed=command.platform.now)
    _refuse_same_filter(tenant, requested)
    tenant.rbac.scopes[scope.name.lower()] = scope
    return Result([scope], lambda one: _show(tenant, one))


@cmdlet("Set-ManagementScope")
def set_management_scope(command: Command) -> Result:
    tenant = command.tenant
    _refuse_unsupported(command)
    scope = find_scope(tenant, command.text("Identity") or "")
    name, values = _name(command, scope.name), command.text("RecipientRestrictionFilter")
    requested = scope.recipient_filter if values is None else _filter(values)
    if (name, requested) == (scope.name, scope.recipient_filter):
        return Result(warnings=[unchanged(scope.name)])
    if requested != scope.recipient_filter:
        _refuse_same_filter(tenant, requested, scope)
        scope.set_later("recipient_filter", requested, command.platform.after("rbac"))
    del tenant.rbac.scopes[scope.name.lower()]
    scope.name, scope.changed = name, command.platform.now
    tenant.rbac.scopes[name.lower()] = scope
    return Result()


@cmdlet("Remove-ManagementScope")
def remove_management_scope(command: Command) -> Result:
    tenant = command.tenant
    scope = find_scope(tenant, command.text("Identity") or "")
    users = [assignment.name for assignment in tenant.rbac.live if assignment.scope == scope.guid]
    if users:
        raise invalid(f"The management scope '{scope.name}' can't be removed: role assignments use it ({', '.join(users)}).")
    del tenant.rbac.scopes[scope.name.lower()]
    return Result()
