"""/servicePrincipals ("servicePrincipal resource type")."""

from __future__ import annotations

from typing import Any

from emulator.graph import applications
from emulator.graph.applications import READ, WRITE, check_owner
from emulator.graph.call import GUID, Call, key_of, route
from emulator.graph.defaults import SERVICE_PRINCIPAL
from emulator.graph.errors import GraphError, bad_request, conflict, denied, not_found
from emulator.graph.query import one, page
from emulator.graph.validate import check_body, merge, merge_value
from emulator.http import Response
from emulator.state import Application, DeletedItem, EnterpriseApplication, Tenant, new_guid
from emulator.statefile.directory import add_resource
from emulator.well_known import MICROSOFT_TENANT, RESOURCE_NAMES

Document = dict[str, Any]

READ_ONLY = {
    "id",
    "appDescription",
    "appDisplayName",
    "appOwnerOrganizationId",
    "applicationTemplateId",
    "createdByAppId",
    "deletedDateTime",
    "disabledByMicrosoftStatus",
    "resourceSpecificApplicationPermissions",
    "signInAudience",
    "verifiedPublisher",
}


def document(principal: EnterpriseApplication, tenant: Tenant, backing: tuple[Application, Tenant] | None) -> Document:
    """The service principal as Graph shows it; `backing` is its application and that one's tenant, where known."""
    application, owner = backing or (None, None)
    result = merge(SERVICE_PRINCIPAL, principal.properties)
    properties = application.properties if application else {}
    return result | {
        "id": principal.id,
        "appId": principal.app_id,
        "displayName": principal.display_name,
        "appDisplayName": application.display_name if application else principal.display_name,
        "appOwnerOrganizationId": owner.id if owner else MICROSOFT_TENANT,
        "appRoles": principal.app_roles or properties.get("appRoles", []),
        "oauth2PermissionScopes": principal.scopes or properties.get("api", {}).get("oauth2PermissionScopes", []),
        "servicePrincipalNames": [principal.app_id, *properties.get("identifierUris", [])],
        "signInAudience": properties.get("signInAudience", "AzureADMyOrg" if application else "AzureADMultipleOrgs"),
    }


def document_of(call: Call, principal: EnterpriseApplication) -> Document:
    return document(principal, call.tenant, backing(call, principal.app_id))


def backing(call: Call, app_id: str) -> tuple[Application, Tenant] | None:
    """The application behind a service principal: in this tenant, else in the one that owns it."""
    if app_id in RESOURCE_NAMES:  # Microsoft's own
        return None
    for tenant in (call.tenant, *call.platform.state.tenants.values()):
        application = tenant.application(app_id)
        if application:
            return application, tenant
    return None


def visible(call: Call) -> list[EnterpriseApplication]:
    now = call.now
    return [sp for sp in call.tenant.enterprise_applications.values() if sp.visible_from <= now]


def listed(call: Call) -> list[EnterpriseApplication]:
    """What a list shows: deleted ones may linger."""
    oldest = call.now - call.platform.settings.lag_of("deletion")
    return visible(call) + [item for item in call.tenant.lingering(oldest) if isinstance(item, EnterpriseApplication)]


def find(call: Call, segment: str) -> EnterpriseApplication:
    """The service principal that a key segment names: object id or appId='..'."""
    name, value = key_of(segment)
    if name not in ("id", "appId"):
        raise bad_request(f"Resource not found for the segment '{name}'.", "BadRequest")
    if not GUID.fullmatch(value):
        raise bad_request(f"Invalid object identifier '{value}'.")
    requested = value.lower()
    match = next((sp for sp in visible(call) if requested == (sp.id if name == "id" else sp.app_id)), None)
    if match is None:
        raise not_found(value)
    return match


@route("GET", "/servicePrincipals", *READ)
def list_principals(call: Call) -> Response:
    return page(call, "servicePrincipal", listed(call), "servicePrincipals", show=lambda one: document_of(call, one))


@route("GET", "/servicePrincipals/{key}", *READ)
def get_principal(call: Call, key: str) -> Response:
    return one(call, "servicePrincipal", document_of(call, find(call, key)), "servicePrincipals")


@route("POST", "/servicePrincipals", *WRITE)
def post_principal(call: Call) -> Response:
    return _created(call, create(call, call.body))


def _created(call: Call, principal: EnterpriseApplication) -> Response:
    answer = one(call, "servicePrincipal", document_of(call, principal), "servicePrincipals", 201)
    answer.headers["Location"] = call.url(f"directoryObjects/{principal.id}/Microsoft.DirectoryServices.ServicePrincipal")
    return answer


def create(call: Call, body: Document) -> EnterpriseApplication:
    """Instantiate an application in the tenant; the application must have arrived where this write is judged."""
    check_body(body, "servicePrincipal", READ_ONLY)
    app_id = str(body.get("appId") or "").lower()
    tenant = call.tenant
    if not app_id:
        raise bad_request("Property appId is invalid: a value is required.")
    if tenant.enterprise_application(app_id):
        text = "The service principal cannot be created, updated, or restored because the service principal name"
        raise conflict(f"{text} {app_id} is already in use.")
    known = backing(call, app_id)
    if app_id in RESOURCE_NAMES:
        principal = add_resource(tenant, app_id, new_guid())
    elif known and known[0].visible_from <= call.now and _instantiable(call, *known):
        principal = EnterpriseApplication(new_guid(), app_id, known[0].display_name)
        tenant.enterprise_applications[principal.id] = principal
    else:
        raise _no_backing(call, app_id)
    principal.created = call.now
    principal.visible_from = call.platform.after("service_principal")
    principal.owners = [call.claims["oid"]] if call.claims.get("oid") else []
    _apply(principal, body)
    return principal


def _instantiable(call: Call, application: Application, home: Tenant) -> bool:
    single = application.properties.get("signInAudience", "AzureADMyOrg") == "AzureADMyOrg"
    return home is call.tenant or not single


def _no_backing(call: Call, app_id: str) -> GraphError:
    if "Application.ReadWrite.All" not in call.roles:
        return denied("When using this permission, the backing application of the service principal being created must in the local tenant")
    return bad_request(f"The appId '{app_id}' of the service principal does not reference a valid application object.")


def _apply(principal: EnterpriseApplication, body: Document) -> None:
    for name, value in body.items():
        if name == "displayName":
            principal.display_name = value or principal.display_name
        elif name != "appId" and not name.startswith("@odata."):
            principal.properties[name] = merge_value(principal.properties.get(name, SERVICE_PRINCIPAL.get(name)), value)


@route("PATCH", "/servicePrincipals/{key}", *WRITE)
def patch_principal(call: Call, key: str) -> Response:
    name, value = key_of(key)
    if name == "appId" and call.creates_if_missing:
        result = call.tenant.enterprise_application(value.lower())
        if result is None:
            return _created(call, create(call, call.body | {"appId": value}))
    else:
        result = find(call, key)
    check_owner(call, result.owners)
    body = {k: v for k, v in call.body.items() if not (k == "appId" and v == result.app_id and name == "appId")}
    check_body(body, "servicePrincipal", READ_ONLY | {"appId"})
    _apply(result, body)
    return Response(204)


@route("DELETE", "/servicePrincipals/{key}", *WRITE)
def delete_principal(call: Call, key: str) -> Response:
    principal = find(call, key)
    check_owner(call, principal.owners)
    applications.remove_principal(call.tenant, principal.id)
    call.tenant.deleted_items[principal.id] = DeletedItem(principal, call.now)
    return Response(204)
