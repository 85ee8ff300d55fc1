"""Exchange: the InvokeCommand protocol: access, binding, envelopes, paging, batches, faults."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.emulator.conftest import EXCHANGE, GRAPH, TENANT, Api, Start
from tests.emulator.test_exchange_cmdlets import refused

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
    assert {name.split("-")[0] for name in exported("reader")} == {"Get", "Test"}


def test_redirect_to_a_sub_domain(api: Api) -> None:
    api.admin.fault("exchange", "redirect", count=2, options={"prefix": "namprd07"})
    body = {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    headers = {"Authorization": f"Bearer {api.token('manager', EXCHANGE)}"}
    answer = api.session.post(api.exchange_url(), json=body, headers=headers, allow_redirects=False)
    host = urlsplit(api.exchange_url()).netloc
    assert (answer.status_code, answer.headers["location"]) == (302, api.exchange_url().replace(host, f"namprd07.{host}"))
    served = api.session.post(api.exchange_url(), json=body, headers=headers | {"Host": f"namprd07.{host}"}, allow_redirects=False)
    assert served.status_code == 200
    api.admin.clear_faults()
    api.admin.fault("exchange", "redirect", options={"location": "https://elsewhere.example/x"})
    answer = api.session.post(api.exchange_url(), json=body, headers=headers, allow_redirects=False)
    assert answer.headers["location"] == "https://elsewhere.example/x"
