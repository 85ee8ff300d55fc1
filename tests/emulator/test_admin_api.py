"""The admin API: changes by hand, faults, counters, the record, the state file."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from tests.contract import run_checker
from tests.emulator.conftest import EXCHANGE, GRAPH, TENANT, Api, Start, app_id


def test_health_and_unknown_paths(api: Api) -> None:
    assert api.admin.call("GET", "/health") == {"status": "ok"}
    for method, path in (("GET", "/nonsense"), ("GET", "/tenants/nowhere"), ("GET", "/tenants/contoso.com/colours/red")):
        with pytest.raises(ValueError, match="404"):
            api.admin.call(method, path)


def test_tenant_is_created_updated_and_deleted(start: Start) -> None:
    api = start()
    api.admin.change("contoso.com", smtp_client_authentication_disabled=False, security_defaults=True)
    assert api.rows("Get-TransportConfig")[0]["SmtpClientAuthenticationDisabled"] is False
    assert api.graph("GET", "/policies/identitySecurityDefaultsEnforcementPolicy").json()["isEnabled"] is True
    with pytest.raises(ValueError, match="must be true or false"):
        api.admin.change("contoso.com", security_defaults="yes")
    with pytest.raises(ValueError, match="not known here"):
        api.admin.change("contoso.com", colour="red")


def test_mailbox_is_created_updated_and_deleted(start: Start) -> None:
    api = start()
    changed = api.admin.change("contoso.com", "mailboxes", "ops@contoso.com", smtp_client_authentication_disabled=True, password="x")
    assert (changed["smtp_client_authentication_disabled"], changed["password"]) == (True, "x")
    row = api.rows("Get-CASMailbox", {"Identity": "ops@contoso.com"})[0]
    assert (row["SmtpClientAuthenticationDisabled"], row["Guid"]) == (True, changed["guid"])
    api.admin.put("contoso.com", "mailboxes", "new@contoso.com", kind="SharedMailbox", aliases=["newer@contoso.com"])
    assert api.rows("Get-Mailbox", {"Identity": "newer@contoso.com"})[0]["IsShared"] is True
    api.admin.delete("contoso.com", "mailboxes", "new@contoso.com")
    assert api.exchange("Get-Mailbox", {"Identity": "new@contoso.com"}).status_code == 404
    api.admin.change("contoso.com", "mailboxes", "ops@contoso.com", grants=[{"right": "SendAs", "trustee": "noreply@contoso.com"}])
    result = api.rows("Get-RecipientPermission", {"Identity": "ops", "Trustee": "noreply@contoso.com"})
    assert len(result) == 1


def test_connector_and_exchange_principal_are_created_and_deleted(start: Start) -> None:
    api = start()
    api.admin.put("contoso.com", "inbound_connectors", "Relay", SenderDomains=["*"], SenderIPAddresses=["203.0.113.10"])
    api.admin.change("contoso.com", "inbound_connectors", "relay", Enabled=False)
    row = api.rows("Get-InboundConnector", {"Identity": "Relay"})[0]
    assert (row["Enabled"], row["SenderDomains"], row["RequireTls"]) == (False, ["smtp:*;1"], False)
    api.admin.delete("contoso.com", "inbound_connectors", "Relay")
    assert api.rows("Get-InboundConnector") == []
    api.admin.put("contoso.com", "exchange_service_principals", app_id("reader"), display_name="by hand")
    assert api.rows("Get-ServicePrincipal")[0]["DisplayName"] == "by hand"
    api.admin.delete("contoso.com", "exchange_service_principals", app_id("reader"))
    assert api.rows("Get-ServicePrincipal") == []


def test_consent_is_granted_and_withdrawn(start: Start) -> None:
    api = start()
    roles = {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"], "directory_roles": []}
    api.admin.change("contoso.com", "applications", app_id("manager"), service_principal=roles)
    answer = api.exchange("Get-TransportConfig")
    assert answer.status_code == 401  # Exchange.ManageAsApp is gone
    api.admin.delete("contoso.com", "applications", app_id("reader"))
    expected = {"grant_type": "client_credentials", "client_id": app_id("reader"), "client_secret": "reader-secret", "scope": GRAPH}
    assert api.token_answer(**expected).json()["error_codes"] == [700016]


def test_requests_are_counted(start: Start) -> None:
    api = start()
    api.token("manager", GRAPH)
    api.token("manager", EXCHANGE)
    api.admin.reset_requests()
    api.graph("GET", "/organization")
    api.graph("POST", "/$batch", {"requests": [{"id": f"{n}", "method": "GET", "url": "/organization"} for n in range(3)]})
    api.exchange("Get-TransportConfig")
    item = {"id": "1", "method": "POST", "url": api.exchange_url(), "body": {"CmdletInput": {"CmdletName": "Get-TransportConfig"}}}
    api.exchange_post(api.exchange_url(what="$batch"), {"requests": [item]})
    assert api.admin.requests() == {TENANT: {"graph": 2, "graph_batched": 3, "exchange": 2, "exchange_batched": 1}}
    api.admin.reset_requests()
    assert api.admin.requests() == {}


def test_latency(start: Start) -> None:
    """A request of a slow service waits; those of another do not. No latency is as long as 1,000 s: it is ended."""
    api = start({"latency": {"exchange": 1000}})
    api.token("manager", GRAPH), api.token("manager", EXCHANGE)
    slow, fast = (lambda: api.exchange("Get-TransportConfig")), (lambda: api.graph("GET", "/organization"))
    with ThreadPoolExecutor(1) as pool:
        for latency in ({"exchange": 0, "graph": 1000}, {"exchange": 0, "graph": 0}):
            waiting = pool.submit(slow)
            assert fast().status_code == 200
            assert not wait([waiting], timeout=0.3).done
            api.admin.latency(**latency)
            assert waiting.result().status_code == 200
            slow, fast = fast, slow
    with pytest.raises(ValueError, match="give seconds"):
        api.admin.latency(nonsense=1)


def test_lag_can_be_set_while_running(start: Start) -> None:
    api = start()
    assert api.admin.lag(application=60) == {"application": 60}
    assert api.graph("GET", f"/applications/{api.new_application('late')['id']}").status_code == 404
    with pytest.raises(ValueError, match="give seconds"):
        api.admin.lag(nonsense=1)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_life_of_new_tokens_can_be_set_while_running(start: Start) -> None:
    api = start()
    form = {"grant_type": "client_credentials", "client_id": app_id("manager"), "client_secret": "manager-secret", "scope": GRAPH}
    assert api.token_answer(**form).json()["expires_in"] == 3599
    assert api.admin.token_lifetime(150) == {"seconds": 150}
    assert api.token_answer(**form).json()["expires_in"] == 150
    with pytest.raises(ValueError, match="a whole number"):
        api.admin.token_lifetime(0)


def test_record(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(record=record)
    api.graph("GET", "/applications?$top=5&$select=id")
    api.graph("POST", "/applications", {"displayName": "x", "passwordCredentials": [{"secretText": "hush"}]})
    api.graph("POST", "/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/organization"}]})
    delete = {"id": "1", "method": "DELETE", "url": "/applications/11111111-2222-4333-8444-555555555555"}
    api.graph("POST", "/$batch", {"requests": [delete]})
    api.exchange("Get-CASMailbox", {"Identity": "ops"})
    body = {"CmdletInput": {"CmdletName": "Set-CASMailbox", "Parameters": {"Identity": "ops", "PopEnabled": False}}}
    item = {"id": "1", "method": "POST", "url": api.exchange_url(), "body": body}
    api.exchange_post(api.exchange_url(what="$batch"), {"requests": [item]})
    result = lines(record)
    kinds = [(one["service"], one.get("method") or one.get("cmdlet"), one["write"], one["status"], one["tenant"]) for one in result]
    assert kinds == [
        ("graph", "GET", False, 200, TENANT),
        ("graph", "POST", True, 400, TENANT),
        ("graph", "POST", False, 200, TENANT),
        ("graph", "POST", True, 200, TENANT),
        ("exchange", "Get-CASMailbox", False, 200, TENANT),
        ("exchange", "Set-CASMailbox", True, 200, TENANT),
    ]
    assert (result[0]["path"], result[0]["query"], result[0]["body"]) == ("/v1.0/applications", "$top=5&$select=id", None)
    assert result[1]["body"]["passwordCredentials"][0]["secretText"] == "***"
    assert "hush" not in record.read_text()
    assert result[3]["body"]["requests"][0] == delete
    assert result[5]["parameters"] == {"Identity": "ops", "PopEnabled": False}


def session_of_a_faithful_client(api: Api) -> None:
    """What provisioning one sender asks for."""
    name = "/applications(uniqueName='mailops-sender')"
    expected = {
        "displayName": "SMTP sender",
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": [
            {
                "resourceAppId": "00000002-0000-0ff1-ce00-000000000000",
                "resourceAccess": [{"id": "7146a1f0-8703-45b3-9eae-527a64c00995", "type": "Role"}],
            }
        ],
    }
    application = api.graph("PATCH", name, expected, Prefer="create-if-missing").json()
    principal = api.graph(
        "PATCH", f"/servicePrincipals(appId='{application['appId']}')", {"tags": ["x"]}, Prefer="create-if-missing"
    ).json()
    exchange = api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')?$select=id,appRoles").json()
    grant = {"principalId": principal["id"], "resourceId": exchange["id"], "appRoleId": "7146a1f0-8703-45b3-9eae-527a64c00995"}
    assert api.graph("POST", f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo", grant).status_code == 201
    items = [
        {"id": "1", "method": "GET", "url": "/organization?$select=id,verifiedDomains"},
        {"id": "2", "method": "GET", "url": "/domains"},
    ]
    assert api.graph("POST", "/$batch", {"requests": items}).status_code == 200
    reference = {"AppId": application["appId"], "ObjectId": principal["id"], "DisplayName": "SMTP sender"}
    api.rows("New-ServicePrincipal", reference)
    api.rows("Get-CASMailbox", {"ResultSize": "Unlimited"})
    right = {"Identity": "noreply@contoso.com", "User": principal["id"], "AccessRights": ["FullAccess"], "InheritanceType": "All"}
    api.rows("Add-MailboxPermission", right | {"AutoMapping": False, "Confirm": False})
    body = {"Identity": "noreply@contoso.com", "SmtpClientAuthenticationDisabled": False}
    command = {"CmdletInput": {"CmdletName": "Set-CASMailbox", "Parameters": body}}
    item = {"id": "1", "method": "POST", "url": api.exchange_url(), "headers": {}, "body": command}
    assert api.exchange_post(api.exchange_url(what="$batch"), {"requests": [item]}).status_code == 200


def test_a_faithful_session_passes_the_published_contract(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(record=record)
    session_of_a_faithful_client(api)
    result = run_checker(record)
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "9 requests, 0 violations")
    api.exchange("Get-CASMailbox", {"Nonsense": 1})
    assert run_checker(record).returncode == 1


def test_messages(start: Start) -> None:
    raw = b"From: No Reply <noreply@contoso.com>\r\nSubject: Report\r\nMessage-ID: <1@contoso.com>\r\n\r\nbody\r\n"
    message = {
        "number": 1,
        "tenant_id": TENANT,
        "via": "submission",
        "mail_from": "noreply@contoso.com",
        "recipients": ["Boss@contoso.com"],
        "raw": base64.b64encode(raw).decode(),
        "authenticated_as": "noreply@contoso.com",
        "received": 5.0,
    }
    api = start(messages=[message])
    result = api.admin.messages(tenant="contoso.com", recipient="boss@contoso.com", message_id="1@contoso.com")
    assert len(result) == 1
    expected = {"number": 1, "tenant": TENANT, "via": "submission", "subject": "Report", "message_id": "<1@contoso.com>", "size": len(raw)}
    assert (
        expected | {"header_from": "No Reply <noreply@contoso.com>", "source": "", "app_id": None, "connector": None}
    ).items() <= result[0].items()
    assert api.admin.raw_message(1) == raw
    assert api.admin.messages(recipient="nobody@contoso.com") == []
    api.admin.delete_messages()
    assert api.admin.messages() == []


@pytest.mark.parametrize("service", ["token", "graph", "exchange", "smtp", "mx"])
def test_a_fault_that_a_service_does_not_have_is_refused(api: Api, service: str) -> None:
    with pytest.raises(ValueError, match="400"):
        api.admin.fault(service, "no-such-fault")
    assert api.admin.faults() == []
