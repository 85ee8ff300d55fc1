"""Cause and effect through the whole emulator: what the admin APIs change is what SMTP and MX go by."""

from __future__ import annotations

import smtplib
import ssl
from typing import Any

import pytest

from emulator.launcher import LaunchError
from tests.emulator.conftest import EXCHANGE, TENANT, Api, Start, app_id
from tests.emulator.smtp_lab import MESSAGE, OPS, reply_text, send, xoauth2_blob

SENDER = {
    "display_name": "sender",
    "secrets": [{"value": "sender-secret"}],
    "service_principal": {"app_roles": ["Office 365 Exchange Online/SMTP.SendAsApp"]},
}
FAST: dict[str, Any] = {"options": {"smtp": {"pace": False}}}


@pytest.fixture
def api(start: Start, state: dict[str, Any]) -> Api:
    applications = [*state["tenants"][0]["applications"], SENDER]
    return start(settings=FAST, tenant={"applications": applications, "smtp_client_authentication_disabled": True})


def connect(api: Api, *, mx: bool = False) -> smtplib.SMTP:
    cloud = api.emulator.cloud
    host, port = (cloud["mx_host"], cloud["mx_port"]) if mx else (cloud["smtp_host"], cloud["smtp_port"])
    client = smtplib.SMTP(host, port, "client.example.net", timeout=20)
    client.ehlo()
    client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
    client.ehlo()
    return client


def submit(api: Api, scope: str = EXCHANGE, message: bytes = MESSAGE) -> str:
    """The first reply that refuses the sender application's message, else the last one."""
    with connect(api) as client:
        answer = reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(OPS, api.token('sender', scope))}"))
        return send(client, message=message) if answer.startswith("235") else answer


def done(api: Api, cmdlet: str, **parameters: Any) -> None:
    answer = api.exchange(cmdlet, parameters)
    assert answer.status_code == 200, answer.text


def test_each_step_of_setting_up_a_sender_moves_the_refusal(api: Api) -> None:
    principal = api.graph("GET", f"/servicePrincipals(appId='{app_id('sender')}')").json()["id"]
    registration = api.graph("GET", f"/applications(appId='{app_id('sender')}')").json()["id"]

    assert submit(api).startswith("535 5.7.3 Authentication unsuccessful [")
    done(api, "New-ServicePrincipal", AppId=app_id("sender"), ObjectId=registration)
    assert submit(api).startswith("535 5.7.3 Authentication unsuccessful [")
    done(api, "Remove-ServicePrincipal", Identity=registration, Confirm=False)
    done(api, "New-ServicePrincipal", AppId=app_id("sender"), ObjectId=principal)
    assert submit(api).startswith("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. ")
    done(api, "Set-CASMailbox", Identity=OPS, SmtpClientAuthenticationDisabled=False)
    assert submit(api).startswith("430 4.2.0 STOREDRV; mailbox logon failure; ")
    done(api, "Add-MailboxPermission", Identity=OPS, User=principal, AccessRights=["FullAccess"])
    assert submit(api).startswith("250 2.0.0 OK <1@contoso.com>")
    (message,) = api.admin.messages(tenant="contoso.com")
    assert (message["via"], message["authenticated_as"], message["app_id"]) == ("submission", OPS, app_id("sender"))

    other = b"From: noreply@contoso.com\r\n\r\n"
    assert submit(api, message=other).startswith(f"554 5.2.252 SendAsDenied; {OPS} not allowed to send as noreply@contoso.com; ")
    done(api, "Add-RecipientPermission", Identity="noreply@contoso.com", Trustee=principal, AccessRights=["SendAs"], Confirm=False)
    assert submit(api, message=other).startswith("250 ")

    assert submit(api, "https://outlook.office.com/.default").startswith("535 5.7.3 ")
    assert submit(api, f"{api.emulator.cloud['exchange']}/.default").startswith("250 ")
    api.admin.advance(3600)
    assert submit(api).startswith("535 5.7.3 ")  # the token ended
    api.forget_tokens()
    assert submit(api).startswith("250 ")
    assert api.emulator.stderr() == ""


def test_replication_reaches_smtp_later(api: Api) -> None:
    principal = api.graph("GET", f"/servicePrincipals(appId='{app_id('sender')}')").json()["id"]
    api.admin.lag(exchange_service_principal=600, smtp_switch=1200, mailbox_grant=1800)
    done(api, "New-ServicePrincipal", AppId=app_id("sender"), ObjectId=principal)
    done(api, "Set-CASMailbox", Identity=OPS, SmtpClientAuthenticationDisabled=False)
    done(api, "Add-MailboxPermission", Identity=OPS, User=principal, AccessRights=["FullAccess"])
    seen = [submit(api)[:11]]
    for _ in range(3):
        api.admin.advance(601)
        seen.append(submit(api)[:11])
    assert seen == ["535 5.7.3 A", "535 5.7.139", "430 4.2.0 S", "250 2.0.0 O"]


def test_connectors_and_direct_send(start: Start) -> None:
    api = start(settings=FAST)
    with connect(api, mx=True) as client:
        assert send(client).startswith("550 5.7.64 TenantAttribution; ")
        assert send(client, recipients=(OPS,)).startswith("250 2.6.0 ")
        done(api, "Set-OrganizationConfig", RejectDirectSend=True)
        assert send(client, recipients=(OPS,)).startswith("550 5.7.68 TenantInboundAttribution; ")
        done(
            api,
            "New-InboundConnector",
            Name="By name",
            ConnectorType="OnPremises",
            SenderDomains=["*"],
            TlsSenderCertificateName="x.contoso.com",
        )
        assert send(client, recipients=(OPS,)).startswith("550 5.7.68 ")
        api.admin.put(
            "contoso.com", "inbound_connectors", "Relay", ConnectorType="OnPremises", SenderDomains=["*"], SenderIPAddresses=["127.0.0.1"]
        )
        assert send(client).startswith("250 2.6.0 ")
        assert send(client, sender="someone@example.org").startswith("550 5.7.64 Relay Access Denied ATTR36. ")
        done(api, "Remove-InboundConnector", Identity="Relay", Confirm=False)
        assert send(client).startswith("550 5.7.64 TenantAttribution; ")
    assert [(m["via"], m["connector"], m["tenant"]) for m in api.admin.messages()] == [
        ("direct-send", None, TENANT),
        ("connector", "Relay", TENANT),
    ]


def test_faults_ordered_through_the_admin_api(start: Start) -> None:
    api = start(settings=FAST)
    api.admin.fault("mx", "server_busy")
    api.admin.fault("mx", status=451, body="4.3.2 as ordered", match={"stage": "rcpt", "recipient": OPS})
    with connect(api, mx=True) as client:
        assert send(client).startswith("451 4.7.500 Server busy. Please try again later from [127.0.0.1]. (AS761)")
        assert send(client, recipients=(OPS,)) == "451 4.3.2 as ordered"
        assert send(client, recipients=(OPS,)).startswith("250 ")


def test_invalid_option_ends_the_start_with_an_error(start: Start) -> None:
    with pytest.raises(LaunchError, match=r"^settings\.options\.smtp\.speed: is not known here; known: "):
        start(settings={"options": {"smtp": {"speed": 1}}}, patience=120.0)  # a process of its own
