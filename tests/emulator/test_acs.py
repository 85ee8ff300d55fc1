"""Azure Communication Services Email: Azure Resource Manager, and what smtp.azurecomm.net answers to what is set there."""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
from typing import Any

import pytest
import requests

from tests.emulator.conftest import TENANT, Api, Start, app_id
from tests.emulator.smtp_lab import reply_text, send, xoauth2_blob

SUBSCRIPTION = "/subscriptions/44444444-0000-4000-8000-000000000001"
SERVICE = f"{SUBSCRIPTION}/resourceGroups/mail/providers/Microsoft.Communication/communicationServices/contoso-mail"
USERNAME = "invoices@contoso.com"
MESSAGE = b"From: Invoices <invoices@contoso.com>\r\nTo: x@example.net\r\nMessage-ID: <1@contoso.com>\r\n\r\nhello\r\n"
SENDER = {"display_name": "sender", "secrets": [{"value": "sender-secret"}], "service_principal": {}}
EMAIL_OWNER = "09976791-48a7-449e-bb21-39d1a415f350"
PLACE = {"subscription": SUBSCRIPTION.rpartition("/")[2], "resource_group": "mail"}
AZURE = {
    "email_domains": [
        {**PLACE, "service": "contoso-email", "name": "contoso.com", "senders": ["invoices", "donotreply"]},
        {**PLACE, "service": "contoso-email", "name": "pending.example", "verified": False, "senders": ["invoices"]},
    ],
    "communication_services": [{**PLACE, "name": "contoso-mail", "linked_domains": ["contoso.com", "pending.example"]}],
    "role_assignments": [{"role": "Owner", "scope": SUBSCRIPTION, "principal": app_id("manager")}],
}
BODY = {"properties": {"username": USERNAME, "entraApplicationId": app_id("sender"), "tenantId": TENANT}}


@pytest.fixture
def api(start: Start, state: dict[str, Any]) -> Api:
    return start(tenant={"applications": [*state["tenants"][0]["applications"], SENDER], "azure": AZURE})


def arm(
    api: Api, method: str, path: str, body: Any = None, app: str = "manager", query: str = "api-version=2025-09-01"
) -> requests.Response:
    token = api.token(app, "https://management.azure.com/.default")
    url = f"{api.emulator.cloud['management']}{path}?{query}"
    return api.session.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"})


def grant(api: Api) -> requests.Response:
    principal = api.graph("GET", f"/servicePrincipals(appId='{app_id('sender')}')").json()["id"]
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{EMAIL_OWNER}"
    body = {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}}
    name = "55555555-0000-4000-8000-000000000001"
    return arm(api, "PUT", f"{SERVICE}/providers/Microsoft.Authorization/roleAssignments/{name}", body)


def connect(api: Api) -> smtplib.SMTP:
    client = smtplib.SMTP(api.emulator.cloud["acs_host"], api.emulator.cloud["acs_port"], "client.example.net", timeout=20)
    client.ehlo()
    client.starttls(context=ssl.create_default_context(cafile=api.emulator.cloud["ca_file"]))
    client.ehlo()
    return client


def submit(api: Api, user: str = USERNAME, secret: str = "sender-secret", **envelope: Any) -> str:  # noqa: S107 (made for this test)
    with connect(api) as client:
        client.user, client.password = user, secret
        try:
            client.auth("LOGIN", client.auth_login, initial_response_ok=False)
        except smtplib.SMTPAuthenticationError as error:
            return f"{error.smtp_code} {bytes(error.smtp_error).decode()}"
        return send(client, **{"sender": USERNAME, "message": MESSAGE} | envelope)


def test_each_step_of_setting_up_a_username_moves_the_refusal(api: Api) -> None:
    assert submit(api).startswith("535 5.7.3 ")
    assert arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY).status_code == 201
    assert submit(api).startswith("535 5.7.3 ")  # no role yet
    assert grant(api).status_code == 201
    assert submit(api).startswith("250 2.0.0 OK <1@contoso.com>")
    [message] = api.admin.messages(tenant="contoso.com")
    assert (message["via"], message["authenticated_as"], message["app_id"]) == ("acs", USERNAME, app_id("sender"))
    assert submit(api, secret="another").startswith("535 5.7.3 ")
    assert submit(api, user=f"contoso-mail|{app_id('sender')}|{TENANT}").startswith("250 ")
    with connect(api) as client:
        token = api.token("sender", "https://communication.azure.com/.default")
        assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(USERNAME, token)}")).startswith("235 ")
    assert arm(api, "DELETE", f"{SERVICE}/smtpUsernames/invoices").status_code == 200
    assert submit(api).startswith("535 5.7.3 ")
    assert api.emulator.stderr() == ""


def test_what_may_be_sent(api: Api) -> None:
    api.admin.stop_clock()
    arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY)
    grant(api)
    assert "Invalid email sender username: 'boss'" in submit(api, sender="boss@contoso.com")
    assert submit(api, sender="invoices@pending.example").endswith("has not been linked.")
    assert submit(api, message=MESSAGE.replace(b"invoices@", b"boss@")).startswith("550 5.7.60 ")
    assert submit(api, recipients=("x@example.net",) * 51).startswith("452 4.5.3 ")
    assert submit(api, message=MESSAGE + b"x" * 78 * (10 * 1024 * 1024 // 78)).startswith("552 5.3.4 ")
    answers = [submit(api)[:12] for _ in range(31)]
    assert answers == ["250 2.0.0 OK"] * 30 + ["450 4.5.127 "]
    api.admin.advance(61)
    assert submit(api).startswith("250 ")


def test_resource_manager_lists_reads_and_refuses(api: Api) -> None:
    service = arm(api, "GET", SERVICE).json()
    assert service["properties"]["provisioningState"] == "Succeeded"
    first, second = service["properties"]["linkedDomains"]
    assert arm(api, "GET", second).json()["properties"]["verificationStates"]["Domain"]["status"] == "NotStarted"
    senders = arm(api, "GET", f"{first}/senderUsernames").json()["value"]
    assert [one["properties"]["username"] for one in senders] == ["invoices", "donotreply"]
    assert arm(api, "GET", f"{SERVICE}/smtpUsernames/none").json()["error"]["code"] == "ResourceNotFound"
    arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY)
    assert arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY).status_code == 200
    assert [one["name"] for one in arm(api, "GET", f"{SERVICE}/smtpUsernames").json()["value"]] == ["invoices"]
    assert arm(api, "PUT", f"{SERVICE}/smtpUsernames/other", BODY).json()["error"]["code"] == "Conflict"
    grant(api)
    assert grant(api).json()["error"]["code"] == "RoleAssignmentExists"
    assert arm(api, "GET", SERVICE, query="").json()["error"]["code"] == "MissingApiVersionParameter"
    assert arm(api, "GET", SERVICE, app="reader").json()["error"]["code"] == "AuthorizationFailed"
    wrong = api.session.get(f"{api.emulator.cloud['management']}{SERVICE}", headers={"Authorization": "Bearer x"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("change", [{"username": ""}, {"tenantId": "contoso"}, {"password": "x"}])
def test_a_malformed_username_is_refused(api: Api, change: dict[str, str]) -> None:
    answer = arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", {"properties": BODY["properties"] | change})
    assert answer.status_code == 400


def test_what_azure_has_is_kept(api: Api, start: Start) -> None:
    arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY)
    kept = api.admin.tenant("contoso.com")
    again = start(tenant={name: kept[name] for name in ("applications", "azure")})
    assert again.admin.tenant("contoso.com")["azure"] == kept["azure"]


def test_swaks_by_login(api: Api) -> None:
    swaks = shutil.which("swaks")
    if swaks is None:
        pytest.skip("swaks is not installed: it is the package swaks")
    arm(api, "PUT", f"{SERVICE}/smtpUsernames/invoices", BODY)
    grant(api)
    port = str(api.emulator.cloud["acs_port"])
    common = [swaks, "--server", "localhost", "--port", port, "--ehlo", "client.example.net", "--tls", "--from", USERNAME]
    who = ["--to", "x@example.net", "--auth", "LOGIN", "--auth-user", USERNAME, "--auth-password", "sender-secret"]
    done = subprocess.run([*common, *who, "--header", f"From: {USERNAME}"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
