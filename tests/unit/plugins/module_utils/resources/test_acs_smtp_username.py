# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ruff: noqa: E501

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.acs_smtp_username import INFO, RESOURCE, ROLE

from ....conftest import TENANT, Play, problems_of
from ....script import response

APP, OBJECT = "22222222-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
SERVICE_OPTIONS = {
    "subscription_id": "44444444-0000-4000-8000-000000000001",
    "resource_group": "mail",
    "communication_service": "contoso-mail",
}
SERVICE = f"/subscriptions/{SERVICE_OPTIONS['subscription_id']}/resourceGroups/mail/providers/Microsoft.Communication/communicationServices/contoso-mail"
DOMAIN = "/subscriptions/s/resourceGroups/mail/providers/Microsoft.Communication/emailServices/e/domains/contoso.com"
ROLES = f"{SERVICE}/providers/Microsoft.Authorization/roleAssignments"
ORDERS = {"name": "orders", "username": "orders@contoso.com"}


class Azure:
    """Azure Resource Manager and the two requests to Graph; `writes` are the resources put or deleted, in order."""

    def __init__(self, *, there: bool = True, verified: bool = True, linked: bool = True, known: bool = True) -> None:
        self.there, self.verified, self.linked, self.known = there, verified, linked, known
        self.usernames: dict[str, dict[str, str]] = {}
        self.roles: list[str] = []
        self.writes: list[tuple[str, str, Any]] = []

    def __call__(self, request: Request) -> Response:
        url = urlsplit(request.url)
        if url.path.endswith("$batch"):
            return response(200, {"responses": [self._graph(item) for item in request.json["requests"]]})
        assert url.query.startswith("api-version=20")
        if request.method != "GET":
            return self._write(request.method, url.path, request.json)
        status, body = self._read(url.path, unquote(url.query))
        return response(status, body)

    def _graph(self, item: dict[str, Any]) -> dict[str, Any]:
        principal_body = {"appId": APP} | ({"id": OBJECT, "appOwnerOrganizationId": TENANT} if "servicePrincipals" in item["url"] else {})
        return {"id": item["id"], "status": 200, "body": principal_body} if self.known else {"id": item["id"], "status": 404, "body": {}}

    def _read(self, path: str, query: str) -> tuple[int, Any]:
        state = {"status": "Verified" if self.verified else "NotStarted"}
        answers: dict[str, Any] = {
            SERVICE: {"properties": {"linkedDomains": [DOMAIN] if self.linked else []}},
            f"{SERVICE}/smtpUsernames": {"value": [{"name": n, "properties": p} for n, p in self.usernames.items()]},
            DOMAIN: {"properties": {"fromSenderDomain": "contoso.com", "verificationStates": dict.fromkeys(("Domain", "SPF", "DKIM", "DKIM2"), state)}},
            f"{DOMAIN}/senderUsernames": {"value": [{"properties": {"username": "Orders"}}]},
            ROLES: {"value": [{"properties": {"roleDefinitionId": f"/x/roleDefinitions/{role}"}} for role in self.roles]},
        }  # fmt: skip
        if path == ROLES:
            assert query.endswith(f"$filter=principalId eq '{OBJECT}'")
        return (200, answers[path]) if self.there else (404, {"error": {"code": "ResourceNotFound", "message": "no"}})

    def _write(self, method: str, path: str, body: Any) -> Response:
        self.writes.append((method, path, body))
        if path.startswith(ROLES):
            self.roles.append(body["properties"]["roleDefinitionId"].rpartition("/")[2])
        elif method == "PUT":
            self.usernames[path.rpartition("/")[2]] = body["properties"]
        else:
            del self.usernames[path.rpartition("/")[2]]
        return response(201 if method == "PUT" else 200, {})


def test_usernames_and_the_role_are_made_as_predicted_once(play: Play) -> None:
    azure = Azure()
    azure.usernames = {"old": {"username": "old", "entraApplicationId": APP, "tenantId": TENANT}}
    itemes = {"usernames": [ORDERS, {"name": "OLD", "state": "absent"}], "app": "sender"} | SERVICE_OPTIONS
    planned = play(RESOURCE, azure, check_mode=True, **itemes)
    assert azure.writes == []
    done = play(RESOURCE, azure, **itemes)
    for name in ("changed", "diff", "acs"):
        assert planned[name] == done[name]
    assert done["acs"] == {
        "usernames": {"orders": {"username": "orders@contoso.com", "app": "sender"}}, "may_send": ["sender"], "senders": ["orders@contoso.com"],
    }  # fmt: skip
    (gone, made, role) = azure.writes
    assert gone[:2] == ("DELETE", f"{SERVICE}/smtpUsernames/old")
    properties = {"username": "orders@contoso.com", "entraApplicationId": APP, "tenantId": TENANT}
    assert made == ("PUT", f"{SERVICE}/smtpUsernames/orders", {"properties": properties})
    assert (role[2]["properties"]["principalId"], azure.roles) == (OBJECT, [ROLE])
    again = play(RESOURCE, azure, **itemes)
    assert (again["changed"], len(azure.writes)) == (False, 3)
    assert play(INFO, azure, **SERVICE_OPTIONS)["acs"]["usernames"]["orders"]["app"] == APP


def test_exclusive_removes_what_is_not_listed_and_a_role_may_be_left_alone(play: Play) -> None:
    azure = Azure()
    azure.usernames = {"old": {"username": "old", "entraApplicationId": APP, "tenantId": TENANT}}
    play(RESOURCE, azure, usernames=[ORDERS], app=APP, exclusive=True, assign_role=False, **SERVICE_OPTIONS)
    assert (list(azure.usernames), azure.roles) == (["orders"], [])


def test_contributor_is_role_enough(play: Play) -> None:
    azure = Azure()
    azure.roles = ["b24988ac-6180-42a0-ab88-20f7382dd24c"]
    play(RESOURCE, azure, usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert len(azure.writes) == 1


def test_manual_steps_are_noted(play: Play) -> None:
    result = play(RESOURCE, Azure(verified=False), usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert result["acs"]["senders"] == []
    assert result["notes"] == [
        "contoso.com: DKIM, DKIM2, Domain, SPF not verified; publish the DNS records that Azure shows for it and start the verification."
    ]
    result = play(RESOURCE, Azure(linked=False), usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert result["notes"] == ["no e-mail domain is linked to the resource, so that it cannot send: verify a domain and link it."]


def test_a_resource_or_an_application_that_is_missing_is_named(play: Play) -> None:
    result = play(RESOURCE, Azure(there=False), usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert result["msg"].startswith(
        "communication_service is contoso-mail, and Azure has no such Communication Services resource in the resource group mail: "
    )
    azure = Azure(known=False)
    planned = play(RESOURCE, azure, check_mode=True, usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert planned["acs"]["may_send"] == ["sender"]
    assert "Entra has no enterprise application for sender yet" in planned["notes"][0]
    failed = play(RESOURCE, azure, usernames=[ORDERS], app="sender", **SERVICE_OPTIONS)
    assert failed["failure"]["problems"] == ["app: Entra has no enterprise application for sender: register it first (role entra_app)."]
    failed = play(RESOURCE, azure, usernames=[ORDERS | {"app": "sender"}], **SERVICE_OPTIONS)
    assert failed["msg"].startswith("usernames: orders: Entra has no enterprise application for sender: ")
    assert azure.writes == []


def test_cloud_without_a_resource_manager_is_reported(play: Play) -> None:
    cloud = {"authority": "https://l.example", "graph": "https://g.example", "exchange": "https://e.example", "smtp_host": "s.example"}
    result = play(RESOURCE, Azure(), usernames=[ORDERS], app="sender", cloud=cloud, **SERVICE_OPTIONS)
    assert "m365_cloud has no Azure Resource Manager" in result["msg"]


@pytest.mark.parametrize(
    ("item", "part"),
    [
        ({"name": "a b", "username": "x"}, "use letters, digits and hyphens"),
        ({"name": "a"}, "give its username"),
        ({"name": "orders", "username": "y"}, "is there twice"),
    ],
)
def test_input_problems_are_reported_without_a_request(item: dict[str, Any], part: str) -> None:
    problems = problems_of(RESOURCE, usernames=[ORDERS, item], **SERVICE_OPTIONS | {"subscription_id": "mine"})
    assert any(part in problem for problem in problems)
    assert problems[0] == "subscription_id is 'mine': give its GUID."
    assert "usernames: orders: give the application that signs in with it (app)." in problems
