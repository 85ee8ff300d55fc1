# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a task of many hosts."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.callback import concise


def task(number: int) -> Any:
    return SimpleNamespace(_uuid=str(number), get_name=lambda: f"mailops.m365.tenant : Task {number}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_long_task_prints_its_count_every_ten_seconds(clock: list[float]) -> None:
    progress = concise._Progress(hosts=500)
    progress.start(task(1))
    assert [progress.count(task(1)) for _host in range(3)] == ["", "", ""]
    clock[0] += 10
    assert progress.count(task(1)) == "Task 1: 4 of 500 hosts"
    assert progress.count(task(1)) == ""
    clock[0] += 9
    assert progress.count(task(1)) == ""
    clock[0] += 1
    assert progress.count(task(1)) == "Task 1: 7 of 500 hosts"


def test_each_task_is_counted_for_itself(clock: list[float]) -> None:
    progress = concise._Progress(hosts=20)
    assert [progress.fail(task(1)), progress.fail(task(1)), progress.fail(task(2))] == [1, 2, 1]
    clock[0] += 30
    progress.start(task(3))
    assert progress.count(task(3)) == "", "ten seconds of this task"
