# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange import (
    Command,
    ExchangeClient,
    Outcome,
    boolean,
    is_missing,
    names,
)
from ansible_collections.mailops.m365.plugins.module_utils._clients.exchange_errors import TRANSIENT
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ExchangeError, MailopsError, Unreachable
from ansible_collections.mailops.m365.plugins.module_utils._core.progress import Progress
from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response, Transport

from ....conftest import TENANT, FakeClock, StubTokens
from ....script import Script, exchange_error, response
from ....services import Exchange, Refused, missing

ROOT = f"/adminapi/beta/{TENANT}"
INVOKE = f"{ROOT}/InvokeCommand"
HOST = "https://outlook.office365.com"
CONCURRENT = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again"
READ = Command("Get-CASMailbox", {"Identity": "a@contoso.com"}, ("Guid", "Name"), "read a")
WRITE = Command("Set-CASMailbox", {"Identity": "a@contoso.com"}, attempted="set a")
CREATE = Command("New-InboundConnector", {"Name": "x"}, attempted="create x")


@pytest.fixture
def exchange(authorize: Any) -> ExchangeClient:
    return ExchangeClient(authorize("exchange"), TENANT)


@pytest.fixture
def against(authorize: Any) -> Any:
    """A client of a stand-in service."""

    def make(service: Any) -> ExchangeClient:
        authorized = authorize("exchange")
        authorized.transport.sender = service
        return ExchangeClient(authorized, TENANT)

    return make


def _set(number: int) -> Command:
    return Command("Set-CASMailbox", {"Identity": f"{number}@contoso.com"}, attempted=f"set {number}")


# -- one command ------------------------------------------------------------------------------------------------------


def test_a_command_is_sent_as_microsofts_module_sends_it(exchange: ExchangeClient, script: Script) -> None:
    (script.expect("POST", f"{INVOKE}?$select=Guid,Name")
        .json_body({"CmdletInput": {"CmdletName": "Get-CASMailbox", "Parameters": {"Identity": "a@contoso.com"}}})
        .header("X-CmdletName", "Get-CASMailbox").header("X-ResponseFormat", "json").header("Prefer", "odata.maxpagesize=1000")
        .header("X-AnchorMailbox", f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}")
        .header("Authorization", "Bearer token-1")
        .answers(200, {"value": [{"Guid": "1"}], "@adminapi.warnings": []}))  # fmt: skip
    assert exchange.run(READ).values == [{"Guid": "1"}]


def test_null_and_false_are_sent_as_they_are(exchange: ExchangeClient, script: Script) -> None:
    parameters = {"Identity": "g", "SmtpClientAuthenticationDisabled": None, "Confirm": False}
    script.expect("POST", INVOKE).json_body({"CmdletInput": {"CmdletName": "Set-CASMailbox", "Parameters": parameters}}).answers(
        200, {"value": []}
    )
    assert exchange.run(Command("Set-CASMailbox", parameters)).values == []


@pytest.mark.parametrize("identity", ["", None])
def test_an_empty_identity_is_never_sent(identity: str | None) -> None:
    with pytest.raises(ValueError, match="Get-Mailbox: Identity is empty"):
        Command("Get-Mailbox", {"Identity": identity})


def test_annotations_are_stripped_and_warnings_kept(exchange: ExchangeClient, script: Script) -> None:
    item = {"Guid": "1", "Guid@data.type": "System.Guid", "Tags@odata.type": "#Collection(String)", "Tags": ["a"], "@odata.id": "x"}
    script.expect("POST", INVOKE).answers(200, {"@odata.context": "..", "adminapi.warnings@odata.type": "", "@adminapi.warnings": ["Mind."],
                                                "value": [item]})  # fmt: skip
    outcome = exchange.run(Command("Get-X"))
    assert outcome.values == [{"Guid": "1", "Tags": ["a"]}]
    assert outcome.warnings == ["Mind."]


@pytest.mark.parametrize(("member", "status"), [("error", 200), ("@odata.error", 200), ("error", 400), ("error", 404)])
def test_an_error_is_read_wherever_it_stands(exchange: ExchangeClient, script: Script, member: str, status: int) -> None:
    error = exchange_error("ManagementObjectNotFoundException", "The object 'x' couldn't be found on 'DB8PR01'.")["error"]
    script.expect("POST", INVOKE).answers(status, {member: error, "value": []}, {"request-id": "r-1"})
    with pytest.raises(ExchangeError) as raised:
        exchange.run(WRITE)
    assert is_missing(raised.value)
    assert raised.value.service_message == "The object 'x' couldn't be found on 'DB8PR01'."
    assert str(raised.value) == (
        "Could not set a: there is no such object in Exchange (ManagementObjectNotFoundException). "
        "Check its name. A new object may not be replicated yet. [request r-1]"
    )


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"details": [{"message": "|Microsoft.Exchange.X.YException|a|b"}]}, "YException", "a|b"),
        ({"details": [{"message": "plain"}], "innererror": {"internalexception": {"message": "inner", "type": "A.B"}}}, "B", "plain"),
        ({"details": [], "innererror": {"internalexception": {"message": "inner", "type": "A.BException"}}}, "BException", "inner"),
        ({"code": "BadRequest", "message": "outer", "innererror": {"message": "x"}}, "BadRequest", "outer"),
        ({"message": "outer"}, "HTTP 400", "outer"),
        ("only words", "HTTP 400", "only words"),
    ],
)
def test_error_text_is_read_from_each_of_its_fields(exchange: ExchangeClient, script: Script, error: Any, code: str, message: str) -> None:
    script.expect("POST", INVOKE).answers(400, {"error": error})
    with pytest.raises(ExchangeError) as raised:
        exchange.run(WRITE)
    assert (raised.value.code, raised.value.service_message) == (code, message)


@pytest.mark.parametrize("body", [b"\0" * 40, b"", b"\x1f\x8b\x08broken"])
def test_a_403_without_words_names_both_causes(exchange: ExchangeClient, script: Script, tokens: StubTokens, body: bytes) -> None:
    script.expect("POST", INVOKE).answers(403, body).times(2)
    with pytest.raises(ExchangeError) as raised:
        exchange.run(WRITE)
    assert raised.value.code == "Forbidden"
    assert "Exchange Administrator" in str(raised.value)
    assert "may have lost management roles" in str(raised.value)
    assert "\0" not in raised.value.service_message


def test_a_401_names_the_app_role(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    tokens.cached = False
    script.expect("POST", INVOKE).answers(401)
    with pytest.raises(ExchangeError, match=r"lacks Exchange\.ManageAsApp \(Unauthorized\)"):
        exchange.run(WRITE)


@pytest.mark.parametrize(("status", "body"), [(200, "<html>front door</html>"), (200, "[]"), (405, "no")])
def test_unreadable_answer_is_an_error(exchange: ExchangeClient, script: Script, status: int, body: Any) -> None:
    script.expect("POST", INVOKE).answers(status, body)
    with pytest.raises(ExchangeError, match=f"HTTP {status}"):
        exchange.run(WRITE)


# -- passing faults ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(TRANSIENT))
@pytest.mark.parametrize("status", [400, 500])
def test_transient_fault_is_recognised_by_its_type(exchange: ExchangeClient, script: Script, kind: str, status: int) -> None:
    script.expect("POST", INVOKE).answers(status, exchange_error(kind, "something"))
    script.expect("POST", INVOKE).answers(200, {"value": []})
    exchange.run(WRITE)


def test_transient_fault_is_recognised_by_its_header(exchange: ExchangeClient, script: Script) -> None:
    script.expect("POST", INVOKE).answers(400, exchange_error("X", "y"), {"X-ExceptionType": "A.UnableToWriteToAadException"})
    script.expect("POST", INVOKE).answers(200, {"value": []})
    exchange.run(WRITE)


@pytest.mark.parametrize(
    "text", [CONCURRENT, "The request was throttled.", "The server is too busy.", "Temporarily unavailable", "Try again later."]
)
@pytest.mark.parametrize("status", [200, 400])
def test_transient_fault_is_recognised_by_its_text(exchange: ExchangeClient, script: Script, text: str, status: int) -> None:
    script.expect("POST", INVOKE).answers(status, {"error": {"code": "X", "message": text}})
    script.expect("POST", INVOKE).answers(200, {"value": []})
    exchange.run(WRITE)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ParameterTransformationException", "Specify one of the following enumerator names and try again: A, B"),
        ("ManagementObjectNotFoundException", "The object 'throttled-printer' couldn't be found. Try again later."),
        ("RecipientTaskException", "The name is not valid. Correct it and try again."),
    ],
)  # fmt: skip
def test_a_lasting_fault_is_not_tried_again(exchange: ExchangeClient, script: Script, kind: str, text: str) -> None:
    script.expect("POST", INVOKE).answers(400, exchange_error(kind, text))
    with pytest.raises(ExchangeError) as raised:
        exchange.run(WRITE)
    assert raised.value.code == kind


def test_plain_429_is_retried_and_reported_when_it_lasts(exchange: ExchangeClient, script: Script, clock: FakeClock) -> None:
    script.expect("POST", INVOKE).answers(429, CONCURRENT, {"Retry-After": "3"})
    script.expect("POST", INVOKE).answers(200, {"value": []})
    exchange.run(WRITE)
    assert clock.slept == [3.0]
    for body in (CONCURRENT, ""):
        script.expect("POST", INVOKE).answers(429, body).times(6)
        with pytest.raises(ExchangeError, match="Exchange is busy with other requests") as raised:
            exchange.run(WRITE)
        assert raised.value.transient


def test_only_new_commands_are_not_repeated_after_a_lost_answer(exchange: ExchangeClient, script: Script) -> None:
    for lost in (READ, WRITE, Command("Add-MailboxPermission"), Command("Remove-InboundConnector")):
        target = INVOKE + ("?$select=Guid,Name" if lost is READ else "")
        script.expect("POST", target).fails(TimeoutError("no answer in time"))
        script.expect("POST", target).answers(200, {"value": []})
        exchange.run(lost)
    for answer in (TimeoutError("no answer in time"), OSError("Remote end closed connection without response")):
        script.expect("POST", INVOKE).fails(answer)
        with pytest.raises(Unreachable, match=r"^Could not create x: "):
            exchange.run(CREATE)
    script.expect("POST", INVOKE).answers(500, "")
    with pytest.raises(ExchangeError, match="HTTP 500"):
        exchange.run(CREATE)


# -- pages ------------------------------------------------------------------------------------------------------------


def _page(values: list[dict[str, Any]], token: str = "", **more: Any) -> dict[str, Any]:
    link = {"@odata.nextLink": f"{HOST}{INVOKE}?%24skiptoken={token}"} if token else {}
    return {"value": values, "@adminapi.warnings": [], **link, **more}


def test_pages_are_asked_for_with_the_same_body(exchange: ExchangeClient, script: Script) -> None:
    body = {"CmdletInput": {"CmdletName": "Get-X", "Parameters": {"ResultSize": "Unlimited"}}}
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    script.expect("POST", INVOKE).json_body(body).header("X-AnchorMailbox", anchor).answers(200, _page([{"n": 1}], "a"))
    script.expect("POST", f"{INVOKE}?$skiptoken=a").json_body(body).header("X-AnchorMailbox", anchor).answers(200, _page([], "b"))
    script.expect("POST", f"{INVOKE}?$skiptoken=b").json_body(body).answers(200, _page([{"n": 2}]))
    assert exchange.run(Command("Get-X", {"ResultSize": "Unlimited"})).values == [{"n": 1}, {"n": 2}]


def test_an_expired_page_starts_the_read_again_once(exchange: ExchangeClient, script: Script) -> None:
    expired = {"error": {"code": "BadRequest", "message": "Expired or Invalid pagination request. Default Expiry time is 00:30:00"}}
    script.expect("POST", INVOKE).answers(200, _page([{"n": 1}], "a"))
    script.expect("POST", f"{INVOKE}?$skiptoken=a").answers(400, expired)
    script.expect("POST", INVOKE).answers(200, _page([{"n": 1}], "b"))
    script.expect("POST", f"{INVOKE}?$skiptoken=b").answers(200, _page([{"n": 2}]))
    assert exchange.run(Command("Get-X")).values == [{"n": 1}, {"n": 2}]
    for _ in range(2):
        script.expect("POST", INVOKE).answers(200, _page([{"n": 1}], "a"))
        script.expect("POST", f"{INVOKE}?$skiptoken=a").answers(400, expired)
    with pytest.raises(ExchangeError, match="the link to the list's next page has expired"):
        exchange.run(Command("Get-X"))


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/adminapi/beta/x/InvokeCommand?$skiptoken=a",
        f"http://outlook.office365.com{INVOKE}?$skiptoken=a",
        f"{HOST}/adminapi/beta/99999999-2222-4333-8444-555555555555/InvokeCommand?$skiptoken=a",
        f"{HOST}/adminapi/beta/{TENANT}.evil/InvokeCommand?$skiptoken=a",
    ],
)
def test_a_foreign_page_is_refused(exchange: ExchangeClient, script: Script, link: str) -> None:
    script.expect("POST", INVOKE).answers(200, {"value": [{}], "@odata.nextLink": link})
    with pytest.raises(MailopsError, match=r"no token was sent there|belongs to another tenant"):
        exchange.run(Command("Get-X"))


def test_ten_thousand_objects_are_ten_requests(against: Any) -> None:
    service = Exchange(Get_CASMailbox=lambda p: [{"n": n} for n in range(10_000)])
    assert [item["n"] for item in against(service).run(Command("Get-CASMailbox", {"ResultSize": "Unlimited"})).values] == list(
        range(10_000)
    )
    assert service.requests == 10


# -- batches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (10, [10]), (11, [10, 1]), (95, [10] * 9 + [5])])
def test_a_batch_has_ten_items_and_its_order_is_kept(against: Any, count: int, sizes: list[int]) -> None:
    service = Exchange(Set_CASMailbox=lambda p: [{"set": p["Identity"]}])
    outcomes = against(service).batch([_set(n) for n in range(count)])
    assert [outcome.checked().values for outcome in outcomes] == [[{"set": f"{n}@contoso.com"}] for n in range(count)]
    assert sorted(service.batch_sizes, reverse=True) == sizes


def test_a_thousand_commands_are_a_hundred_requests(against: Any) -> None:
    service = Exchange(Set_CASMailbox=lambda p: None)
    assert all(outcome.error is None for outcome in against(service).batch([_set(n) for n in range(1000)]))
    assert service.requests == 100


def test_long_batch_shows_its_progress(against: Any, transport: Transport) -> None:
    """The clock moves a quarter of a second with each batch of ten that is counted, whatever the threads do."""
    lines: list[str] = []
    readings = itertools.count()
    client = against(Exchange(Set_CASMailbox=lambda _parameters: None))
    transport.progress = Progress(SimpleNamespace(now=lambda: next(readings) / 4), lines.append, "contoso.com")
    client.batch([_set(n) for n in range(1000)])
    assert lines == [f"contoso.com: Exchange Set-CASMailbox: {done} of 1,000 (40 per second)" for done in (200, 400, 600, 800)]


def test_a_single_command_needs_no_batch(against: Any) -> None:
    service = Exchange(Set_CASMailbox=lambda p: [{}], Get_X=lambda p: _refuse(missing("x")))
    assert against(service).batch([_set(1)])[0].values == [{}]
    assert is_missing(against(service).batch([Command("Get-X")])[0].error)
    assert service.batch_sizes == []


def _refuse(refused: Refused) -> None:
    raise refused


def test_each_item_fails_for_itself(against: Any) -> None:
    service = Exchange(Set_CASMailbox=lambda p: _refuse(missing(p["Identity"])) if p["Identity"].startswith("3") else [])
    outcomes = against(service).batch([_set(n) for n in range(12)])
    assert [n for n, outcome in enumerate(outcomes) if outcome.error] == [3]
    with pytest.raises(ExchangeError, match=r"^Could not set 3: there is no such object"):
        outcomes[3].checked()


def test_an_item_has_absolute_url_headers_and_token(exchange: ExchangeClient, script: Script) -> None:
    script.expect("POST", f"{ROOT}/$batch").answers_with(lambda request: _answered(request))
    exchange.batch([READ, WRITE])
    first, second = script.requests[0].json["requests"]
    assert (first["method"], first["url"], second["url"]) == ("POST", f"{HOST}{INVOKE}?$select=Guid,Name", f"{HOST}{INVOKE}")
    assert first["headers"]["Authorization"] == script.requests[0].headers["Authorization"] == "Bearer token-1"
    assert first["headers"]["Prefer"] == "odata.maxpagesize=1000;odata.continue-on-error"
    assert first["headers"]["X-CmdletName"] == "Get-CASMailbox"
    assert first["body"] == READ.body()
    assert first["id"] != second["id"]


def _answered(request: Request, *special: dict[str, Any]) -> Response:
    """Every item succeeds, but for the special ones (by id)."""
    answers = {item["id"]: {"id": item["id"], "status": 200, "body": {"value": []}} for item in request.json["requests"]}
    answers |= {item["id"]: item for item in special}
    return response(200, {"responses": list(answers.values())})


def test_an_item_without_status_is_judged_by_its_body(exchange: ExchangeClient, script: Script) -> None:
    gone = exchange_error("ManagementObjectNotFoundException", "gone")
    script.expect("POST", f"{ROOT}/$batch").answers_with(
        lambda r: _answered(
            r, {"id": "0", "body": gone}, {"id": "1", "body": {"value": [{"n": 1}]}}, {"id": "2"}, {"id": "3", "status": 200}
        )
    )
    outcomes = exchange.batch([_set(n) for n in range(4)])
    assert is_missing(outcomes[0].error)
    assert outcomes[1].values == [{"n": 1}]
    assert [outcome.error for outcome in outcomes[2:]] == [None, None]


def test_an_item_that_is_lacking_is_an_error(exchange: ExchangeClient, script: Script) -> None:
    script.expect("POST", f"{ROOT}/$batch").answers(200, {"responses": [{"id": "0", "status": 200, "body": {"value": []}}]})
    first, second = exchange.batch([_set(0), _set(1)])
    assert first.error is None
    with pytest.raises(ExchangeError, match="the answer lacks this item"):
        second.checked()


def test_throttled_items_are_sent_again_alone_after_the_longest_wait(exchange: ExchangeClient, script: Script, clock: FakeClock) -> None:
    busy = [{"id": "0", "status": 429, "headers": {"Retry-After": "4"}}, {"id": "2", "status": 429, "headers": {"retry-after": "9"}},
            {"id": "3", "body": exchange_error("DCOverloadedException", "busy")}]  # fmt: skip
    script.expect("POST", f"{ROOT}/$batch").answers_with(lambda r: _answered(r, *busy))
    script.expect("POST", f"{ROOT}/$batch").answers_with(_answered)
    assert [outcome.error for outcome in exchange.batch([_set(n) for n in range(5)])] == [None] * 5
    assert [[item["id"] for item in request.json["requests"]] for request in script.requests] == [
        ["0", "1", "2", "3", "4"],
        ["0", "2", "3"],
    ]
    assert clock.slept == [9.0]


def test_throttled_items_are_reported_after_six_attempts(exchange: ExchangeClient, script: Script, clock: FakeClock) -> None:
    script.expect("POST", f"{ROOT}/$batch").answers_with(lambda r: _answered(r, {"id": "1", "status": 429})).times(6)
    first, second = exchange.batch([_set(0), _set(1)])
    assert first.error is None
    assert second.error is not None
    assert second.error.transient
    assert len(clock.slept) == 5


def test_a_batchs_waiting_is_bounded(exchange: ExchangeClient, script: Script, clock: FakeClock) -> None:
    item = {"id": "1", "status": 429, "headers": {"Retry-After": "3600"}}
    script.expect("POST", f"{ROOT}/$batch").answers_with(lambda r: _answered(r, item))
    assert exchange.batch([_set(0), _set(1)])[1].error is not None
    assert clock.slept == []


def test_pages_of_an_item_are_read_on(against: Any) -> None:
    service = Exchange(page=2, Get_X=lambda p: [{"n": n} for n in range(5)], Get_Y=lambda p: [{"n": 9}])
    first, second = against(service).batch([Command("Get-X"), Command("Get-Y")])
    assert [item["n"] for item in first.values] == [0, 1, 2, 3, 4]
    assert [item["n"] for item in second.values] == [9]
    assert service.requests == 3


def test_an_items_expired_page_starts_its_read_again(exchange: ExchangeClient, script: Script) -> None:
    expired = {"error": {"code": "BadRequest", "message": "Expired or Invalid pagination request."}}
    script.expect("POST", f"{ROOT}/$batch").answers_with(lambda r: _answered(r, {"id": "0", "status": 200, "body": _page([{"n": 1}], "a")}))
    script.expect("POST", f"{INVOKE}?$skiptoken=a").answers(400, expired)
    script.expect("POST", INVOKE).answers(200, _page([{"n": 1}, {"n": 2}]))
    assert exchange.batch([Command("Get-X"), Command("Get-Y")])[0].values == [{"n": 1}, {"n": 2}]


def test_a_batch_with_a_new_command_is_not_repeated_after_a_lost_answer(exchange: ExchangeClient, script: Script) -> None:
    script.expect("POST", f"{ROOT}/$batch").fails(TimeoutError("no answer in time"))
    with pytest.raises(Unreachable):
        exchange.batch([WRITE, CREATE])
    script.expect("POST", f"{ROOT}/$batch").fails(TimeoutError("no answer in time"))
    script.expect("POST", f"{ROOT}/$batch").answers_with(_answered)
    exchange.batch([WRITE, READ])


def test_a_renewed_token_is_in_the_items_too(exchange: ExchangeClient, script: Script, tokens: StubTokens) -> None:
    claims = base64.b64encode(b"{}").decode()
    script.expect("POST", f"{ROOT}/$batch").answers(401, None, {"WWW-Authenticate": f'Bearer claims="{claims}"'})
    script.expect("POST", f"{ROOT}/$batch").header("Authorization", "Bearer token-2").answers_with(_answered)
    exchange.batch([READ, WRITE])
    assert {item["headers"]["Authorization"] for item in script.requests[1].json["requests"]} == {"Bearer token-2"}


def test_parallel_batches_renew_a_stale_token_once(against: Any, tokens: StubTokens) -> None:
    service = Exchange(Set_CASMailbox=lambda p: None)

    def guarded(request: Request) -> Response:
        return service(request) if request.headers["Authorization"] == "Bearer token-2" else response(403, b"\0\0")

    outcomes = against(guarded).batch([_set(n) for n in range(60)])
    assert [outcome.error for outcome in outcomes] == [None] * 60
    assert tokens.number == 2


def test_a_batch_that_is_refused_whole_is_an_error(exchange: ExchangeClient, script: Script) -> None:
    script.expect("POST", f"{ROOT}/$batch").answers(400, {"error": {"code": "BadRequest", "message": "Too many"}})
    with pytest.raises(ExchangeError, match="BadRequest: Too many"):
        exchange.batch([READ, WRITE])


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (False, False), (None, None), ("True", True), ("false", False), (" FALSE ", False), ("", None), ("x", None)],
)
def test_a_boolean_may_be_a_word(value: Any, meant: bool | None) -> None:
    assert boolean(value) is meant


@pytest.mark.parametrize("value", [0, 1, ["True"]])
def test_boolean_returns_a_value_of_another_type_unchanged(value: Any) -> None:
    assert boolean(value) is value


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (None, []),
        ([], []),
        ("", []),
        ("a", ["a"]),
        (["FullAccess, ReadPermission"], ["FullAccess", "ReadPermission"]),
        (["a", "b,c"], ["a", "b", "c"]),
    ],
)
def test_a_list_may_be_joined(value: Any, meant: list[str]) -> None:
    assert names(value) == meant


def test_a_prefetched_read_is_answered_once_without_a_request(exchange: ExchangeClient, script: Script) -> None:
    exchange.prefetch(READ, Outcome([{"Name": "a"}]))
    assert exchange.run(READ).values == [{"Name": "a"}]
    script.expect("POST", f"{INVOKE}?$select=Guid,Name").answers(200, {"value": [{"Name": "b"}]})
    assert exchange.run(READ).values == [{"Name": "b"}]


def test_a_prefetched_refusal_is_raised(exchange: ExchangeClient) -> None:
    exchange.prefetch(READ, Outcome(error=ExchangeError("read a", "No.", code="Refused")))
    with pytest.raises(ExchangeError, match="No"):
        exchange.run(READ)
