"""Conditional Access as Graph shows it, and what a user is a member of: read only.

Sources: "List policies" and "List namedLocations" (conditionalAccessRoot); "List a user's memberships (direct and
transitive)"; "List directoryRoles"; what was measured of Conditional Access's throttling: one request a second and tenant.
"""

from __future__ import annotations

from typing import Any

from emulator.graph import policy_types  # noqa: F401 (it registers its types)
from emulator.graph.call import Call, route
from emulator.graph.errors import GraphError, not_found
from emulator.graph.query import page
from emulator.http import Response
from emulator.state import Tenant
from emulator.well_known import DIRECTORY_ROLES, derived_id

Document = dict[str, Any]

READ = {"Policy.Read.All", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess"}
READ_MEMBERS = ("User.Read.All", "Directory.Read.All", "GroupMember.Read.All")
READ_ROLES = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All")
ABSENT: Document = dict.fromkeys(
    ("templateId", "deletedDateTime", "createdDateTime", "modifiedDateTime", "grantControls", "sessionControls")
)


@route("GET", "/identity/conditionalAccess/policies")
def list_policies(call: Call) -> Response:
    _enter(call)
    matches = [ABSENT | policy for policy in call.tenant.policies.conditional_access.values()]
    return page(call, "conditionalAccessPolicy", matches, "identity/conditionalAccess/policies")


@route("GET", "/identity/conditionalAccess/namedLocations")
def list_named_locations(call: Call) -> Response:
    _enter(call)
    return page(call, "namedLocation", call.tenant.policies.named_locations.values(), "identity/conditionalAccess/namedLocations")


def _enter(call: Call) -> None:
    """Conditional Access has a refusal of its own, and throttles without saying for how long."""
    if not call.roles & READ:
        text = "You cannot perform the requested operation, required scopes are missing in the token."
        raise GraphError(403, "AccessDenied", text)
    policies = call.tenant.policies
    if call.now < policies.asked + call.platform.settings.conditional_access_pace:
        raise GraphError(429, "TooManyRequests", "Too many requests. Please try again later.")
    policies.asked = call.now


@route("GET", "/users/{key}/transitiveMemberOf", *READ_MEMBERS)
def list_memberships(call: Call, key: str) -> Response:
    tenant = call.tenant
    user = tenant.mailbox(key)
    if user is None or key.lower() not in (user.address, user.user_id):
        raise not_found(key)
    groups, roles = tenant.policies.memberships({user.user_id, user.address})
    roles |= set(user.user.directory_roles)
    listed: list[Document] = [
        {"@odata.type": "#microsoft.graph.group", "id": group.id, "displayName": group.display_name}
        for group in tenant.policies.groups.values()
        if group.id in groups
    ]
    names = {role_id: name for name, role_id in DIRECTORY_ROLES.items()}
    listed += [{"@odata.type": "#microsoft.graph.directoryRole"} | _role(tenant, names[role], role) for role in sorted(roles)]
    return page(call, "directoryObject", listed, "directoryObjects")


@route("GET", "/directoryRoles", *READ_ROLES)
def list_directory_roles(call: Call) -> Response:
    return page(call, "directoryRole", [_role(call.tenant, name, role) for name, role in DIRECTORY_ROLES.items()], "directoryRoles")


def _role(tenant: Tenant, name: str, template: str) -> Document:
    return {"id": derived_id(tenant.id, "directory role", template), "displayName": name, "roleTemplateId": template}
