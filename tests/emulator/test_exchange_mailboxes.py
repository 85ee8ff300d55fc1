"""Exchange: shared mailboxes are made, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Start

NEW = {"Name": "shop", "Alias": "shop", "DisplayName": "Web shop", "PrimarySmtpAddress": "Shop@contoso.com", "Shared": True}


def test_a_shared_mailbox_is_made_changed_and_removed(start: Start) -> None:
    api = start()
    [made] = api.rows("New-Mailbox", NEW)
    assert (made["PrimarySmtpAddress"], made["RecipientTypeDetails"]) == ("shop@contoso.com", "SharedMailbox")
    assert (made["DisplayName"], made["MessageCopyForSentAsEnabled"]) == ("Web shop", False)
    assert made["ExternalDirectoryObjectId"]
    [cas] = api.rows("Get-CASMailbox", {"Identity": "shop@contoso.com"})
    assert (cas["Guid"], cas["SmtpClientAuthenticationDisabled"]) == (made["Guid"], None)
    change = {"Identity": made["Guid"], "DisplayName": "Shop", "MessageCopyForSentAsEnabled": True}
    assert api.rows("Set-Mailbox", change) == []
    [read] = api.rows("Get-Mailbox", {"Identity": "shop@contoso.com"})
    assert (read["DisplayName"], read["MessageCopyForSentAsEnabled"]) == ("Shop", True)
    [stored] = [one for one in api.admin.tenant("contoso.com")["mailboxes"] if one["address"] == "shop@contoso.com"]
    assert stored["properties"] == {"MessageCopyForSentAsEnabled": True}
    assert "have been modified" in api.exchange("Set-Mailbox", change).json()["@adminapi.warnings"][0]
    again = start(tenant={"mailboxes": [stored]})
    assert again.rows("Get-Mailbox", {"Identity": made["Guid"]})[0]["MessageCopyForSentAsEnabled"] is True
    assert api.rows("Remove-Mailbox", {"Identity": made["Guid"], "Confirm": False}) == []
    assert api.exchange("Get-Mailbox", {"Identity": "shop@contoso.com"}).status_code == 404


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"PrimarySmtpAddress": "noreply@contoso.com"}, "ADObjectAlreadyExistsException"),
        ({"PrimarySmtpAddress": "no-reply@contoso.com"}, "ADObjectAlreadyExistsException"),
        ({"Name": "ops"}, "ADObjectAlreadyExistsException"),
        ({"PrimarySmtpAddress": "shop@elsewhere.example"}, "DataValidationException"),
        ({"Alias": "a b"}, "DataValidationException"),
        ({"Alias": ".shop"}, "DataValidationException"),
        ({"Name": " "}, "DataValidationException"),
        ({"Name": "shop "}, "DataValidationException"),
        ({"DisplayName": " Web shop"}, "DataValidationException"),
        ({"Shared": False}, "DataValidationException"),
        ({"FirstName": "Shop"}, "DataValidationException"),
    ],
)
def test_what_cannot_be_made_is_refused(start: Start, change: dict[str, Any], kind: str) -> None:
    answer = start().exchange("New-Mailbox", NEW | change)
    assert (answer.status_code, answer.headers["x-ExceptionType"]) == (400, kind)


def test_a_display_name_is_not_changed_to_one_with_a_blank_at_an_end(start: Start) -> None:
    answer = start().exchange("Set-Mailbox", {"Identity": "noreply@contoso.com", "DisplayName": "No reply\u00a0"})
    assert (answer.status_code, answer.headers["x-ExceptionType"]) == (400, "DataValidationException")


def addresses(row: dict[str, Any]) -> tuple[str, list[str], str]:
    return row["PrimarySmtpAddress"], row["EmailAddresses"], row["UserPrincipalName"]


def test_a_new_primary_address_keeps_the_user_principal_name(start: Start) -> None:
    api = start()
    [before] = api.rows("Get-Mailbox", {"Identity": "noreply@contoso.com"})
    entries = ["SMTP:Sales@contoso.com", "smtp:noreply@contoso.com"]
    assert api.rows("Set-Mailbox", {"Identity": before["Guid"], "EmailAddresses": entries}) == []
    for name in ("sales@contoso.com", "noreply@contoso.com", before["Guid"]):
        [after] = api.rows("Get-Mailbox", {"Identity": name})
        assert addresses(after) == ("sales@contoso.com", ["SMTP:sales@contoso.com", "smtp:noreply@contoso.com"], "noreply@contoso.com")
        assert after["WindowsEmailAddress"] == "sales@contoso.com"
    assert api.exchange("Get-Mailbox", {"Identity": "no-reply@contoso.com"}).status_code == 404, "the list replaces all addresses"
    assert api.rows("Get-User", {"Identity": "noreply@contoso.com"})[0]["WindowsEmailAddress"] == "sales@contoso.com"
    again = api.exchange("Set-Mailbox", {"Identity": before["Guid"], "EmailAddresses": entries}).json()
    assert "have been modified" in again["@adminapi.warnings"][0]
    [stored] = [one for one in api.admin.tenant("contoso.com")["mailboxes"] if one["address"] == "sales@contoso.com"]
    restarted = start(tenant={"mailboxes": [stored]})
    assert restarted.rows("Get-Mailbox", {"Identity": "sales@contoso.com"})[0]["UserPrincipalName"] == "noreply@contoso.com"


def test_addresses_are_added_and_removed(start: Start) -> None:
    api = start()
    table = {"@odata.type": "#Exchange.GenericHashTable", "Add": ["smtp:x@contoso.com"], "Remove": ["smtp:no-reply@contoso.com"]}
    assert api.rows("Set-Mailbox", {"Identity": "noreply@contoso.com", "EmailAddresses": table}) == []
    [row] = api.rows("Get-Mailbox", {"Identity": "x@contoso.com"})
    assert row["EmailAddresses"] == ["SMTP:noreply@contoso.com", "smtp:x@contoso.com"]


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        (["smtp:noreply@contoso.com"], "DataValidationException"),
        (["SMTP:noreply@contoso.com", "SMTP:x@contoso.com"], "DataValidationException"),
        (["SMTP:x@contoso.com", "smtp:X@contoso.com"], "DataValidationException"),
        (["SMTP:noreply@elsewhere.example"], "DataValidationException"),
        (["SMTP:ops@contoso.com"], "ADObjectAlreadyExistsException"),
        (["SMTP:noreply@contoso.com", "ops@contoso.com"], "ADObjectAlreadyExistsException"),
    ],
)
def test_addresses_that_a_mailbox_cannot_have_are_refused(start: Start, entries: list[str], kind: str) -> None:
    answer = start().exchange("Set-Mailbox", {"Identity": "noreply@contoso.com", "EmailAddresses": entries})
    assert (answer.status_code, answer.headers["x-ExceptionType"]) == (400, kind)


@pytest.mark.parametrize("parameter", ["PrimarySmtpAddress", "UserPrincipalName"])
def test_parameters_of_exchange_server_are_refused(start: Start, parameter: str) -> None:
    answer = start().exchange("Set-Mailbox", {"Identity": "noreply@contoso.com", parameter: "x@contoso.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize("cmdlet", ["Set-Mailbox", "Remove-Mailbox"])
def test_a_mailbox_that_is_not_there(start: Start, cmdlet: str) -> None:
    assert start().exchange(cmdlet, {"Identity": "nobody@contoso.com"}).headers["x-ExceptionType"] == "ManagementObjectNotFoundException"


def test_filters_hold_quotation_marks_doubled(start: Start) -> None:
    accounts = [{"address": "o'hara@contoso.com", "aliases": ["o'h@contoso.com"]}]
    api = start(tenant={"mailboxes": [{"address": "o'neil@contoso.com"}, {"address": "ops@contoso.com"}], "hve_accounts": accounts})
    [row] = api.rows("Get-Recipient", {"Filter": "EmailAddresses -eq 'smtp:O''Neil@contoso.com'"})
    assert (row["PrimarySmtpAddress"], row["RecipientTypeDetails"]) == ("o'neil@contoso.com", "UserMailbox")
    [row] = api.rows("Get-Recipient", {"Filter": "Alias -eq 'none' -or EmailAddresses -eq 'smtp:o''h@contoso.com'"})
    assert (row["PrimarySmtpAddress"], row["RecipientTypeDetails"]) == ("o'hara@contoso.com", "MailUser")
    assert len(api.rows("Get-User", {"Filter": "UserPrincipalName -eq 'o''neil@contoso.com'"})) == 1
    for cmdlet, name in (("Get-Recipient", "EmailAddresses"), ("Get-User", "UserPrincipalName")):
        answer = api.exchange(cmdlet, {"Filter": f"{name} -eq 'o'neil@contoso.com'"})
        assert answer.status_code == 400
        assert "Invalid filter syntax" in answer.text
