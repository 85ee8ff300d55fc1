"""Exchange's own references to applications: Get-/New-/Set-/Remove-ServicePrincipal."""

from __future__ import annotations

from emulator.exchange.command import Command, Document, Result, cmdlet, unchanged
from emulator.exchange.errors import already_exists, invalid, object_not_found
from emulator.exchange.shapes import FOREST, directory_object
from emulator.state import ExchangeServicePrincipal, Tenant, derived_sid
from emulator.validation import is_guid

RENAMED = "The parameter ServiceId will be depreciated and will be replaced with ObjectId. Please use ObjectId instead."


def _show(tenant: Tenant, principal: ExchangeServicePrincipal) -> Document:
    """Name, Identity and Id are the object id of the enterprise application."""
    return directory_object(tenant, principal.object_id, principal.guid, "Person") | {
        "DisplayName": principal.display_name,
        "AppId": principal.app_id,
        "ObjectId": principal.object_id,
        "Sid": principal.sid,
        "SidHistory": [],
        "ExchangeVersion": "1.1 (15.0.0.0)",
        "ObjectClass": ["top", "person", "organizationalPerson", "user"],
        "ObjectCategory": f"{FOREST}/Configuration/Schema/Person",
    }


def find_principal(tenant: Tenant, name: str) -> ExchangeServicePrincipal:
    requested = name.lower()
    for principal in tenant.exchange_service_principals.values():
        names = (principal.object_id, principal.app_id, principal.display_name, principal.guid, principal.sid)
        if requested in (one.lower() for one in names if one):
            return principal
    raise object_not_found(name)


@cmdlet("Get-ServicePrincipal")
def get_service_principal(command: Command) -> Result:
    tenant, requested = command.tenant, command.text("Identity")
    result = list(tenant.exchange_service_principals.values()) if requested is None else [find_principal(tenant, requested)]
    return Result(result, lambda principal: _show(tenant, principal))


@cmdlet("New-ServicePrincipal")
def new_service_principal(command: Command) -> Result:
    """ObjectId is not looked up in Entra: with a wrong one everything succeeds, and SMTP refuses later."""
    tenant = command.tenant
    app_id = (command.text("AppId") or "").lower()
    object_id = (command.text("ObjectId") or command.text("ServiceId") or "").lower()
    for name, value in (("AppId", app_id), ("ObjectId", object_id)):
        if not is_guid(value):
            raise invalid(f"The {name} '{value}' is not a valid GUID.")
    taken = next((p for p in tenant.exchange_service_principals.values() if object_id == p.object_id or app_id == p.app_id), None)
    if taken:
        raise already_exists(f"The service principal with AppId '{app_id}' or ObjectId '{object_id}' already exists.")
    principal = ExchangeServicePrincipal(
        app_id=app_id,
        object_id=object_id,
        sid=derived_sid(tenant.id, object_id),
        display_name=command.text("DisplayName") or "",
        effective_from=command.platform.after("exchange_service_principal"),
    )
    tenant.exchange_service_principals[object_id] = principal
    warnings = [RENAMED] if "ServiceId" in command.parameters else []
    return Result([principal], lambda one: _show(tenant, one), warnings)


@cmdlet("Set-ServicePrincipal")
def set_service_principal(command: Command) -> Result:
    principal = find_principal(command.tenant, command.text("Identity") or "")
    name = command.text("DisplayName")
    if name is None or name == principal.display_name:
        return Result(warnings=[unchanged(principal.object_id)])
    principal.display_name = name
    return Result()


@cmdlet("Remove-ServicePrincipal")
def remove_service_principal(command: Command) -> Result:
    """The grants to its SID stay, as entries that resolve to no account."""
    principal = find_principal(command.tenant, command.text("Identity") or "")
    del command.tenant.exchange_service_principals[principal.object_id]
    return Result()
