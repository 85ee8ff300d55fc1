"""Role groups: an application in one needs no directory role, and may do what the group may."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from emulator.well_known import DIRECTORY_ROLES
from tests.emulator.conftest import EXCHANGE, MANAGE, TENANT, Api, Start, app_id

FULL, RECIPIENTS, READING = "Organization Management", "Recipient Management", "View-Only Organization Management"


def join(api: Api, group: str) -> str:
    """The application `owner`, which has Exchange.ManageAsApp and no directory role, becomes a member."""
    object_id = str(api.graph("GET", f"/servicePrincipals(appId='{app_id('owner')}')").json()["id"])
    api.rows("New-ServicePrincipal", {"AppId": app_id("owner"), "ObjectId": object_id, "DisplayName": "owner"})
    api.rows("Add-RoleGroupMember", {"Identity": group, "Member": object_id, "Confirm": False})
    return object_id


def status(api: Api, cmdlet: str, **parameters: Any) -> int:
    return api.exchange(cmdlet, parameters, app="owner").status_code


@pytest.mark.parametrize(
    ("group", "transport", "mailbox"),
    [(FULL, 200, 200), (RECIPIENTS, 403, 200), (READING, 403, 403)],
)
def test_a_member_may_do_what_its_group_may(start: Start, group: str, transport: int, mailbox: int) -> None:
    api = start()
    assert status(api, "Get-TransportConfig") == 403
    object_id = join(api, group)
    assert status(api, "Get-TransportConfig") == 403, "a role takes effect a minute later, unless the state file sets another delay"
    api.admin.advance(61)
    assert [row["Name"] for row in api.rows("Get-RoleGroupMember", {"Identity": group})] == [object_id]
    assert api.rows("Get-RoleGroup", {"Identity": group})[0]["Members"] == [object_id]
    assert status(api, "Get-TransportConfig") == 200
    assert status(api, "Set-TransportConfig", SmtpClientAuthenticationDisabled=False) == transport
    assert status(api, "Set-CASMailbox", Identity="ops@contoso.com", SmtpClientAuthenticationDisabled=False) == mailbox
    api.rows("Remove-RoleGroupMember", {"Identity": group, "Member": app_id("owner"), "Confirm": False})
    assert status(api, "Get-TransportConfig") == 403


def test_exchange_recipient_administrator_manages_recipients_only(start: Start, state: dict[str, Any]) -> None:
    owner = {
        "display_name": "owner",
        "secrets": [{"value": "owner-secret"}],
        "service_principal": {"app_roles": [MANAGE], "directory_roles": ["Exchange Recipient Administrator"]},
    }
    api = start(tenant={"applications": [*(one for one in state["tenants"][0]["applications"] if one["display_name"] != "owner"), owner]})
    assert status(api, "Get-TransportConfig") == 200
    assert status(api, "Set-TransportConfig", SmtpClientAuthenticationDisabled=False) == 403
    assert status(api, "Set-CASMailbox", Identity="ops@contoso.com", SmtpClientAuthenticationDisabled=False) == 200


def test_duplicate_and_missing_members_are_refused(start: Start) -> None:
    api = start()
    object_id = join(api, READING)
    for cmdlet, group, kind in (
        ("Add-RoleGroupMember", READING, "MemberAlreadyExistsException"),
        ("Remove-RoleGroupMember", FULL, "MemberNotFoundException"),
        ("Add-RoleGroupMember", "No Such Group", "ManagementObjectNotFoundException"),
    ):
        answer = api.exchange(cmdlet, {"Identity": group, "Member": object_id})
        assert answer.headers["x-ExceptionType"] == kind


def test_membership_has_a_replication_delay_and_is_saved(start: Start) -> None:
    api = start(settings={"lag": {"role_assignment": 60}}, save=True)
    api.admin.stop_clock()
    object_id = join(api, READING)
    assert status(api, "Get-TransportConfig") == 403
    api.admin.advance(61)
    assert status(api, "Get-TransportConfig") == 200
    assert list(api.admin.tenant(TENANT)["role_groups"]) == [READING]
    again = start(tenant={key: api.admin.tenant(TENANT)[key] for key in ("exchange_service_principals", "role_groups")})
    assert again.rows("Get-RoleGroup", {"Identity": READING})[0]["Members"] == [object_id]


@pytest.mark.parametrize("lag", [0, 60])
def test_tokens_contain_a_directory_role_before_exchange_uses_it(start: Start, lag: int) -> None:
    api = start(settings={"lag": {"role_assignment": lag, "exchange_directory_role": 600}})
    api.admin.stop_clock()
    principal = api.graph("GET", f"/servicePrincipals(appId='{app_id('owner')}')").json()["id"]
    role = DIRECTORY_ROLES["Exchange Administrator"]
    assignment = {"roleDefinitionId": role, "principalId": principal, "directoryScopeId": "/"}
    assert api.graph("POST", "/roleManagement/directory/roleAssignments", assignment).status_code == 201
    api.admin.advance(lag + 1)
    assert jwt.decode(api.token("owner", EXCHANGE), options={"verify_signature": False})["wids"] == [role]
    refused = api.exchange("Get-TransportConfig", app="owner")
    assert (refused.status_code, set(refused.content)) == (403, {0})
    assert api.exchange("Get-TransportConfig").status_code == 200, "the role of the state is effective"
    api.admin.advance(600)
    assert status(api, "Get-TransportConfig") == 200, "the same token"
