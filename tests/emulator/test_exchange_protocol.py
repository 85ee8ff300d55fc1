"""Exchange: the InvokeCommand protocol: access, binding, envelopes, paging, batches, faults."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from conftest import EXCHANGE, GRAPH, TENANT, Api, Start
from test_exchange_cmdlets import refused

HASH_TABLE = "#Exchange.GenericHashTable"


def test_envelope(api: Api) -> None:
    answer = api.exchange(
        "Get-CASMailbox", {"Identity": "noreply"}, api.exchange_url("?$select=Guid,smtpclientauthenticationdisabled,Nonsense")
    )
    body = answer.json()
    assert body["@odata.context"].endswith(f"/adminapi/beta/{TENANT}/$metadata#Collection(Exchange.GenericHashTable)")
    assert body["adminapi.warnings@odata.type"] == "#Collection(String)"
    assert body["@adminapi.warnings"] == []
    row = body["value"][0]
    assert row.keys() == {"Guid", "Guid@odata.type", "Guid@data.type", "SmtpClientAuthenticationDisabled"}
    assert (row["Guid@odata.type"], row["Guid@data.type"]) == ("#Guid", "System.Guid")
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert answer.headers["Rate-Limit-Limit"] == "30000"


def test_sidecars(api: Api) -> None:
    row = api.exchange("Get-TransportConfig").json()["value"][0]
    assert row["ObjectClass@odata.type"] == "#Collection(String)"
    assert row["WhenChanged@data.type"] == "System.DateTime"
    assert row["ReplyAllStormBlockDurationHours@data.type"] == "System.Int32"


def test_names_are_case_insensitive_and_the_tenant_may_be_a_domain(api: Api) -> None:
    url = api.exchange_url(tenant="contoso.com")
    assert api.rows("get-casmailbox", {"identity": "noreply"}, url=url)[0]["Name"] == "noreply"


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("Get-TransportConfig", {"ResultSize": "Unlimited"}),
        ("Get-CASMailbox", {"Identity": "noreply", "Anr": "no"}),
        ("Get-MailboxPermission", {}),
        ("Get-MailboxPermission", {"Identity": "noreply", "Owner": True, "User": "ops"}),
        ("Set-CASMailbox", {"Identity": "noreply", "DomainController": "dc1"}),
        ("New-InboundConnector", {"Name": "x"}),
        ("Get-AcceptedDomain", {"Nonsense": 1}),
    ],
)
def test_parameter_sets(api: Api, cmdlet: str, parameters: dict[str, Any]) -> None:
    status, kind, text = refused(api.exchange(cmdlet, parameters))
    assert (status, kind) == (400, "AmbiguousParameterSetException")
    assert text.startswith("Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified.")


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("Set-CASMailbox", {"Identity": "noreply", "SmtpClientAuthenticationDisabled": "false"}),
        ("Set-CASMailbox", {"Identity": "noreply", "PopEnabled": None}),
        ("Set-TransportConfig", {"SmtpClientAuthenticationDisabled": None}),
        ("New-InboundConnector", {"Name": "x", "SenderDomains": ["*"], "ConnectorType": "Sideways"}),
        ("New-InboundConnector", {"Name": "x", "SenderDomains": [{"a": 1}]}),
        ("New-InboundConnector", {"Name": "x", "SenderDomains": {"Add": ["*"]}}),
        ("Set-TransportConfig", {"ReplyAllStormBlockDurationHours": "many"}),
        ("Get-CASMailbox", {"Identity": ""}),
        ("Get-Mailbox", {"ResultSize": "lots"}),
        ("Add-MailboxPermission", {"Identity": "noreply", "User": "ops", "AccessRights": ["SendAs"]}),
    ],
)
def test_types_and_enumerations(api: Api, cmdlet: str, parameters: dict[str, Any]) -> None:
    status, kind, text = refused(api.exchange(cmdlet, parameters))
    assert (status, kind) == (400, "ParameterTransformationException")
    assert text.startswith("Cannot process argument transformation on parameter '")


def test_enumerators_match_by_their_beginning(start: Start) -> None:
    api = start()
    wrong = refused(api.exchange("New-InboundConnector", {"Name": "x", "SenderDomains": ["*"], "ConnectorType": "Sideways"}))[2]
    assert "Specify one of the following enumerator names and try again: Partner, OnPremises" in wrong
    made = api.rows("New-InboundConnector", {"Name": "x", "SenderDomains": ["*"], "ConnectorType": "onprem"})
    assert made[0]["ConnectorType"] == "OnPremises"


def test_an_identity_of_null_answers_with_everything(api: Api) -> None:
    assert len(api.rows("Get-CASMailbox", {"Identity": None})) == 27


def test_hash_tables_clear(start: Start) -> None:
    api = start()
    api.exchange("New-InboundConnector", {"Name": "x", "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.10"]})
    api.exchange("Set-InboundConnector", {"Identity": "x", "SenderIPAddresses": {"@odata.type": HASH_TABLE}})
    assert api.rows("Get-InboundConnector")[0]["SenderIPAddresses"] == []


@pytest.mark.parametrize("parameter", ["Confirm", "WhatIf"])
def test_confirm_asks_and_changes_nothing(api: Api, parameter: str) -> None:
    change = {"Identity": "user001@contoso.com", "SmtpClientAuthenticationDisabled": True, parameter: True}
    body = api.exchange("Set-CASMailbox", change).json()
    assert "user001@contoso.com" in body["@adminapi.confirmationmessage"]
    assert api.rows("Get-CASMailbox", {"Identity": "user001@contoso.com"})[0]["SmtpClientAuthenticationDisabled"] is None


def is_nul(answer: requests.Response) -> bool:
    return answer.status_code == 403 and answer.content.strip(b"\0") == b"" and len(answer.content) > 0


def test_unknown_and_forbidden_cmdlets(api: Api) -> None:
    assert is_nul(api.exchange("Get-Nonsense"))
    assert api.exchange("Get-TransportConfig", app="reader").status_code == 200
    assert is_nul(api.exchange("Set-TransportConfig", {"SmtpClientAuthenticationDisabled": True}, app="reader"))


def test_app_role_and_directory_role_are_both_needed(api: Api) -> None:
    missing_app_role = api.exchange("Get-TransportConfig", app="bare")
    assert (missing_app_role.status_code, missing_app_role.content) == (401, b"")
    assert is_nul(api.exchange("Get-TransportConfig", app="owner"))


def test_tokens_are_checked(api: Api) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    for authorization in ("", "Bearer nonsense", f"Bearer {api.token('manager', GRAPH)}"):
        answer = api.session.post(api.exchange_url(), json=body, headers={"Authorization": authorization})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert api.exchange_post(api.exchange_url(tenant="fabrikam.onmicrosoft.com"), body).status_code == 401


def test_paths_and_versions(api: Api) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    assert api.exchange_post(api.exchange_url(version="v1.0"), body).status_code == 405
    assert api.exchange_post(api.exchange_url(what="Nonsense"), body).status_code == 404
    assert refused(api.exchange_post(api.exchange_url(), {"CmdletInput": {}}))[0] == 400
    assert (
        refused(api.exchange_post(api.exchange_url(), {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": []}}))[0] == 400
    )


def test_module_file_lists_what_the_caller_may_run(api: Api) -> None:
    def exported(app: str) -> list[str]:
        headers = {"Authorization": f"Bearer {api.token(app, EXCHANGE)}", "CommandName": "*"}
        answer = api.session.get(api.exchange_url("?Version=3.9.2", version="v1.0", what="EXOModuleFile"), headers=headers)
        return str(answer.json()["value"][0]["exportedCmdlets"]).split(",")

    assert {"Get-TransportConfig", "Set-CASMailbox", "New-InboundConnector"} <= set(exported("manager"))
    assert {name.split("-")[0] for name in exported("reader")} == {"Get"}


ANCHOR = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"


def first_page(api: Api, **headers: str) -> dict[str, Any]:
    wanted = {"Prefer": "odata.maxpagesize=10", "X_AnchorMailbox": ANCHOR} | headers
    return dict(
        api.exchange("Get-CASMailbox", {"ResultSize": "Unlimited"}, api.exchange_url("?$select=PrimarySmtpAddress"), **wanted).json()
    )


def next_page(api: Api, link: str, parameters: Any = None, anchor: str = ANCHOR) -> requests.Response:
    return api.exchange(
        "Get-CASMailbox", parameters or {"ResultSize": "Unlimited"}, link, Prefer="odata.maxpagesize=10", X_AnchorMailbox=anchor
    )


def test_paging(api: Api) -> None:
    body, addresses, pages = first_page(api), [], 1
    while True:
        addresses += [row["PrimarySmtpAddress"] for row in body["value"]]
        link = body.get("@odata.nextLink")
        if not link:
            break
        assert f"/adminapi/beta/{TENANT}/InvokeCommand?%24skiptoken=" in link
        body, pages = next_page(api, link).json(), pages + 1
    assert (pages, len(addresses), len(set(addresses))) == (3, 27, 27)


def test_pages_are_bound_to_body_and_anchor_and_expire(start: Start) -> None:
    api = start({"token_lifetime": 7200})
    link = first_page(api)["@odata.nextLink"]
    for answer in (next_page(api, link, {"ResultSize": 20}), next_page(api, link, anchor="UPN:other@contoso.com")):
        status, _, text = refused(answer)
        assert (status, text) == (400, "Expired or Invalid pagination request. Default Expiry time is 00:30:00")
    assert next_page(api, link).status_code == 200
    api.admin.advance(1801)
    assert refused(next_page(api, link))[0] == 400


def test_result_size(api: Api) -> None:
    body = api.exchange("Get-Mailbox", {"ResultSize": 5}).json()
    assert len(body["value"]) == 5
    assert body["@adminapi.warnings"][0].startswith("There are more results available")
    assert api.exchange("Get-Mailbox", {"ResultSize": 27}).json()["@adminapi.warnings"] == []


def item(api: Api, number: str, cmdlet: str, parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {api.token('manager', EXCHANGE)}"}
    return {"id": number, "method": "POST", "url": f"{api.exchange_url()}?", "headers": headers, "body": body} | changes


def batch(api: Api, *items: dict[str, Any]) -> requests.Response:
    return api.exchange_post(api.exchange_url(what="$batch"), {"requests": list(items)})


def test_batch(start: Start) -> None:
    api = start()
    items = [
        item(api, f"{n}", "Set-CASMailbox", {"Identity": f"user{n:03d}@contoso.com", "SmtpClientAuthenticationDisabled": False})
        for n in range(1, 10)
    ]
    items.append(item(api, "x", "Set-CASMailbox", {"Identity": "nobody", "SmtpClientAuthenticationDisabled": False}))
    responses = batch(api, *items).json()["responses"]
    by_id = {one["id"]: one for one in responses}
    assert {name: one["status"] for name, one in by_id.items()} == {f"{n}": 200 for n in range(1, 10)} | {"x": 404}
    assert by_id["1"]["body"]["value"] == []
    assert "ManagementObjectNotFoundException" in by_id["x"]["body"]["error"]["details"][0]["message"]
    changed = [row for row in api.rows("Get-CASMailbox") if row["SmtpClientAuthenticationDisabled"] is False]
    assert len(changed) == 9


def test_batches_answer_in_any_order(api: Api) -> None:
    items = [item(api, f"{n}", "Get-TransportConfig", {}) for n in range(10)]
    orders = {tuple(one["id"] for one in batch(api, *items).json()["responses"]) for _ in range(3)}
    assert len(orders) > 1


def test_bad_batches(api: Api) -> None:
    many = [item(api, f"{n}", "Get-TransportConfig", {}) for n in range(11)]
    assert refused(batch(api, *many))[0] == 400
    assert refused(batch(api, many[0], many[0]))[0] == 400
    assert refused(batch(api))[0] == 400
    relative = item(api, "1", "Get-TransportConfig", {}, url=f"/adminapi/beta/{TENANT}/InvokeCommand")
    assert batch(api, relative).json()["responses"][0]["status"] == 400


def test_batch_items_page_and_throttle_for_themselves(api: Api) -> None:
    paged = item(api, "1", "Get-CASMailbox", {"ResultSize": "Unlimited"})
    paged["headers"]["Prefer"] = "odata.maxpagesize=20;odata.continue-on-error"
    api.admin.fault("exchange", "throttled", match={"cmdlet": "Get-TransportConfig"}, options={"retry_after": 2})
    responses = {one["id"]: one for one in batch(api, paged, item(api, "2", "Get-TransportConfig", {})).json()["responses"]}
    assert responses["2"]["status"] == 429
    assert responses["2"]["headers"]["Retry-After"] == "2"
    body = responses["1"]["body"]
    assert len(body["value"]) == 20
    more = batch(api, paged | {"url": body["@odata.nextLink"]}).json()["responses"][0]["body"]
    assert len(more["value"]) == 7


def test_faults(api: Api) -> None:
    def one(name: str, **order: Any) -> requests.Response:
        api.admin.fault("exchange", name, **order)
        return api.exchange("Get-TransportConfig")

    throttled = one("throttled", options={"retry_after": 4})
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "4")
    concurrency = one("concurrency")
    assert (concurrency.status_code, concurrency.headers["content-type"]) == (429, "text/plain")
    assert concurrency.text.startswith("You have reached the maximum number of concurrent requests per tenant.")
    unavailable = one("unavailable")
    assert (unavailable.status_code, unavailable.content) == (503, b"")
    assert refused(one("dc_overloaded"))[:2] == (500, "DCOverloadedException")
    assert is_nul(one("forbidden"))
    error = one("error_in_200")
    assert error.status_code == 200
    assert "StorageTransientException" in error.json()["error"]["details"][0]["message"]
    challenge = one("claims_challenge")
    assert challenge.status_code == 401
    assert "claims=" in challenge.headers["WWW-Authenticate"]
    assert one("boolean_strings").json()["value"][0]["SmtpClientAuthenticationDisabled"] in ("True", "False")
    assert refused(one("expired_nextlink"))[0] == 400
    assert api.exchange("Get-TransportConfig").status_code == 200


def test_faults_that_need_the_command(api: Api) -> None:
    api.admin.fault("exchange", "name_not_found", match={"cmdlet": "Get-CASMailbox"}, count=2)
    assert refused(api.exchange("Get-CASMailbox", {"Identity": "noreply"}))[0] == 404
    guid = api.rows("Get-Mailbox", {"Identity": "noreply"})[0]["Guid"]
    assert api.exchange("Get-CASMailbox", {"Identity": guid}).status_code == 200
    api.admin.fault("exchange", "stale_replica", count=2)
    assert api.rows("Get-InboundConnector") == []
    assert api.rows("Get-TransportConfig", X_AnchorMailbox=ANCHOR) != []
    api.admin.fault("exchange", "item_without_status")
    answer = batch(api, item(api, "1", "Get-TransportConfig", {})).json()["responses"][0]
    assert answer.keys() == {"id", "body"}


def test_faults_match_a_mailbox(api: Api) -> None:
    api.admin.fault("exchange", "dc_overloaded", match={"mailbox": "ops@contoso.com"})
    assert api.exchange("Get-CASMailbox", {"Identity": "noreply@contoso.com"}).status_code == 200
    assert api.exchange("Get-CASMailbox", {"Identity": "ops@contoso.com"}).status_code == 500


def test_unknown_fault_names_are_refused(api: Api) -> None:
    with pytest.raises(ValueError, match="has no fault 'nonsense'"):
        api.admin.fault("exchange", "nonsense")
    with pytest.raises(ValueError, match="service"):
        api.admin.fault("nonsense")


def test_concurrency_limit(start: Start) -> None:
    api = start({"exchange_concurrency": 2, "latency": {"exchange": 0.3}})
    api.token("manager", EXCHANGE)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: api.exchange("Get-TransportConfig"), range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    assert api.exchange("Get-TransportConfig").status_code == 200


def test_connector_created_disabled_on_order(start: Start) -> None:
    api = start()
    api.admin.fault("exchange", "connector_disabled", match={"cmdlet": "New-InboundConnector"})
    wanted = {"SenderDomains": ["*"], "ConnectorType": "OnPremises"}
    assert api.rows("New-InboundConnector", wanted | {"Name": "one"})[0]["Enabled"] is False
    assert api.rows("New-InboundConnector", wanted | {"Name": "two"})[0]["Enabled"] is True
