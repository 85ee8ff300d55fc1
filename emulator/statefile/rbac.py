"""State documents of management scopes and role assignments."""

from __future__ import annotations

from typing import Any

from emulator.opath import FilterError, parse
from emulator.state.rbac import SMTP_ROLE, ManagementRoleAssignment, ManagementScope, Rbac
from emulator.statefile import parts
from emulator.statefile.reader import Node
from emulator.well_known import derived_id

KEYS = ("management_scopes", "management_role_assignments")


def read(node: Node, tenant_id: str) -> Rbac:
    found = Rbac()
    for item in node.nodes(KEYS[0]):
        scope = _scope(item, tenant_id)
        found.scopes[scope.name.lower()] = scope
    for item in node.nodes(KEYS[1]):
        found.assignments.append(_assignment(item, tenant_id, found))
    return found


def _scope(node: Node, tenant_id: str) -> ManagementScope:
    name, text = node.text("name"), node.text("recipient_filter")
    try:
        normal = str(parse(text))
    except FilterError as error:
        raise node.error(str(error), "recipient_filter") from None
    scope = ManagementScope(
        name=name,
        recipient_filter=normal,
        guid=node.text("guid", derived_id(tenant_id, "scope", name)),
        changed=node.moment("changed"),
        replicating=parts.read_replicating(node),
    )
    node.done()
    return scope


def _assignment(node: Node, tenant_id: str, rbac: Rbac) -> ManagementRoleAssignment:
    """An assignment; its `scope` is a scope's name or GUID."""
    name, wanted = node.text("name"), node.text("scope", None)
    named = rbac.scopes.get(wanted.lower()) or rbac.scope(wanted) if wanted else None
    if wanted and named is None:
        raise node.error(f"{wanted!r} is no management scope", "scope")
    assignment = ManagementRoleAssignment(
        name=name,
        role=node.text("role", SMTP_ROLE),
        assignee=node.text("assignee").lower(),
        scope=named.guid if named else None,
        enabled=node.flag("enabled", True),
        guid=node.text("guid", derived_id(tenant_id, "assignment", name)),
        changed=node.moment("changed"),
        effective_from=node.moment("effective_from"),
        ends=node.moment("ends") if node.has("ends") else None,
        replicating=parts.read_replicating(node),
    )
    node.done()
    return assignment


def document(rbac: Rbac) -> dict[str, list[dict[str, Any]]]:
    return {KEYS[0]: [_document(scope) for scope in rbac.scopes.values()], KEYS[1]: [_document(a) for a in rbac.assignments]}


def _document(item: ManagementScope | ManagementRoleAssignment) -> dict[str, Any]:
    shown = dict(vars(item)) | {"replicating": parts.replicating_document(item.replicating)}
    return {name: value for name, value in shown.items() if name != "ends" or value is not None}
