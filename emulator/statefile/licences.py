"""State documents of a tenant's subscriptions and of its sign-in log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from emulator.skus import CAPABILITY_STATUSES, SKUS
from emulator.state import Licence, SignIn, Tenant
from emulator.statefile.reader import Node
from emulator.well_known import derived_id

# Of a tenant that says nothing: Microsoft 365 Business Standard, without Entra ID P1.
USUAL_SKU, USUAL_UNITS = "O365_BUSINESS_PREMIUM", 25


def read_licences(node: Node, tenant: Tenant) -> None:
    if not node.has("licences"):
        users = sum(mailbox.kind == "UserMailbox" for mailbox in tenant.mailboxes.values())
        tenant.licences = [Licence(USUAL_SKU, max(USUAL_UNITS, users))]
        return
    tenant.licences = [_read_licence(item) for item in node.nodes("licences")]


def _read_licence(node: Node) -> Licence:
    licence = Licence(
        sku=node.text("sku"),
        purchased=node.take("purchased", int),
        consumed=node.take("consumed", int, None),
        status=node.text("status", "Enabled"),
    )
    if licence.sku not in SKUS:
        raise node.error(f"must be one of {', '.join(SKUS)}, not {licence.sku!r}", "sku")
    if licence.status not in CAPABILITY_STATUSES:
        raise node.error(f"must be one of {', '.join(CAPABILITY_STATUSES)}, not {licence.status!r}", "status")
    if licence.purchased < 0:
        raise node.error("must not be negative", "purchased")
    node.done()
    return licence


def licence_document(licence: Licence) -> dict[str, Any]:
    return asdict(licence)


def read_sign_in(node: Node, tenant: Tenant) -> SignIn:
    """A sign-in; whose name and id are those of the mailbox, where there is one."""
    user = node.text("user").lower()
    mailbox = tenant.mailbox(user)
    created = node.moment("created")
    sign_in = SignIn(
        user=user,
        created=created,
        user_id=node.text("user_id", mailbox.user_id if mailbox else derived_id(tenant.id, "user", user)),
        display_name=node.text("display_name", mailbox.display_name if mailbox else user),
        error_code=node.take("error_code", int, 0),
        failure_reason=node.text("failure_reason", ""),
        client_app=node.text("client_app", "Authenticated SMTP"),
        ip_address=node.text("ip_address", ""),
        conditional_access=node.text("conditional_access", "notApplied"),
        id=node.text("id", derived_id(tenant.id, "sign-in", user, str(created))),
    )
    node.done()
    return sign_in


def sign_in_document(sign_in: SignIn) -> dict[str, Any]:
    return asdict(sign_in)
