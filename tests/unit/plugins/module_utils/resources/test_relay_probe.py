# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's proof against a Postfix that is played; tests/hosts has the real one."""

from __future__ import annotations

import json
import smtplib
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailops.m365.plugins.module_utils._engine import host_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.local_host import LocalHost
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import journal, queue
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_probe import Relay, RelayProbe

from ....conftest import FakeClock

QUEUE_ID = "DE13517A12A"
TO = "to=<proof@example.net>, relay=127.0.0.1[127.0.0.1]:2587"
SENT = "delays=0.01/0/0.2/0.1, dsn=2.0.0, status=sent (250 2.0.0 OK)"
OFF = (
    "delays=0/0/2/0, dsn=4.7.139, status=deferred (SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.139 "
    "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.)"
)
BUSY = (
    "delays=0/0/0/1, dsn=4.3.2, status=deferred (host 127.0.0.1[127.0.0.1] said: 432 4.3.2 STOREDRV.ClientSubmit; sender thread "
    "limit exceeded (in reply to end of DATA command))"
)


class Postfix(Relay):
    """Takes messages, and lets the journal say what `attempts` has for each try; `done` is what was done to the queue."""

    def __init__(self, *attempts: str, refusal: tuple[int, bytes] = (250, b"2.0.0 Ok: queued as " + QUEUE_ID.encode())) -> None:
        self.attempts, self.refusal = list(attempts), refusal
        self.messages: list[bytes] = []
        self.said: list[tuple[str, str]] = []
        self.done: list[str] = []
        self.since: list[float] = []
        self.news: list[str] = []
        super().__init__(connect=lambda: self, reader=self._reader, waiting=lambda: [])  # type: ignore[arg-type, return-value]

    # -- the SMTP side
    def ehlo(self, name: str) -> None:
        pass

    def close(self) -> None:
        pass

    def mail(self, sender: str) -> tuple[int, bytes]:
        self.said.append(("mail", sender))
        return 250, b"2.1.0 Ok"

    def rcpt(self, to: str) -> tuple[int, bytes]:
        self.said.append(("rcpt", to))
        return self.refusal if self.refusal[0] != 250 else (250, b"2.1.5 Ok")

    def data(self, message: bytes) -> tuple[int, bytes]:
        self.messages.append(message)
        self._attempt()
        return self.refusal

    # -- the journal's and the queue's side
    def _attempt(self) -> None:
        if self.attempts:
            self.news.append(self.attempts.pop(0))

    def _reader(self, since: float) -> Postfix:
        self.since.append(since)
        return self

    def read(self) -> list[journal.JournalEntry]:
        texts, self.news = self.news, []
        return [
            journal.JournalEntry(
                "c",
                1.0,
                "postfix.service",
                "postfix/m365-1/smtp",
                f"{QUEUE_ID}: {TO}, delay=1, {text}",
            )
            for text in texts
        ]

    def flush(self, queue_id: str) -> None:
        self.done.append(f"flush {queue_id}")
        self._attempt()

    def withdraw(self, queue_id: str) -> None:
        self.done.append(f"withdraw {queue_id}")


SENDER = {"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "proof@example.net"}


CONFIG = {"upstream": "oauth", "mailboxes": [{"address": "scanner@contoso.com", "transport": "m365-1"}]}


@pytest.fixture
def prove(monkeypatch: pytest.MonkeyPatch, clock: FakeClock, tmp_path: Path) -> Any:
    paths = Paths(tmp_path, tmp_path, tmp_path)
    paths.config_file.write_text(json.dumps(CONFIG))

    def run(postfix: Relay, *senders: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
        monkeypatch.setattr(host_engine, "LocalHost", lambda: LocalHost(clock))
        postfix.paths = paths
        resource = RelayProbe(postfix)
        validator = ArgumentSpecValidator(argument_spec(resource.spec)["argument_spec"])
        checked = validator.validate({"senders": list(senders or [SENDER]), **options})
        assert not checked.error_messages
        return host_engine.run(resource, checked.validated_parameters, check_mode=check_mode)

    return run


def test_a_message_is_followed_to_the_upstreams_reply(prove: Any, clock: FakeClock) -> None:
    postfix = Postfix(SENT)
    result = prove(postfix)
    assert (result["changed"], result["verified"], result["total"]) == (False, 1, 1)
    [shown] = result["senders"]
    assert (shown["verified"], shown["stage"], shown["method"], shown["cause"]) == (True, "sent", "relay", "")
    assert [hop["to"] for hop in shown["hops"]] == ["Postfix", "Postfix", "submission proxy", "Microsoft 365"]
    assert f"Message-ID: {shown['message_id']}".encode() in postfix.messages[0]
    assert postfix.said == [("mail", "scanner@contoso.com"), ("rcpt", "proof@example.net")]
    assert postfix.done == []
    assert postfix.since == [clock.now() - 1]


def test_a_setting_that_is_wrong_ends_the_proof_at_once_and_withdraws_the_message(prove: Any, clock: FakeClock) -> None:
    postfix = Postfix(OFF)
    result = prove(postfix)
    assert result["msg"] == (
        "1 of 1 senders cannot send through this relay: Scanner: SMTP AUTH is off for this mailbox. "
        "Enable SMTP AUTH for this mailbox (role smtp_auth)."
    )
    [shown] = result["senders"]
    assert (shown["verified"], shown["stage"], shown["code"], shown["wait_helps"]) == (False, "sign-in", "535 5.7.139", False)
    assert clock.slept == []
    assert postfix.done == [f"withdraw {QUEUE_ID}"]


def test_a_passing_fault_is_tried_again_until_it_passes(prove: Any, clock: FakeClock) -> None:
    postfix = Postfix(BUSY, BUSY, SENT)
    result = prove(postfix)
    assert result["verified"] == 1
    assert postfix.done == [f"flush {QUEUE_ID}"] * 2
    assert 29 <= sum(clock.slept) <= 31


def test_a_passing_fault_that_stays_is_told_after_the_timeout(prove: Any, clock: FakeClock) -> None:
    postfix = Postfix(*[BUSY] * 99)
    result = prove(postfix, timeout=20, required=False)
    assert "failed" not in result
    [shown] = result["senders"]
    assert (shown["stage"], shown["wait_helps"]) == ("message", True)
    assert postfix.done == [f"flush {QUEUE_ID}", f"withdraw {QUEUE_ID}"]
    assert 19 <= result["cost"]["waited"] <= 21


def test_a_message_without_an_attempt_still_waits(prove: Any) -> None:
    result = prove(Postfix(), timeout=5, required=False)
    [shown] = result["senders"]
    assert (shown["stage"], shown["wait_helps"]) == ("queue", True)
    assert shown["cause"] == "it still waits in the relay's queue, and no attempt has failed"


def test_what_no_attempt_was_logged_for_is_read_from_the_queue(prove: Any) -> None:
    """A mailbox whose day is full: an earlier message's attempt decided."""
    postfix = Postfix()
    held = "4.2.0 scanner@contoso.com has reached its daily quota of 10000 recipients"
    postfix.waiting = lambda: [queue.Message(QUEUE_ID, "deferred", 0.0, 1, "scanner@contoso.com", ("proof@example.net",), held)]
    [shown] = prove(postfix, timeout=20, required=False)["senders"]
    assert shown["cause"] == "the mailbox has reached its daily quota of recipients"


@pytest.mark.parametrize(
    ("code", "said", "stage"),
    [(554, b"5.7.1 <scanner@contoso.com>: Sender address rejected: not yours", "relay"), (452, b"4.3.1 full", "relay")],
)
def test_what_the_relay_itself_refuses_is_its_own_stage(prove: Any, code: int, said: bytes, stage: str) -> None:
    postfix = Postfix(refusal=(code, said))
    [shown] = prove(postfix, required=False)["senders"]
    assert (shown["verified"], shown["stage"], shown["hops"]) == (False, stage, [])
    assert shown["said"] == f"{code} {said.decode()}"
    assert postfix.messages == []
    assert postfix.done == []


def test_a_relay_that_is_down_is_told(prove: Any) -> None:
    def nobody() -> smtplib.SMTP:
        raise ConnectionRefusedError(111, "Connection refused")

    postfix = Postfix()
    postfix.connect = nobody
    [shown] = prove(postfix, required=False)["senders"]
    assert shown["cause"] == "nobody takes mail on 127.0.0.1:25 of this host (Connection refused)"


def test_something_else_than_the_relay_on_its_port_is_told(prove: Any) -> None:
    [shown] = prove(Postfix(refusal=(250, b"2.0.0 OK")), required=False)["senders"]
    assert "is not the relay's Postfix" in shown["cause"]


def test_check_mode_sends_nothing(prove: Any) -> None:
    postfix = Postfix(SENT)
    result = prove(postfix, check_mode=True)
    [shown] = result["senders"]
    assert (shown["verified"], shown["message_id"], shown["stage"]) == (None, None, "input")
    assert (result["verified"], postfix.messages, postfix.since) == (0, [], [])


def test_bad_input_is_told_before_anything_is_sent(prove: Any) -> None:
    postfix = Postfix(SENT)
    result = prove(postfix, {"address": "scanner", "verify_recipient": ""}, timeout=0)
    assert result["msg"] == (
        "timeout is 0: give seconds, at least 1. "
        "senders: scanner: the sender's address holds 'scanner', which is no mail address (name@domain). "
        "senders: scanner: the sender's verify_recipient holds an empty address: remove it."
    )
    assert postfix.messages == []


def test_the_summary_shows_a_relays_senders_like_any_other(prove: Any) -> None:
    report = Report()
    for host, postfix, options in (
        ("relay1", Postfix(SENT), {}),
        ("relay2", Postfix(), {"timeout": 1}),
        ("relay3", Postfix(), {"check_mode": True}),
    ):
        report.add(host, "Prove", "relay_probe", prove(postfix, required=False, **options), bool(options.get("check_mode")))
    lines = [text for text, _colour in report.lines()]
    [first] = [line for line in lines if line.startswith("relay1") and "Scanner" in line]
    assert first.split()[:6] == ["relay1", "Scanner", "relay", "host", "scanner@contoso.com", "verified"]
    assert any(line.startswith("relay2") and line.endswith("waits in the queue") for line in lines)
    assert any(line.startswith("relay3") and line.endswith("not tried") for line in lines)
