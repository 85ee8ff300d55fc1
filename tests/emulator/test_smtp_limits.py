"""What a mailbox may do at once and over time."""

from __future__ import annotations

import asyncio
import contextlib
import select
import smtplib
import time
from pathlib import Path
from typing import Any

import pytest

from emulator.settings import Settings
from emulator.smtp.limits import TICK, Limits
from emulator.smtp.settings import SmtpSettings, smtp_settings
from emulator.smtp.texts import Refused
from emulator.state import State
from emulator.statefile import StateError, parse
from tests.emulator.smtp_lab import OPS, Clock, Lab, StartLab, Verifier, reply_text, send

pytest_plugins = ["tests.emulator.smtp_lab"]

BUSY = (
    "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. "
    "[Hostname=AM0PR02CA0134.eurprd02.prod.outlook.com]"
)
SALES = b"From: sales@contoso.com\r\n\r\nhello\r\n"
KEY = ("tenant", OPS)


def limits(clock: Clock | None = None, **settings: Any) -> Limits:
    return Limits(SmtpSettings(**{"verifier": Verifier()} | settings), clock or Clock())


def stopped() -> Clock:
    clock = Clock()
    clock.stopped = True
    return clock


def test_a_fourth_connection_waits_for_one_of_three(lab: Lab) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(lab.signed_in()) for _ in range(4)]
        assert [send(client)[:3] for client in clients] == ["250", "250", "250", "432"]
        assert send(clients[3]) == BUSY
        clients[1].quit()
        deadline = time.monotonic() + 60
        while (result := send(clients[3])) == BUSY and time.monotonic() < deadline:
            time.sleep(0.01)
        assert result.startswith("250 ")
    assert len(lab.state.messages) == 4


def test_connections_that_do_not_sign_in_or_are_of_others_do_not_count(lab: Lab) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(lab.client())
        assert send(stack.enter_context(lab.signed_in())).startswith("250 ")


def test_rate_limit_of_a_mailbox() -> None:
    clock = stopped()
    result = limits(clock)
    assert [result.delay(KEY) for _ in range(30)] == [0.0] * 30
    assert [round(result.delay(KEY), 3) for _ in range(3)] == [2.0, 4.0, 6.0]
    assert result.delay(("tenant", "other@contoso.com")) == 0.0
    clock.offset = 6.0  # the three that wait have gone
    assert round(result.delay(KEY), 3) == 2.0
    clock.offset = 600.0  # no more than a minute's worth is saved up
    assert [result.delay(KEY) for _ in range(30)] == [0.0] * 30
    assert result.delay(KEY) > 0


def test_pacing_waits_for_the_clock() -> None:
    clock = stopped()
    bucket = limits(clock, pace_scale=0.1)
    for _ in range(30):
        bucket.delay(KEY)

    async def pace() -> None:
        waiting = asyncio.ensure_future(bucket.pace(KEY))
        for offset in (0.0, 0.19):
            clock.offset = offset
            assert not (await asyncio.wait([waiting], timeout=3 * TICK))[0]
        clock.offset = 0.21  # a tenth of two seconds
        await asyncio.wait_for(waiting, 60)

    asyncio.run(pace())


def test_without_pacing_nothing_waits() -> None:
    bucket = limits(stopped(), pace=False)
    for _ in range(30):
        bucket.delay(KEY)
    asyncio.run(asyncio.wait_for(bucket.pace(KEY), 60))


def data(client: smtplib.SMTP) -> None:
    """Send a message up to its end; the reply is not read."""
    client.mail(OPS)
    client.rcpt("x@example.net")
    client.docmd("DATA")
    client.send(b"From: ops@contoso.com\r\n\r\n.\r\n")


def waits(client: smtplib.SMTP) -> bool:
    """Whether there is no reply yet."""
    assert client.sock is not None
    return not select.select([client.sock], [], [], 0.2)[0]


def test_final_reply_is_delayed(start_lab: StartLab) -> None:
    """Two messages at once; each further one waits half a minute, or until the clock is advanced."""
    lab = start_lab(messages_per_minute=2)
    lab.clock.stopped = True
    with lab.signed_in() as client:
        assert [send(client)[:3] for _ in range(2)] == ["250", "250"]
        for number in (3, 4):
            data(client)
            assert waits(client)
            assert len(lab.state.messages) == number - 1
            lab.clock.offset += 30.001
            assert reply_text(client.getreply()).startswith("250 ")


def test_recipients_a_day(start_lab: StartLab) -> None:
    lab = start_lab(pace=False, recipients_per_day=5)
    quota = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException"
    with lab.signed_in() as client:
        three = ("a@example.net", "b@example.net", "c@example.net")
        assert send(client, recipients=three).startswith("250 ")
        assert send(client, recipients=three) == quota
        assert send(client, recipients=three[:2]).startswith("250 ")  # what was refused did not count
        lab.clock.offset += 86390
        assert send(client) == quota
        lab.clock.offset += 20
        assert send(client).startswith("250 ")


def test_the_daily_limit_is_microsofts() -> None:
    result = limits()
    result.spend(KEY, 9_999)
    result.check_quota(KEY, 1)
    with pytest.raises(Refused, match="SubmissionQuotaExceededException"):
        result.check_quota(KEY, 2)


def test_recipients_a_message(start_lab: StartLab) -> None:
    with start_lab(pace=False, recipients_per_message=2).signed_in() as client:
        client.mail(OPS)
        replies = [reply_text(client.rcpt(f"{n}@example.net")) for n in range(3)]
        assert replies == ["250 2.1.5 Recipient OK", "250 2.1.5 Recipient OK", "452 4.5.3 Too many recipients"]
        assert reply_text(client.data(b"From: ops@contoso.com\r\n\r\n")).startswith("250 ")


@pytest.mark.parametrize(("settings", "most"), [({}, 500), ({"recipients_per_message": 1000}, 1000)])
def test_the_most_recipients_of_a_message(start_lab: StartLab, settings: dict[str, int], most: int) -> None:
    with start_lab(**settings).signed_in() as client:
        client.mail(OPS)
        client.send("".join(f"RCPT TO:<{n}@example.net>\r\n" for n in range(most + 1)))
        replies = [client.getreply()[0] for _ in range(most + 1)]
    assert replies == [250] * most + [452]


def test_repeated_errors_lock_the_mailbox(start_lab: StartLab) -> None:
    lab = start_lab(pace=False, lockout_after=3, lockout_seconds=600)
    locked = "550 5.2.252 Sender throttled due to continuous send as denied errors."
    with lab.signed_in() as client:
        for _ in range(2):
            assert send(client, message=SALES).startswith("554 5.2.252 SendAsDenied;")
        assert send(client).startswith("250 ")  # one good message, and the count begins again
        for _ in range(3):
            assert send(client, message=SALES).startswith("554 5.2.252 SendAsDenied;")
        assert send(client) == locked
    with lab.signed_in() as client:  # it is the mailbox that is shut out
        assert send(client) == locked
        lab.clock.offset += 601
        assert send(client).startswith("250 ")


def test_lockout_needs_equal_errors_and_can_be_disabled() -> None:
    result = limits(lockout_after=2)
    for code in ("5.2.252", "5.2.254", "5.2.252"):
        result.failed(KEY, code)
    result.check_lock(KEY)
    result.failed(KEY, "5.2.252")
    with pytest.raises(Refused, match=r"550 5\.2\.252"):
        result.check_lock(KEY)
    never = limits(lockout_after=0)
    for _ in range(100):
        never.failed(KEY, "5.2.252")
    never.check_lock(KEY)


# -- settings from a state file ------------------------------------------------------------------------------------------


def options(**smtp: Any) -> SmtpSettings:
    state, settings = parse({"settings": {"options": {"smtp": smtp}}}, Path())
    return smtp_settings(state, settings)


def test_options_of_a_state_file() -> None:
    result = options(pace=False, pace_scale=2, connections=1, minimum_tls="1.0")
    assert (result.pace, result.pace_scale, result.connections, result.minimum_tls) == (False, 2.0, 1, "1.0")
    assert smtp_settings(State(), Settings()).connections == 3
    assert smtp_settings(State(), result) is result


@pytest.mark.parametrize(
    ("smtp", "complaint"),
    [
        ({"speed": 1}, r"options\.smtp\.speed: is not known"),
        ({"verifier": 1}, r"options\.smtp\.verifier: is not known"),
        ({"pace": 1}, r"options\.smtp\.pace: must be true or false, not a whole number"),
        ({"connections": True}, r"options\.smtp\.connections: must be a whole number, not true or false"),
        ({"connections": 1.5}, r"options\.smtp\.connections: must be a whole number, not a number"),
        ({"minimum_tls": "1.4"}, r"minimum_tls: must be one of"),
        ({"recipients_per_message": 1001}, r"recipients_per_message: must be at most 1000, not 1001"),
        ({"messages_per_minute": 0}, r"messages_per_minute: must be at least 1, not 0"),
    ],
)
def test_invalid_options_are_refused(smtp: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        options(**smtp)
