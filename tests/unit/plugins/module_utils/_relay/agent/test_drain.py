# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draining of a simulated queue; tests/hosts has a real one."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import drain
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.transfer import TransferError

from .simulated_postfix import REFUSED, Postfix

DENIED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; x not allowed to send as y"


@pytest.fixture
def postfix(monkeypatch: pytest.MonkeyPatch) -> Postfix:
    fake = Postfix("AAAAAA1", "AAAAAA2", "AAAAAA3")
    monkeypatch.setattr(queue, "read", lambda: fake.read())
    monkeypatch.setattr(drain, "run_command", lambda *command, stdin=None: fake.call(*command, stdin=stdin))
    return fake


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The signal handlers as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_queue_is_flushed_every_minute_while_it_drains(postfix: Postfix) -> None:
    time, postfix.flushes = Time(), 2
    assert drain.drain(300, time.clock, time.sleep) == 3
    assert 60 <= time.now <= 62
    assert [command[-1] for command in postfix.calls] == ["-f", "-f"]


def test_queue_that_does_not_drain_raises_one_sentence(postfix: Postfix) -> None:
    time = Time()
    with pytest.raises(TransferError) as raised:
        drain.drain(90, time.clock, time.sleep)
    assert str(raised.value) == (
        "3 messages are still in the relay's queue after 90 s (3 x the upstream server does not answer the relay), so nothing was "
        "removed: remove the cause, raise relay_drain_timeout, or export the queue with relay_queue_on_removal: export."
    )
    assert len(postfix.messages) == 3


def test_drain_does_not_wait_for_held_messages(postfix: Postfix) -> None:
    postfix.messages |= Postfix("AAAAAA9", reason="", held=True).messages
    time = Time()
    with pytest.raises(TransferError) as raised:
        drain.drain(90, time.clock, time.sleep)
    text = str(raised.value)
    assert "Waiting does not send 1 message: 1 on hold (AAAAAA9): put on hold by an administrator." in text
    assert "mailops-relay release" in text
    assert "postsuper -H QUEUE-ID" in text
    assert "mailops-relay delete QUEUE-ID" in text
    assert time.now == 0


def test_held_mail_ends_the_drain_before_the_listeners_are_disabled(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    postfix.messages |= Postfix("AAAAAA9", reason=DENIED, held=True).messages
    assert drain.main(3600) == 1
    assert "1 on hold (AAAAAA9): the sender address is not the mailbox, and" in capsys.readouterr().err
    assert postfix.calls == []


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("No mailbox of relay_mailboxes sends for this sender", "no mailbox of this relay sends for this sender"),
        ("scanner@contoso.com is suspended by the relay: x", "the sender is suspended"),
        ("host x[192.0.2.1] said: 554 5.0.0 strange (in reply to MAIL FROM command)", "554 5.0.0 strange"),
        ("server certificate not trusted", "TLS certificate is not trusted"),
    ],
)
def test_mail_that_waiting_does_not_send_ends_the_drain_after_one_attempt(postfix: Postfix, reason: str, cause: str) -> None:
    postfix.messages |= Postfix("AAAAAA9", reason=reason).messages
    time = Time()
    with pytest.raises(TransferError) as raised:
        drain.drain(3600, time.clock, time.sleep)
    assert "Waiting does not send 1 message: 1 deferred (AAAAAA9): " in str(raised.value)
    assert cause in str(raised.value)
    assert time.now <= 11
    assert [command[-1] for command in postfix.calls] == ["-f"], "each message was tried once more"


def test_reason_of_an_earlier_attempt_does_not_end_the_drain(postfix: Postfix) -> None:
    """The cause may have been removed since: a busy Postfix is waited for."""
    time = Time()
    postfix.messages = Postfix("AAAAAA8", reason="server certificate not trusted").messages
    postfix.messages["AAAAAA9"] = dataclasses.replace(postfix.messages["AAAAAA8"], queue_id="AAAAAA9", queue="active")
    postfix.flushes = 2
    assert drain.drain(3600, time.clock, time.sleep) == 2
    assert time.now > 60


@pytest.mark.parametrize(
    ("reason", "helps"),
    [
        ("", True),
        (REFUSED, True),
        ("erp@contoso.com has reached its daily quota of 6 recipients", True),
        ("host x[192.0.2.1] said: 451 4.9.9 strange (in reply to RCPT TO command)", True),
        ("host x[192.0.2.1] said: 554 5.9.9 strange (in reply to RCPT TO command)", False),
        (DENIED, False),
    ],
)
def test_which_reasons_are_waited_for(reason: str, helps: bool) -> None:
    (message,) = Postfix("AAAAAA1", reason=reason).messages.values()
    assert drain.waiting_helps(message) == helps


def test_long_lists_of_queue_ids_are_shortened(postfix: Postfix) -> None:
    postfix.messages = Postfix(*(f"AAAAA{number}" for number in range(100, 120)), reason="", held=True).messages
    with pytest.raises(TransferError, match=r"20 on hold \(AAAAA100, .*AAAAA104 and 15 more\): put on hold"):
        drain.drain(90)


def test_failed_drain_enables_the_listeners_again(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    assert drain.main(0.0) == 1
    assert "3 messages are still in the relay's queue" in capsys.readouterr().err
    assert [command[1:] for command in postfix.calls] == [
        ("-e", "master_service_disable = inet"), ("reload",), ("-X", "master_service_disable"), ("reload",),
    ]  # fmt: skip


def test_drain_that_cannot_disable_the_listeners_enables_them(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    postfix.broken = "postfix"
    assert drain.main(5.0) == 1
    assert "postfix failed" in capsys.readouterr().err
    assert postfix.calls[-2][1:] == ("-X", "master_service_disable")


def test_message_submitted_by_an_open_connection_is_drained(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    postfix.messages, real = {}, postfix.call

    def late(*command: str, stdin: bytes | None = None) -> bytes:
        if "stop" in command and not any("start" in call for call in postfix.calls):
            postfix.messages, postfix.flushes = Postfix("AAAAAA9").messages, 1
        return real(*command, stdin=stdin)

    monkeypatch.setattr(drain, "run_command", late)
    monkeypatch.setattr(drain, "_POLL_INTERVAL", 0.0)
    assert drain.main(5.0) == 0
    assert capsys.readouterr().out.startswith("The queue is empty: 1 message was sent.")
    verbs = [command[1] for command in postfix.calls if command[0].endswith("systemctl")]
    assert verbs == ["stop", "start", "stop"]
    assert not any("-X" in command for command in postfix.calls), "the listeners stay disabled"


def test_terminated_drain_enables_the_listeners_again(
    postfix: Postfix, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = postfix.call

    def stopped(*command: str, stdin: bytes | None = None) -> bytes:
        if command[0].endswith("postqueue"):
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*command, stdin=stdin)

    monkeypatch.setattr(drain, "run_command", stopped)
    assert drain.main(5.0) == 1
    assert "The drain was stopped" in capsys.readouterr().err
    assert [command[1] for command in postfix.calls[-2:]] == ["-X", "reload"]
