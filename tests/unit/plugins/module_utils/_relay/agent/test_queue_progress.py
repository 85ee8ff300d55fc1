# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Postfix that hang: with a queue directory of files, and the time moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.config import AgentConfig, MailboxConfig
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix.queue import Message
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.queue_progress import Progress, oldest_entry
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.status_document import StalledQueue

SCANNER = "scanner@contoso.com"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    for name in ("maildrop", "incoming", "active"):
        (tmp_path / name).mkdir()
    return tmp_path


def queued(spool: Path, directory: str, mode: int = 0o700) -> float:
    """Queue a message; the time at which it came into the directory."""
    path = spool / directory / "A1"
    path.write_text("")
    path.chmod(mode)
    return path.stat().st_ctime


def message(queue: str, arrived: float) -> Message:
    return Message("A1", queue, arrived, 1000, SCANNER, ("a@example.net",), "")


def progress(spool: Path, last_attempt: float | None = None, started: float | None = 0.0, pace: int = 0, active: int = 0) -> Progress:
    config = AgentConfig(mailboxes=(MailboxConfig(SCANNER, seconds_per_message=pace),), active_queue_limit=active)
    return Progress(spool, config, started, last_attempt)


@pytest.mark.parametrize(("directory", "program"), [("incoming", "qmgr"), ("maildrop", "pickup")])
def test_message_that_is_not_taken_over_is_reported_after_ten_minutes(spool: Path, directory: str, program: str) -> None:
    entered = queued(spool, directory)
    messages = [message(directory, entered - 86_400)]
    assert list(progress(spool).stalled(messages, entered + 599)) == [], "queued anew just now"
    assert list(progress(spool).stalled(messages, entered + 600)) == [StalledQueue(program, directory, entered, 1)]
    assert list(progress(spool, started=entered + 500).stalled(messages, entered + 1099)) == [], "Postfix has just started"
    assert list(progress(spool, started=None).stalled(messages, entered + 9999)) == [], "Postfix does not run, which is another problem"


def test_message_that_a_device_still_sends_is_not_due(spool: Path) -> None:
    entered = queued(spool, "incoming", 0o600)
    assert list(progress(spool).stalled([message("incoming", entered)], entered + 900)) == []


def test_message_that_left_meanwhile_is_not_due(spool: Path) -> None:
    assert list(progress(spool).stalled([message("incoming", 1000.0)], 2000.0)) == []
    assert oldest_entry(spool / "missing") is None


def test_full_active_queue_keeps_messages_in_incoming(spool: Path) -> None:
    entered = queued(spool, "incoming")
    messages = [message("active", entered)] * 5 + [message("incoming", entered)]
    later = entered + 700
    assert list(progress(spool, later - 60, active=5).stalled(messages, later)) == []
    assert [one.program for one in progress(spool, later - 60, active=6).stalled(messages, later)] == ["qmgr"]


@pytest.mark.parametrize("queue", ["active", "deferred"])
def test_queue_without_a_delivery_attempt_is_reported_after_45_minutes(spool: Path, queue: str) -> None:
    messages = [message(queue, 1000.0), message("hold", 10.0)]
    assert list(progress(spool, 500.0).stalled(messages, 3699.0)) == []
    assert list(progress(spool, 500.0).stalled(messages, 3700.0)) == [StalledQueue("qmgr", "", 1000.0, 1)]
    assert list(progress(spool, 3000.0).stalled(messages, 3700.0)) == []
    assert list(progress(spool, None).stalled(messages, 9999.0)) == [], "the delivery monitor does not run, which is another problem"


def test_slow_pace_is_no_hang(spool: Path) -> None:
    """One message in 20 minutes: three paces are an hour."""
    messages = [message("active", 1000.0)]
    assert list(progress(spool, 1000.0, pace=1200).stalled(messages, 4599.0)) == []
    assert list(progress(spool, 1000.0, pace=1200).stalled(messages, 4600.0)) != []


def test_messages_on_hold_wait_for_an_administrator(spool: Path) -> None:
    assert list(progress(spool, 0.0).stalled([message("hold", 1000.0)], 1e6)) == []
