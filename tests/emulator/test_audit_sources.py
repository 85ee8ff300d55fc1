"""What audits read beside the sign-in log: sign-ins of applications, spoof intelligence."""

from __future__ import annotations

from urllib.parse import quote

from tests.emulator.conftest import GRAPH, Api, Start, app_id

from .test_exchange_message_trace import message

PREMIUM = [{"sku": "SPE_E3", "purchased": 10}]


def activities(api: Api, name: str, app: str = "manager", version: str = "beta") -> list[dict[str, object]]:
    url = f"{api.emulator.cloud['graph']}/{version}/reports/servicePrincipalSignInActivities?$filter="
    answer = api.graph("GET", url + quote(f"appId eq '{app_id(name)}'"), app=app)
    return list(answer.json()["value"]) if answer.status_code == 200 else [{"status": answer.status_code}]


def test_an_application_has_an_activity_when_it_got_a_token(start: Start) -> None:
    api = start(tenant={"licences": PREMIUM})
    assert activities(api, "reader") == []
    api.new_token("reader", GRAPH)
    [one] = activities(api, "reader")
    assert one["appId"] == app_id("reader")
    assert one["applicationAuthenticationClientSignInActivity"] == one["lastSignInActivity"]
    assert one["delegatedClientSignInActivity"] == {"lastSignInDateTime": None, "lastSignInRequestId": None}


def test_activities_need_beta_a_permission_and_a_licence(start: Start) -> None:
    api = start(tenant={"licences": PREMIUM})
    assert activities(api, "reader", version="v1.0") == [{"status": 400}]
    assert activities(api, "reader", app="reader") == [{"status": 403}]
    assert activities(start(), "reader") == [{"status": 403}]


def test_spoof_intelligence_blocks_by_address_or_infrastructure(start: Start) -> None:
    spoofs = (("sales", "198.51.100.7"), ("boss", "203.0.113.7"), ("erp", "192.0.2.7"))
    messages = [message(f"{name}@contoso.com", "ada@contoso.com", via="direct-send", source=source) for name, source in spoofs]
    api = start(tenant={"blocked_spoofs": ["sales@contoso.com", "203.0.113.0/24"]}, messages=messages)
    actions = {row["SpoofedUser"]: row["Action"] for row in api.rows("Get-SpoofIntelligenceInsight")}
    assert actions == {"sales@contoso.com": "Block", "boss@contoso.com": "Block", "erp@contoso.com": "Allow"}


def test_mail_without_connector_is_a_spoof_by_its_network(start: Start) -> None:
    messages = [message("sales@contoso.com", "ada@contoso.com", via="direct-send", source=f"198.51.100.{n}") for n in (7, 8)]
    api = start(messages=[*messages, message("erp@contoso.com", "ada@contoso.com")])
    [row] = api.rows("Get-SpoofIntelligenceInsight")
    values = [row[name] for name in ("SpoofedUser", "SendingInfrastructure", "MessageCount", "SpoofType", "Action")]
    assert values == ["sales@contoso.com", "198.51.100.0/24", 2, "Internal", "Allow"]
