# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils._core.progress import INTERVAL, Progress

from ....conftest import FakeClock


def test_long_operation_has_a_line_every_few_seconds_with_count_and_rate(clock: FakeClock) -> None:
    lines: list[str] = []
    counter = Progress(clock, lines.append, "contoso.com").counter("Exchange New-Mailbox", 10_000)
    for _batch in range(1000):
        clock.sleep(0.2)
        counter.add(10)
    assert len(lines) == 200 / INTERVAL - 1, "the last item has no line"
    assert lines[0] == "contoso.com: Exchange New-Mailbox: 250 of 10,000 (50 per second)"
    assert lines[-1] == "contoso.com: Exchange New-Mailbox: 9,750 of 10,000 (50 per second)"


def test_quick_operation_has_no_line(clock: FakeClock) -> None:
    lines: list[str] = []
    counter = Progress(clock, lines.append).counter("Exchange Set-CASMailbox", 400)
    for _batch in range(40):
        clock.sleep(INTERVAL / 41)
        counter.add(10)
    assert lines == []


def test_slow_operation_has_its_rate_by_the_minute(clock: FakeClock) -> None:
    lines: list[str] = []
    counter = Progress(clock, lines.append).counter("Exchange Get-Mailbox", 40)
    clock.sleep(20)
    counter.add(10)
    assert lines == ["Exchange Get-Mailbox: 10 of 40 (30 per minute)"]


def test_progress_without_display_is_silent(clock: FakeClock) -> None:
    counter = Progress(clock).counter("x", 3)
    clock.sleep(60)
    counter.add(1)
