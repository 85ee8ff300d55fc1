"""State documents of authentication policies, Conditional Access, groups and the end of Basic authentication."""

from __future__ import annotations

from typing import Any

from emulator.graph import policy_types  # noqa: F401 (it registers its types)
from emulator.graph.errors import GraphError
from emulator.graph.validate import check_body
from emulator.state import AuthenticationPolicy, Group, Policies
from emulator.state.policies import SWITCHES
from emulator.statefile.parts import read_replicating, replicating_document
from emulator.statefile.reader import Node
from emulator.well_known import DIRECTORY_ROLES, derived_id

Document = dict[str, Any]


def read_policies(node: Node | None, tenant_id: str) -> Policies:
    found = Policies()
    if node is None:
        return found
    for item in node.nodes("authentication"):
        policy = read_authentication_policy(item, tenant_id)
        found.authentication[policy.name.lower()] = policy
    default = node.text("default_authentication", None)
    if default is not None and default.lower() not in found.authentication:
        raise node.error(f"{default!r} is no authentication policy", "default_authentication")
    found.default_authentication = default.lower() if default else None
    for item in node.nodes("conditional_access"):
        policy_document = _read_graph_object(item, "conditionalAccessPolicy", tenant_id)
        found.conditional_access[policy_document["id"]] = policy_document
    for item in node.nodes("named_locations"):
        kind = "countryNamedLocation" if item.has("countriesAndRegions") else "ipNamedLocation"
        location = _read_graph_object(item, kind, tenant_id) | {"@odata.type": f"#microsoft.graph.{kind}"}
        found.named_locations[location["id"]] = location
    for item in node.nodes("groups"):
        group = _read_group(item, tenant_id)
        found.groups[group.id] = group
    found.role_members = _read_role_members(node)
    found.basic_retired_from = node.moment("basic_retired_from")
    found.basic_reenabled = node.flag("basic_reenabled", False)
    found.replicating = read_replicating(node)
    node.done()
    return found


def read_authentication_policy(node: Node, tenant_id: str) -> AuthenticationPolicy:
    name = node.text("name")
    policy = AuthenticationPolicy(
        name=name,
        guid=node.text("guid", derived_id(tenant_id, "authentication policy", name)),
        allow_basic_auth_smtp=node.flag("allow_basic_auth_smtp", False),
        allowed=node.texts("allowed"),
        effective_from=node.moment("effective_from"),
        replicating=read_replicating(node),
    )
    unknown = set(policy.allowed) - set(SWITCHES)
    if unknown:
        raise node.error(f"{min(unknown)!r} is none of {', '.join(SWITCHES)}", "allowed")
    node.done()
    return policy


def _read_graph_object(node: Node, type_name: str, tenant_id: str) -> Document:
    """An object of Graph by Microsoft's own property names; its id may be left out."""
    document = node.rest()
    kind = document.pop("@odata.type", None)
    if kind not in (None, f"#microsoft.graph.{type_name}"):
        raise node.error(f"{kind!r} is not #microsoft.graph.{type_name}", "@odata.type")
    try:
        check_body(document, type_name)
    except GraphError as error:
        raise node.error(error.message) from None
    name = document.get("displayName")
    if not name:
        raise node.error("is required", "displayName")
    return {"id": derived_id(tenant_id, type_name, name)} | document


def _read_group(node: Node, tenant_id: str) -> Group:
    name = node.text("display_name")
    members = [member.lower() for member in node.texts("members")]
    group = Group(node.text("id", derived_id(tenant_id, "group", name)).lower(), name, members)
    node.done()
    return group


def _read_role_members(node: Node) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    inner = node.node("role_members")
    for name, members in inner.rest().items() if inner else ():
        role = DIRECTORY_ROLES.get(name, name).lower()
        if role not in DIRECTORY_ROLES.values() or not isinstance(members, list):
            raise node.error("must be the name of a directory role with a list of members", f"role_members.{name}")
        found[role] = [str(member).lower() for member in members]
    return found


def policies_document(policies: Policies) -> Document:
    default = policies.authentication.get(policies.default_authentication or "")
    return {
        "authentication": [authentication_policy_document(policy) for policy in policies.authentication.values()],
        "default_authentication": default.name if default else None,
        "conditional_access": list(policies.conditional_access.values()),
        "named_locations": list(policies.named_locations.values()),
        "groups": [vars(group) for group in policies.groups.values()],
        "role_members": policies.role_members,
        "basic_retired_from": policies.basic_retired_from,
        "basic_reenabled": policies.basic_reenabled,
        "replicating": replicating_document(policies.replicating),
    }


def authentication_policy_document(policy: AuthenticationPolicy) -> Document:
    return vars(policy) | {"replicating": replicating_document(policy.replicating)}
