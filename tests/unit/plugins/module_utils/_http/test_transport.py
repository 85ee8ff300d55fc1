# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.bounds import SERVICES, SIGN_IN, THROTTLED, Bounds
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._core.waiting import Cost, SystemClock
from ansible_collections.mailops.m365.plugins.module_utils._http.batch import ItemResponse, longest_wait
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Session, Transport

from ....conftest import FakeClock
from ....script import Script, response

URL = "https://graph.microsoft.com/v1.0/x"
READ = Request("GET", URL, attempted="read x")
CREATE = Request("POST", URL, repeatable=False, attempted="create x")


def test_an_answer_is_returned_and_counted(transport: Transport, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(200, {"a": 1}, {"X-One": "1"})
    answer = transport.send(READ)
    assert (answer.status, answer.json(), answer.headers["x-one"]) == (200, {"a": 1}, "1")
    assert transport.cost.as_result() == {"requests": 1, "retries": 0, "waited": 0.0}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("request_", [READ, CREATE], ids=["read", "create"])
def test_throttling_waits_for_retry_after(transport: Transport, script: Script, clock: FakeClock, status: int, request_: Request) -> None:
    script.expect(request_.method, "/v1.0/x").answers(status, "busy", {"Retry-After": "17"}).times(2)
    script.expect(request_.method, "/v1.0/x").answers(200, {})
    assert transport.send(request_).status == 200
    assert clock.slept == [17.0, 17.0]
    assert transport.cost.as_result() == {"requests": 3, "retries": 2, "waited": 34.0}


@pytest.mark.parametrize("retry_after", [None, "soon", "Mon, 23 Nov 2026 20:00:00 GMT", ""])
def test_without_usable_retry_after_the_pause_doubles(
    transport: Transport, script: Script, clock: FakeClock, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    script.expect("GET", "/v1.0/x").answers(503, None, headers).times(6)
    assert transport.send(READ).status == 503
    assert transport.cost.requests == THROTTLED.attempts == 6
    for slept, base in zip(clock.slept, [2, 4, 8, 16, 32], strict=True):
        assert 0.8 * base <= slept <= 1.2 * base


def test_the_backoff_is_bounded() -> None:
    assert THROTTLED.pause(20) <= 60 * 1.2


def test_lost_connections_and_throttling_are_counted_apart(transport: Transport, script: Script) -> None:
    """Two 429s and two lost connections are within both bounds; the third lost connection is one too many."""
    for _round in range(2):
        script.expect("GET", "/v1.0/x").answers(429)
        script.expect("GET", "/v1.0/x").fails(ConnectionResetError("the connection was reset"))
    script.expect("GET", "/v1.0/x").answers(200, {})
    assert transport.send(READ).status == 200
    assert transport.cost.requests == 5
    script.expect("GET", "/v1.0/x").answers(429).times(2)
    script.expect("GET", "/v1.0/x").fails(ConnectionResetError("the connection was reset")).times(3)
    with pytest.raises(Unreachable, match="the connection was reset"):
        transport.send(READ)


def test_each_service_has_its_own_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exchange alone may take 15 minutes for one command."""
    session, timeouts = Session(), list[object]()

    class Sent(Exception):  # noqa: N818
        pass

    def record(*_arguments: object, timeout: object, **_options: object) -> None:
        timeouts.append(timeout)
        raise Sent

    monkeypatch.setattr(session._session, "request", record)
    for bounds in (SIGN_IN, SERVICES["graph"], SERVICES["management"], SERVICES["exchange"]):
        with pytest.raises(Sent):
            session(Request("GET", URL, bounds=bounds))
    session.close()
    assert timeouts == [(10.0, 60.0), (10.0, 120.0), (10.0, 120.0), (10.0, 960.0)]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_fault_is_retried_only_where_that_is_harmless(transport: Transport, script: Script, status: int) -> None:
    script.expect("POST", "/v1.0/x").answers(status)
    assert transport.send(CREATE).status == status
    assert transport.cost.requests == 1
    script.expect("GET", "/v1.0/x").answers(status)
    script.expect("GET", "/v1.0/x").answers(200, {})
    assert transport.send(READ).status == 200


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 409])
def test_other_answers_are_final(transport: Transport, script: Script, status: int) -> None:
    script.expect("GET", "/v1.0/x").answers(status, None, {"Location": "https://elsewhere.example/"})
    assert transport.send(READ).status == status


def test_the_service_may_name_its_own_passing_errors(transport: Transport, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(400, "passing")
    script.expect("GET", "/v1.0/x").answers(200, "passing")
    script.expect("GET", "/v1.0/x").answers(400, "lasting")
    assert transport.send(READ, is_transient=lambda answer: answer.text == "passing").text == "lasting"
    assert transport.cost.retries == 2


def test_wait_beyond_the_budget_is_not_started(transport: Transport, script: Script, clock: FakeClock) -> None:
    script.expect("GET", "/v1.0/x").answers(429, None, {"Retry-After": "200"})
    script.expect("GET", "/v1.0/x").answers(429, None, {"Retry-After": "101"})
    assert transport.send(READ).status == 429
    assert clock.slept == [200.0]


def test_a_refused_connection_is_tried_three_times(transport: Transport, script: Script) -> None:
    script.expect("POST", "/v1.0/x").fails(ConnectionRefusedError("the connection was refused")).times(3)
    with pytest.raises(Unreachable) as raised:
        transport.send(CREATE)
    assert transport.cost.requests == 3
    assert str(raised.value) == (
        "Could not create x: no answer from graph.microsoft.com:443: the connection was refused. "
        "Check m365_cloud, the host name and the network (DNS, proxy, firewall)."
    )


def test_a_connection_that_comes_back_is_used(transport: Transport, script: Script) -> None:
    script.expect("POST", "/v1.0/x").fails(ConnectionError("its name does not resolve"))
    script.expect("POST", "/v1.0/x").answers(201, {})
    assert transport.send(CREATE).status == 201


@pytest.mark.parametrize("error", [TimeoutError("no answer in time"), OSError("Remote end closed connection without response")])
def test_a_lost_answer_is_asked_for_again_only_where_that_is_harmless(transport: Transport, script: Script, error: OSError) -> None:
    script.expect("POST", "/v1.0/x").fails(error)
    with pytest.raises(Unreachable, match=str(error)):
        transport.send(CREATE)
    script.expect("GET", "/v1.0/x").fails(error).times(2)
    script.expect("GET", "/v1.0/x").answers(200, {})
    assert transport.send(READ).status == 200


def test_no_answer_repeats_the_secrets_of_its_request(transport: Transport, script: Script) -> None:
    request = Request(
        "POST", URL, {"Authorization": "Bearer top-secret-token"}, form={"client_secret": 'a"b/ü', "client_assertion": "eyJ.x.y"}
    )
    script.expect("POST", "/v1.0/x").answers(400, 'top-secret-token a\\"b/\\u00fc a%22b%2F%C3%BC a"b/ü eyJ.x.y dG9wLXNlY3JldC10b2tlbg==')
    assert transport.send(request).text == " ".join(["********"] * 6)
    for hidden in ("top-secret-token", 'a"b', "eyJ"):
        assert hidden not in repr(request)
    assert "top" not in repr(response(400, "top-secret-token"))


def test_the_cost_of_parallel_requests_is_complete() -> None:
    cost = Cost()
    threads = [threading.Thread(target=lambda: [cost.count(requests=1, waited=0.5) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cost.as_result() == {"requests": 2000, "retries": 0, "waited": 1000.0}


@pytest.mark.parametrize(
    ("body", "decoded"), [(b'{"a": 1}', {"a": 1}), (b"", None), (b"<html>", None), (b"\0\0", None), (b"\xff\xfe", None)]
)
def test_a_body_that_is_not_json_is_none(body: bytes, decoded: object) -> None:
    assert response(200, body).json() == decoded


def test_an_item_of_a_batch_is_a_response() -> None:
    item = ItemResponse({"id": "1", "status": 429, "headers": {"Retry-After": 5}, "body": {"error": {}}})
    assert (item.status, item.headers, item.json()) == (429, {"retry-after": "5"}, {"error": {}})
    assert ItemResponse({"id": "1"}).status == 0
    assert ItemResponse({"id": "1", "body": "plain"}).text == "plain"
    assert longest_wait([item, ItemResponse({"headers": {"retry-after": "30"}}), ItemResponse({"headers": {"retry-after": "x"}})]) == 30
    assert longest_wait([]) is None


# -- the session in earnest, on loopback ------------------------------------------------------------------------------

QUICK = Bounds(connect_timeout=2.0, read_timeout=0.3)
Handler = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(handler: Handler) -> Iterator[tuple[str, list[int]]]:
    """A server that takes each connection, counts it, and lets the handler do what it likes."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[int] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                with connection:
                    seen.append(1)
                    handler(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("NO_PROXY", "*")
    session = Session()
    yield session
    session.close()


def _drop(connection: socket.socket) -> None:
    """Hang up once the request is there, with its body: what lies unread would turn the end into a reset."""
    heard = b""
    while not heard.endswith(b"{}" if heard.startswith(b"POST") else b"\r\n\r\n"):
        heard += connection.recv(65536)


def _answer(text: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)

    return handle


def test_a_post_whose_connection_breaks_is_not_sent_twice(session: Session, clock: FakeClock) -> None:
    with server(_drop) as (url, seen), pytest.raises(Unreachable, match="closed connection"):
        Transport(session, clock).send(Request("POST", url, json={}, repeatable=False, bounds=QUICK))
    assert len(seen) == 1


def test_post_with_an_incomplete_answer_is_not_sent_twice(session: Session, clock: FakeClock) -> None:
    half = _answer(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    with server(half) as (url, seen), pytest.raises(Unreachable):
        Transport(session, clock).send(Request("POST", url, json={}, repeatable=False, bounds=QUICK))
    assert len(seen) == 1


def test_a_post_without_an_answer_in_time_is_not_sent_twice(session: Session, clock: FakeClock) -> None:
    done = threading.Event()
    with server(lambda connection: bool(done.wait(2)) and None) as (url, seen):
        with pytest.raises(Unreachable, match="no answer in time"):
            Transport(session, clock).send(Request("POST", url, json={}, repeatable=False, bounds=QUICK))
        done.set()
    assert len(seen) == 1


def test_a_get_whose_connection_breaks_is_sent_again(session: Session, clock: FakeClock) -> None:
    with server(_drop) as (url, seen), pytest.raises(Unreachable):
        Transport(session, clock).send(Request("GET", url, bounds=QUICK))
    assert len(seen) == 3


def test_refused_connection_is_reported(session: Session, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = Transport(session, clock)
    with pytest.raises(Unreachable, match=f"no answer from 127.0.0.1:{port}: the connection was refused"):
        transport.send(Request("POST", f"http://127.0.0.1:{port}/x", repeatable=False, bounds=QUICK))
    assert transport.cost.requests == 3


def test_refused_tls_is_reported(session: Session, clock: FakeClock) -> None:
    with server(_answer(b"220 not TLS at all\r\n")) as (url, _seen), pytest.raises(Unreachable, match="TLS was refused"):
        Transport(session, clock).send(Request("GET", url.replace("http:", "https:"), bounds=QUICK))


def test_a_closed_session_keeps_no_connection(session: Session) -> None:
    closed = threading.Event()

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        if connection.recv(1) == b"":
            closed.set()

    with server(handle) as (url, _seen):
        assert session(Request("GET", url, bounds=QUICK)).status == 204
        assert not closed.wait(0.05)
        session.close()
        assert closed.wait(2)


def test_default_clock_is_the_system_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    before = time.time()
    SystemClock().sleep(7)
    assert slept == [7]
    assert before <= SystemClock().now() <= time.time()


def test_a_redirect_is_not_followed(session: Session) -> None:
    with server(_answer(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")) as (url, seen):
        answer = session(Request("GET", url, bounds=QUICK))
    assert (answer.status, answer.headers["location"], len(seen)) == (302, "/y", 1)


def test_requests_are_counted_by_service(transport: Transport, script: Script) -> None:
    script.expect("GET", "/v1.0/x").answers(429, "busy", {"Retry-After": "1"})
    script.expect("GET", "/v1.0/x").answers(200, {}).times(2)
    transport.send(Request("GET", URL, service="graph"))
    transport.send(READ)
    assert transport.cost.services == {"graph": 2, "": 1}, "a retry is a request, too"
