# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delivery monitor's decisions, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import config, reasons
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import INITIAL_DELAY
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.daily_quota import DAY
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.state import MonitorState
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import Activated, Delivery, Ended, ProxyError

MAILBOX, ALIAS, ERP = "scanner@contoso.com", "alarm@contoso.com", "erp@contoso.com"
NOON = 1_795_600_000.0
OK = "250 2.0.0 OK"
DENIED = (
    f"host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; {MAILBOX} not allowed to send as {ALIAS} (in reply to end of DATA command)"
)
THROTTLED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 Sender throttled due to continuous send as denied errors."
REFUSED = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.3 Authentication unsuccessful [X]"


def document(limit: int = 10000) -> dict[str, Any]:
    return {
        "mailboxes": [
            {"address": MAILBOX, "transport": "m365-1", "senders": [MAILBOX, ALIAS], "recipients_per_day": limit},
            {"address": ERP, "transport": "m365-2", "senders": [ERP], "recipients_per_day": limit},
        ]
    }


def monitor(limit: int = 10000) -> MonitorState:
    return MonitorState(config.parse(document(limit)))


def active(state: MonitorState, queue_id: str, sender: str = MAILBOX, recipients: int = 1, at: float = NOON) -> None:
    state.process(Activated(at, "", "qmgr", queue_id, sender, recipients, 420))


def attempt(state: MonitorState, queue_id: str, status: str, text: str = OK, label: str = "m365-1", at: float = NOON) -> None:
    state.process(Delivery(at, label, "smtp", queue_id, "a@example.net", "x", "2.0.0", status, text, 1.0, (0.1, 0.0, 0.5, 0.4)))


def test_every_sent_recipient_is_counted_once() -> None:
    state = monitor()
    active(state, "A", recipients=3)
    for _ in range(3):
        attempt(state, "A", "sent")
    state.process(Ended(NOON, "", "qmgr", "A", "removed"))
    assert state.recipients.total(MAILBOX, NOON) == 3
    assert state.recipients.total(ERP, NOON) == 0
    assert not state.active
    assert state.activity[MAILBOX].last_sent == NOON


def test_postmaster_mail_counts_for_the_mailbox_that_sends_it() -> None:
    state = monitor()
    attempt(state, "A", "sent", label="m365-notices")
    assert state.recipients.total(MAILBOX, NOON) == 1


def test_local_deliveries_are_not_counted() -> None:
    state = monitor()
    active(state, "A")
    attempt(state, "A", "sent", label="")
    assert state.recipients.total(MAILBOX, NOON) == 0
    assert "sent" not in state.counters, "a delivery to the rewriting listener is local"
    active(state, "B")
    attempt(state, "B", "sent")
    assert state.counters["sent"] == {f"{MAILBOX}/": 1}


@pytest.mark.parametrize("mailboxes", [document()["mailboxes"], []])
def test_mail_of_a_sender_without_a_mailbox_is_counted(mailboxes: list[dict[str, Any]]) -> None:
    """By transport m365 and, beside it, a bounce that Postfix discards."""
    state = MonitorState(config.parse({"mailboxes": mailboxes}))
    active(state, "A", "other@contoso.com")
    attempt(state, "A", "sent", label="m365")
    state.process(Delivery(NOON + 1, "", "discard", "B", "a@example.net", "none", "2.0.0", "sent", "x", 0.0, (0.0, 0.0, 0.0, 0.0)))
    assert state.counters["sent"] == {"/": 1}
    assert state.last_sent == NOON
    active(state, "C", "other@contoso.com")
    attempt(state, "C", "deferred", DENIED, label="m365")
    assert not state.breaker.circuits
    assert state.counters["deferred"] == {"/send-as-denied": 1}


def test_reached_quota_defers_all_senders_of_the_mailbox_until_it_resumes() -> None:
    state = monitor(limit=20)
    for number in range(20):
        attempt(state, f"A{number}", "sent", at=NOON + number)
    state.update(NOON + 20)
    rows = dict(line.split(" ", 1) for line in state.suspended_senders().splitlines())
    assert set(rows) == {ALIAS, MAILBOX}
    assert rows[MAILBOX].startswith("retry:4.2.0 scanner@contoso.com has reached its daily quota of 20 recipients; delivery resumes at ")
    assert reasons.explain(rows[MAILBOX].removeprefix("retry:4.2.0 ")).id == "relay-daily-quota-reached"
    assert state.seconds_until_due(NOON + 20) == 60
    state.update(state.quota_resumes(MAILBOX, NOON + 20))
    assert state.suspended_senders() == ""


def test_recipients_in_flight_count_towards_the_quota() -> None:
    state = monitor(limit=100)
    for number in range(90):
        attempt(state, f"A{number}", "sent")
    active(state, "B", recipients=10)
    state.update(NOON)
    assert state.suspended_senders() == ""
    active(state, "C", recipients=1)
    state.update(NOON)
    assert state.suspended_senders()


def test_stale_active_message_is_not_in_flight() -> None:
    state = monitor()
    active(state, "A", recipients=10)
    assert state.in_flight(MAILBOX, NOON + 60) == 10
    assert state.in_flight(MAILBOX, NOON + 7200) == 0


def test_missing_right_suspends_that_sender_and_holds_its_mail() -> None:
    state = monitor()
    active(state, "A", ALIAS)
    attempt(state, "A", "deferred", DENIED)
    actions = state.update(NOON)
    assert (actions.hold, actions.release) == (["A"], [])
    (row,) = state.suspended_senders().splitlines()
    assert row.startswith(f"{ALIAS} retry:4.2.0 {ALIAS} is suspended by the relay: the sender address is not the mailbox")
    text = row.split(" ", 2)[2]
    assert reasons.explain(text).id == "relay-sender-suspended"
    active(state, "B", ALIAS)
    attempt(state, "B", "deferred", text, label="")
    assert state.update(NOON).hold == ["B"], "a later message is held without an attempt"
    attempt(state, "C", "sent")
    assert state.update(NOON).release == [], "the mailbox's own mail is no evidence for the right on another address"


def test_lockout_is_probed_and_ends() -> None:
    state = monitor()
    for queue_id in ("A", "B"):
        active(state, queue_id)
        attempt(state, queue_id, "deferred", THROTTLED)
    assert state.update(NOON).hold == ["A", "B"]
    assert len(state.suspended_senders().splitlines()) == 2
    later = NOON + INITIAL_DELAY
    assert state.update(later).release == ["A"]
    assert state.suspended_senders() == ""
    active(state, "A", at=later)
    attempt(state, "A", "sent", at=later)
    assert state.update(later).release == ["B"]
    assert not state.breaker.circuits


def test_transient_deferral_holds_no_message() -> None:
    state = monitor()
    active(state, "A")
    attempt(state, "A", "deferred", REFUSED)
    actions = state.update(NOON)
    assert (actions.hold, state.suspended_senders()) == ([], "")
    assert state.activity[MAILBOX].last_refusal.id == "authentication-refused"
    attempt(state, "A", "sent")
    assert state.activity[MAILBOX].last_refusal is None


def test_events_read_at_once_cause_no_outdated_action() -> None:
    state = monitor()
    active(state, "A", ALIAS)
    attempt(state, "A", "deferred", DENIED)
    active(state, "A", ALIAS)
    attempt(state, "A", "sent")
    actions = state.update(NOON)
    assert (actions.hold, actions.release, state.suspended_senders()) == ([], [], "")


def test_sender_of_an_older_message_is_read_from_the_queue() -> None:
    state = monitor()
    state.sender_of = {"A": ALIAS}.get  # type: ignore[assignment]
    attempt(state, "A", "deferred", DENIED)
    assert state.update(NOON).hold == ["A"]


@pytest.mark.parametrize(("names", "released"), [([], [ALIAS]), (["A"], [ALIAS]), ([ALIAS], [ALIAS]), ([MAILBOX], [ALIAS]), (["x"], [])])
def test_release_on_request(names: list[str], released: list[str]) -> None:
    state = monitor()
    active(state, "A", ALIAS)
    attempt(state, "A", "deferred", DENIED)
    state.update(NOON)
    assert state.release(names) == released
    assert state.update(NOON).release == (["A"] if released else [])
    assert bool(state.suspended_senders()) != bool(released)


def test_restart_continues_exactly() -> None:
    state = monitor(limit=100)
    for number in range(95):
        attempt(state, f"A{number}", "sent")
    active(state, "B", recipients=6)
    active(state, "C", ALIAS)
    attempt(state, "C", "deferred", DENIED)
    state.process(ProxyError(NOON, "", "proxy", MAILBOX, "connect(1.2.3.4, 587) failed: No route to host"))
    state.update(NOON)
    again = monitor(limit=100)
    again.load(json.loads(json.dumps(state.as_state())))
    assert again.suspended_senders() == state.suspended_senders()
    assert len(again.suspended_senders().splitlines()) == 2
    assert again.as_state() == state.as_state()
    assert again.recipients.total(MAILBOX, NOON + DAY - 60) == 95


def changed(state: MonitorState, mailboxes: list[dict[str, Any]]) -> MonitorState:
    """The monitor after a run of the role with other mailboxes."""
    again = MonitorState(config.parse({"mailboxes": mailboxes}))
    again.load(json.loads(json.dumps(state.as_state())))
    return again


def test_circuit_of_a_removed_mailbox_is_closed_and_its_mail_released() -> None:
    state = monitor()
    active(state, "A", ERP)
    attempt(state, "A", "deferred", DENIED, label="m365-2")
    assert state.update(NOON).hold == ["A"]
    fewer = changed(state, document()["mailboxes"][:1])
    assert not fewer.breaker.circuits
    assert fewer.update(NOON).release == ["A"]


def test_circuit_of_a_moved_sender_is_closed_and_its_mail_released() -> None:
    state = monitor()
    active(state, "A", ALIAS)
    attempt(state, "A", "deferred", DENIED)
    state.update(NOON)
    one, two = document()["mailboxes"]
    moved = changed(state, [one | {"senders": [MAILBOX]}, two | {"senders": [ERP, ALIAS]}])
    assert not moved.breaker.circuits
    assert moved.update(NOON).release == ["A"]
    assert changed(state, [one, two]).breaker.circuits, "an unchanged configuration keeps the circuit"
