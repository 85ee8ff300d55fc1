"""A tenant's directory in the state file: applications with their service principals, granted app roles, deleted objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state import Application, AppRoleAssignment, DeletedItem, EnterpriseApplication, Tenant
from emulator.state.keys import At, Moment, key
from emulator.statefile.codec import SPECIAL, Document, Record, Special, known, tenant_of
from emulator.statefile.reader import Location, Node
from emulator.well_known import APP_ROLES, RESOURCE_NAMES, SCOPES, derived_id


@dataclass
class GrantedRole:
    """An app role that is granted to a service principal; a text stands for a mapping with `role` alone."""

    role: str = field(metadata=key("`Resource/Role`: an enterprise application by name or id, and its app role by value or id"))
    id: str | None = field(default=None, metadata=key("id of the appRoleAssignment", default="derived"))
    created: Moment = field(default=0.0, metadata=key("when it was granted"))
    effective_from: Moment = field(default=0.0, metadata=key("when new tokens start to carry it (replication)"))


APPLICATION, PRINCIPAL, GRANTED, DELETED = Record(Application), Record(EnterpriseApplication), Record(GrantedRole), Record(DeletedItem)
PRINCIPAL_KEY = ("service_principal", "a mapping", "the service principal in this tenant, as an enterprise application")
ROLES_KEY = ("app_roles", "a list of texts or mappings", "granted app roles")
RESOURCES_KEY = (
    "resources",
    "a list of texts",
    f"Microsoft's enterprise applications that the tenant has: {', '.join(RESOURCE_NAMES.values())}",
)


def add_resource(tenant: Tenant, app_id: str, object_id: str) -> EnterpriseApplication:
    """Add one of Microsoft's own enterprise applications, with the roles and scopes that it offers."""
    principal = EnterpriseApplication(object_id, app_id, RESOURCE_NAMES[app_id], APP_ROLES[app_id], SCOPES[app_id])
    tenant.enterprise_applications[principal.id] = principal
    return principal


def read_principal(value: Any, location: Location, at: At, application: Application | None = None) -> tuple[Node, EnterpriseApplication]:
    """A service principal, and the node with its `app_roles`, which are read when the tenant has every resource."""
    values = location.expect(value, dict)
    if application:
        values = {"app_id": application.app_id, "display_name": application.display_name} | values
    node = Node(values, location)
    return node, PRINCIPAL.take(node, at)


def read_roles(node: Node, at: At, principal: EnterpriseApplication) -> None:
    """Grant the roles of `app_roles`; refuse the keys that are left."""
    for item, location in node.items("app_roles"):
        granted: GrantedRole = GRANTED.read(item if isinstance(item, dict) else {"role": item}, location, at)
        assignment = _assignment(granted, location, tenant_of(at), principal)
        tenant_of(at).app_role_assignments[assignment.id] = assignment
    node.done(lambda: [*known(EnterpriseApplication), "app_roles"])


def _assignment(granted: GrantedRole, location: Location, tenant: Tenant, principal: EnterpriseApplication) -> AppRoleAssignment:
    resource_name, _, role_name = granted.role.partition("/")
    resource = next((sp for sp in tenant.enterprise_applications.values() if resource_name in (sp.id, sp.app_id, sp.display_name)), None)
    if resource is None:
        raise location.error(f"{resource_name!r} is no enterprise application of this tenant")
    role = next((r for r in resource.app_roles if role_name in (r["value"], r["id"])), None)
    if role is None:
        raise location.error(f"{resource.display_name} has no application role {role_name!r}")
    role_id = str(role["id"])
    assignment_id = granted.id or derived_id(tenant.id, principal.id, resource.id, role_id)
    return AppRoleAssignment(assignment_id, principal.id, resource.id, role_id, granted.created, granted.effective_from)


def assignments_of(tenant: Tenant, principal_id: str) -> list[AppRoleAssignment]:
    return [a for a in tenant.app_role_assignments.values() if a.principal_id == principal_id]


def _granted(assignment: AppRoleAssignment, tenant: Tenant) -> Document:
    resource = tenant.enterprise_applications[assignment.resource_id]
    value = next((r["value"] for r in resource.app_roles if r["id"] == assignment.app_role_id), None)
    named = resource.app_id in RESOURCE_NAMES and value
    role = f"{resource.display_name}/{value}" if named else f"{resource.id}/{assignment.app_role_id}"
    return GRANTED.write(GrantedRole(role, assignment.id, assignment.created, assignment.effective_from))


def principal_document(principal: EnterpriseApplication, tenant: Tenant) -> Document:
    return PRINCIPAL.write(principal) | {"app_roles": [_granted(a, tenant) for a in assignments_of(tenant, principal.id)]}


def application_document(application: Application, tenant: Tenant) -> Document:
    """An application with its service principal in the tenant."""
    principal = tenant.enterprise_application(application.app_id)
    inner = {"service_principal": principal_document(principal, tenant)} if principal else {}
    return APPLICATION.write(application) | inner


def _resources(node: Node) -> list[str]:
    names = [str(location.expect(item, str)) for item, location in node.items("resources")]
    unknown = next((name for name in names if name not in RESOURCE_NAMES.values()), None)
    if unknown:
        raise node.location.key("resources").error(f"{unknown!r} is not known; known: {', '.join(RESOURCE_NAMES.values())}")
    return names


def _read_directory(node: Node, at: At) -> dict[str, Application]:
    """The applications; enterprise applications and granted roles are put into the tenant."""
    tenant, applications, principals = tenant_of(at), dict[str, Application](), list[tuple[Node, EnterpriseApplication]]()
    resources = _resources(node) if node.has("resources") else RESOURCE_NAMES.values()
    for app_id, name in RESOURCE_NAMES.items():
        if name in resources:
            add_resource(tenant, app_id, derived_id(tenant.id, "service principal", app_id))
    for item, location in node.items("applications"):
        inner = Node(item, location)
        application: Application = APPLICATION.take(inner, at)
        if application.object_id in applications:
            raise location.key("object_id").error(f"the object id {application.object_id} is there twice")
        applications[application.object_id] = application
        principal = inner.take("service_principal")
        inner.done(lambda: [*known(Application), "service_principal"])
        if principal is not None:
            principals.append(read_principal(principal, location.key("service_principal"), at, application))
    principals += [read_principal(item, location, at) for item, location in node.items("enterprise_applications")]
    for _node, result in principals:
        earlier = tenant.enterprise_application(result.app_id)
        if earlier:
            del tenant.enterprise_applications[earlier.id]
        tenant.enterprise_applications[result.id] = result
    for inner, result in principals:
        read_roles(inner, at, result)
    return applications


def _foreign(tenant: Tenant) -> Document:
    own = {application.app_id for application in tenant.applications.values()}
    principals = tenant.enterprise_applications.values()
    return {"enterprise_applications": [principal_document(sp, tenant) for sp in principals if sp.app_id not in own]}


def _read_deleted(node: Node, at: At) -> dict[str, DeletedItem]:
    result: dict[str, DeletedItem] = {}
    for value, location in node.items("deleted_items"):
        inner = Node(value, location)
        application, principal = inner.take("application"), inner.take("service_principal")
        if (application is None) == (principal is None):
            raise location.error("needs either application or service_principal")
        if principal is not None:
            rest, item = read_principal(principal, location.key("service_principal"), at)
            rest.take("app_roles")
            rest.done(lambda: [*known(EnterpriseApplication), "app_roles"])
        else:
            item = APPLICATION.read(application, location.key("application"), at)
        deleted: DeletedItem = DELETED.take(inner, at, item=item)
        inner.done(lambda: [*known(DeletedItem), "application", "service_principal"])
        result[deleted.object_id] = deleted
    return result


def _deleted_document(deleted: DeletedItem, tenant: Tenant) -> Document:
    if isinstance(deleted.item, Application):
        return DELETED.write(deleted) | {"application": APPLICATION.write(deleted.item)}
    return DELETED.write(deleted) | {"service_principal": principal_document(deleted.item, tenant)}


SPECIAL[Tenant, "applications"] = Special(
    _read_directory,
    lambda tenant: {"resources": [], "applications": [application_document(one, tenant) for one in tenant.applications.values()]},
    keys=(RESOURCES_KEY,),
)
SPECIAL[Tenant, "enterprise_applications"] = Special(lambda node, at: tenant_of(at).enterprise_applications, _foreign)
SPECIAL[Tenant, "deleted_items"] = Special(
    _read_deleted, lambda tenant: {"deleted_items": [_deleted_document(one, tenant) for one in tenant.deleted_items.values()]}
)
