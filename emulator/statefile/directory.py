"""State documents of a tenant's directory: enterprise applications, consent, soft-deleted objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.state import (
    Application,
    AppRoleAssignment,
    DelegatedGrant,
    DeletedItem,
    EnterpriseApplication,
    Tenant,
)
from emulator.statefile.parts import application_document, read_application
from emulator.statefile.reader import Node
from emulator.well_known import APP_ROLES, DIRECTORY_ROLES, RESOURCE_NAMES, SCOPES, derived_id

ROLE_NAMES = {role_id: name for name, role_id in DIRECTORY_ROLES.items()}


def add_resources(tenant: Tenant, names: list[str]) -> None:
    """Microsoft's own enterprise applications, with the roles and scopes they offer."""
    for app_id, name in RESOURCE_NAMES.items():
        if name in names:
            add_resource(tenant, app_id, derived_id(tenant.id, "service principal", app_id))


def add_resource(tenant: Tenant, app_id: str, object_id: str) -> EnterpriseApplication:
    found = EnterpriseApplication(object_id, app_id, RESOURCE_NAMES[app_id], APP_ROLES[app_id], SCOPES[app_id])
    tenant.enterprise_applications[found.id] = found
    return found


def read_enterprise_application(node: Node, tenant: Tenant, application: Application | None) -> EnterpriseApplication:
    """A service principal; its `app_roles` stay in the node until every principal of the tenant is read."""
    app_id = application.app_id if application else node.text("app_id").lower()
    name = application.display_name if application else RESOURCE_NAMES.get(app_id, app_id)
    properties = dict(node.take("properties", dict, {}))
    return EnterpriseApplication(
        id=node.text("id", derived_id(tenant.id, "service principal", app_id)).lower(),
        app_id=app_id,
        display_name=node.text("display_name", name),
        app_roles=list(node.take("offers_app_roles", list, APP_ROLES.get(app_id, []))),
        scopes=list(node.take("offers_scopes", list, SCOPES.get(app_id, []))),
        directory_roles=_read_directory_roles(node),
        properties=properties,
        created=node.moment("created"),
        visible_from=node.moment("visible_from"),
        owners=node.texts("owners"),
    )


def _read_directory_roles(node: Node) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, item in enumerate(node.take("directory_roles", list, [])):
        effective_from = 0.0
        if isinstance(item, dict):
            inner = Node(item, f"{node.path}.directory_roles[{number}]")
            item, effective_from = inner.text("role"), inner.moment("effective_from")
            inner.done()
        role_id = DIRECTORY_ROLES.get(str(item), str(item))
        if role_id not in ROLE_NAMES:
            known = ", ".join(DIRECTORY_ROLES)
            raise node.error(f"{item!r} is no directory role; known: {known}", f"directory_roles[{number}]")
        found[role_id] = effective_from
    return found


def enterprise_application_document(principal: EnterpriseApplication, tenant: Tenant) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": principal.id,
        "display_name": principal.display_name,
        "app_roles": [_assignment_document(a, tenant) for a in assignments_of(tenant, principal.id)],
        "directory_roles": [
            {"role": ROLE_NAMES.get(role_id, role_id), "effective_from": effective_from}
            for role_id, effective_from in principal.directory_roles.items()
        ],
        "properties": principal.properties,
        "created": principal.created,
        "visible_from": principal.visible_from,
        "owners": principal.owners,
    }
    if principal.app_roles != APP_ROLES.get(principal.app_id, []):
        document["offers_app_roles"] = principal.app_roles
    if principal.scopes != SCOPES.get(principal.app_id, []):
        document["offers_scopes"] = principal.scopes
    return document


def assignments_of(tenant: Tenant, principal_id: str) -> list[AppRoleAssignment]:
    return [a for a in tenant.app_role_assignments.values() if a.principal_id == principal_id]


def read_assignments(node: Node, tenant: Tenant, principal: EnterpriseApplication) -> None:
    """The roles granted to a principal: `Resource name/Role`, or a mapping with `role` and more."""
    for number, item in enumerate(node.take("app_roles", list, [])):
        where = f"app_roles[{number}]"
        inner = Node(item if isinstance(item, dict) else {"role": item}, f"{node.path}.{where}")
        text = inner.text("role")
        resource_name, _, role_name = text.partition("/")
        resource = _resource(tenant, resource_name)
        if resource is None:
            raise node.error(f"{resource_name!r} is no enterprise application of this tenant", where)
        role = next((r for r in resource.app_roles if role_name in (r["value"], r["id"])), None)
        if role is None:
            raise node.error(f"{resource.display_name} has no application role {role_name!r}", where)
        default = derived_id(tenant.id, principal.id, resource.id, role["id"])
        assignment = AppRoleAssignment(
            id=inner.text("id", default),
            principal_id=principal.id,
            resource_id=resource.id,
            app_role_id=role["id"],
            created=inner.moment("created"),
            effective_from=inner.moment("effective_from"),
        )
        inner.done()
        tenant.app_role_assignments[assignment.id] = assignment


def _resource(tenant: Tenant, name: str) -> EnterpriseApplication | None:
    principals = tenant.enterprise_applications.values()
    return next((sp for sp in principals if name in (sp.id, sp.app_id, sp.display_name)), None)


def _assignment_document(assignment: AppRoleAssignment, tenant: Tenant) -> dict[str, Any]:
    resource = tenant.enterprise_applications[assignment.resource_id]
    known = resource.app_id in RESOURCE_NAMES
    value = next((r["value"] for r in resource.app_roles if r["id"] == assignment.app_role_id), None)
    role = f"{resource.display_name}/{value}" if known and value else f"{resource.id}/{assignment.app_role_id}"
    return {
        "role": role,
        "id": assignment.id,
        "created": assignment.created,
        "effective_from": assignment.effective_from,
    }


def read_delegated_grant(node: Node, tenant: Tenant) -> DelegatedGrant:
    client_id, resource_id = node.text("client_id"), node.text("resource_id")
    for key, value in (("client_id", client_id), ("resource_id", resource_id)):
        if value not in tenant.enterprise_applications:
            raise node.error(f"{value!r} is the id of no enterprise application of this tenant", key)
    principal_id = node.text("principal_id", None)
    grant = DelegatedGrant(
        id=node.text("id", derived_id(tenant.id, client_id, resource_id, principal_id or "all")),
        client_id=client_id,
        resource_id=resource_id,
        scope=node.text("scope"),
        principal_id=principal_id,
        effective_from=node.moment("effective_from"),
    )
    node.done()
    return grant


def delegated_grant_document(grant: DelegatedGrant) -> dict[str, Any]:
    return dict(vars(grant))


def read_deleted_item(node: Node, tenant: Tenant, base: Path) -> DeletedItem:
    deleted, with_application = node.moment("deleted"), node.text("with_application", None)
    application, principal = node.node("application"), node.node("service_principal")
    if application:
        item: Application | EnterpriseApplication = read_application(application, tenant.id, base)
        application.done()
    elif principal:
        principal.raw("app_roles")
        item = read_enterprise_application(principal, tenant, None)
        principal.done()
    else:
        raise node.error("needs application or service_principal")
    node.done()
    return DeletedItem(item, deleted, with_application)


def deleted_item_document(deleted: DeletedItem, tenant: Tenant) -> dict[str, Any]:
    head: dict[str, Any] = {"deleted": deleted.deleted, "with_application": deleted.with_application}
    if isinstance(deleted.item, Application):
        return head | {"application": application_document(deleted.item)}
    document = {"app_id": deleted.item.app_id} | enterprise_application_document(deleted.item, tenant)
    return head | {"service_principal": document}
