"""/applications ("application resource type")."""

from __future__ import annotations

import re
from typing import Any

from emulator.graph import credentials
from emulator.graph.call import GUID, Call, key_of, route
from emulator.graph.defaults import APPLICATION
from emulator.graph.errors import bad_request, denied, not_found
from emulator.graph.query import one, page
from emulator.graph.validate import check_body, merge, merge_value
from emulator.http import Response
from emulator.state import Application, DeletedItem, Tenant, new_guid

Document = dict[str, Any]

READ = ("Application.Read.All", "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.Read.All")
WRITE = ("Application.ReadWrite.All", "Application.ReadWrite.OwnedBy")
READ_ONLY = {
    "id",
    "appId",
    "applicationTemplateId",
    "certification",
    "createdByAppId",
    "createdDateTime",
    "deletedDateTime",
    "disabledByMicrosoftStatus",
    "publisherDomain",
    "verifiedPublisher",
}
UNIQUE_NAME_LENGTH = 64
TAG_LENGTH = 256
COLLECTION_ITEMS = 1000  # about, in all collections
DELETED_FOR = 30 * 86400.0  # seconds that a deleted object is kept and its unique name is reserved
AUDIENCES = {"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}


def document(application: Application, tenant: Tenant, *, with_keys: bool = False) -> Document:
    """The application as Graph shows it."""
    return merge(APPLICATION, application.properties) | {
        "id": application.object_id,
        "appId": application.app_id,
        "displayName": application.display_name,
        "uniqueName": application.unique_name,
        "createdDateTime": credentials.iso(application.created or tenant.created or 1735689600.0),
        "publisherDomain": tenant.default_domain,
        "keyCredentials": [credentials.key_document(c, with_key=with_keys) for c in application.certificates],
        "passwordCredentials": [credentials.password_document(s) for s in application.secrets],
    }


def visible(call: Call) -> list[Application]:
    now = call.now
    return [a for a in call.tenant.applications.values() if a.visible_from <= now]


def listed(call: Call) -> list[Application]:
    """What a list shows: deleted ones may linger."""
    oldest = call.now - call.platform.settings.lag_of("deletion")
    return visible(call) + [item for item in call.tenant.lingering(oldest) if isinstance(item, Application)]


def find(call: Call, segment: str) -> Application:
    """The application that a key segment names: object id, appId='..' or uniqueName='..'."""
    name, value = key_of(segment)
    if name == "id" and not GUID.fullmatch(value):
        raise bad_request(f"Invalid object identifier '{value}'.")
    if name == "appId" and not GUID.fullmatch(value):
        raise bad_request(f"Invalid value specified for property 'appId' of resource 'Application': '{value}'.")
    match = next((a for a in visible(call) if _is(a, name, value)), None)
    if match is None:
        raise not_found(value)
    return match


def _is(application: Application, name: str, value: str) -> bool:
    if name == "id":
        return application.object_id == value.lower()
    if name == "appId":
        return application.app_id == value.lower()
    if name == "uniqueName":
        return application.unique_name == value
    raise bad_request(f"Resource not found for the segment '{name}'.", "BadRequest")


def check_owner(call: Call, owners: list[str]) -> None:
    """Application.ReadWrite.OwnedBy reaches only what the caller owns."""
    if "Application.ReadWrite.All" not in call.roles and call.claims.get("oid") not in owners:
        raise denied()


def _owned(call: Call, segment: str) -> Application:
    application = find(call, segment)
    check_owner(call, application.owners)
    return application


@route("GET", "/applications", *READ)
def list_applications(call: Call) -> Response:
    return page(call, "application", listed(call), "applications", show=lambda one: document(one, call.tenant))


@route("GET", "/applications/{key}", *READ)
def get_application(call: Call, key: str) -> Response:
    with_keys = "keyCredentials" in call.options.get("$select", "").split(",")
    result = document(find(call, key), call.tenant, with_keys=with_keys)
    return one(call, "application", result, "applications")


@route("POST", "/applications", *WRITE)
def post_application(call: Call) -> Response:
    application = create(call, call.body)
    return _created(call, application)


def _created(call: Call, application: Application) -> Response:
    answer = one(call, "application", document(application, call.tenant), "applications", 201)
    answer.headers["Location"] = call.url(f"directoryObjects/{application.object_id}/Microsoft.DirectoryServices.Application")
    return answer


def create(call: Call, body: Document) -> Application:
    if not body.get("displayName"):
        raise bad_request("Property displayName is invalid: a value is required.")
    if body.get("passwordCredentials"):
        raise bad_request("Password credentials cannot be set here. Use addPassword.", "CannotUpdatePasswords")
    now = call.now
    application = Application(
        app_id=new_guid(),
        object_id=new_guid(),
        display_name=body["displayName"],
        created=now,
        visible_from=call.platform.after("application"),
        owners=[call.claims["oid"]] if call.claims.get("oid") else [],
    )
    _write(call, application, {"signInAudience": "AzureADMyOrg"} | body)
    call.tenant.applications[application.object_id] = application
    return application


def _write(call: Call, application: Application, body: Document) -> None:
    """Check a whole body, then apply it."""
    check_body(body, "application", READ_ONLY)
    if body.get("displayName", "x") in (None, ""):
        raise bad_request("Property displayName is invalid: a value is required.")
    if body.get("signInAudience", "AzureADMyOrg") not in AUDIENCES:
        raise bad_request(f"Invalid value specified for property 'signInAudience': '{body['signInAudience']}'.")
    _check_unique(call, application, body)
    _check_entitlements(application, body)
    _check_sizes(application, body)
    keys = credentials.certificates(call, application, body.get("keyCredentials", [])) if "keyCredentials" in body else None
    kept = credentials.kept_secrets(application, body["passwordCredentials"]) if "passwordCredentials" in body else None
    special = {"displayName", "uniqueName", "keyCredentials", "passwordCredentials"}
    for name, value in body.items():
        if name not in special and not name.startswith("@odata."):
            application.properties[name] = merge_value(application.properties.get(name, APPLICATION.get(name)), value)
    application.display_name = body.get("displayName", application.display_name)
    application.unique_name = body.get("uniqueName", application.unique_name)
    application.certificates = application.certificates if keys is None else keys
    application.secrets = application.secrets if kept is None else kept


def _check_unique(call: Call, application: Application, body: Document) -> None:
    others = [a for a in call.tenant.applications.values() if a is not application]
    requested = body.get("uniqueName")
    if requested is not None and application.unique_name not in (None, requested):
        raise bad_request("Property 'uniqueName' is read-only and cannot be set.")
    if "uniqueName" in body and requested is None and application.unique_name:
        raise bad_request("Property 'uniqueName' is read-only and cannot be set.")
    if requested is not None and len(requested) > UNIQUE_NAME_LENGTH:
        raise bad_request("Invalid value specified for property 'uniqueName' of resource 'Application'.")
    taken_names = {a.unique_name for a in others} | call.tenant.reserved_unique_names(call.now)
    if requested is not None and requested in taken_names:
        raise bad_request("Another object with the same value for property uniqueName already exists.")
    taken = {uri for a in others for uri in a.properties.get("identifierUris", ())}
    if taken & set(body.get("identifierUris") or ()):
        raise bad_request("Another object with the same value for property identifierUris already exists.")


def _check_sizes(application: Application, body: Document) -> None:
    """Source: "Validation differences by supported account types". The texts of the refusals are not documented."""
    tags = body.get("tags") or []
    if len(set(tags)) < len(tags):
        raise bad_request("Duplicate values are not allowed in property 'tags'.")
    if any(not 1 <= len(tag) <= TAG_LENGTH or re.search(r"\s", tag) for tag in tags):
        raise bad_request("Invalid value specified for property 'tags' of resource 'Application'.")
    collections = [value for value in (application.properties | body).values() if isinstance(value, list)]
    if sum(map(len, collections)) > COLLECTION_ITEMS:
        text = "The size of the object has exceeded its limit. Please reduce the number of values and retry your request."
        raise bad_request(text, "Directory_ResourceSizeExceeded")


def _check_entitlements(application: Application, body: Document) -> None:
    """A role or scope must be disabled before it may go or change."""
    pairs = [(application.properties.get("appRoles", []), body.get("appRoles"))]
    api = body.get("api") or {}
    pairs.append((application.properties.get("api", {}).get("oauth2PermissionScopes", []), api.get("oauth2PermissionScopes")))
    for old, new in pairs:
        if new is None:
            continue
        requested = {entry.get("id"): entry for entry in new}
        for entry in old:
            after = requested.get(entry["id"])
            if entry.get("isEnabled") and (after is None or after.get("value") != entry.get("value")):
                text = "Permission (scope or role) cannot be deleted or updated unless disabled first."
                raise bad_request(text, "CannotDeleteOrUpdateEnabledEntitlement")


@route("PATCH", "/applications/{key}", *WRITE)
def patch_application(call: Call, key: str) -> Response:
    name, value = key_of(key)
    if name == "uniqueName" and call.creates_if_missing:
        match = next((a for a in call.tenant.applications.values() if a.unique_name == value), None)
        if match is None:
            return _created(call, create(call, call.body | {"uniqueName": value}))
        check_owner(call, match.owners)
    else:
        match = _owned(call, key)
    _write(call, match, call.body)
    return Response(204)


@route("DELETE", "/applications/{key}", *WRITE)
def delete_application(call: Call, key: str) -> Response:
    """Soft deletion; the tenant's service principal of the application goes along."""
    application = _owned(call, key)
    tenant, now = call.tenant, call.now
    del tenant.applications[application.object_id]
    tenant.deleted_items[application.object_id] = DeletedItem(application, now)
    principal = tenant.enterprise_application(application.app_id)
    if principal:
        remove_principal(tenant, principal.id)
        tenant.deleted_items[principal.id] = DeletedItem(principal, now)
    return Response(204)


def remove_principal(tenant: Tenant, principal_id: str) -> None:
    """A service principal with its assignments and grants; Exchange's own reference stays."""
    del tenant.enterprise_applications[principal_id]
    for assignment in list(tenant.app_role_assignments.values()):
        if principal_id in (assignment.principal_id, assignment.resource_id):
            del tenant.app_role_assignments[assignment.id]
    for grant in list(tenant.delegated_grants.values()):
        if principal_id in (grant.client_id, grant.resource_id):
            del tenant.delegated_grants[grant.id]


@route("POST", "/applications/{key}/addPassword", *WRITE)
def add_password(call: Call, key: str) -> Response:
    application = _owned(call, key)
    requested = _only_parameter(call.body, "passwordCredential") or {}
    check_body(requested, "passwordCredential")
    secret = credentials.add_password(call, application, requested)
    context = {"@odata.context": call.context("microsoft.graph.passwordCredential")}
    return Response(200, context | credentials.password_document(secret, with_value=True))


@route("POST", "/applications/{key}/removePassword", *WRITE)
def remove_password(call: Call, key: str) -> Response:
    application = _owned(call, key)
    key_id = _only_parameter(call.body, "keyId")
    left = [secret for secret in application.secrets if secret.key_id != key_id]
    if len(left) == len(application.secrets):
        raise bad_request("No password credential found with keyId.")
    application.secrets = left
    return Response(204)


def _only_parameter(body: Document, name: str) -> Any:
    unknown = next((key for key in body if key != name and not key.startswith("@odata.")), None)
    if unknown:
        raise bad_request(f"The parameter '{unknown}' in the request payload is not a valid parameter for the operation.", "BadRequest")
    return body.get(name)
