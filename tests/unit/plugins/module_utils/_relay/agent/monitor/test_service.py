# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor's files: its state, Postfix's table of suspended senders, the queue actions; and their execution as root."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.files import read_object
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor import queue_actions
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import INITIAL_DELAY
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.release import release
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.service import MonitorService, journal_command
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import MonitorStore
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths

MAILBOX = "scanner@contoso.com"
SETTINGS = {"mailboxes": [{"address": MAILBOX, "transport": "m365-1", "senders": [MAILBOX], "recipients_per_day": 10}]}
START = 1_795_600_000
LOCKED = "550 5.2.252 Sender throttled due to continuous send as denied errors."


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path / "etc", tmp_path / "lib", tmp_path / "run")
    for path in (paths.configuration, paths.state, paths.queue_actions):
        path.mkdir()
    paths.config_file.write_text(json.dumps(SETTINGS))
    return paths


def line(number: int, message: str, identifier: str = "postfix/m365-1/smtp") -> str:
    return json.dumps(
        {
            "__CURSOR": f"s={number}",
            "__REALTIME_TIMESTAMP": str((START + number) * 10**6),
            "_SYSTEMD_UNIT": "postfix@-.service",
            "SYSLOG_IDENTIFIER": identifier,
            "MESSAGE": message,
        }
    )


def attempt(number: int, queue_id: str, status: str, text: str) -> str:
    rest = f"to=<a@example.net>, relay=127.0.0.1[127.0.0.1]:2587, delay=1, delays=0.1/0/0.5/0.4, dsn=2.0.0, status={status} ({text})"
    return line(number, f"{queue_id}: {rest}")


def locked(number: int, queue_id: str) -> list[str]:
    active = line(number, f"{queue_id}: from=<{MAILBOX}>, size=420, nrcpt=1 (queue active)", "postfix/qmgr")
    return [active, attempt(number, queue_id, "deferred", f"host 127.0.0.1[127.0.0.1] rest: {LOCKED} (in reply to end of DATA command)")]


def process(paths: Paths, *lines: str, now: float = START + 100) -> MonitorService:
    service = MonitorService(MonitorStore(paths))
    for text in lines:
        service.process_line(text)
    service.update(now)
    return service


def spool(paths: Paths) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(paths.queue_actions.iterdir())]


class Ran:
    """Stands for subprocess.run: the commands with their input."""

    def __init__(self, answer: Any = None) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.answer = answer

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append((*command, options["input"].split()) if options.get("input") else tuple(command))
        return subprocess.CompletedProcess(command, self.answer() if self.answer else 0)


def test_restart_continues_after_the_last_entry(paths: Paths) -> None:
    process(paths, *(attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(4)))
    again = MonitorService(MonitorStore(paths))
    assert again.state.recipients.total(MAILBOX, START + 100) == 4
    assert "--after-cursor=s=3" in journal_command(again.cursor, again.state.last_event)


def test_no_event_is_counted_twice_where_the_journal_lost_the_cursor(paths: Paths) -> None:
    lines = [attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(4)]
    process(paths, *lines[:3])
    again = MonitorService(MonitorStore(paths))
    again.skip_until = again.state.last_event
    for text in lines:
        again.process_line(text)
    assert again.state.recipients.total(MAILBOX, START + 100) == 4


def test_entry_of_another_unit_is_ignored(paths: Paths) -> None:
    forged = json.loads(attempt(1, "ABCDEF1", "sent", "250 ok")) | {"_SYSTEMD_UNIT": "cron.service"}
    assert process(paths, json.dumps(forged), "no JSON").state.recipients.total(MAILBOX, START + 100) == 0


def test_reached_quota_writes_the_table_and_a_reload(paths: Paths) -> None:
    service = process(paths, *(attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(10)))
    assert paths.suspended_senders.read_text().startswith(f"{MAILBOX} retry:4.2.0 {MAILBOX} has reached its daily quota of 10 recipients; ")
    assert spool(paths) == [{"reload": True, "hold": [], "release": []}]
    service.update(START + 101)
    assert len(spool(paths)) == 1
    service.update(START + 2 * 86400)
    assert paths.suspended_senders.read_text() == ""
    assert [action["reload"] for action in spool(paths)] == [True, True]


def test_queue_action_is_complete_when_it_appears(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any file in the spool starts the unit that runs as root, an incomplete one, too."""
    real, seen = os.replace, []

    def replace(source: Any, target: Any) -> None:
        seen.append(sorted(os.listdir(paths.queue_actions)))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    process(paths, *locked(1, "ABCDEF1"))
    assert seen
    assert all(set(names) <= {"000000001.json"} for names in seen), "only the complete action was ever there"
    assert [path.name for path in paths.queue_actions.iterdir()] == ["000000001.json"]


def test_queue_actions_are_executed(paths: Paths) -> None:
    process(paths, *locked(1, "ABCDEF1"))
    ran = Ran()
    assert queue_actions.process_spool(paths, ran) == 1
    assert ran.commands == [("/usr/sbin/postfix", "reload"), ("/usr/sbin/postsuper", "-h", "-", ["ABCDEF1"])]
    assert spool(paths) == []
    process(paths, now=START + 1 + INITIAL_DELAY)
    ran = Ran()
    queue_actions.process_spool(paths, ran)
    assert ran.commands[1:] == [("/usr/sbin/postsuper", "-r", "-", ["ABCDEF1"]), ("/usr/sbin/postkick", "public", "pickup", "W")]


def test_invalid_queue_action_is_dropped(paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shadow").write_text('{"hold": ["ABCDEF9"]}')
    (paths.queue_actions / "1.json").write_text("[]")
    (paths.queue_actions / "2.json").write_text(json.dumps({"hold": ["ALL", "../../etc", "$(id)", 7, "-d"], "release": "ABCDEF1"}))
    (paths.queue_actions / "3.json").symlink_to(tmp_path / "shadow")
    (paths.queue_actions / ".left.over").write_text("half")
    ran = Ran()
    assert queue_actions.process_spool(paths, ran) == 4
    assert ran.commands == []
    assert list(paths.queue_actions.iterdir()) == [], "a remaining file would start the unit again and again"
    assert capsys.readouterr().out.count("is dropped") == 3


def test_failed_command_is_logged(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    process(paths, *locked(1, "ABCDEF1"))
    queue_actions.process_spool(paths, Ran(lambda: 1))
    failures = [text for text in capsys.readouterr().out.splitlines() if text.startswith("<3>")]
    assert [text.split(" failed")[0] for text in failures] == ["<3>/usr/sbin/postfix reload", "<3>/usr/sbin/postsuper -h -"]


def test_release_is_done_by_the_monitor(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    service = process(paths, *locked(1, "ABCDEF1"))
    ran = Ran(lambda: service.update(START + 200) or 0)
    assert release(paths, [MAILBOX], ran) == 0
    assert ran.commands[1][:2] == ("systemctl", "kill")
    assert capsys.readouterr().out.endswith(f"Released: {MAILBOX}.\n")
    assert paths.suspended_senders.read_text() == ""
    assert spool(paths)[-1]["release"] == ["ABCDEF1"]
    assert read_object(paths.monitor_state)["circuits"] == []
    assert release(paths, [], ran) == 1
    assert capsys.readouterr().out == "No sender is suspended.\n"


def test_release_of_an_unknown_name_changes_nothing(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    service = process(paths, *locked(1, "ABCDEF1"))
    assert release(paths, ["erp@contoso.com"], Ran(lambda: service.update(START + 200) or 0)) == 1
    assert "No suspended sender matches" in capsys.readouterr().out
    assert len(read_object(paths.monitor_state)["circuits"]) == 1


def test_release_starts_the_monitor_and_reports_a_missing_answer(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    process(paths, *locked(1, "ABCDEF1"))
    ran = Ran(lambda: 3)
    assert release(paths, [], ran, timeout=0.2) == 1
    assert ran.commands[-1] == ("systemctl", "start", "mailops-relay-monitor.service")
    assert "The delivery monitor did not answer" in capsys.readouterr().err
    assert not paths.release_request.exists()


def test_full_disk_does_not_end_the_monitor(paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What it decided meanwhile takes effect once there is space."""
    service = MonitorService(MonitorStore(paths))
    full = OSError(28, "No space left on device")
    with monkeypatch.context() as patched:
        patched.setattr("tempfile.mkstemp", lambda **_options: (_ for _ in ()).throw(full))
        for text in locked(1, "AAAAAAA"):
            service.process_line(text)
        for seconds in (100, 110, 120):
            service.update(START + seconds)
    output = capsys.readouterr().out
    assert output.count("No space left on device") == 1
    assert output.startswith("<3>Could not write to ")
    assert spool(paths) == []
    assert not paths.monitor_state.exists()
    service.update(START + 130)
    assert [action["hold"] for action in spool(paths)] == [["AAAAAAA"]]
    assert MAILBOX in paths.suspended_senders.read_text()
    assert read_object(paths.monitor_state)["cursor"] == "s=1"
    assert "can be written again" in capsys.readouterr().out


def test_reached_limits_are_saved(paths: Paths) -> None:
    text = "warning: Connection concurrency limit exceeded: 21 from unknown[192.0.2.%d] for service smtp"
    process(
        paths, *(line(number, text % number, "postfix/devices/smtpd") for number in range(30)), line(40, text % 25, "postfix/devices/smtpd")
    )
    state, _cursor = MonitorStore(paths).load()
    assert len(state.limits) == 20
    assert list(state.limits)[-1] == "client/unknown[192.0.2.25]"
    assert state.limits["client/unknown[192.0.2.25]"] == START + 40
