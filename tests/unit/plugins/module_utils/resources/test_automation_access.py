# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.automation_access import DIRECTORY_ROLES, RESOURCE

from ....conftest import CLIENT, FakeClock, Play, problems_of
from ....script import graph_error, response
from ....services import Exchange, Refused, missing

APP, PRINCIPAL = "99999999-8888-4777-8666-555555555555", "5a5a5a5a-0000-4000-8000-000000000001"
ADMIN, READER = "Exchange Administrator", "Global Reader"
ORGANIZATION, VIEW = "Organization Management", "View-Only Organization Management"


class Tenant:
    """The enterprise application in Graph with its directory roles, and Exchange's role groups; new things come `late`."""

    def __init__(self, *roles: str, groups: tuple[str, ...] = (), registered: bool = False, app_id: str = APP, late: int = 0) -> None:
        self.app_id, self.late, self.there = app_id, late, True
        self.roles = {f"id-{role}": DIRECTORY_ROLES[role] for role in roles}
        self.principals = [self.principal()] if registered or groups else []
        self.groups: dict[str, list[str]] = {ORGANIZATION: ["somebody"], VIEW: [], "Recipient Management": []}
        for group in groups:
            self.groups[group].append(PRINCIPAL)
        self.writes: list[str] = []
        self.exchange = Exchange(
            self.graph, Get_ServicePrincipal=lambda p: self.principals, Get_RoleGroup=lambda p: [{"Name": name} for name in self.groups],
            Get_RoleGroupMember=self.members, New_ServicePrincipal=self.register, Add_RoleGroupMember=self.join,
            Remove_RoleGroupMember=self.leave,
        )  # fmt: skip

    def principal(self) -> dict[str, Any]:
        return {"AppId": self.app_id, "ObjectId": PRINCIPAL.upper(), "Guid": "a-guid", "Sid": "S-1-5-21-1"}

    def __call__(self, request: Request) -> Response:
        return self.exchange(request)

    def graph(self, request: Request) -> Response:
        path = unquote(request.url.partition("/v1.0")[2])
        if path.startswith("/applications(uniqueName="):
            return response(200, {"appId": self.app_id}) if self.there else response(404, graph_error("Request_ResourceNotFound", "none"))
        if path.startswith("/servicePrincipals(appId="):
            principal_body = {"id": PRINCIPAL, "appId": self.app_id, "displayName": "Automation"}
            return response(200, principal_body) if self.there else response(404, graph_error("Request_ResourceNotFound", "none"))
        if request.method == "GET":
            assert path == f"/roleManagement/directory/roleAssignments?$filter=principalId eq '{PRINCIPAL}'"
            entries = [{"id": key, "roleDefinitionId": role, "directoryScopeId": "/"} for key, role in self.roles.items()]
            return response(200, {"value": [*entries, {"id": "x", "roleDefinitionId": "y", "directoryScopeId": "/administrativeUnits/1"}]})
        return self.write(request)

    def write(self, request: Request) -> Response:
        if request.url.endswith("$batch"):
            for item in request.json["requests"]:
                assert item["method"] == "DELETE"
                self.writes.append(f"revoke {item['url']}")
                del self.roles[item["url"].rpartition("/")[2]]
            return response(200, {"responses": [{"id": item["id"], "status": 204} for item in request.json["requests"]]})
        if self.late:
            self.late -= 1
            return response(404, graph_error("Request_ResourceNotFound", "not yet"))
        assert request.json["principalId"] == PRINCIPAL
        assert request.json["directoryScopeId"] == "/"
        self.writes.append("grant")
        self.roles["new"] = request.json["roleDefinitionId"]
        return response(201, {"id": "new"})

    def members(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"Name": name} for name in self.groups[parameters["Identity"]]]

    def register(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        assert parameters == {"AppId": self.app_id, "ObjectId": PRINCIPAL, "DisplayName": "Automation"}
        self.writes.append("register")
        self.principals.append(self.principal())
        return self.principals

    def join(self, parameters: dict[str, Any]) -> None:
        if self.late:
            self.late -= 1
            raise missing(parameters["Member"])
        if PRINCIPAL in self.groups[parameters["Identity"]]:
            raise Refused("MemberAlreadyExistsException", "already a member")
        self.writes.append(f"join {parameters['Identity']}")
        self.groups[parameters["Identity"]].append(parameters["Member"])

    def leave(self, parameters: dict[str, Any]) -> None:
        self.writes.append(f"leave {parameters['Identity']}")
        self.groups[parameters["Identity"]].remove(parameters["Member"])


@pytest.mark.parametrize(
    ("options", "writes", "after"),
    [
        ({"directory_roles": [ADMIN]}, ["grant"], {"directory_roles": [ADMIN]}),
        ({"role_groups": [ORGANIZATION.lower()]}, ["register", f"join {ORGANIZATION}"], {"role_groups": [ORGANIZATION]}),
        (
            {"directory_roles": [READER], "role_groups": [VIEW]},
            ["grant", "register", f"join {VIEW}"],
            {"directory_roles": [READER], "role_groups": [VIEW]},
        ),
    ],
)
def test_access_is_granted_as_predicted_and_idempotent(
    play: Play, options: dict[str, Any], writes: list[str], after: dict[str, Any]
) -> None:
    tenant = Tenant()
    planned = play(RESOURCE, tenant, check_mode=True, unique_name="automation", **options)
    assert tenant.writes == []
    done = play(RESOURCE, tenant, unique_name="automation", **options)
    assert (planned["diff"], planned["access"]) == (done["diff"], done["access"])
    assert tenant.writes == writes
    assert done["access"] == after | {"app_id": APP}
    assert not play(RESOURCE, tenant, unique_name="automation", **options)["changed"]


def test_options_that_are_not_set_cause_no_read(play: Play) -> None:
    tenant = Tenant()
    play(RESOURCE, tenant, app_id=APP, directory_roles=[ADMIN])
    assert tenant.exchange.commands == []


def test_absent_removes_only_what_is_listed(play: Play) -> None:
    tenant = Tenant(ADMIN, READER, groups=(ORGANIZATION, VIEW))
    done = play(RESOURCE, tenant, app_id=APP, directory_roles=[ADMIN], role_groups=[VIEW], state="absent")
    assert tenant.writes == [f"leave {VIEW}", f"revoke /roleManagement/directory/roleAssignments/id-{ADMIN}"]
    assert done["diff"]["before"] == {"directory_roles": [ADMIN, READER], "role_groups": [VIEW]}
    assert done["diff"]["after"] == {"directory_roles": [READER], "role_groups": []}
    assert not play(RESOURCE, tenant, app_id=APP, directory_roles=[ADMIN], role_groups=[VIEW], state="absent")["changed"]


def test_exclusive_removes_after_granting(play: Play) -> None:
    tenant = Tenant(ADMIN, groups=(ORGANIZATION,))
    play(RESOURCE, tenant, app_id=APP, directory_roles=[READER], role_groups=[VIEW], exclusive=True)
    assert tenant.writes == [
        "grant", f"join {VIEW}", f"leave {ORGANIZATION}", f"revoke /roleManagement/directory/roleAssignments/id-{ADMIN}"
    ]  # fmt: skip


def test_new_objects_are_waited_for(play: Play, clock: FakeClock) -> None:
    tenant = Tenant(late=2)
    play(RESOURCE, tenant, app_id=APP, directory_roles=[ADMIN])
    tenant.late = 1
    play(RESOURCE, tenant, app_id=APP, role_groups=[VIEW])
    assert tenant.writes == ["grant", "register", f"join {VIEW}"]
    assert clock.slept == [1, 2, 2]


def test_the_automation_app_keeps_its_last_access(play: Play) -> None:
    tenant = Tenant(groups=(ORGANIZATION,), app_id=CLIENT)
    refused = play(RESOURCE, tenant, unique_name="automation", role_groups=[ORGANIZATION], state="absent")
    assert "automation is the application that Ansible signs in as, and would lose its access to Exchange" in refused["msg"]
    assert tenant.writes == []
    assert play(RESOURCE, tenant, unique_name="automation", role_groups=[VIEW], exclusive=True)["changed"]
    assert play.tenant.tokens.forgotten == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("options", [{"directory_roles": [ADMIN], "state": "absent"}, {"directory_roles": [READER], "exclusive": True}])
def test_own_built_in_directory_roles_are_not_removed(play: Play, options: dict[str, Any], check_mode: bool) -> None:
    tenant = Tenant(ADMIN, READER, groups=(ORGANIZATION,), app_id=CLIENT)
    refused = play(RESOURCE, tenant, unique_name="automation", check_mode=check_mode, **options)
    assert f"Entra does not let an application remove its own built-in directory roles ({ADMIN})" in refused["msg"]
    assert tenant.writes == []
    other = Tenant(ADMIN, READER, app_id=APP)
    assert play(RESOURCE, other, unique_name="automation", check_mode=check_mode, **options)["changed"]


def test_invalid_input_is_refused_with_the_valid_names(play: Play) -> None:
    problems = problems_of(RESOURCE, app_id="mine", directory_roles=["Exchange Admin"], role_groups=[" "])
    assert len(problems) == 3
    assert "directory_roles holds 'Exchange Admin': use Exchange Administrator, Exchange Recipient Administrator" in problems[1]
    refused = play(RESOURCE, Tenant(), app_id=APP, role_groups=["Org Management"])
    assert "role_groups: there is no Org Management; this organization has Organization Management, Recipient" in refused["msg"]


def test_a_missing_application_is_assumed_in_check_mode_and_refused_otherwise(play: Play) -> None:
    tenant = Tenant()
    tenant.there = False
    options = {"unique_name": "automation", "directory_roles": [ADMIN]}
    planned = play(RESOURCE, tenant, check_mode=True, **options)
    assert (planned["changed"], planned["access"]) == (True, {"directory_roles": [ADMIN], "app_id": None})
    assert "Entra has no enterprise application for automation" in play(RESOURCE, tenant, **options)["msg"]
    assert not play(RESOURCE, tenant, **options, state="absent")["changed"]
