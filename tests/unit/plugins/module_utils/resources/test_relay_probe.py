# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module relay_probe against a simulated Postfix; tests/hosts has a real one."""

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
from ansible_collections.mailops.m365.plugins.module_utils._hosted.account_state import DOMAIN_REMEDY
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import journal, queue
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.verification import Relay
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_probe import RelayProbe

from ....conftest import FakeClock

QUEUE_ID = "DE13517A12A"
TO = "to=<verify@example.net>, relay=127.0.0.1[127.0.0.1]:2587"
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
    """Accepts messages; the journal has the next of `attempts` for each try. `actions`: what was done to the queue."""

    def __init__(self, *attempts: str, refusal: tuple[int, bytes] = (250, b"2.0.0 Ok: queued as " + QUEUE_ID.encode())) -> None:
        self.attempts, self.refusal = list(attempts), refusal
        self.messages: list[bytes] = []
        self.commands: list[tuple[str, str]] = []
        self.actions: list[str] = []
        self.since: list[float] = []
        self.news: list[str] = []
        super().__init__(connect=lambda: self, reader=self._reader, read_queue=lambda: [])  # type: ignore[arg-type, return-value]

    # -- the SMTP side
    def ehlo(self, name: str) -> None:
        pass

    def close(self) -> None:
        pass

    def mail(self, sender: str) -> tuple[int, bytes]:
        self.commands.append(("mail", sender))
        return 250, b"2.1.0 Ok"

    def rcpt(self, to: str) -> tuple[int, bytes]:
        self.commands.append(("rcpt", to))
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
        self.actions.append(f"flush {queue_id}")
        self._attempt()

    def remove(self, queue_id: str) -> None:
        self.actions.append(f"remove {queue_id}")


SENDER = {"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "verify@example.net"}


CONFIG = {"upstream": "oauth", "mailboxes": [{"address": "scanner@contoso.com", "transport": "m365-1"}]}


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, clock: FakeClock, tmp_path: Path) -> Any:
    paths = Paths(tmp_path, tmp_path, tmp_path)
    paths.config_file.write_text(json.dumps(CONFIG))

    def run(postfix: Relay, *senders: dict[str, Any], check_mode: bool = False, upstream: str = "", **options: Any) -> dict[str, Any]:
        if upstream:
            paths.config_file.write_text(json.dumps({**CONFIG, "upstream": upstream}))
        monkeypatch.setattr(host_engine, "LocalHost", lambda: LocalHost(clock))
        postfix.paths = paths
        resource = RelayProbe(postfix)
        validator = ArgumentSpecValidator(argument_spec(resource.spec)["argument_spec"])
        checked = validator.validate({"senders": list(senders or [SENDER]), **options})
        assert not checked.error_messages
        return host_engine.run(resource, checked.validated_parameters, check_mode=check_mode)

    return run


def test_message_is_traced_to_the_upstreams_reply(verify: Any, clock: FakeClock) -> None:
    postfix = Postfix(SENT)
    result = verify(postfix)
    assert (result["changed"], result["verified"], result["total"]) == (False, 1, 1)
    [sender] = result["senders"]
    assert (sender["status"], sender["stage"], sender["method"], sender["reason"]) == ("verified", "sent", "relay_host", "")
    assert sender["accepted_by"] == "submission"
    assert [hop["to"] for hop in sender["hops"]] == ["Postfix", "Postfix", "submission proxy", "Microsoft 365"]
    assert f"Message-ID: {sender['message_id']}".encode() in postfix.messages[0]
    assert postfix.commands == [("mail", "scanner@contoso.com"), ("rcpt", "verify@example.net")]
    assert postfix.actions == []
    assert postfix.since == [clock.now() - 1]


def test_permanent_failure_ends_at_once_and_removes_the_message(verify: Any, clock: FakeClock) -> None:
    postfix = Postfix(OFF)
    result = verify(postfix)
    assert result["msg"] == (
        "1 of 1 senders cannot send through this relay: Scanner: SMTP AUTH is disabled for this mailbox. "
        "Enable SMTP AUTH for this mailbox (role smtp_auth)."
    )
    [sender] = result["senders"]
    assert (sender["status"], sender["stage"], sender["code"], sender["transient"]) == ("failed", "sign-in", "535 5.7.139", False)
    assert clock.slept == []
    assert postfix.actions == [f"remove {QUEUE_ID}"]


def test_transient_failure_is_tried_again(verify: Any, clock: FakeClock) -> None:
    postfix = Postfix(BUSY, BUSY, SENT)
    result = verify(postfix)
    assert result["verified"] == 1
    assert postfix.actions == [f"flush {QUEUE_ID}"] * 2
    assert 29 <= sum(clock.slept) <= 31


def test_lasting_transient_failure_is_reported_after_the_timeout(verify: Any, clock: FakeClock) -> None:
    postfix = Postfix(*[BUSY] * 99)
    result = verify(postfix, timeout=20, required=False)
    assert "failed" not in result
    [sender] = result["senders"]
    assert (sender["stage"], sender["transient"]) == ("message", True)
    assert postfix.actions == [f"flush {QUEUE_ID}", f"remove {QUEUE_ID}"]
    assert 19 <= result["cost"]["waited"] <= 21


def test_message_without_an_attempt_is_still_queued(verify: Any) -> None:
    result = verify(Postfix(), timeout=5, required=False)
    [sender] = result["senders"]
    assert (sender["stage"], sender["transient"]) == ("queue", True)
    assert sender["reason"] == "the message is still in the relay's queue, and no attempt has failed"


def test_reason_is_read_from_the_queue_where_no_attempt_is_logged(verify: Any) -> None:
    """A mailbox whose daily quota is reached: an earlier message's attempt decided."""
    postfix = Postfix()
    held = "4.2.0 scanner@contoso.com has reached its daily quota of 10000 recipients"
    postfix.read_queue = lambda: [queue.Message(QUEUE_ID, "deferred", 0.0, 1, "scanner@contoso.com", ("verify@example.net",), held)]
    [sender] = verify(postfix, timeout=20, required=False)["senders"]
    assert sender["reason"] == "the mailbox has reached its daily quota of recipients"


@pytest.mark.parametrize(
    ("code", "reply", "stage"),
    [(554, b"5.7.1 <scanner@contoso.com>: Sender address rejected: not yours", "relay"), (452, b"4.3.1 full", "relay")],
)
def test_refusal_of_the_relay_itself_has_its_own_stage(verify: Any, code: int, reply: bytes, stage: str) -> None:
    postfix = Postfix(refusal=(code, reply))
    [sender] = verify(postfix, required=False)["senders"]
    assert (sender["status"], sender["stage"], sender["hops"]) == ("failed", stage, [])
    assert sender["service_message"] == f"{code} {reply.decode()}"
    assert postfix.messages == []
    assert postfix.actions == []


def test_stopped_relay_is_reported(verify: Any) -> None:
    def refuse() -> smtplib.SMTP:
        raise ConnectionRefusedError(111, "Connection refused")

    postfix = Postfix()
    postfix.connect = refuse
    [sender] = verify(postfix, required=False)["senders"]
    assert sender["reason"] == "no relay accepts mail on /var/spool/postfix/public/m365-internal of this host (Connection refused)"


def test_other_server_on_the_port_is_reported(verify: Any) -> None:
    [sender] = verify(Postfix(refusal=(250, b"2.0.0 OK")), required=False)["senders"]
    assert "is not the relay's Postfix" in sender["reason"]


def test_check_mode_sends_nothing(verify: Any) -> None:
    postfix = Postfix(SENT)
    result = verify(postfix, check_mode=True)
    [sender] = result["senders"]
    assert (sender["status"], sender["message_id"], sender["stage"]) == ("not_verified", None, "check_mode")
    assert (result["verified"], postfix.messages, postfix.since) == (0, [], [])


def test_sender_without_recipient_is_not_verified(verify: Any) -> None:
    postfix = Postfix(SENT)
    result = verify(postfix, {"name": "Plotter", "address": "plotter@contoso.com"}, SENDER)
    assert [(sender["name"], sender["status"]) for sender in result["senders"]] == [("Plotter", "not_verified"), ("Scanner", "verified")]
    assert result["senders"][0]["reason"] == "there is no recipient of a test message"
    assert (result["verified"], result["total"], len(postfix.messages)) == (1, 2, 1)


def test_name_with_a_line_break_is_one_line(verify: Any) -> None:
    """`name: >` in YAML ends with a line break, which a header must not have."""
    postfix = Postfix(SENT)
    [sender] = verify(postfix, SENDER | {"name": "Scanner, third\nfloor\n"})["senders"]
    assert (sender["name"], sender["status"]) == ("Scanner, third floor", "verified")
    assert b"Subject: Test message: Scanner, third floor [" in postfix.messages[0]


def test_invalid_input_is_reported_before_a_message_is_sent(verify: Any) -> None:
    postfix = Postfix(SENT)
    result = verify(postfix, {"address": "scanner", "verify_recipient": ""}, timeout=0)
    assert result["msg"] == (
        "3 problems:\n"
        "- timeout is 0: give seconds, at least 1.\n"
        "- senders: scanner: the sender's address holds 'scanner', which is no mail address (name@domain).\n"
        "- senders: scanner: the sender's verify_recipient holds an empty address: remove it."
    )
    assert postfix.messages == []


def test_summary_shows_the_senders_of_a_relay(verify: Any) -> None:
    report = Report()
    for host, postfix, options in (
        ("relay1", Postfix(SENT), {}),
        ("relay2", Postfix(), {"timeout": 1}),
        ("relay3", Postfix(), {"check_mode": True}),
    ):
        report.add(host, "Verify", "relay_probe", verify(postfix, required=False, **options), bool(options.get("check_mode")))
    lines = [text for text, _colour in report.lines(full=True)]
    [first] = [line for line in lines if line.startswith("relay1") and "Scanner" in line]
    assert first.endswith("accepted by submission")
    assert first.split()[:6] == ["relay1", "Scanner", "relay", "host", "scanner@contoso.com", "verified"]
    assert any(line.startswith("relay2") and line.endswith("failed: still queued") for line in lines)
    assert any(line.startswith("relay3") and line.endswith("skipped") for line in lines)


@pytest.mark.parametrize(("account", "reason"), [
    (
        {
            "provider": "Mailgun",
            "suppressed": [{"address": "Verify@example.net", "list": "bounces", "reason": None, "domain": "mg.contoso.com"}],
        },
        "Mailgun accepts mail to Verify@example.net and does not deliver it, because the address is in its list bounces of mg.contoso.com",
    ),
    (
        {"credentials": [{"name": "gateway", "exists": True, "problem": "mg.contoso.com: it is not verified.", "remedy": DOMAIN_REMEDY}]},
        "mg.contoso.com: it is not verified",
    ),
])  # fmt: skip
def test_message_that_a_hosted_relay_would_not_deliver_is_not_sent(verify: Any, account: dict[str, Any], reason: str) -> None:
    """Method hosted of a relay host: its 250 is not a delivery."""
    postfix = Postfix(SENT)
    result = verify(postfix, upstream="mailgun", hosted_account=account)
    [sender] = result["senders"]
    assert (sender["status"], sender["reason"], postfix.messages) == ("not_verifiable", reason, [])
    expected = DOMAIN_REMEDY if "credentials" in account else "Remove the address from that list if its mailbox exists"
    assert sender["remedy"].startswith(expected)
    assert "msg" not in result


def test_hosted_relay_accepts_the_message_and_the_quota_is_reported(verify: Any) -> None:
    account = {"suppressed": [], "credentials": [], "quota": {"used": 8200, "limit": 10_000, "unit": "recipients"}}
    [sender] = verify(Postfix(SENT), upstream="sendgrid", hosted_account=account)["senders"]
    assert (sender["status"], sender["accepted_by"]) == ("verified", "hosted_relay")
    assert sender["reason"] == "8,200 of 10,000 recipients of the provider's quota are used"
    account["credentials"] = [{"name": "gateway", "exists": True, "problem": None, "limit": "500 messages in 1 day"}]
    [sender] = verify(Postfix(SENT), upstream="smtp2go", hosted_account=account)["senders"]
    assert sender["reason"].endswith("are used; the SMTP user gateway may send 500 messages in 1 day")
    [sender] = verify(Postfix(SENT), upstream="sendgrid")["senders"]
    assert (sender["status"], sender["accepted_by"], sender["reason"]) == ("verified", "hosted_relay", "")


def test_check_run_does_not_judge_the_account(verify: Any) -> None:
    account = {"suppressed": [{"address": "verify@example.net", "list": "bounces"}]}
    [sender] = verify(Postfix(), upstream="sendgrid", hosted_account=account, check_mode=True)["senders"]
    assert (sender["status"], sender["stage"]) == ("not_verified", "check_mode")
