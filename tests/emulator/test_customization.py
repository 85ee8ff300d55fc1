"""Exchange: a new organization's customization, in both phases that public clients report."""

from __future__ import annotations

from typing import Any

from tests.emulator.conftest import Api, Start

DEHYDRATED = (400, "InvalidOperationInDehydratedContextException")
UNDELEGATED = "You must be assigned a delegating role assignment"
ENABLE = ("Enable-OrganizationCustomization", {"Confirm": False})
POLICY: tuple[str, dict[str, Any]] = ("New-AuthenticationPolicy", {"Name": "Closed"})
SCOPE = ("New-ManagementScope", {"Name": "One", "RecipientRestrictionFilter": "PrimarySmtpAddress -eq 'ops@contoso.com'"})
ROLE = "Application SMTP.SendAsApp"


def answer(api: Api, cmdlet: str, parameters: dict[str, Any]) -> tuple[int, str]:
    response = api.exchange(cmdlet, parameters)
    return response.status_code, response.headers.get("x-ExceptionType", "")


def registered(api: Api) -> tuple[str, dict[str, Any]]:
    """An assignment for an application that is registered in Exchange."""
    principal = api.new_principal("sender")
    api.rows("New-ServicePrincipal", {"AppId": principal["appId"], "ObjectId": principal["id"], "DisplayName": "sender"})
    return "New-ManagementRoleAssignment", {"App": principal["id"], "Role": ROLE}


def dehydrated(api: Api) -> bool:
    return bool(api.rows("Get-OrganizationConfig")[0]["IsDehydrated"])


def test_a_new_organization_is_dehydrated_until_it_is_customized(start: Start) -> None:
    api = start()
    assignment = registered(api)
    assert dehydrated(api)
    assert [answer(api, *command) for command in (POLICY, SCOPE, assignment)] == [DEHYDRATED] * 3
    text = api.exchange(*POLICY).json()["error"]["details"][0]["message"]
    assert text.endswith("you first need to run the command: Enable-OrganizationCustomization.")
    assert answer(api, "Set-TransportConfig", {"SmtpClientAuthenticationDisabled": True}) == (200, ""), "only some cmdlets are refused"
    assert answer(api, *ENABLE) == (200, "")
    assert not dehydrated(api)
    assert [answer(api, *command) for command in (POLICY, SCOPE, assignment)] == [(200, "")] * 3
    assert answer(api, *ENABLE) == (400, "InvalidOperationException")
    assert "already enabled for customization" in api.exchange(*ENABLE).text


def test_the_customization_takes_effect_in_two_phases(start: Start) -> None:
    api = start(settings={"lag": {"organization_customization": 1800, "delegating_role": 900}})
    assignment = registered(api)
    assert answer(api, *ENABLE) == (200, "")
    assert not dehydrated(api), "at once, while writes are refused"
    assert [answer(api, *command) for command in (POLICY, SCOPE, assignment)] == [DEHYDRATED] * 3
    api.admin.advance(1801)
    assert [answer(api, *command) for command in (POLICY, SCOPE)] == [(200, "")] * 2
    refusal = api.exchange(*assignment)
    assert (refusal.status_code, UNDELEGATED in refusal.text) == (400, True)
    api.admin.advance(900)
    assert answer(api, *assignment) == (200, "")


def test_an_organization_with_policies_was_customized_and_stays_so(start: Start) -> None:
    api = start(tenant={"policies": {"authentication": [{"name": "Open"}]}})
    assert not dehydrated(api)
    assert answer(api, "Remove-AuthenticationPolicy", {"Identity": "Open", "Confirm": False}) == (200, "")
    assert not dehydrated(api)
    assert answer(api, *POLICY) == (200, "")


def test_only_who_manages_the_organization_customizes_it(start: Start) -> None:
    api = start()
    assert api.exchange(*ENABLE, app="reader").status_code == 403
    assert dehydrated(api)
