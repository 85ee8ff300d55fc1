"""/subscribedSkus ("subscribedSku resource type"): what the tenant has bought."""

from __future__ import annotations

from typing import Any

from emulator.graph.call import Call, route
from emulator.graph.errors import not_found, unsupported_query
from emulator.graph.query import check_options, one, select
from emulator.http import Response
from emulator.skus import PLANS, SKUS
from emulator.state import Licence, Tenant
from emulator.well_known import derived_id

Document = dict[str, Any]
READ = ("LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All")
# Where the units of a subscription are counted.
UNITS = {"Enabled": "enabled", "Warning": "warning", "Suspended": "suspended", "Deleted": "suspended", "LockedOut": "lockedOut"}


@route("GET", "/subscribedSkus", *READ)
def list_skus(call: Call) -> Response:
    """All at once: no paging, no $filter."""
    check_options(call, "subscribedSku", many=True)
    if call.options.keys() & {"$filter", "$top", "$orderby"}:
        raise unsupported_query("Unsupported Query.")
    listed = [select(call, document(licence, call.tenant)) for licence in call.tenant.licences]
    return Response(200, {"@odata.context": call.context("subscribedSkus"), "value": listed})


@route("GET", "/subscribedSkus/{key}", *READ)
def get_sku(call: Call, key: str) -> Response:
    match = next((d for d in (document(licence, call.tenant) for licence in call.tenant.licences) if d["id"] == key.lower()), None)
    if match is None:
        raise not_found(key)
    return one(call, "subscribedSku", match, "subscribedSkus")


def document(licence: Licence, tenant: Tenant) -> Document:
    sku_id = SKUS[licence.sku][0]
    return {
        "id": f"{tenant.id}_{sku_id}",
        "accountId": tenant.id,
        "accountName": tenant.initial_domain.partition(".")[0],
        "appliesTo": "User",
        "capabilityStatus": licence.status,
        "consumedUnits": _consumed(licence, tenant),
        "prepaidUnits": dict.fromkeys(("enabled", "suspended", "warning", "lockedOut"), 0) | {UNITS[licence.status]: licence.purchased},
        "servicePlans": [
            {"servicePlanId": PLANS[plan], "servicePlanName": plan, "provisioningStatus": "Success", "appliesTo": "User"}
            for plan in licence.plans
        ],
        "skuId": sku_id,
        "skuPartNumber": licence.sku,
        "subscriptionIds": [derived_id(tenant.id, "subscription", licence.sku)],
    }


def _consumed(licence: Licence, tenant: Tenant) -> int:
    if licence.consumed is not None:
        return licence.consumed
    users = sum(mailbox.kind == "UserMailbox" for mailbox in tenant.mailboxes.values())
    return min(licence.purchased, users) if licence.holds_mailbox else 0


def assigned_plans(tenant: Tenant) -> list[Document]:
    """The plans of /organization: those of the subscriptions in force."""
    plans = {plan: licence.status for licence in tenant.licences if licence.in_force for plan in licence.plans}
    return [
        {
            "assignedDateTime": "2025-01-01T00:00:00Z",
            "capabilityStatus": status,
            "service": "exchange" if plan.startswith("EXCHANGE") else "AADPremiumService",
            "servicePlanId": PLANS[plan],
        }
        for plan, status in plans.items()
    ]
