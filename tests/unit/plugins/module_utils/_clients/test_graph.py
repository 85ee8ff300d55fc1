# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.graph import BATCH, Call, GraphClient
from ansible_collections.mailops.m365.plugins.module_utils._clients.odata import key
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import GraphError, MailopsError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._core.progress import Progress
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Transport
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_permissions import TokenPermissions

from ....conftest import FakeClock, StubTokens
from ....script import Item, Script, graph_error, response

BUSY = graph_error("TooManyRequests")


@pytest.fixture
def graph(authorize: Any) -> GraphClient:
    return GraphClient(authorize("graph"))


def test_an_object_or_none(graph: GraphClient, script: Script) -> None:
    script.expect("GET", "/v1.0/applications(uniqueName='x')?$select=id").answers(200, {"id": "1"})
    assert graph.get("/applications(uniqueName='x')?$select=id", "read x") == {"id": "1"}
    script.expect("GET", "/v1.0/y").answers(404, graph_error("Request_ResourceNotFound"))
    assert graph.get("/y", "read y") is None


@pytest.mark.parametrize(
    ("value", "encoded"), [("a b", "a%20b"), ("o'x", "o%27%27x"), ("a&b=c#d/e", "a%26b%3Dc%23d%2Fe"), ("ü+", "%C3%BC%2B")]
)
def test_a_value_in_a_key_is_quoted(value: str, encoded: str) -> None:
    assert key(value) == encoded


def test_a_refusal_is_one_sentence(graph: GraphClient, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(403, graph_error("Authorization_RequestDenied", "Insufficient privileges.")).times(2)
    with pytest.raises(GraphError) as raised:
        graph.get("/x", "read x")
    assert str(raised.value) == (
        "Could not read x: the automation app lacks a Graph permission for this (Authorization_RequestDenied). "
        "Grant it the permissions in docs/setup.md, with admin consent. [request trace-1]"
    )
    assert (raised.value.status, raised.value.transient) == (403, False)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (
            None,
            "lacks a Graph permission for this: AppRoleAssignment.ReadWrite.All (Authorization_RequestDenied). Let a Global Administrator",
        ),
        (
            TokenPermissions(frozenset(["User.Read"]), True),
            "add the delegated permission AppRoleAssignment.ReadWrite.All of Microsoft Graph",
        ),
        (
            TokenPermissions(frozenset(["AppRoleAssignment.ReadWrite.All"])),
            "lacks a Graph permission for this (Authorization_RequestDenied). Grant it the permissions in docs/setup.md",
        ),
    ],
)
@pytest.mark.parametrize("batch", [True, False])
def test_a_refusal_names_the_permission_that_the_token_lacks(
    graph: GraphClient, script: Script, tokens: StubTokens, allowed: TokenPermissions | None, expected: str, batch: bool
) -> None:
    tokens.allowed, tokens.cached = allowed, False
    path, error = "/servicePrincipals/1/appRoleAssignedTo", graph_error("Authorization_RequestDenied", "Insufficient privileges.")
    if batch:
        script.expect("POST", "/v1.0/$batch").answers(200, {"responses": [{"id": "0", "status": 403, "body": error}]})
    else:
        script.expect("POST", f"/v1.0{path}").answers(403, error)
    call = Call("POST", path, {}, "consent to it")
    with pytest.raises(GraphError, match=re.escape(expected)):
        graph.batch([call]) if batch else graph.write(call)


def test_the_refused_items_of_a_batch_are_repeated_while_a_granted_role_is_awaited(
    graph: GraphClient, script: Script, tokens: StubTokens
) -> None:
    tokens.cached, tokens.awaits = False, 1
    denied = {"status": 403, "body": graph_error("Authorization_RequestDenied")}
    script.expect("POST", "/v1.0/$batch").answers(200, {"responses": [{"id": "0", "status": 200, "body": {"n": 0}}, {"id": "1", **denied}]})
    script.expect("POST", "/v1.0/$batch").answers(200, {"responses": [{"id": "1", "status": 200, "body": {"n": 1}}]})
    assert graph.batch([Call("GET", "/domains/a"), Call("GET", "/domains/b")]) == [{"n": 0}, {"n": 1}]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, graph_error("Request_BadRequest", "Invalid property 'x'."), "Request_BadRequest"),
        (400, {"error": "odd"}, "HTTP 400"),
        (302, "", "HTTP 302"),
        (200, "<html>proxy</html>", "HTTP 200"),
        (404, "gone", "HTTP 404"),
    ],
)
def test_an_odd_answer_is_an_error_not_a_crash(graph: GraphClient, script: Script, status: int, body: Any, code: str) -> None:
    script.expect("GET", "/v1.0/x").answers(status, body)
    with pytest.raises(GraphError) as raised:
        graph.every("/x", "list x")
    assert raised.value.code == code


def test_pages_are_followed_to_the_end(graph: GraphClient, script: Script) -> None:
    link = "https://graph.microsoft.com/v1.0/x?$skiptoken="
    script.expect("GET", "/v1.0/x").answers(200, {"value": [{"id": 1}], "@odata.nextLink": f"{link}a"})
    script.expect("GET", "/v1.0/x?$skiptoken=a").answers(200, {"value": [], "@odata.nextLink": f"{link}b"})
    script.expect("GET", "/v1.0/x?$skiptoken=b").answers(200, {"value": [{"id": 2}]})
    assert graph.every("/x", "list x") == [{"id": 1}, {"id": 2}]


def test_a_page_of_another_host_is_refused(graph: GraphClient, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(200, {"value": [], "@odata.nextLink": "https://evil.example/v1.0/x?$skiptoken=a"})
    with pytest.raises(MailopsError, match=r"evil\.example, which is not the service: no token was sent there"):
        graph.every("/x", "list x")


def test_a_failed_page_is_no_short_list(graph: GraphClient, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(200, {"value": [{}], "@odata.nextLink": "https://graph.microsoft.com/v1.0/x?p=2"})
    script.expect("GET", "/v1.0/x?p=2").answers(400, graph_error("Directory_ExpiredPageToken"))
    with pytest.raises(GraphError, match="Directory_ExpiredPageToken"):
        graph.every("/x", "list x")


def test_pages_of_a_batchs_item_are_followed_outside_of_it(graph: GraphClient, script: Script) -> None:
    link = "https://graph.microsoft.com/v1.0/a?$skiptoken="
    script.expect_graph_batch(Item("GET", "/a", 200, {"value": [1], "@odata.nextLink": f"{link}x"}), Item("GET", "/b", 200, {"value": [9]}))
    script.expect("GET", "/v1.0/a?$skiptoken=x").answers(200, {"value": [2], "@odata.nextLink": f"{link}y"})
    script.expect("GET", "/v1.0/a?$skiptoken=y").answers(200, {"value": [3]})
    first, second = graph.batch([Call("GET", "/a"), Call("GET", "/b")])
    assert (first["value"], second["value"]) == ([1, 2, 3], [9])


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_write_sends_its_body_and_headers(graph: GraphClient, script: Script) -> None:
    (script.expect("PATCH", "/v1.0/applications(uniqueName='x')").header("Prefer", "create-if-missing").json_body({"displayName": "X"})
        .answers(201, {"id": "1"}))  # fmt: skip
    call = Call("PATCH", "/applications(uniqueName='x')", {"displayName": "X"}, "create x", {"Prefer": "create-if-missing"})
    assert graph.write(call) == {"id": "1"}
    script.expect("PATCH", "/v1.0/applications/1").answers(204)
    assert graph.write(Call("PATCH", "/applications/1", {})) is None


def test_a_removal_of_what_is_gone_is_done(graph: GraphClient, script: Script) -> None:
    script.expect("DELETE", "/v1.0/applications/1").answers(404, graph_error("Request_ResourceNotFound"))
    assert graph.write(Call("DELETE", "/applications/1")) is None
    script.expect("PATCH", "/v1.0/applications/1").answers(404, graph_error("Request_ResourceNotFound"))
    with pytest.raises(GraphError):
        graph.write(Call("PATCH", "/applications/1", {}))


def test_a_lost_post_is_not_repeated_and_a_lost_patch_is(graph: GraphClient, script: Script) -> None:
    script.expect("POST", "/v1.0/x").fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        graph.write(Call("POST", "/x", {}))
    script.expect("PATCH", "/v1.0/x").fails(TimeoutError("no answer in time"))
    script.expect("PATCH", "/v1.0/x").answers(204)
    graph.write(Call("PATCH", "/x", {}))


def test_replication_lag_is_waited_out_within_bounds(graph: GraphClient, script: Script, clock: FakeClock) -> None:
    script.expect("PATCH", "/v1.0/x").answers(404, graph_error("Request_ResourceNotFound")).times(3)
    script.expect("PATCH", "/v1.0/x").answers(204)
    graph.write(Call("PATCH", "/x", {}), retry_on=lambda error: error.status == 404, limit=60)
    assert clock.slept == [1, 2, 4]
    clock.slept.clear()
    script.expect("PATCH", "/v1.0/x").answers(404, graph_error("Request_ResourceNotFound")).times(6)
    with pytest.raises(GraphError, match="not replicated it yet"):
        graph.write(Call("PATCH", "/x", {}), retry_on=lambda error: error.status == 404, limit=32)
    assert clock.slept == [1, 2, 4, 8, 15]


def test_only_the_named_refusals_are_waited_out(graph: GraphClient, script: Script, clock: FakeClock) -> None:
    script.expect("PATCH", "/v1.0/x").answers(400, graph_error("Request_BadRequest"))
    with pytest.raises(GraphError):
        graph.write(Call("PATCH", "/x", {}), retry_on=lambda error: error.status == 404, limit=60)
    assert clock.slept == []


# -- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_keeps_the_order_of_its_calls(graph: GraphClient, script: Script) -> None:
    script.expect_graph_batch(
        Item("GET", "/a b", 200, {"n": 1}),
        Item("POST", "/b", 201, {"n": 2}, body={"x": 1}),
        Item("GET", "/c", 404, graph_error("Request_ResourceNotFound")),
        Item("DELETE", "/d", 204),
    )
    calls = [Call("GET", "/a%20b"), Call("POST", "/b", {"x": 1}, headers={"Prefer": "p"}), Call("GET", "/c"), Call("DELETE", "/d")]
    assert graph.batch(calls) == [{"n": 1}, {"n": 2}, None, None]
    items = script.requests[0].json["requests"]
    assert [item.get("headers") for item in items] == [None, {"Content-Type": "application/json", "Prefer": "p"}, None, None]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])])
def test_a_batch_has_twenty_items_at_most(graph: GraphClient, script: Script, count: int, sizes: list[int]) -> None:
    for start, size in zip(range(0, 100, BATCH), sizes, strict=False):
        script.expect_graph_batch(*[Item("GET", f"/{i}", 200, {"n": i}) for i in range(start, start + size)])
    assert graph.batch([Call("GET", f"/{i}") for i in range(count)]) == [{"n": i} for i in range(count)]
    assert [len(request.json["requests"]) for request in script.requests] == sizes


def test_throttled_items_are_sent_again_alone_after_the_longest_wait(graph: GraphClient, script: Script, clock: FakeClock) -> None:
    script.expect_graph_batch(
        Item("POST", "/a", 429, BUSY, body={}, headers={"Retry-After": "5"}),
        Item("POST", "/b", 201, {"n": 2}, body={}),
        Item("POST", "/c", 429, BUSY, body={}, headers={"retry-after": "11"}),
    )
    script.expect_graph_batch(
        Item("POST", "/a", 201, {"n": 1}, body={}), Item("POST", "/c", 429, BUSY, body={}, headers={"Retry-After": "2"})
    )
    script.expect_graph_batch(Item("POST", "/c", 201, {"n": 3}, body={}))
    assert graph.batch([Call("POST", f"/{name}", {}) for name in "abc"]) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert clock.slept == [11.0, 2.0]


def test_throttling_without_end_is_a_sentence(graph: GraphClient, script: Script, clock: FakeClock) -> None:
    for _ in range(6):
        script.expect_graph_batch(Item("GET", "/a", 429, BUSY, headers={"Retry-After": "1"}))
    with pytest.raises(GraphError, match="Graph throttles this application in this tenant") as raised:
        graph.batch([Call("GET", "/a")])
    assert raised.value.transient
    assert len(clock.slept) == 5


def test_a_batchs_waiting_is_bounded(graph: GraphClient, script: Script, clock: FakeClock) -> None:
    script.expect_graph_batch(Item("GET", "/a", 429, BUSY, headers={"Retry-After": "3600"}))
    with pytest.raises(GraphError, match="TooManyRequests"):
        graph.batch([Call("GET", "/a")])
    assert clock.slept == []


def test_a_faulty_item_is_read_again_but_never_written_again(graph: GraphClient, script: Script) -> None:
    script.expect_graph_batch(Item("GET", "/a", 500, graph_error("UnknownError")), Item("GET", "/b", 200, {"n": 2}))
    script.expect_graph_batch(Item("GET", "/a", 200, {"n": 1}))
    assert graph.batch([Call("GET", "/a"), Call("GET", "/b")]) == [{"n": 1}, {"n": 2}]
    script.expect_graph_batch(Item("POST", "/a", 500, graph_error("UnknownError"), body={}))
    with pytest.raises(GraphError, match="UnknownError"):
        graph.batch([Call("POST", "/a", {})])


def test_failed_item_names_what_it_attempted(graph: GraphClient, script: Script) -> None:
    script.expect_graph_batch(Item("GET", "/a", 200, {}), Item("GET", "/b", 403, graph_error("Authorization_RequestDenied")))
    with pytest.raises(GraphError, match=r"^Could not read b: "):
        graph.batch([Call("GET", "/a", attempted="read a"), Call("GET", "/b", attempted="read b")])


def test_an_answer_that_lacks_items_is_an_error(graph: GraphClient, script: Script) -> None:
    script.expect("POST", "/v1.0/$batch").answers(200, {"responses": [{"id": "0", "status": 200, "body": {}}]})
    with pytest.raises(GraphError, match=r"lacks 1 of its items"):
        graph.batch([Call("GET", "/a"), Call("GET", "/b")])


def test_a_batch_that_is_refused_whole_is_an_error(graph: GraphClient, script: Script) -> None:
    script.expect("POST", "/v1.0/$batch").answers(400, graph_error("BadRequest", "Too many"))
    with pytest.raises(GraphError, match=r"BadRequest: Too many"):
        graph.batch([Call("GET", "/a"), Call("GET", "/b")])


def test_a_lost_batch_is_repeated_only_without_posts(graph: GraphClient, script: Script) -> None:
    script.expect("POST", "/v1.0/$batch").fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        graph.batch([Call("GET", "/a"), Call("POST", "/b", {})])
    script.expect("POST", "/v1.0/$batch").fails(TimeoutError("no answer in time"))
    script.expect_graph_batch(Item("GET", "/a", 200, {"n": 1}), Item("DELETE", "/b", 404, graph_error("Request_ResourceNotFound")))
    assert graph.batch([Call("GET", "/a"), Call("DELETE", "/b")]) == [{"n": 1}, None]


def test_a_batch_of_a_thousand_is_fifty_requests(graph: GraphClient, script: Script) -> None:
    def play(request: Request) -> Response:
        return response(
            200, {"responses": [{"id": i["id"], "status": 200, "body": {"url": unquote(i["url"])}} for i in request.json["requests"]]}
        )

    script.expect("POST", "/v1.0/$batch").answers_with(play).times(50)
    bodies = graph.batch([Call("GET", f"/{i}") for i in range(1000)])
    assert [item["url"] for item in bodies] == [f"/{i}" for i in range(1000)]


def test_long_batch_shows_its_progress(graph: GraphClient, script: Script, transport: Transport, clock: FakeClock) -> None:
    def play(request: Request) -> Response:
        clock.sleep(1)
        return response(200, {"responses": [{"id": item["id"], "status": 200, "body": {}} for item in request.json["requests"]]})

    lines: list[str] = []
    transport.progress = Progress(clock, lines.append, "contoso.com")
    script.expect("POST", "/v1.0/$batch").answers_with(play).times(12)
    graph.batch([Call("GET", f"/{number}") for number in range(240)])
    assert lines == [f"contoso.com: Microsoft Graph: {count} of 240 (20 per second)" for count in (100, 200)]
