# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.daily_quota import DAY, DailyQuota, RollingCounter
from hypothesis import given
from hypothesis import strategies as st

NOON = 1_795_600_000.0
MAILBOX = "scanner@contoso.com"


def test_recipient_is_counted_for_one_window_and_at_most_one_slot_more() -> None:
    counter = RollingCounter()
    counter.add(MAILBOX, NOON, 3)
    assert counter.total(MAILBOX, NOON + DAY - 1) == 3
    assert counter.total(MAILBOX, NOON + DAY + counter.slot_width) == 0
    assert counter.total("other@contoso.com", NOON) == 0


@given(st.lists(st.tuples(st.floats(0, 2 * DAY), st.integers(1, 500)), max_size=40), st.floats(0, 3 * DAY))
def test_total_is_never_too_low(sends: list[tuple[float, int]], now: float) -> None:
    counter = RollingCounter()
    for at, recipients in sends:
        if at <= now:
            counter.add(MAILBOX, NOON + at, recipients)
    assert counter.total(MAILBOX, NOON + now) >= sum(many for at, many in sends if now - DAY < at <= now)


def test_time_when_the_total_falls_below_a_count() -> None:
    counter = RollingCounter()
    for hour in range(10):
        counter.add(MAILBOX, NOON + hour * 3600, 10)
    now = NOON + 10 * 3600
    assert counter.time_below(MAILBOX, now, 100) == now
    resumes = counter.time_below(MAILBOX, now, 75)
    assert NOON + 2 * 3600 + DAY < resumes <= NOON + 2 * 3600 + DAY + 2 * counter.slot_width
    assert RollingCounter.from_state(counter.as_state()).total(MAILBOX, resumes) <= 75


def test_counter_survives_json() -> None:
    counter = RollingCounter()
    counter.add(MAILBOX, NOON, 7)
    again = RollingCounter.from_state(json.loads(json.dumps(counter.as_state())))
    assert again.total(MAILBOX, NOON) == 7


def test_recipients_in_flight_count_towards_the_quota() -> None:
    quota = DailyQuota(limit=100)
    assert not quota.update(used=95, in_flight=5)
    assert quota.update(used=96, in_flight=5)


def test_delivery_resumes_when_the_reserve_is_free() -> None:
    quota = DailyQuota(limit=100)
    assert quota.update(used=100, in_flight=0)
    assert quota.update(used=96, in_flight=0)
    assert not quota.update(used=95, in_flight=0)
    assert not quota.update(used=99, in_flight=1)


def test_delivery_resumes_when_a_large_message_fits() -> None:
    quota = DailyQuota(limit=1000)
    assert quota.update(used=700, in_flight=400)
    assert quota.update(used=601, in_flight=0)
    assert not quota.update(used=600, in_flight=0)
    assert not quota.update(used=600, in_flight=400)


def test_message_larger_than_the_quota_is_sent_when_nothing_else_was() -> None:
    quota = DailyQuota(limit=100)
    assert not quota.update(used=0, in_flight=500)
    assert quota.update(used=1, in_flight=500)
    assert quota.update(used=1, in_flight=0)
    assert not quota.update(used=0, in_flight=0)


def test_quota_without_a_limit_is_never_reached() -> None:
    assert not DailyQuota(limit=0).update(used=10**6, in_flight=10)
