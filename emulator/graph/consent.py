"""Admin consent: appRoleAssignments (application permissions) and oauth2PermissionGrants (delegated ones).

Source: "Grant an appRoleAssignment for a service principal", "Create oAuth2PermissionGrant (a delegated permission
grant)"; the symptoms of replication are those that terraform-provider-azuread waits for.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import Any

from emulator.graph import principals
from emulator.graph.call import Call, route
from emulator.graph.credentials import iso
from emulator.graph.errors import bad_request, conflict, not_found
from emulator.graph.query import one, page
from emulator.graph.validate import check_body
from emulator.http import Response
from emulator.state import AppRoleAssignment, DelegatedGrant, EnterpriseApplication

Document = dict[str, Any]

READ_ROLES = ("Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All")
WRITE_ROLES = ("AppRoleAssignment.ReadWrite.All",)
READ_GRANTS = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All")
WRITE_GRANTS = ("DelegatedPermissionGrant.ReadWrite.All",)
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


def opaque_id(object_id: str) -> str:
    """An id as Graph makes them: the object's bytes and random ones, base64url."""
    content = uuid.UUID(object_id).bytes_le + secrets.token_bytes(16)
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _assignment(call: Call, assignment: AppRoleAssignment) -> Document:
    everyone = call.tenant.enterprise_applications
    principal, resource = everyone[assignment.principal_id], everyone[assignment.resource_id]
    return {
        "id": assignment.id,
        "deletedDateTime": None,
        "appRoleId": assignment.app_role_id,
        "createdDateTime": iso(assignment.created),
        "principalDisplayName": principal.display_name,
        "principalId": assignment.principal_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource.display_name,
        "resourceId": assignment.resource_id,
    }


@route("GET", "/servicePrincipals/{key}/appRoleAssignments", *READ_ROLES)
def list_assignments(call: Call, key: str) -> Response:
    principal = principals.find(call, key)
    matches = [a for a in call.tenant.app_role_assignments.values() if a.principal_id == principal.id]
    return _assignments(call, matches, f"servicePrincipals('{principal.id}')/appRoleAssignments")


@route("GET", "/servicePrincipals/{key}/appRoleAssignedTo", *READ_ROLES)
def list_assigned_to(call: Call, key: str) -> Response:
    resource = principals.find(call, key)
    matches = [a for a in call.tenant.app_role_assignments.values() if a.resource_id == resource.id]
    return _assignments(call, matches, f"servicePrincipals('{resource.id}')/appRoleAssignedTo")


def _assignments(call: Call, result: list[AppRoleAssignment], fragment: str) -> Response:
    return page(call, "appRoleAssignment", result, fragment, show=lambda one: _assignment(call, one))


@route("POST", "/servicePrincipals/{key}/appRoleAssignedTo", *WRITE_ROLES)
def post_assigned_to(call: Call, key: str) -> Response:
    return _post_assignment(call, principals.find(call, key), "resourceId", "appRoleAssignedTo")


@route("POST", "/servicePrincipals/{key}/appRoleAssignments", *WRITE_ROLES)
def post_assignments(call: Call, key: str) -> Response:
    return _post_assignment(call, principals.find(call, key), "principalId", "appRoleAssignments")


def _post_assignment(call: Call, owner: EnterpriseApplication, key: str, collection: str) -> Response:
    body = call.body
    check_body(body, "appRoleAssignment", {"id", "createdDateTime", "principalDisplayName", "resourceDisplayName"})
    missing = next((name for name in ("principalId", "resourceId", "appRoleId") if not body.get(name)), None)
    if missing:
        raise bad_request(f"Invalid value specified for property '{missing}' of resource 'AppRoleAssignment'.")
    if body[key].lower() != owner.id:
        raise bad_request("The id in the path and the one in the request body do not match.")
    principal, resource = _party(call, body["principalId"]), _party(call, body["resourceId"])
    role_id = body["appRoleId"].lower()
    if role_id not in {role["id"] for role in resource.app_roles} and not (role_id == DEFAULT_ACCESS and not resource.app_roles):
        raise bad_request(f"Permission being assigned was not found on application '{resource.app_id}'.")
    requested = (principal.id, resource.id, role_id)
    if any((a.principal_id, a.resource_id, a.app_role_id) == requested for a in call.tenant.app_role_assignments.values()):
        raise bad_request("Permission being assigned already exists on the object")
    effective_from = call.platform.after("app_role_assignment")
    assignment = AppRoleAssignment(opaque_id(principal.id), *requested, created=call.now, effective_from=effective_from)
    call.tenant.app_role_assignments[assignment.id] = assignment
    fragment = f"servicePrincipals('{owner.id}')/{collection}"
    return one(call, "appRoleAssignment", _assignment(call, assignment), fragment, 201)


def _party(call: Call, object_id: str) -> EnterpriseApplication:
    """One side of an assignment: missing is 404; there, but not yet everywhere: 400."""
    match = call.tenant.enterprise_applications.get(object_id.lower())
    if match is None:
        raise not_found(object_id)
    if match.visible_from > call.now:
        raise bad_request("Not a valid reference update.")
    return match


@route("DELETE", "/servicePrincipals/{key}/appRoleAssignedTo/{assignment}", *WRITE_ROLES)
def delete_assigned_to(call: Call, key: str, assignment: str) -> Response:
    return _delete_assignment(call, assignment, resource_id=principals.find(call, key).id)


@route("DELETE", "/servicePrincipals/{key}/appRoleAssignments/{assignment}", *WRITE_ROLES)
def delete_assignment(call: Call, key: str, assignment: str) -> Response:
    return _delete_assignment(call, assignment, principal_id=principals.find(call, key).id)


def _delete_assignment(call: Call, assignment_id: str, **owner: str) -> Response:
    match = call.tenant.app_role_assignments.get(assignment_id)
    if match is None or any(getattr(match, name) != value for name, value in owner.items()):
        raise not_found(assignment_id)
    del call.tenant.app_role_assignments[assignment_id]
    return Response(204)


def _grant(grant: DelegatedGrant) -> Document:
    return {
        "clientId": grant.client_id,
        "consentType": "Principal" if grant.principal_id else "AllPrincipals",
        "id": grant.id,
        "principalId": grant.principal_id,
        "resourceId": grant.resource_id,
        "scope": grant.scope,
    }


def _grants(call: Call) -> list[DelegatedGrant]:
    now = call.now
    return [grant for grant in call.tenant.delegated_grants.values() if grant.effective_from <= now]


def _find_grant(call: Call, grant_id: str) -> DelegatedGrant:
    match = next((grant for grant in _grants(call) if grant.id == grant_id), None)
    if match is None:
        raise not_found(grant_id)
    return match


@route("GET", "/oauth2PermissionGrants", *READ_GRANTS)
def list_grants(call: Call) -> Response:
    return page(call, "oAuth2PermissionGrant", map(_grant, _grants(call)), "oauth2PermissionGrants")


@route("GET", "/servicePrincipals/{key}/oauth2PermissionGrants", *READ_GRANTS)
def list_grants_of(call: Call, key: str) -> Response:
    principal = principals.find(call, key)
    matches = [_grant(grant) for grant in _grants(call) if grant.client_id == principal.id]
    return page(call, "oAuth2PermissionGrant", matches, "oauth2PermissionGrants")


@route("GET", "/oauth2PermissionGrants/{key}", *READ_GRANTS)
def get_grant(call: Call, key: str) -> Response:
    return one(call, "oAuth2PermissionGrant", _grant(_find_grant(call, key)), "oauth2PermissionGrants")


@route("POST", "/oauth2PermissionGrants", *WRITE_GRANTS)
def post_grant(call: Call) -> Response:
    body = call.body
    check_body(body, "oAuth2PermissionGrant", {"id"})
    consent, principal_id = body.get("consentType"), body.get("principalId")
    if consent not in ("AllPrincipals", "Principal") or (consent == "Principal") != bool(principal_id):
        raise bad_request("Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.")
    missing = next((name for name in ("clientId", "resourceId") if not body.get(name)), None)
    if missing:
        raise bad_request(f"Invalid value specified for property '{missing}' of resource 'OAuth2PermissionGrant'.")
    client, resource = _grant_party(call, body["clientId"]), _grant_party(call, body["resourceId"])
    for grant in call.tenant.delegated_grants.values():
        if (grant.client_id, grant.resource_id, grant.principal_id) == (client.id, resource.id, principal_id):
            raise conflict("Permission entry already exists.")
    grant = DelegatedGrant(
        id=opaque_id(client.id),
        client_id=client.id,
        resource_id=resource.id,
        scope=body.get("scope") or "",
        principal_id=principal_id,
        effective_from=call.platform.after("delegated_grant"),
    )
    call.tenant.delegated_grants[grant.id] = grant
    return one(call, "oAuth2PermissionGrant", _grant(grant), "oauth2PermissionGrants", 201)


def _grant_party(call: Call, object_id: str) -> EnterpriseApplication:
    match = call.tenant.enterprise_applications.get(object_id.lower())
    if match is None or match.visible_from > call.now:
        raise bad_request(not_found(object_id).message)
    return match


@route("PATCH", "/oauth2PermissionGrants/{key}", *WRITE_GRANTS)
def patch_grant(call: Call, key: str) -> Response:
    grant = _find_grant(call, key)
    check_body(call.body, "oAuth2PermissionGrant", {"id", "clientId", "consentType", "principalId", "resourceId"})
    grant.scope = call.body.get("scope", grant.scope)
    return Response(204)


@route("DELETE", "/oauth2PermissionGrants/{key}", *WRITE_GRANTS)
def delete_grant(call: Call, key: str) -> Response:
    del call.tenant.delegated_grants[_find_grant(call, key).id]
    return Response(204)
