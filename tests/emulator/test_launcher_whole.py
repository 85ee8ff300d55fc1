"""One state behind all services: what is done through Graph and Exchange decides what SMTP answers."""

from __future__ import annotations

import base64
import smtplib
import ssl

import pytest

from tests.emulator.conftest import EXCHANGE, Api, Start

EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"
MESSAGE = b"From: noreply@contoso.com\r\nTo: boss@example.org\r\nSubject: Report\r\nMessage-ID: <whole@contoso.com>\r\n\r\nbody\r\n"


def provisioned(api: Api) -> tuple[str, str]:
    """An application that may send, consented to and known to Exchange; its client id and secret."""
    principal = api.new_principal("whole")
    application = api.graph("GET", f"/applications(appId='{principal['appId']}')").json()
    secret = api.graph("POST", f"/applications/{application['id']}/addPassword", {}).json()["secretText"]
    resource = api.graph("GET", f"/servicePrincipals(appId='{EXCHANGE_APP}')").json()
    role = next(one["id"] for one in resource["appRoles"] if one["value"] == "SMTP.SendAsApp")
    grant = {"principalId": principal["id"], "resourceId": resource["id"], "appRoleId": role}
    assert api.graph("POST", f"/servicePrincipals/{resource['id']}/appRoleAssignedTo", grant).status_code == 201
    api.rows("New-ServicePrincipal", {"AppId": principal["appId"], "ObjectId": principal["id"]})
    api.rows("Add-MailboxPermission", {"Identity": "noreply", "User": principal["id"], "AccessRights": ["FullAccess"]})
    return principal["appId"], secret


def send(api: Api, token: str) -> None:
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        response = base64.b64encode(f"user=noreply@contoso.com\x01auth=Bearer {token}\x01\x01".encode()).decode()
        code, text = client.docmd("AUTH", f"XOAUTH2 {response}")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, text)
        client.sendmail("noreply@contoso.com", ["boss@example.org"], MESSAGE)


def test_smtp_reply_follows_the_smtp_auth_setting_of_a_mailbox(start: Start) -> None:
    api = start({"lag": {"smtp_switch": 60}})
    api.admin.stop_clock()
    client_id, secret = provisioned(api)

    def token() -> str:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": EXCHANGE}
        return str(api.token_answer(**form).json()["access_token"])

    with pytest.raises(smtplib.SMTPAuthenticationError, match="SmtpClientAuthentication is disabled for the Tenant"):
        send(api, token())
    api.exchange("Set-CASMailbox", {"Identity": "noreply", "SmtpClientAuthenticationDisabled": False})
    with pytest.raises(smtplib.SMTPAuthenticationError, match="disabled for the Tenant"):
        send(api, token())  # not yet
    api.admin.advance(61)
    send(api, token())
    message = api.admin.messages(message_id="whole@contoso.com")[0]
    assert (message["authenticated_as"], message["app_id"], message["via"]) == ("noreply@contoso.com", client_id, "submission")
    assert b"Subject: Report" in api.admin.raw_message(message["number"])
