# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response
from ansible_collections.mailops.m365.plugins.module_utils.resources.federated_credential import INFO, RESOURCE

from ....conftest import TENANT, FakeClock, Play, problems_of
from ....script import graph_error, response

APP = "99999999-8888-4777-8666-555555555555"
OBJECT = "5a5a5a5a-0000-4000-8000-000000000001"
AUDIENCE = "api://AzureADTokenExchange"
ITEM = re.compile(r"/applications\((?:uniqueName='automation'|appId='[0-9a-f-]+')\)/federatedIdentityCredentials(?:\(name='([\w-]+)'\))?")


class Graph:
    """The credentials of one application, as Graph keeps them; the application is unknown for the first `late` writes."""

    def __init__(self, *names: str, there: bool = True, late: int = 0) -> None:
        self.items = {name: entry(subject=name) for name in names}
        self.there, self.late = there, late
        self.writes: list[tuple[str, str]] = []
        self.requests = 0
        self.application: dict[str, Any] = {"id": OBJECT, "keyCredentials": [], "passwordCredentials": []}

    def __call__(self, request: Request) -> Response:
        self.requests += 1
        if request.url.endswith("openid-configuration"):
            return response(200, {"issuer": f"https://login.partner.example/{TENANT}/v2.0"})
        if request.method == "GET":
            assert unquote(request.url).endswith("/applications(uniqueName='automation')?$select=id,keyCredentials,passwordCredentials")
            return response(200, self.application)
        answers = []
        for item in request.json["requests"]:
            status, body = self.one(item)
            answers.append({"id": item["id"], "status": status, "body": body})
        return response(200, {"responses": answers})

    def one(self, item: dict[str, Any]) -> tuple[int, Any]:
        match = ITEM.fullmatch(unquote(item["url"]))
        assert match, item["url"]
        if not self.there:
            return 404, graph_error("Request_ResourceNotFound", "does not exist")
        if item["method"] == "GET":
            return 200, {"value": [{"name": name, "id": f"id-{name}", **state} for name, state in self.items.items()]}
        self.writes.append((item["method"], match[1]))
        if self.late:
            self.late -= 1
            return 404, graph_error("Request_ResourceNotFound", "does not exist")
        if item["method"] == "DELETE":
            del self.items[match[1]]
            return 204, None
        assert item["headers"]["Prefer"] == "create-if-missing"
        pair = (item["body"]["issuer"], item["body"]["subject"])
        if any((other["issuer"], other["subject"]) == pair for name, other in self.items.items() if name != match[1]):
            return 400, graph_error("InvalidFederatedIdentityCredentialValue", "must be unique")
        known = match[1] in self.items
        self.items[match[1]] = item["body"]
        return (204, None) if known else (201, {"name": match[1]})


def entry(subject: str, issuer: str = "https://i.example") -> dict[str, Any]:
    return {"issuer": issuer, "subject": subject, "audiences": [AUDIENCE], "description": None}


def listed(name: str, subject: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "issuer": "https://i.example", "subject": subject or name, **more}


def test_credentials_are_created_updated_and_removed_as_predicted(play: Play) -> None:
    graph = Graph("kept", "changed", "old", "other")
    credentials = [
        {"name": "github", "github": {"repository": "contoso/infra", "branch": "main"}, "description": "main branch"},
        listed("kept"),
        listed("changed", "another subject", audience="api://mine"),
        {"name": "old", "state": "absent"},
        {"name": "gone", "state": "absent"},
    ]
    planned = play(RESOURCE, graph, check_mode=True, unique_name="automation", credentials=credentials)
    assert graph.writes == []
    done = play(RESOURCE, graph, unique_name="automation", credentials=credentials)
    for part in ("changed", "diff", "credentials"):
        assert planned[part] == done[part]
    assert graph.writes == [("DELETE", "old"), ("PATCH", "changed"), ("PATCH", "github")]
    assert sorted(graph.items) == ["changed", "github", "kept", "other"]
    assert graph.items["github"] == {
        "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:contoso/infra:ref:refs/heads/main",
        "audiences": [AUDIENCE], "description": "main branch",
    }  # fmt: skip
    assert graph.items["changed"]["audiences"] == ["api://mine"]
    assert play(INFO, graph, unique_name="automation")["credentials"] == done["credentials"]
    again = play(RESOURCE, graph, unique_name="automation", credentials=credentials)
    assert (again["changed"], again["cost"]["requests"]) == (False, 1)


def test_exclusive_removes_other_credentials(play: Play) -> None:
    graph = Graph("kept", "other")
    done = play(RESOURCE, graph, app_id=APP, credentials=[listed("kept")], exclusive=True)
    assert (graph.writes, list(done["credentials"])) == ([("DELETE", "other")], ["kept"])
    assert done["diff"]["before"].keys() == {"other"}


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("certificate_end", ["", "2027-01-14T00:00:00Z"])  # FakeClock: 2027-01-15
def test_the_last_usable_credentials_are_not_removed(play: Play, exclusive: bool, certificate_end: str) -> None:
    graph = Graph("one", "two")
    graph.application["keyCredentials"] = [{"keyId": "k", "endDateTime": certificate_end}] if certificate_end else []
    credentials = [] if exclusive else [{"name": name, "state": "absent"} for name in ("one", "two")]
    for check_mode in (True, False):
        done = play(RESOURCE, graph, check_mode=check_mode, unique_name="automation", credentials=credentials, exclusive=exclusive)
        assert (done["changed"], graph.writes, list(done["credentials"])) == (False, [], ["one", "two"])
        assert "automation: the federated credentials one, two stay" in done["notes"][0]


@pytest.mark.parametrize("kind", ["keyCredentials", "passwordCredentials"])
def test_federated_credentials_are_removed_where_another_credential_is_usable(play: Play, kind: str) -> None:
    graph = Graph("one")
    graph.application[kind] = [{"keyId": "k", "endDateTime": "2027-01-16T00:00:00Z"}]
    done = play(RESOURCE, graph, unique_name="automation", credentials=[], exclusive=True)
    assert (graph.writes, done["credentials"]) == ([("DELETE", "one")], {})


def test_two_credentials_can_swap_issuer_and_subject(play: Play) -> None:
    graph = Graph("a", "b")
    done = play(RESOURCE, graph, unique_name="automation", credentials=[listed("a", "b"), listed("b", "a")])
    assert done["changed"]
    assert {name: item["subject"] for name, item in graph.items.items()} == {"a": "b", "b": "a"}


def test_a_description_that_is_not_set_is_kept(play: Play) -> None:
    graph = Graph("a")
    graph.items["a"]["description"] = "by hand"
    assert not play(RESOURCE, graph, unique_name="automation", credentials=[listed("a")])["changed"]


def test_a_managed_identity_has_the_tenants_own_issuer(play: Play) -> None:
    graph = Graph()
    credentials = [{"name": "runner", "managed_identity": {"object_id": OBJECT.upper()}}]
    done = play(RESOURCE, graph, unique_name="automation", credentials=credentials)
    assert done["credentials"]["runner"]["issuer"] == f"https://login.partner.example/{TENANT}/v2.0"
    assert done["credentials"]["runner"]["subject"] == OBJECT


@pytest.mark.parametrize(
    ("cloud", "audience"), [("gcc-high", f"{AUDIENCE}USGov"), ("dod", f"{AUDIENCE}USGov"), ("china", f"{AUDIENCE}China")]
)
def test_the_default_audience_depends_on_the_cloud(play: Play, cloud: str, audience: str) -> None:
    graph = Graph()
    done = play(RESOURCE, graph, unique_name="automation", cloud=cloud, credentials=[listed("a")])
    assert done["credentials"]["a"]["audience"] == audience


def test_a_new_application_is_waited_for(play: Play, clock: FakeClock) -> None:
    graph = Graph(late=2)
    play(RESOURCE, graph, unique_name="automation", credentials=[listed("a")])
    assert list(graph.items) == ["a"]
    assert clock.slept == [1, 2]


def test_a_missing_application_is_assumed_in_check_mode_and_refused_otherwise(play: Play) -> None:
    graph = Graph(there=False)
    planned = play(RESOURCE, graph, check_mode=True, unique_name="automation", credentials=[listed("a")])
    assert (planned["changed"], "Entra has no application automation yet" in planned["notes"][0]) == (True, True)
    refused = play(RESOURCE, graph, unique_name="automation", credentials=[listed("a")])
    assert "Entra has no application automation: register it first (module entra_app)." in refused["msg"]
    gone = play(RESOURCE, graph, unique_name="automation", credentials=[{"name": "a", "state": "absent"}])
    assert (gone["changed"], play(INFO, graph, unique_name="automation")["credentials"]) == (False, None)


def test_conflicts_are_refused_before_any_write(play: Play) -> None:
    graph = Graph(*(f"n{number}" for number in range(20)))
    refused = play(RESOURCE, graph, unique_name="automation", credentials=[listed("new"), listed("twin", "n3")])
    assert refused["failure"]["problems"] == [
        "credentials: automation would have 22 federated credentials; the limit is 20: remove some (state absent, or exclusive).",
        "credentials: n3 and twin would have the same issuer and subject: remove one of them.",
    ]
    assert graph.writes == []


def test_invalid_input_is_refused_without_a_request() -> None:
    credentials = [{"name": "a b"}, listed("x", "same"), listed("y", "same")]
    assert len(problems_of(RESOURCE, app_id="mine", credentials=credentials)) == 4
    assert len(problems_of(INFO, app_id="mine")) == 1
