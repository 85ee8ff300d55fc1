"""Exchange: what the cmdlets do, and how what they read back differs from what was written."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.emulator.conftest import Api, Start, app_id

SELF = "NT AUTHORITY\\SELF"
OBJECT_ID = "22222222-0000-4000-8000-00000000000b"


def refused(answer: requests.Response) -> tuple[int, str, str]:
    """Status, exception type and text; the shape of the whole body is checked on the way."""
    body = answer.json()
    assert body["@adminapi.warnings"] == []
    error = body["error"]
    assert error["code"] in ("BadRequest", "NotFound", "Forbidden", "InternalServerError")
    assert error["innererror"]["type"] == "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"
    _, kind, text = error["details"][0]["message"].split("|", 2)
    assert error["innererror"]["internalexception"]["message"] == text
    assert answer.headers["x-ExceptionType"] == kind.rpartition(".")[2]
    return answer.status_code, kind.rpartition(".")[2], text


def warnings_of(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["value"] == []
    return list(answer.json()["@adminapi.warnings"])


def test_transport_config(start: Start) -> None:
    api = start()
    before = api.rows("Get-TransportConfig")[0]
    assert before["SmtpClientAuthenticationDisabled"] is True
    assert before["Identity"] == "Transport Settings"
    assert len(before) > 80
    change = {"SmtpClientAuthenticationDisabled": False, "Confirm": False}
    assert warnings_of(api.exchange("Set-TransportConfig", change)) == []
    assert api.rows("Get-TransportConfig")[0]["SmtpClientAuthenticationDisabled"] is False
    assert api.admin.tenant("contoso.com")["smtp_client_authentication_disabled"] is False
    assert "no settings of 'Transport Settings' have been modified" in warnings_of(api.exchange("Set-TransportConfig", change))[0]
    assert warnings_of(api.exchange("Set-TransportConfig", {"ReplyAllStormProtectionEnabled": False})) == []
    assert api.rows("Get-TransportConfig")[0]["ReplyAllStormProtectionEnabled"] is False


def test_organization_config(start: Start) -> None:
    api = start()
    before = api.rows("Get-OrganizationConfig")[0]
    assert (before["RejectDirectSend"], before["DisplayName"]) == (False, "Contoso")
    assert warnings_of(api.exchange("Set-OrganizationConfig", {"RejectDirectSend": True, "Confirm": False})) == []
    assert api.rows("Get-OrganizationConfig")[0]["RejectDirectSend"] is True
    assert api.admin.tenant("contoso.com")["reject_direct_send"] is True
    assert len(warnings_of(api.exchange("Set-OrganizationConfig", {"RejectDirectSend": True}))) == 1


def test_accepted_domains(api: Api) -> None:
    domains = {row["DomainName"]: row for row in api.rows("Get-AcceptedDomain")}
    assert domains.keys() == {"contoso.onmicrosoft.com", "contoso.com"}
    assert domains["contoso.com"]["Default"] is True
    assert domains["contoso.onmicrosoft.com"]["InitialDomain"] is True


def test_cas_mailbox_switch_has_three_states(start: Start) -> None:
    api = start()

    def switch() -> Any:
        return api.rows("Get-CASMailbox", {"Identity": "no-reply@contoso.com"})[0]["SmtpClientAuthenticationDisabled"]

    guid = api.rows("Get-CASMailbox", {"Identity": "noreply@contoso.com"})[0]["Guid"]
    assert switch() is None
    for value in (False, True, None):
        change = {"Identity": guid, "SmtpClientAuthenticationDisabled": value, "Confirm": False}
        assert warnings_of(api.exchange("Set-CASMailbox", change)) == []
        assert switch() is value
        assert "no settings of 'noreply'" in warnings_of(api.exchange("Set-CASMailbox", change))[0]
    assert warnings_of(api.exchange("Set-CASMailbox", {"Identity": guid, "PopEnabled": False})) == []
    assert api.rows("Get-CASMailbox", {"Identity": guid})[0]["PopEnabled"] is False


def test_mailbox_names(api: Api) -> None:
    mailbox = api.rows("Get-Mailbox", {"Identity": "noreply@contoso.com"})[0]
    for name in ("noreply", "No Reply", "NO-REPLY@contoso.com", mailbox["Guid"], mailbox["ExternalDirectoryObjectId"]):
        assert api.rows("Get-CASMailbox", {"Identity": name})[0]["PrimarySmtpAddress"] == "noreply@contoso.com"
    assert (mailbox["RecipientTypeDetails"], mailbox["IsShared"]) == ("SharedMailbox", True)
    assert mailbox["EmailAddresses"] == ["SMTP:noreply@contoso.com", "smtp:no-reply@contoso.com"]
    shared = api.rows("Get-Mailbox", {"RecipientTypeDetails": ["sharedmailbox"], "ResultSize": "Unlimited"})
    assert [row["Name"] for row in shared] == ["noreply"]


@pytest.mark.parametrize(
    ("cmdlet", "identity", "text"),
    [
        ("Get-CASMailbox", {}, "couldn't be found on 'DB8PR01A001DC01"),
        ("Set-CASMailbox", {"PopEnabled": False}, "couldn't be found on"),
        ("Get-MailboxPermission", {}, 'The specified mailbox Identity:"nobody" doesn\'t exist.'),
        ("Get-RecipientPermission", {}, "Couldn't find 'nobody' as a recipient."),
        ("Get-ServicePrincipal", {}, "couldn't be found"),
        ("Get-InboundConnector", {}, "couldn't be found"),
        ("Remove-InboundConnector", {}, "couldn't be found"),
    ],
)
def test_missing_objects_are_not_found(api: Api, cmdlet: str, identity: dict[str, Any], text: str) -> None:
    status, kind, result = refused(api.exchange(cmdlet, {"Identity": "nobody"} | identity))
    assert (status, kind) == (404, "ManagementObjectNotFoundException")
    assert text in result


def test_service_principal_life(start: Start) -> None:
    api = start()
    expected = {"AppId": app_id("manager"), "ObjectId": OBJECT_ID, "DisplayName": "SMTP sender"}
    created = api.rows("New-ServicePrincipal", expected)[0]  # the object ID does not exist in Entra, which Exchange does not check
    assert expected.items() <= created.items()
    assert created["Identity"] == created["Name"] == OBJECT_ID
    assert created["Sid"].startswith("S-1-5-21-")
    status, kind, text = refused(api.exchange("New-ServicePrincipal", expected))
    assert (status, kind) == (400, "ADObjectAlreadyExistsException")
    assert "already exist" in text
    for name in (OBJECT_ID, app_id("manager"), "smtp sender"):
        assert api.rows("Get-ServicePrincipal", {"Identity": name}) == [created]
    assert warnings_of(api.exchange("Set-ServicePrincipal", {"Identity": OBJECT_ID, "DisplayName": "New"})) == []
    assert api.rows("Get-ServicePrincipal")[0]["DisplayName"] == "New"
    assert warnings_of(api.exchange("Remove-ServicePrincipal", {"Identity": OBJECT_ID, "Confirm": False})) == []
    assert api.rows("Get-ServicePrincipal") == []
    older = api.exchange("New-ServicePrincipal", {"AppId": app_id("manager"), "ServiceId": OBJECT_ID}).json()
    assert "depreciated" in older["@adminapi.warnings"][0]
    assert refused(api.exchange("New-ServicePrincipal", {"AppId": "x", "ObjectId": "y"}))[0] == 400


def test_mailbox_permission_of_a_service_principal(start: Start) -> None:
    api = start()
    sid = api.rows("New-ServicePrincipal", {"AppId": app_id("manager"), "ObjectId": OBJECT_ID})[0]["Sid"]
    grant = {"Identity": "noreply", "User": OBJECT_ID, "AccessRights": ["FullAccess"], "InheritanceType": "All", "AutoMapping": False}
    entry = api.rows("Add-MailboxPermission", grant)[0]
    assert (entry["User"], entry["AccessRights"]) == (sid, ["FullAccess"])
    again = api.exchange("Add-MailboxPermission", grant).json()
    assert "is already present on the object" in again["@adminapi.warnings"][0]
    rows = {row["User"]: row for row in api.rows("Get-MailboxPermission", {"Identity": "noreply"})}
    assert rows.keys() == {SELF, sid}
    assert rows[SELF]["AccessRights"] == ["FullAccess, ReadPermission"]
    assert (rows[sid]["UserSid"], rows[sid]["IsInherited"], rows[sid]["Deny"]) == (sid, False, False)
    assert [row["User"] for row in api.rows("Get-MailboxPermission", {"Identity": "noreply", "User": app_id("manager")})] == [sid]
    more = {"Identity": "noreply", "User": sid, "AccessRights": "ReadPermission"}
    assert api.rows("Add-MailboxPermission", more)[0]["AccessRights"] == ["FullAccess, ReadPermission"]
    removal = {"Identity": "noreply", "User": sid, "AccessRights": ["FullAccess", "ReadPermission"], "Confirm": False}
    assert warnings_of(api.exchange("Remove-MailboxPermission", removal)) == []
    assert "the ACE doesn't exist on the object" in warnings_of(api.exchange("Remove-MailboxPermission", removal))[0]
    assert [row["User"] for row in api.rows("Get-MailboxPermission", {"Identity": "noreply"})] == [SELF]
    assert "wasn't found" in refused(api.exchange("Add-MailboxPermission", grant | {"User": "nobody"}))[2]


def test_removed_service_principal_leaves_its_sid_in_permissions(start: Start) -> None:
    api = start()
    sid = api.rows("New-ServicePrincipal", {"AppId": app_id("manager"), "ObjectId": OBJECT_ID})[0]["Sid"]
    api.rows("Add-MailboxPermission", {"Identity": "ops", "User": OBJECT_ID, "AccessRights": ["FullAccess"]})
    api.exchange("Remove-ServicePrincipal", {"Identity": OBJECT_ID})
    assert sid in [row["User"] for row in api.rows("Get-MailboxPermission", {"Identity": "ops"})]


def test_recipient_permission(start: Start) -> None:
    api = start()
    grant = {"Identity": "noreply", "Trustee": "ops@contoso.com", "AccessRights": ["SendAs"], "Confirm": False}
    entry = api.rows("Add-RecipientPermission", grant)[0]
    assert (entry["Trustee"], entry["AccessRights"], entry["AccessControlType"]) == ("ops@contoso.com", ["SendAs"], "Allow")
    assert "already present" in api.exchange("Add-RecipientPermission", grant).json()["@adminapi.warnings"][0]
    result = api.rows("Get-RecipientPermission", {"Trustee": "ops@contoso.com", "ResultSize": "Unlimited"})
    assert [(row["Identity"], row["Trustee"]) for row in result] == [("noreply", "ops@contoso.com")]
    everybody = api.rows("Get-RecipientPermission", {"ResultSize": "Unlimited"})
    assert len(everybody) == 28  # SELF of 27 mailboxes, and the one above
    with_address = api.rows("Get-RecipientPermission", {"Identity": "noreply", "IncludeTrusteeWithPrimarySmtpAddress": True})
    assert "ops@contoso.com" in [row["TrusteeWithPrimarySmtpAddress"] for row in with_address]
    assert (
        refused(api.exchange("Add-RecipientPermission", grant | {"AccessRights": ["FullAccess"]}))[1] == "ParameterTransformationException"
    )
    assert warnings_of(api.exchange("Remove-RecipientPermission", grant)) == []
    assert "the ACE isn't present" in warnings_of(api.exchange("Remove-RecipientPermission", grant))[0]


def test_inbound_connector_life(start: Start) -> None:
    api = start()
    expected = {
        "Name": "Office relay",
        "ConnectorType": "OnPremises",
        "SenderDomains": ["*"],
        "SenderIPAddresses": ["203.0.113.10", "198.51.100.0/24"],
        "RestrictDomainsToIPAddresses": True,
        "RequireTls": True,
    }
    created = api.rows("New-InboundConnector", expected)[0]
    assert created["SenderDomains"] == ["smtp:*;1"]
    assert (created["Enabled"], created["ConnectorSource"], created["Identity"]) == (True, "Default", "Office relay")
    assert refused(api.exchange("New-InboundConnector", expected))[1] == "ADObjectAlreadyExistsException"
    change = {
        "Identity": created["Guid"],
        "SenderIPAddresses": {"@odata.type": "#Exchange.GenericHashTable", "Add": ["203.0.113.11"], "Remove": ["198.51.100.0/24"]},
        "Comment": "building 7",
        "Confirm": False,
    }
    assert warnings_of(api.exchange("Set-InboundConnector", change)) == []
    changed = api.rows("Get-InboundConnector", {"Identity": "office RELAY"})[0]
    assert (changed["SenderIPAddresses"], changed["Comment"]) == (["203.0.113.10", "203.0.113.11"], "building 7")
    assert len(warnings_of(api.exchange("Set-InboundConnector", change))) == 1
    same = {"Identity": "Office relay", "SenderDomains": ["smtp:*;1"]}
    assert "no settings" in warnings_of(api.exchange("Set-InboundConnector", same))[0]
    assert warnings_of(api.exchange("Set-InboundConnector", {"Identity": "Office relay", "Name": "Relay"})) == []
    assert warnings_of(api.exchange("Remove-InboundConnector", {"Identity": "Relay", "Confirm": False})) == []
    assert api.rows("Get-InboundConnector") == []


@pytest.mark.parametrize(
    "change",
    [
        {"SenderIPAddresses": ["10.1.2.3"]},
        {"SenderIPAddresses": ["192.168.0.0/24"]},
        {"SenderIPAddresses": ["203.0.113.0/23"]},
        {"SenderIPAddresses": ["2001:db8::1"]},
        {"SenderIPAddresses": ["relay.contoso.com"]},
        {"SenderDomains": []},
        {"SenderDomains": ["no domain"]},
        {"RestrictDomainsToIPAddresses": True},
        {"RestrictDomainsToCertificate": True},
        {"TlsSenderCertificateName": "not a name"},
        {"TreatMessagesAsInternal": True},
        {"TreatMessagesAsInternal": True, "ConnectorType": "OnPremises", "CloudServicesMailEnabled": True},
    ],
)
def test_bad_connectors(api: Api, change: dict[str, Any]) -> None:
    answer = api.exchange("New-InboundConnector", {"Name": "bad", "SenderDomains": ["*"]} | change)
    assert refused(answer)[:2] == (400, "DataValidationException")
    assert "bad" not in [row["Name"] for row in api.rows("Get-InboundConnector")]


def test_subscription_without_connectors_creates_them_disabled(start: Start) -> None:
    api = start(tenant={"connectors_disabled_by_offer": True})
    answer = api.exchange("New-InboundConnector", {"Name": "r", "SenderDomains": ["*"], "ConnectorType": "OnPremises"}).json()
    assert "created in a disabled state" in answer["@adminapi.warnings"][0]
    assert answer["value"][0]["Enabled"] is False
    assert "can't enable" in warnings_of(api.exchange("Set-InboundConnector", {"Identity": "r", "Enabled": True}))[0]
    assert api.rows("Get-InboundConnector")[0]["Enabled"] is False


def test_smtp_auth_setting_reaches_smtp_after_its_delay(start: Start) -> None:
    api = start({"lag": {"smtp_switch": 600}})
    api.exchange("Set-CASMailbox", {"Identity": "ops", "SmtpClientAuthenticationDisabled": True})
    mailbox = next(m for m in api.admin.tenant("contoso.com")["mailboxes"] if m["address"] == "ops@contoso.com")
    assert mailbox["smtp_client_authentication_disabled"] is True
    assert mailbox["replicating"]["smtp_client_authentication_disabled"]["value"] is None
