"""A user's token from the token endpoint, taken to smtp.office365.com; delegates through the Exchange admin API."""

from __future__ import annotations

import base64
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.emulator.conftest import Api, Start
from tests.emulator.test_delegated import ADA, signed_in, tenant

SHOP = "shop@contoso.com"
TABLE = "#Exchange.GenericHashTable"


@pytest.fixture
def api(start: Start) -> Api:
    shop = {"address": SHOP, "kind": "SharedMailbox", "display_name": "Web shop"}
    bob = {"address": "bob@contoso.com", "name": "Bob Berg", "aliases": ["robert@contoso.com"]}
    state = tenant()
    roles = ["Office 365 Exchange Online/Exchange.ManageAsApp"]
    manager = {
        "display_name": "manager",
        "secrets": [{"value": "manager-secret"}],
        "service_principal": {"app_roles": roles, "directory_roles": ["Exchange Administrator"]},
    }
    state |= {"smtp_client_authentication_disabled": False, "mailboxes": [*state["mailboxes"], shop, bob]}
    state["applications"].append(manager)
    return start({"device_code_interval": 1}, state)


def send(api: Api, bearer: str, message: EmailMessage, envelope: str = ADA) -> tuple[int, bytes]:
    cloud = api.emulator.cloud
    with smtplib.SMTP(cloud["smtp_host"], cloud["smtp_port"], "client.example.net", timeout=20) as client:
        client.ehlo()
        client.starttls(context=ssl.create_default_context(cafile=cloud["ca_file"]))
        client.ehlo()
        blob = base64.b64encode(f"user={ADA}\x01auth=Bearer {bearer}\x01\x01".encode()).decode()
        answer = client.docmd("AUTH", f"XOAUTH2 {blob}")
        if answer[0] != 235:
            return answer
        client.mail(envelope)
        client.rcpt("x@example.net")
        return client.data(message.as_bytes(policy=SMTP))


def message(sender: str, on_behalf_of: str = "") -> EmailMessage:
    result = EmailMessage()
    result["From"] = on_behalf_of or sender
    if on_behalf_of:
        result["Sender"] = sender
    result["To"], result["Subject"] = "x@example.net", "test"
    result.set_content("hello")
    return result


def test_from_the_device_code_to_the_message(api: Api) -> None:
    bearer = signed_in(api)["access_token"]
    assert send(api, bearer, message(ADA))[0] == 250
    denied = send(api, bearer, message(SHOP), SHOP)
    assert denied[1].startswith(b"5.2.252 SendAsDenied; ada@contoso.com not allowed to send as shop@contoso.com")
    api.rows("Add-RecipientPermission", {"Identity": SHOP, "Trustee": ADA, "AccessRights": ["SendAs"], "Confirm": False})
    assert send(api, bearer, message(SHOP), SHOP)[0] == 250
    stored = api.admin.messages(tenant="contoso.com")[-1]
    assert (stored["mail_from"], stored["header_from"], stored["authenticated_as"], stored["user"]) == (SHOP, SHOP, ADA, ADA)


def test_send_on_behalf_of_a_mailbox(api: Api) -> None:
    bearer = signed_in(api)["access_token"]
    api.rows("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": [ADA]})
    assert send(api, bearer, message(ADA, on_behalf_of=SHOP))[0] == 250
    number = api.admin.messages(tenant="contoso.com")[-1]["number"]
    raw = api.admin.raw_message(number)
    assert b"From: shop@contoso.com" in raw
    assert b"Sender: ada@contoso.com" in raw


def test_delegates_are_written_by_address_and_read_by_name(api: Api) -> None:
    assert api.rows("Get-Mailbox", {"Identity": SHOP})[0]["GrantSendOnBehalfTo"] == []
    api.rows("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": {"@odata.type": TABLE, "Add": ["robert@contoso.com", ADA]}})
    assert api.rows("Get-Mailbox", {"Identity": SHOP})[0]["GrantSendOnBehalfTo"] == ["Bob Berg", "ada"]
    again = api.exchange("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": {"@odata.type": TABLE, "Add": [ADA]}}).json()
    assert again["@adminapi.warnings"] == ["The command completed successfully but no settings of 'shop' have been modified."]
    api.rows("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": {"@odata.type": TABLE, "Remove": ["Bob Berg"]}})
    assert api.rows("Get-Mailbox", {"Identity": SHOP})[0]["GrantSendOnBehalfTo"] == ["ada"]
    assert [row["User"] for row in api.rows("Get-MailboxPermission", {"Identity": SHOP})] == ["NT AUTHORITY\\SELF"]
    unknown = api.exchange("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": ["nobody@contoso.com"]})
    assert "Couldn't find 'nobody@contoso.com' as a recipient." in unknown.text
    api.rows("Set-Mailbox", {"Identity": SHOP, "GrantSendOnBehalfTo": []})
    assert api.rows("Get-Mailbox", {"Identity": SHOP})[0]["GrantSendOnBehalfTo"] == []


def test_recipients_by_filter(api: Api) -> None:
    expected = "Alias -eq 'shop' -or Alias -eq 'nobody' -or EmailAddresses -eq 'smtp:robert@contoso.com'"
    rows = api.rows("Get-Recipient", {"Filter": expected, "ResultSize": "Unlimited"})
    assert [row["PrimarySmtpAddress"] for row in rows] == [SHOP, "bob@contoso.com"]
    assert api.rows("Get-Recipient", {"Identity": "Bob Berg"})[0]["RecipientTypeDetails"] == "UserMailbox"
    shared = api.rows("Get-Recipient", {"RecipientTypeDetails": ["SharedMailbox"], "Filter": "DisplayName -like 'web*'"})
    assert [row["Name"] for row in shared] == ["shop"]
    for wrong in ("Alias = 'shop'", "Nonsense -eq 'x'"):
        assert "Invalid filter syntax: " in api.exchange("Get-Recipient", {"Filter": wrong}).text
