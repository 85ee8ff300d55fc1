"""Exchange: authentication policies, who has which, and the organization's default."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.conftest import Api, Start

POLICY = {"Name": "Closed"}
CUSTOMIZED = {"dehydrated": False}


def warned(api: Api, cmdlet: str, parameters: dict[str, Any]) -> bool:
    answer = api.exchange(cmdlet, parameters)
    assert answer.status_code == 200, answer.text
    return any("no settings of" in text for text in answer.json()["@adminapi.warnings"])


def kind(api: Api, cmdlet: str, parameters: dict[str, Any]) -> tuple[int, str]:
    answer = api.exchange(cmdlet, parameters)
    return answer.status_code, answer.headers["x-ExceptionType"]


def test_a_policy_is_made_changed_and_removed(start: Start) -> None:
    api = start(tenant=CUSTOMIZED)
    [made] = api.rows("New-AuthenticationPolicy", {"Name": "Printers", "AllowBasicAuthSmtp": True})
    allowed = {name for name, value in made.items() if name.startswith("AllowBasicAuth") and value}
    assert (made["Name"], allowed) == ("Printers", {"AllowBasicAuthSmtp"})
    assert not any(value for name, value in api.rows("New-AuthenticationPolicy", POLICY)[0].items() if name.startswith("Allow"))
    assert kind(api, "New-AuthenticationPolicy", {"Name": "PRINTERS"}) == (400, "ADObjectAlreadyExistsException")
    assert kind(api, "New-AuthenticationPolicy", {"Name": " "}) == (400, "DataValidationException")
    assert [one["Name"] for one in api.rows("Get-AuthenticationPolicy")] == ["Printers", "Closed"]
    for name in ("printers", made["Guid"], made["DistinguishedName"]):
        assert api.rows("Get-AuthenticationPolicy", {"Identity": name}) == [made]
    assert not warned(api, "Set-AuthenticationPolicy", {"Identity": "Printers", "AllowBasicAuthPop": True, "AllowBasicAuthSmtp": False})
    [changed] = api.rows("Get-AuthenticationPolicy", {"Identity": "Printers"})
    assert (changed["AllowBasicAuthPop"], changed["AllowBasicAuthSmtp"]) == (True, False)
    assert warned(api, "Set-AuthenticationPolicy", {"Identity": "Printers", "AllowBasicAuthPop": True})
    assert api.rows("Remove-AuthenticationPolicy", {"Identity": "Printers", "Confirm": False}) == []
    assert kind(api, "Remove-AuthenticationPolicy", {"Identity": "Printers"}) == (404, "ManagementObjectNotFoundException")


def test_policy_of_a_user_is_set_and_cleared_by_null(start: Start) -> None:
    api = start(tenant={"policies": {"authentication": [{"name": "Closed"}, {"name": "Open", "allow_basic_auth_smtp": True}]}})
    [before] = api.rows("Get-User", {"Identity": "ops@contoso.com"})
    assert (before["AuthenticationPolicy"], before["RecipientTypeDetails"]) == (None, "UserMailbox")
    assert not warned(api, "Set-User", {"Identity": before["Guid"], "AuthenticationPolicy": "closed"})
    assert warned(api, "Set-User", {"Identity": before["Guid"], "AuthenticationPolicy": "Closed"})
    [after] = api.rows("Get-User", {"Identity": before["ExternalDirectoryObjectId"]})
    assert after["AuthenticationPolicy"] == api.rows("Get-AuthenticationPolicy", {"Identity": "Closed"})[0]["DistinguishedName"]
    own = f"AuthenticationPolicy -eq '{after['AuthenticationPolicy']}'"
    assert [one["UserPrincipalName"] for one in api.rows("Get-User", {"Filter": own})] == ["ops@contoso.com"]
    shared = "AuthenticationPolicy -eq $null -and RecipientTypeDetails -ne 'UserMailbox'"
    assert [one["Name"] for one in api.rows("Get-User", {"Filter": shared})] == ["noreply"]
    assert kind(api, "Remove-AuthenticationPolicy", {"Identity": "Closed"}) == (400, "DataValidationException")
    assert not warned(api, "Set-User", {"Identity": "ops@contoso.com", "AuthenticationPolicy": None})
    assert api.rows("Get-User", {"Identity": "ops"})[0]["AuthenticationPolicy"] is None


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "expected"),
    [
        ("Get-User", {"Identity": "nobody@contoso.com"}, "ManagementObjectNotFoundException"),
        ("Get-User", {"Identity": "no-reply@contoso.com"}, "ManagementObjectNotFoundException"),  # an alias is no user's name
        ("Get-User", {"Filter": "Colour -eq 'red'"}, "DataValidationException"),
        ("Get-User", {"Filter": "AuthenticationPolicy"}, "DataValidationException"),
        ("Set-User", {"Identity": "ops@contoso.com", "AuthenticationPolicy": "None such"}, "ManagementObjectNotFoundException"),
        ("Set-User", {"Identity": "ops@contoso.com", "City": "Lyon"}, "DataValidationException"),
        ("Set-User", {"AuthenticationPolicy": None}, "AmbiguousParameterSetException"),
        ("Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "None such"}, "ManagementObjectNotFoundException"),
    ],
)
def test_invalid_policies_are_refused(api: Api, cmdlet: str, parameters: dict[str, Any], expected: str) -> None:
    assert kind(api, cmdlet, parameters)[1] == expected


def test_users_are_listed_in_pages(api: Api) -> None:
    assert len(api.rows("Get-User", {"ResultSize": "Unlimited"})) == 27
    url = api.exchange_url("?$select=Guid,AuthenticationPolicy")
    result = api.exchange("Get-User", {"ResultSize": "Unlimited"}, url, Prefer="odata.maxpagesize=20")
    assert len(result.json()["value"]) == 20
    assert {name for name in result.json()["value"][0] if "@" not in name} == {"Guid", "AuthenticationPolicy"}
    assert "$skiptoken" in result.json()["@odata.nextLink"].replace("%24", "$")


def test_the_organizations_default(start: Start) -> None:
    api = start(tenant=CUSTOMIZED, save=True)
    api.rows("New-AuthenticationPolicy", POLICY)
    assert api.rows("Get-OrganizationConfig")[0]["DefaultAuthenticationPolicy"] is None
    assert not warned(api, "Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "Closed"})
    assert warned(api, "Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "closed"})
    assert not warned(api, "Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "Closed", "RejectDirectSend": True})
    assert api.rows("Get-OrganizationConfig")[0]["DefaultAuthenticationPolicy"] == "Closed"
    assert kind(api, "Remove-AuthenticationPolicy", {"Identity": "Closed"}) == (400, "DataValidationException")
    assert not warned(api, "Set-OrganizationConfig", {"DefaultAuthenticationPolicy": None})
    assert api.rows("Get-OrganizationConfig")[0]["DefaultAuthenticationPolicy"] is None


def test_saved_state_contains_the_policies(start: Start) -> None:
    api = start(tenant=CUSTOMIZED)
    api.rows("New-AuthenticationPolicy", {"Name": "Printers", "AllowBasicAuthSmtp": True, "AllowBasicAuthPop": True})
    api.rows("Set-User", {"Identity": "ops@contoso.com", "AuthenticationPolicy": "Printers"})
    api.rows("Set-OrganizationConfig", {"DefaultAuthenticationPolicy": "Printers"})
    stored = api.admin.tenant("contoso.com")
    again = start(tenant={"policies": stored["policies"], "mailboxes": stored["mailboxes"]})
    for cmdlet in ("Get-AuthenticationPolicy", "Get-User", "Get-OrganizationConfig"):
        assert again.rows(cmdlet) == api.rows(cmdlet)
