"""Exchange: management scopes, roles of applications, and what a client with a token that has no role meets."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.state import Mailbox
from emulator.state.recipient_filter import FilterError, parse
from tests.emulator.conftest import EXCHANGE, Api, Start, app_id
from tests.emulator.smtp_lab import MESSAGE, OPS
from tests.emulator.test_smtp_whole import FAST, done, submit

SENDER = {"display_name": "sender", "secrets": [{"value": "sender-secret"}], "service_principal": {}}
SMTP_ROLE = "Application SMTP.SendAsApp"
MAILBOX = Mailbox(
    "erp@contoso.com", "guid", "erp", "O'Neill ERP", "SharedMailbox", ["invoices@contoso.com"], properties={"CustomAttribute7": "smtp"}
)


@pytest.mark.parametrize(
    ("text", "read_back", "matches"),
    [
        ("primarysmtpaddress  -EQ 'ERP@contoso.com'", "PrimarySmtpAddress -eq 'ERP@contoso.com'", True),
        ("PrimarySmtpAddress -eq 'invoices@contoso.com'", "PrimarySmtpAddress -eq 'invoices@contoso.com'", False),
        ("EmailAddresses -eq 'smtp:invoices@contoso.com'", "EmailAddresses -eq 'smtp:invoices@contoso.com'", True),
        ("Alias -ne 'erp'", "Alias -ne 'erp'", False),
        ("DisplayName -like 'O''Neill*'", "DisplayName -like 'O''Neill*'", True),
        ("DisplayName -like 'ERP*'", "DisplayName -like 'ERP*'", False),
        ("DisplayName -like '[O]*'", "DisplayName -like '[O]*'", False),
        ("CustomAttribute7 -eq 'smtp'", "CustomAttribute7 -eq 'smtp'", True),
        ("-not (RecipientTypeDetails -eq 'SharedMailbox')", "-not(RecipientTypeDetails -eq 'SharedMailbox')", False),
        (
            "Alias -eq 'x' -or Alias -eq 'erp' -and Name -eq 'erp'",
            "((Alias -eq 'x') -or ((Alias -eq 'erp') -and (Name -eq 'erp')))",
            True,
        ),
        ("(Alias -eq 'x' -or Alias -eq 'erp') -and Name -eq 'y'", "(((Alias -eq 'x') -or (Alias -eq 'erp')) -and (Name -eq 'y'))", False),
    ],
)
def test_filters_are_matched_and_read_back_in_one_spacing(text: str, read_back: str, matches: bool) -> None:
    result = parse(text)
    assert (str(result), result.matches(MAILBOX)) == (read_back, matches)
    assert parse(read_back) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Alias",
        "Alias -eq",
        "Alias -eq erp",
        "Alias -eq 'erp",
        "(Alias -eq 'erp'",
        "Alias -eq 'erp')",
        "Alias -gt 'erp'",
        "Alias -eq 'a' Alias -eq 'b'",
        "MemberOfGroup -eq 'CN=x'",
        "Alias -eq $true",
        "Alias = 'erp'",
    ],
)
def test_filters_that_are_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


@pytest.fixture
def api(start: Start, state: dict[str, Any]) -> Api:
    applications = [*state["tenants"][0]["applications"], SENDER]
    result = start(
        settings=FAST | {"names_of_scopes": True},
        tenant={"applications": applications, "smtp_client_authentication_disabled": False, "dehydrated": False},
    )
    principal = result.graph("GET", f"/servicePrincipals(appId='{app_id('sender')}')").json()["id"]
    done(result, "New-ServicePrincipal", AppId=app_id("sender"), ObjectId=principal, DisplayName="sender")
    return result


def refused(api: Api, cmdlet: str, **parameters: Any) -> str:
    answer = api.exchange(cmdlet, parameters)
    assert answer.status_code in (400, 404), answer.text
    return answer.headers["x-ExceptionType"]


def scope(api: Api, name: str = "SMTP senders", address: str = OPS) -> None:
    done(api, "New-ManagementScope", Name=name, RecipientRestrictionFilter=f"PrimarySmtpAddress  -eq '{address}'")


def assign(api: Api, **more: Any) -> None:
    done(api, "New-ManagementRoleAssignment", **{"App": app_id("sender"), "Role": SMTP_ROLE, "CustomResourceScope": "smtp senders"} | more)


def test_scopes_and_assignments_are_made_read_changed_and_removed(api: Api) -> None:
    scope(api)
    [made] = api.rows("Get-ManagementScope", {"Identity": "SMTP Senders"})
    assert made["RecipientFilter"] == f"PrimarySmtpAddress -eq '{OPS}'"
    assert made["WhenChangedUTC"] > "2026"
    assert (
        refused(api, "New-ManagementScope", Name="smtp senders", RecipientRestrictionFilter="Alias -eq 'a'")
        == "ADObjectAlreadyExistsException"
    )
    assert refused(api, "New-ManagementScope", Name="x", RecipientRestrictionFilter="Alias -foo 'a'") == "DataValidationException"
    assert refused(api, "New-ManagementScope", Name="x" * 65, RecipientRestrictionFilter="Alias -eq 'a'") == "DataValidationException"
    assert api.rows("Get-ManagementScope", {"Orphan": True}) == [made]
    assign(api)
    assert api.rows("Get-ManagementScope", {"Orphan": True}) == []
    [held] = api.rows("Get-ManagementRoleAssignment", {"Role": SMTP_ROLE})
    [principal] = api.rows("Get-ServicePrincipal")
    assert held["Name"] == "Application SMTP.SendAsApp-sender"
    assert (held["RoleAssignee"], held["CustomResourceScope"]) == (principal["ObjectId"], "SMTP senders")
    assert held["RecipientWriteScope"] == "CustomRecipientScope"
    assert api.rows("Get-ManagementRoleAssignment", {"RoleAssignee": app_id("sender"), "Role": "Application Mail.Send"}) == []
    assert refused(api, "Remove-ManagementScope", Identity="SMTP senders", Confirm=False) == "DataValidationException"
    assert refused(api, "New-ManagementRoleAssignment", App="nobody", Role=SMTP_ROLE) == "ManagementObjectNotFoundException"
    assert refused(api, "New-ManagementRoleAssignment", App=app_id("sender"), Role="Application X") == "ManagementObjectNotFoundException"
    assert refused(api, "New-ManagementRoleAssignment", User="ops", Role=SMTP_ROLE) == "DataValidationException"
    done(api, "Set-ManagementScope", Identity=made["Guid"], Name="Senders", RecipientRestrictionFilter="Alias -like 'o*'")
    again = {"Identity": "Senders", "RecipientRestrictionFilter": "alias -like 'o*'"}
    assert "have been modified" in api.exchange("Set-ManagementScope", again).json()["@adminapi.warnings"][0]
    assert api.rows("Get-ManagementRoleAssignment", {"Identity": held["Guid"]})[0]["CustomResourceScope"] == "Senders"
    done(api, "Remove-ManagementRoleAssignment", Identity=held["Name"], Confirm=False)
    assert refused(api, "Get-ManagementRoleAssignment", Identity=held["Name"]) == "ManagementObjectNotFoundException"
    done(api, "Remove-ManagementScope", Identity="Senders", Confirm=False)
    assert api.rows("Get-ManagementScope") == []
    assert [role["RoleType"] for role in api.rows("Get-ManagementRole", {"Identity": SMTP_ROLE})] == ["ApplicationSMTPSendAsApp"]


def test_authorization_test_ignores_the_replication_delay(api: Api) -> None:
    api.admin.lag(rbac=7200)
    scope(api)
    assign(api)
    done(api, "New-ManagementRoleAssignment", App=app_id("sender"), Role="Application Mail.Send", Name="Sending by Graph")

    def output(**resource: str) -> list[str]:
        return [row["InScope"] for row in api.rows("Test-ServicePrincipalAuthorization", {"Identity": app_id("sender")} | resource)]

    assert output(Resource=OPS) == ["True", "True"]
    assert output(Resource="noreply@contoso.com") == ["False", "True"]
    assert output() == ["Not Run", "Not Run"]
    [first, second] = api.rows("Test-ServicePrincipalAuthorization", {"Identity": app_id("sender")})
    assert (first["GrantedPermissions"], first["AllowedResourceScope"], first["ScopeType"]) == (
        "SMTP.SendAsApp",
        "SMTP senders",
        "CustomRecipientScope",
    )
    assert (second["AllowedResourceScope"], second["ScopeType"]) == ("Organization", "Organization")
    result = refused(api, "Test-ServicePrincipalAuthorization", Identity=app_id("sender"), Resource="nobody@contoso.com")
    assert result == "ManagementObjectNotFoundException"


def test_token_without_a_role_opens_only_mailboxes_in_scope(api: Api) -> None:
    assert submit(api).startswith("535 5.7.3 ")
    scope(api, address="noreply@contoso.com")
    assign(api)
    assert submit(api).startswith("535 5.7.3 ")
    done(api, "Set-ManagementScope", Identity="SMTP senders", RecipientRestrictionFilter=f"EmailAddresses -eq '{OPS}'")
    assert submit(api).startswith("250 ")
    other = MESSAGE.replace(b"ops@", b"noreply@")
    assert submit(api, message=other).startswith("554 5.2.252 SendAsDenied; ")
    done(api, "Set-ManagementRoleAssignment", Identity=f"{SMTP_ROLE}-sender", Enabled=False)
    assert submit(api).startswith("535 5.7.3 ")
    done(api, "Set-ManagementRoleAssignment", Identity=f"{SMTP_ROLE}-sender", Enabled=True)
    assert submit(api).startswith("250 ")
    done(api, "Set-CASMailbox", Identity=OPS, SmtpClientAuthenticationDisabled=True)
    assert submit(api).startswith("535 5.7.139 ")


def test_a_token_with_the_role_is_judged_by_mailbox_permissions(api: Api) -> None:
    scope(api)
    assign(api)
    assert submit(api).startswith("250 ")
    exchange = api.graph("GET", "/servicePrincipals(appId='00000002-0000-0ff1-ce00-000000000000')").json()
    role = next(role["id"] for role in exchange["appRoles"] if role["value"] == "SMTP.SendAsApp")
    [principal] = api.rows("Get-ServicePrincipal")
    body = {"principalId": principal["ObjectId"], "resourceId": exchange["id"], "appRoleId": role}
    assert api.graph("POST", f"/servicePrincipals/{exchange['id']}/appRoleAssignedTo", body).status_code == 201
    assert submit(api).startswith("250 ")  # still with the token from before
    api.forget_tokens()
    assert submit(api).startswith("430 4.2.0 STOREDRV; mailbox logon failure; ")
    done(api, "Add-MailboxPermission", Identity=OPS, User=app_id("sender"), AccessRights=["FullAccess"])
    assert submit(api).startswith("250 ")


def test_assignment_reaches_smtp_after_its_delay(api: Api) -> None:
    api.admin.lag(rbac=7200)
    scope(api)
    assign(api)
    assert submit(api).startswith("535 5.7.3 ")
    api.admin.advance(7201)
    api.forget_tokens()
    assert submit(api).startswith("250 ")
    done(api, "Set-ManagementScope", Identity="SMTP senders", RecipientRestrictionFilter="Alias -eq 'noreply'")
    assert submit(api).startswith("250 ")
    done(api, "Set-ManagementScope", Identity="SMTP senders", RecipientRestrictionFilter=f"EmailAddresses -eq '{OPS}'")
    api.admin.advance(7201)
    api.forget_tokens()
    done(api, "Remove-ManagementRoleAssignment", Identity=f"{SMTP_ROLE}-sender", Confirm=False)
    assert submit(api).startswith("250 ")
    api.admin.advance(7201)
    api.forget_tokens()
    assert submit(api).startswith("535 5.7.3 ")


def test_names_find_no_scope_and_no_assignment(start: Start, state: dict[str, Any]) -> None:
    by_hand = {
        "management_scopes": [{"name": "S", "recipient_filter": "alias -eq 'ops'"}],
        "management_role_assignments": [{"name": "A", "assignee": "22222222-0000-4000-8000-000000000002", "scope": "s"}],
    }
    api = start(tenant=by_hand)
    for noun, name in (("ManagementScope", "S"), ("ManagementRoleAssignment", "A")):
        [row] = api.rows(f"Get-{noun}")
        for verb in ("Get", "Set", "Remove"):
            assert refused(api, f"{verb}-{noun}", Identity=name) == "ManagementObjectNotFoundException"
        assert api.rows(f"Get-{noun}", {"Identity": row["Guid"]}) == [row]


def test_scopes_and_assignments_survive_a_restart(api: Api, start: Start) -> None:
    api.admin.lag(rbac=7200)
    scope(api)
    assign(api)
    tenant = api.admin.tenant("contoso.com")
    keys = ("management_scopes", "management_role_assignments", "exchange_service_principals")
    again = start(tenant={key: tenant[key] for key in keys})
    assert {key: again.admin.tenant("contoso.com")[key] for key in keys} == {key: tenant[key] for key in keys}
    with pytest.raises(ValueError, match="cannot be changed here"):
        again.admin.change("contoso.com", management_scopes=[])


def test_state_files_are_checked(start: Start) -> None:
    by_hand = {
        "management_scopes": [{"name": "S", "recipient_filter": "alias -eq 'ops'"}],
        "management_role_assignments": [{"name": "A", "assignee": "22222222-0000-4000-8000-000000000002", "scope": "s"}],
    }
    api = start(tenant=by_hand)
    assert api.rows("Get-ManagementScope")[0]["RecipientFilter"] == "Alias -eq 'ops'"
    assert api.rows("Get-ManagementRoleAssignment")[0]["CustomResourceScope"] == "S"
    assert api.token("manager", EXCHANGE)
    for spoiled in (
        {"management_scopes": [{"name": "S", "recipient_filter": "alias"}]},
        {"management_scopes": []},
    ):
        with pytest.raises(Exception, match=r"management_(scopes|role_assignments)\[0\]"):
            start(tenant=by_hand | spoiled)
