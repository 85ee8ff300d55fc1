# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.daily_quota import DAY, Day, Ledger
from hypothesis import given
from hypothesis import strategies as st

NOON = 1_795_600_000.0
BOX = "scanner@contoso.com"


def test_a_recipient_is_counted_for_a_day_and_a_slot_at_most() -> None:
    ledger = Ledger()
    ledger.add(BOX, NOON, 3)
    assert ledger.used(BOX, NOON + DAY - 1) == 3
    assert ledger.used(BOX, NOON + DAY + ledger.width) == 0
    assert ledger.used("other@contoso.com", NOON) == 0


@given(st.lists(st.tuples(st.floats(0, 2 * DAY), st.integers(1, 500)), max_size=40), st.floats(0, 3 * DAY))
def test_the_count_is_never_below_the_truth(sends: list[tuple[float, int]], now: float) -> None:
    ledger = Ledger()
    for at, recipients in sends:
        if at <= now:
            ledger.add(BOX, NOON + at, recipients)
    assert ledger.used(BOX, NOON + now) >= sum(many for at, many in sends if now - DAY < at <= now)


def test_it_knows_when_there_is_room_again() -> None:
    ledger = Ledger()
    for hour in range(10):
        ledger.add(BOX, NOON + hour * 3600, 10)
    now = NOON + 10 * 3600
    assert ledger.free_at(BOX, now, 100) == now
    opens = ledger.free_at(BOX, now, 75)
    assert NOON + 2 * 3600 + DAY < opens <= NOON + 2 * 3600 + DAY + 2 * ledger.width
    assert Ledger.from_state(ledger.as_state()).used(BOX, opens) <= 75


def test_what_is_kept_is_plain_json() -> None:
    ledger = Ledger()
    ledger.add(BOX, NOON, 7)
    again = Ledger.from_state(json.loads(json.dumps(ledger.as_state())))
    assert again.used(BOX, NOON) == 7


def test_a_day_closes_before_the_limit_with_what_is_in_flight() -> None:
    day = Day(limit=100)
    assert not day.judge(used=95, in_flight=5)
    assert day.judge(used=96, in_flight=5)


def test_a_full_day_opens_when_a_part_of_it_is_free() -> None:
    day = Day(limit=100)
    assert day.judge(used=100, in_flight=0)
    assert day.judge(used=96, in_flight=0)
    assert not day.judge(used=95, in_flight=0)
    assert not day.judge(used=99, in_flight=1)


def test_a_day_closed_for_a_large_message_opens_when_that_one_fits() -> None:
    day = Day(limit=1000)
    assert day.judge(used=700, in_flight=400)
    assert day.judge(used=601, in_flight=0)
    assert not day.judge(used=600, in_flight=0)
    assert not day.judge(used=600, in_flight=400)


def test_a_message_larger_than_the_day_goes_on_an_empty_day() -> None:
    day = Day(limit=100)
    assert not day.judge(used=0, in_flight=500)
    assert day.judge(used=1, in_flight=500)
    assert day.judge(used=1, in_flight=0)
    assert not day.judge(used=0, in_flight=0)


def test_a_day_without_a_limit_never_closes() -> None:
    assert not Day(limit=0).judge(used=10**6, in_flight=10)
