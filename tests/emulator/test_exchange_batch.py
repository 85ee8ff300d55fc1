"""Exchange: batches, paging and the faults to order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.emulator.conftest import EXCHANGE, TENANT, Api, Start, until
from tests.emulator.test_exchange_cmdlets import refused
from tests.emulator.test_exchange_protocol import is_nul

ANCHOR = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"


def first_page(api: Api, **headers: str) -> dict[str, Any]:
    expected = {"Prefer": "odata.maxpagesize=10", "X_AnchorMailbox": ANCHOR} | headers
    return dict(
        api.exchange("Get-CASMailbox", {"ResultSize": "Unlimited"}, api.exchange_url("?$select=PrimarySmtpAddress"), **expected).json()
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
    api = start({"exchange_concurrency": 2, "latency": {"exchange": 1000}})
    api.token("manager", EXCHANGE)
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(api.exchange, "Get-TransportConfig") for _ in range(5)]
        until(lambda: sum(api.admin.in_flight().values()) == 5)
        api.admin.latency(exchange=0)
        answers = [one.result() for one in waiting]
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    assert api.exchange("Get-TransportConfig").status_code == 200


def test_injected_fault_creates_the_connector_disabled(start: Start) -> None:
    api = start()
    api.admin.fault("exchange", "connector_disabled", match={"cmdlet": "New-InboundConnector"})
    expected = {"SenderDomains": ["*"], "ConnectorType": "OnPremises"}
    assert api.rows("New-InboundConnector", expected | {"Name": "one"})[0]["Enabled"] is False
    assert api.rows("New-InboundConnector", expected | {"Name": "two"})[0]["Enabled"] is True


def test_injected_fault_refuses_the_certificate_name_of_a_connector(start: Start) -> None:
    api = start()
    expected = {"SenderDomains": ["*"], "ConnectorType": "OnPremises"}
    by_certificate = expected | {"Name": "one", "TlsSenderCertificateName": "relay.contoso.com"}
    api.admin.fault("exchange", "certificate_name_refused", match={"cmdlet": "New-InboundConnector"}, count=2)
    answer = api.exchange("New-InboundConnector", by_certificate)
    assert answer.status_code == 400
    assert "The certificate name 'relay.contoso.com' isn't valid" in answer.text
    assert api.exchange("New-InboundConnector", expected | {"Name": "two"}).status_code == 200, "it has no certificate name"
    assert api.exchange("New-InboundConnector", by_certificate).status_code == 200
    api.admin.fault("exchange", "certificate_name_refused", match={"cmdlet": "Set-InboundConnector"})
    assert api.exchange("Set-InboundConnector", {"Identity": "one", "Comment": "x"}).status_code == 400
