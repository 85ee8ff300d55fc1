"""State documents of federated identity credentials."""

from __future__ import annotations

from typing import Any

from emulator.state import FederatedCredential
from emulator.statefile.reader import Node
from emulator.well_known import derived_id


def read_federated(node: Node, owner: str) -> FederatedCredential:
    name = node.text("name")
    credential = FederatedCredential(
        id=node.text("id", derived_id(owner, "federated", name)),
        name=name,
        issuer=node.text("issuer"),
        subject=node.text("subject"),
        audiences=node.texts("audiences"),
        description=node.text("description", None),
        effective_from=node.moment("effective_from"),
    )
    node.done()
    return credential


def federated_document(credential: FederatedCredential) -> dict[str, Any]:
    return dict(vars(credential))
