"""/subscribedSkus, and what the emulator makes of a tenant's subscriptions."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.state import Licence, external_recipients_a_day, has_premium
from emulator.statefile import StateError, parse
from tests.emulator.conftest import TENANT, Api, Start


def test_a_subscription_as_graph_shows_it(start: Start) -> None:
    api = start(tenant={"licences": [{"sku": "SPE_E3", "purchased": 30}, {"sku": "AAD_PREMIUM_P2", "purchased": 5, "status": "Suspended"}]})
    answer = api.graph("GET", "/subscribedSkus").json()
    assert answer["@odata.context"].endswith("/v1.0/$metadata#subscribedSkus")
    first, second = answer["value"]
    assert first == {
        "id": f"{TENANT}_05e9a617-0261-4cee-bb44-138d3ef5d965",
        "accountId": TENANT,
        "accountName": "contoso",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 26,  # its user mailboxes; the shared one needs none
        "prepaidUnits": {"enabled": 30, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {
                "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0",
                "servicePlanName": "EXCHANGE_S_ENTERPRISE",
                "provisioningStatus": "Success",
                "appliesTo": "User",
            },
            {
                "servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
                "servicePlanName": "AAD_PREMIUM",
                "provisioningStatus": "Success",
                "appliesTo": "User",
            },
        ],
        "skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965",
        "skuPartNumber": "SPE_E3",
        "subscriptionIds": first["subscriptionIds"],
    }
    assert (second["capabilityStatus"], second["consumedUnits"], second["prepaidUnits"]["suspended"]) == ("Suspended", 0, 5)
    assert api.graph("GET", f"/subscribedSkus/{first['id']}?$select=skuPartNumber").json()["skuPartNumber"] == "SPE_E3"
    organization = api.graph("GET", "/organization?$select=assignedPlans").json()["value"][0]
    assert [(plan["service"], plan["capabilityStatus"]) for plan in organization["assignedPlans"]] == [
        ("exchange", "Enabled"),
        ("AADPremiumService", "Enabled"),
    ]


def test_the_list_takes_no_filter_and_needs_its_permission(api: Api) -> None:
    (usual,) = api.graph("GET", "/subscribedSkus?$select=skuPartNumber,consumedUnits").json()["value"]
    assert usual == {"skuPartNumber": "O365_BUSINESS_PREMIUM", "consumedUnits": 26}
    for query in ("$filter=skuPartNumber eq 'SPE_E3'", "$top=1"):
        answer = api.graph("GET", f"/subscribedSkus?{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    assert api.graph("GET", "/subscribedSkus", app="reader").json()["error"]["code"] == "Authorization_RequestDenied"
    assert api.graph("GET", "/subscribedSkus/none").json()["error"]["code"] == "Request_ResourceNotFound"


# The examples of "Introducing Exchange Online Tenant Outbound Email Limits".
@pytest.mark.parametrize(("licences", "limit"), [(1, 10_000), (10, 12_006), (100, 22_059), (1_000, 72_446)])
def test_the_tenant_external_recipient_rate_limit(licences: int, limit: int) -> None:
    assert external_recipients_a_day([Licence("SPE_E3", licences)], trial=False) == limit
    split = [Licence("SPE_E3", licences - 1), Licence("EXCHANGESTANDARD", 1, status="Warning")]
    assert external_recipients_a_day(split, trial=False) == limit


def test_only_mailboxes_in_force_raise_the_limit() -> None:
    others = [Licence("SPE_E3", 50, status="Suspended"), Licence("AAD_PREMIUM", 50)]
    assert external_recipients_a_day(others, trial=False) == 9_500
    assert external_recipients_a_day([Licence("SPE_E3", 1_000)], trial=True) == 5_000


def test_what_is_premium() -> None:
    assert has_premium([Licence("ENTERPRISEPACK", 1), Licence("AAD_PREMIUM", 1)])
    assert not has_premium([Licence("ENTERPRISEPACK", 1), Licence("SPE_E5", 1, status="LockedOut")])


@pytest.mark.parametrize(
    ("licence", "complaint"),
    [
        ({"sku": "E3", "purchased": 1}, r"licences\[0\]\.sku: must be one of EXCHANGESTANDARD, .*, not 'E3'"),
        ({"sku": "SPE_E3"}, r"licences\[0\]\.purchased: is required"),
        ({"sku": "SPE_E3", "purchased": -1}, r"licences\[0\]\.purchased: must be at least 0, not -1"),
        ({"sku": "SPE_E3", "purchased": 1, "status": "enabled"}, r"licences\[0\]\.status: must be one of Enabled"),
        ({"sku": "SPE_E3", "purchased": 1, "units": 1}, r"licences\[0\]\.units: is not known here"),
    ],
)
def test_invalid_licences_are_refused(licence: dict[str, object], complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        parse({"tenants": [{"initial_domain": "contoso.onmicrosoft.com", "licences": [licence]}]}, Path())
