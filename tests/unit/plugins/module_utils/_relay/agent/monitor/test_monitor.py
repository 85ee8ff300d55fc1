# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher's decisions, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import reasons
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import FIRST_PAUSE
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.daily_quota import DAY
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.monitor import Keeper
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.maillog import Active, BridgeTrouble, Delivery, Ended

BOX, ALIAS, ERP = "scanner@contoso.com", "alarm@contoso.com", "erp@contoso.com"
NOON = 1_795_600_000.0
OK = "250 2.0.0 OK"
DENIED = f"host 127.0.0.1[127.0.0.1] said: 550 5.2.252 SendAsDenied; {BOX} not allowed to send as {ALIAS} (in reply to end of DATA command)"
THROTTLED = "host 127.0.0.1[127.0.0.1] said: 550 5.2.252 Sender throttled due to continuous send as denied errors."
REFUSED = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.3 Authentication unsuccessful [X]"


def settings(limit: int = 10000) -> dict[str, Any]:
    return {
        "mailboxes": [
            {"address": BOX, "transport": "m365-1", "senders": [BOX, ALIAS], "recipients_per_day": limit},
            {"address": ERP, "transport": "m365-2", "senders": [ERP], "recipients_per_day": limit},
        ]
    }


def keeper(limit: int = 10000) -> Keeper:
    return Keeper(settings(limit))


def active(found: Keeper, queue_id: str, sender: str = BOX, recipients: int = 1, at: float = NOON) -> None:
    found.feed(Active(at, "", "qmgr", queue_id, sender, recipients, 420))


def attempt(found: Keeper, queue_id: str, status: str, text: str = OK, label: str = "m365-1", at: float = NOON) -> None:
    found.feed(Delivery(at, label, "smtp", queue_id, "a@example.net", "x", "2.0.0", status, text, 1.0, (0.1, 0.0, 0.5, 0.4)))


def test_every_recipient_that_was_sent_to_is_counted_once() -> None:
    found = keeper()
    active(found, "A", recipients=3)
    for _ in range(3):
        attempt(found, "A", "sent")
    found.feed(Ended(NOON, "", "qmgr", "A", "removed"))
    assert found.ledger.used(BOX, NOON) == 3
    assert found.ledger.used(ERP, NOON) == 0
    assert not found.active
    assert found.told[BOX]["last_sent"] == NOON


def test_the_relays_own_notices_count_for_the_mailbox_that_they_leave_by() -> None:
    found = keeper()
    attempt(found, "A", "sent", label="m365-notices")
    assert found.ledger.used(BOX, NOON) == 1


def test_local_and_foreign_deliveries_are_not_counted() -> None:
    found = keeper()
    active(found, "A")
    attempt(found, "A", "sent", label="")
    assert found.ledger.used(BOX, NOON) == 0
    assert "sent" not in found.counts, "the way to the rewriter is no way out"
    active(found, "B")
    attempt(found, "B", "sent")
    assert found.counts["sent"] == {f"{BOX}/": 1}


def test_a_full_day_closes_all_senders_of_the_mailbox_and_opens_by_itself() -> None:
    found = keeper(limit=20)
    for number in range(20):
        attempt(found, f"A{number}", "sent", at=NOON + number)
    found.tick(NOON + 20)
    rows = dict(line.split(" ", 1) for line in found.closed().splitlines())
    assert set(rows) == {ALIAS, BOX}
    assert rows[BOX].startswith("retry:4.2.0 scanner@contoso.com has reached its daily quota of 20 recipients; delivery resumes at ")
    assert reasons.of(rows[BOX].removeprefix("retry:4.2.0 ")).id == "relay-daily-quota-reached"
    assert found.wake(NOON + 20) == 60
    found.tick(found.opens(BOX, NOON + 20))
    assert found.closed() == ""


def test_what_is_in_flight_is_reserved() -> None:
    found = keeper(limit=100)
    for number in range(90):
        attempt(found, f"A{number}", "sent")
    active(found, "B", recipients=10)
    found.tick(NOON)
    assert found.closed() == ""
    active(found, "C", recipients=1)
    found.tick(NOON)
    assert found.closed()


def test_a_message_taken_up_long_ago_is_in_flight_no_more() -> None:
    found = keeper()
    active(found, "A", recipients=10)
    assert found.in_flight(BOX, NOON + 60) == 10
    assert found.in_flight(BOX, NOON + 7200) == 0


def test_a_missing_right_closes_that_sender_and_holds_its_mail() -> None:
    found = keeper()
    active(found, "A", ALIAS)
    attempt(found, "A", "deferred", DENIED)
    orders = found.tick(NOON)
    assert (orders.hold, orders.release) == (["A"], [])
    (row,) = found.closed().splitlines()
    assert row.startswith(f"{ALIAS} retry:4.2.0 {ALIAS} is suspended by the relay: the sender's address is not the mailbox")
    text = row.split(" ", 2)[2]
    assert reasons.of(text).id == "relay-sender-suspended"
    active(found, "B", ALIAS)
    attempt(found, "B", "deferred", text, label="")
    assert found.tick(NOON).hold == ["B"], "a newcomer joins without an attempt"
    attempt(found, "C", "sent")
    assert found.tick(NOON).release == [], "the mailbox's own mail says nothing of the right on another address"


def test_a_lock_out_is_probed_and_ends() -> None:
    found = keeper()
    for queue_id in ("A", "B"):
        active(found, queue_id)
        attempt(found, queue_id, "deferred", THROTTLED)
    assert found.tick(NOON).hold == ["A", "B"]
    assert len(found.closed().splitlines()) == 2
    later = NOON + FIRST_PAUSE
    assert found.tick(later).release == ["A"]
    assert found.closed() == ""
    active(found, "A", at=later)
    attempt(found, "A", "sent", at=later)
    assert found.tick(later).release == ["B"]
    assert not found.guard.locks


def test_a_deferral_that_waiting_heals_holds_nothing() -> None:
    found = keeper()
    active(found, "A")
    attempt(found, "A", "deferred", REFUSED)
    orders = found.tick(NOON)
    assert (orders.hold, found.closed()) == ([], "")
    assert found.told[BOX]["refused"]["id"] == "authentication-refused"
    attempt(found, "A", "sent")
    assert found.told[BOX]["refused"] is None


def test_a_history_read_at_once_orders_nothing_that_is_over() -> None:
    found = keeper()
    active(found, "A", ALIAS)
    attempt(found, "A", "deferred", DENIED)
    active(found, "A", ALIAS)
    attempt(found, "A", "sent")
    orders = found.tick(NOON)
    assert (orders.hold, orders.release, found.closed()) == ([], [], "")


def test_the_sender_of_an_older_message_is_looked_up() -> None:
    found = keeper()
    found.sender_of = {"A": ALIAS}.get  # type: ignore[assignment]
    attempt(found, "A", "deferred", DENIED)
    assert found.tick(NOON).hold == ["A"]


@pytest.mark.parametrize(("wanted", "opened"), [([], [ALIAS]), (["A"], [ALIAS]), ([ALIAS], [ALIAS]), ([BOX], [ALIAS]), (["x"], [])])
def test_release_by_hand(wanted: list[str], opened: list[str]) -> None:
    found = keeper()
    active(found, "A", ALIAS)
    attempt(found, "A", "deferred", DENIED)
    found.tick(NOON)
    assert found.release(wanted) == opened
    assert found.tick(NOON).release == (["A"] if opened else [])
    assert bool(found.closed()) != bool(opened)


def test_a_restart_goes_on_exactly() -> None:
    found = keeper(limit=100)
    for number in range(95):
        attempt(found, f"A{number}", "sent")
    active(found, "B", recipients=6)
    active(found, "C", ALIAS)
    attempt(found, "C", "deferred", DENIED)
    found.feed(BridgeTrouble(NOON, "", "bridge", BOX, "connect(1.2.3.4, 587) failed: No route to host"))
    found.tick(NOON)
    again = keeper(limit=100)
    again.load(json.loads(json.dumps(found.as_state())))
    assert again.closed() == found.closed()
    assert len(again.closed().splitlines()) == 2
    assert again.as_state() == found.as_state()
    assert again.ledger.used(BOX, NOON + DAY - 60) == 95


def changed(found: Keeper, mailboxes: list[dict[str, Any]]) -> Keeper:
    """The watcher after a run of the role with other mailboxes."""
    again = Keeper({"mailboxes": mailboxes})
    again.load(json.loads(json.dumps(found.as_state())))
    return again


def test_a_mailbox_that_is_gone_takes_its_lock_along_and_lets_its_mail_go() -> None:
    found = keeper()
    active(found, "A", ERP)
    attempt(found, "A", "deferred", DENIED, label="m365-2")
    assert found.tick(NOON).hold == ["A"]
    fewer = changed(found, settings()["mailboxes"][:1])
    assert not fewer.guard.locks
    assert fewer.tick(NOON).release == ["A"]


def test_a_sender_that_moves_to_another_mailbox_lets_its_mail_go() -> None:
    found = keeper()
    active(found, "A", ALIAS)
    attempt(found, "A", "deferred", DENIED)
    found.tick(NOON)
    one, two = settings()["mailboxes"]
    moved = changed(found, [one | {"senders": [BOX]}, two | {"senders": [ERP, ALIAS]}])
    assert not moved.guard.locks
    assert moved.tick(NOON).release == ["A"]
    assert changed(found, [one, two]).guard.locks, "where nothing has changed, it goes on"
