# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PATIENCE,
    Guard,
)

BOX, BOSS = "scanner@contoso.com", "boss@contoso.com"


def test_a_missing_right_holds_back_that_sender_alone() -> None:
    guard = Guard()
    assert guard.refused(BOX, BOSS, "A", "send-as-denied", 0).hold == ["A"]
    assert guard.closed(BOX, BOSS)
    assert not guard.closed(BOX, BOX)


def test_a_lock_out_holds_back_the_whole_mailbox() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-lockout", 0)
    assert guard.closed(BOX, BOX)
    assert not guard.closed("erp@contoso.com", "erp@contoso.com")


def test_newcomers_are_held_once_and_let_out_together() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-denied", 0)
    lock = guard.of(BOX, BOSS)
    assert lock
    assert guard.keep(lock, "B").hold == ["B"]
    assert guard.keep(lock, "B").hold == []
    assert guard.open(lock).release == ["A", "B"]
    assert not guard.of(BOX, BOSS)


def test_one_probe_after_the_pause_and_all_after_it_was_sent() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-denied", 0)
    guard.refused(BOX, BOSS, "B", "send-as-denied", 1)
    assert guard.tick(FIRST_PAUSE - 1).release == []
    assert guard.tick(FIRST_PAUSE).release == ["A"]
    assert not guard.closed(BOX, BOSS), "the probe's way is open"
    assert guard.tick(FIRST_PAUSE + 1).release == []
    assert guard.sent(BOX, BOSS).release == ["B"]
    assert not guard.locks


def test_a_refused_probe_doubles_the_pause_up_to_the_longest() -> None:
    guard, now, attempts = Guard(), 0.0, 0
    guard.refused(BOX, BOSS, "A", "send-as-denied", now)
    while now < 48 * 3600:
        now += 60
        for probe in guard.tick(now).release:
            attempts += 1
            assert guard.refused(BOX, BOSS, probe, "send-as-denied", now).hold == [probe]
    lock = guard.of(BOX, BOSS)
    assert lock
    assert lock.pause == LONGEST_PAUSE
    assert attempts == 8, "in two days: after 1, 3, 7 and 15 hours, then every 8"


def test_a_probe_without_a_verdict_is_not_waited_for() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-denied", 0)
    guard.refused(BOX, BOSS, "B", "send-as-denied", 0)
    assert guard.tick(FIRST_PAUSE).release == ["A"]
    guard.tick(FIRST_PAUSE + PATIENCE)
    assert guard.closed(BOX, BOSS)
    assert guard.tick(2 * FIRST_PAUSE + PATIENCE).release == ["B"]


def test_a_lock_without_messages_ends_with_its_pause() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-denied", 0)
    guard.forget(set())
    assert guard.tick(FIRST_PAUSE).release == []
    assert not guard.of(BOX, BOSS)


def test_locks_survive_a_restart() -> None:
    guard = Guard()
    guard.refused(BOX, BOSS, "A", "send-as-denied", 0)
    again = Guard(json.loads(json.dumps(guard.as_state())))
    assert again.tick(FIRST_PAUSE).release == ["A"]
    assert again.closed(BOX, BOSS) is None


def test_a_mailboxs_other_mail_does_not_end_a_lock_out_that_it_met_before() -> None:
    guard = Guard()
    guard.refused(BOX, BOX, "A", "send-as-lockout", 0)
    assert guard.sent(BOX, BOX).release == [], "that message was on its way when the lock-out began"
    assert guard.closed(BOX, BOX)
