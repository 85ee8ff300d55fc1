"""Conditional Access policies and named locations in the state file: objects of Graph by their own property names."""

from __future__ import annotations

from typing import Any

from emulator.graph import policy_types  # noqa: F401 (it registers its types)
from emulator.graph.errors import GraphError
from emulator.graph.validate import check_body
from emulator.state import Policies
from emulator.state.keys import At
from emulator.statefile.codec import SPECIAL, Document, Special
from emulator.statefile.reader import Location, Node
from emulator.well_known import derived_id


def _read_graph_object(value: Any, location: Location, type_name: str, at: At) -> Document:
    """An object of Graph; its id may be left out."""
    document = dict(location.expect(value, dict))
    kind = document.pop("@odata.type", None)
    if kind not in (None, f"#microsoft.graph.{type_name}"):
        raise location.key("@odata.type").error(f"{kind!r} is not #microsoft.graph.{type_name}")
    try:
        check_body(document, type_name)
    except GraphError as error:
        raise location.error(error.message) from None
    name = document.get("displayName")
    if not name:
        raise location.key("displayName").error("is required")
    return {"id": derived_id(at.tenant.id, type_name, name)} | document


def _read_conditional_access(node: Node, at: At) -> dict[str, Document]:
    matches = [_read_graph_object(item, location, "conditionalAccessPolicy", at) for item, location in node.items("conditional_access")]
    return {one["id"]: one for one in matches}


def _read_named_locations(node: Node, at: At) -> dict[str, Document]:
    result: dict[str, Document] = {}
    for item, location in node.items("named_locations"):
        kind = "countryNamedLocation" if "countriesAndRegions" in location.expect(item, dict) else "ipNamedLocation"
        named_location = _read_graph_object(item, location, kind, at) | {"@odata.type": f"#microsoft.graph.{kind}"}
        result[named_location["id"]] = named_location
    return result


SPECIAL[Policies, "conditional_access"] = Special(
    _read_conditional_access, lambda policies: {"conditional_access": list(policies.conditional_access.values())}
)
SPECIAL[Policies, "named_locations"] = Special(
    _read_named_locations, lambda policies: {"named_locations": list(policies.named_locations.values())}
)
