# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._core.waiting import Backoff, RequestWindow, Retry

from ....conftest import FakeClock


class Waiter:
    """Waits on a fake clock."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def pause(self, seconds: float) -> None:
        self.clock.sleep(seconds)


def exhaust(retry: Retry, requested: float | None = None) -> int:
    """The number of further attempts that were allowed."""
    count = 0
    while retry.again(requested):
        count += 1
    return count


def test_pauses_double_up_to_the_longest(clock: FakeClock) -> None:
    assert exhaust(Retry(Backoff(first=1, longest=5, attempts=6), Waiter(clock))) == 5
    assert clock.slept == [1, 2, 4, 5, 5]


def test_the_budget_bounds_all_pauses(clock: FakeClock) -> None:
    assert exhaust(Retry(Backoff(first=2, longest=60, budget=14), Waiter(clock))) == 3
    assert clock.slept == [2, 4, 8]


def test_the_limit_is_a_deadline_on_the_clock(clock: FakeClock) -> None:
    """The time that the attempts themselves take counts, too."""
    retry = Retry(Backoff(first=2, longest=30), Waiter(clock), limit=10)
    assert retry.again()
    clock.sleep(5)
    assert not retry.again()


def test_a_requested_pause_replaces_the_back_off(clock: FakeClock) -> None:
    assert exhaust(Retry(Backoff(first=1, longest=60, attempts=3), Waiter(clock)), requested=17) == 2
    assert clock.slept == [17, 17]


def test_jitter_varies_a_pause_by_its_share() -> None:
    backoff = Backoff(first=10, longest=60, jitter=0.2)
    assert all(8 <= backoff.pause(1) <= 12 for _attempt in range(100))


def test_window_waits_only_before_a_request_too_many(clock: FakeClock) -> None:
    window, start = RequestWindow(3, 10.0, Waiter(clock)), clock.now()
    times = []
    for pause in (0.0, 4.0, 0.0, 1.0, 0.0, 0.0, 30.0):
        clock.sleep(pause)
        window.wait()
        times.append(clock.now() - start)
    assert times == [0.0, 4.0, 4.0, 10.0, 14.0, 14.0, 44.0]
