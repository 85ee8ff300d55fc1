# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watcher leaves on disk: its state, Postfix's table of closed senders, root's orders; and what root makes of those."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.files import read_object
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor import queue_actions
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.circuit_breaker import FIRST_PAUSE
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.release import release
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.service import Watch, command
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.monitor.store import Desk

BOX = "scanner@contoso.com"
SETTINGS = {"mailboxes": [{"address": BOX, "transport": "m365-1", "senders": [BOX], "recipients_per_day": 10}]}
START = 1_795_600_000
LOCKED = "550 5.2.252 Sender throttled due to continuous send as denied errors."


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    found = Desk(tmp_path / "etc", tmp_path / "lib", tmp_path / "run")
    for path in (found.configuration, found.home, found.orders):
        path.mkdir()
    (found.configuration / "relay.json").write_text(json.dumps(SETTINGS))
    return found


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
    said = f"to=<a@example.net>, relay=127.0.0.1[127.0.0.1]:2587, delay=1, delays=0.1/0/0.5/0.4, dsn=2.0.0, status={status} ({text})"
    return line(number, f"{queue_id}: {said}")


def locked(number: int, queue_id: str) -> list[str]:
    active = line(number, f"{queue_id}: from=<{BOX}>, size=420, nrcpt=1 (queue active)", "postfix/qmgr")
    return [active, attempt(number, queue_id, "deferred", f"host 127.0.0.1[127.0.0.1] said: {LOCKED} (in reply to end of DATA command)")]


def fed(desk: Desk, *lines: str, now: float = START + 100) -> Watch:
    watch = Watch(desk)
    for text in lines:
        watch.line(text)
    watch.settle(now)
    return watch


def ordered(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(desk.orders.iterdir())]


class Ran:
    """Stands for subprocess.run: the commands with their input."""

    def __init__(self, answer: Any = None) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.answer = answer

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append((*command, options["input"].split()) if options.get("input") else tuple(command))
        return subprocess.CompletedProcess(command, self.answer() if self.answer else 0)


def test_a_restart_goes_on_after_the_line_that_was_read_last(desk: Desk) -> None:
    fed(desk, *(attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(4)))
    again = Watch(desk)
    assert again.keeper.ledger.used(BOX, START + 100) == 4
    assert "--after-cursor=s=3" in command(again.cursor, again.keeper.at)


def test_where_the_journal_lost_its_line_nothing_is_counted_twice(desk: Desk) -> None:
    lines = [attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(4)]
    fed(desk, *lines[:3])
    again = Watch(desk)
    again.skip_until = again.keeper.at
    for text in lines:
        again.line(text)
    assert again.keeper.ledger.used(BOX, START + 100) == 4


def test_what_is_not_of_a_unit_is_not_believed(desk: Desk) -> None:
    forged = json.loads(attempt(1, "ABCDEF1", "sent", "250 ok")) | {"_SYSTEMD_UNIT": "cron.service"}
    assert fed(desk, json.dumps(forged), "no JSON").keeper.ledger.used(BOX, START + 100) == 0


def test_a_full_day_is_a_table_for_postfix_and_an_order_to_read_it(desk: Desk) -> None:
    watch = fed(desk, *(attempt(number, f"ABCDEF{number}", "sent", "250 ok") for number in range(10)))
    assert desk.closed.read_text().startswith(f"{BOX} retry:4.2.0 {BOX} has reached its daily quota of 10 recipients; ")
    assert ordered(desk) == [{"reload": True, "hold": [], "release": []}]
    watch.settle(START + 101)
    assert len(ordered(desk)) == 1
    watch.settle(START + 2 * 86400)
    assert desk.closed.read_text() == ""
    assert [order["reload"] for order in ordered(desk)] == [True, True]


def test_an_order_is_whole_when_it_appears(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever appears among the orders starts root's part, a half-written file as well."""
    real, seen = os.replace, []

    def replace(source: Any, target: Any) -> None:
        seen.append(sorted(os.listdir(desk.orders)))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    fed(desk, *locked(1, "ABCDEF1"))
    assert seen
    assert all(set(names) <= {"000000001.json"} for names in seen), "nothing but the finished order was ever there"
    assert [path.name for path in desk.orders.iterdir()] == ["000000001.json"]


def test_root_does_what_is_ordered_and_no_more(desk: Desk) -> None:
    fed(desk, *locked(1, "ABCDEF1"))
    ran = Ran()
    assert queue_actions.work_off(desk, ran) == 1
    assert ran.commands == [("/usr/sbin/postfix", "reload"), ("/usr/sbin/postsuper", "-h", "-", ["ABCDEF1"])]
    assert ordered(desk) == []
    fed(desk, now=START + 1 + FIRST_PAUSE)
    ran = Ran()
    queue_actions.work_off(desk, ran)
    assert ran.commands[1:] == [("/usr/sbin/postsuper", "-r", "-", ["ABCDEF1"]), ("/usr/sbin/postkick", "public", "pickup", "W")]


def test_an_order_that_is_none_is_dropped(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shadow").write_text('{"hold": ["ABCDEF9"]}')
    (desk.orders / "1.json").write_text("[]")
    (desk.orders / "2.json").write_text(json.dumps({"hold": ["ALL", "../../etc", "$(id)", 7, "-d"], "release": "ABCDEF1"}))
    (desk.orders / "3.json").symlink_to(tmp_path / "shadow")
    (desk.orders / ".left.over").write_text("half")
    ran = Ran()
    assert queue_actions.work_off(desk, ran) == 4
    assert ran.commands == []
    assert list(desk.orders.iterdir()) == [], "one that stayed would start the service over and over"
    assert capsys.readouterr().out.count("is dropped") == 3


def test_what_root_could_not_do_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    fed(desk, *locked(1, "ABCDEF1"))
    queue_actions.work_off(desk, Ran(lambda: 1))
    told = [text for text in capsys.readouterr().out.splitlines() if text.startswith("<3>")]
    assert [text.split(" ended")[0] for text in told] == ["<3>/usr/sbin/postfix reload", "<3>/usr/sbin/postsuper -h -"]


def test_release_is_the_watchers_work(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    watch = fed(desk, *locked(1, "ABCDEF1"))
    ran = Ran(lambda: watch.settle(START + 200) or 0)
    assert release(desk, [BOX], ran) == 0
    assert ran.commands[1][:2] == ("systemctl", "kill")
    assert capsys.readouterr().out.endswith(f"Released: {BOX}.\n")
    assert desk.closed.read_text() == ""
    assert ordered(desk)[-1]["release"] == ["ABCDEF1"]
    assert read_object(desk.state)["locks"] == []
    assert release(desk, [], ran) == 1
    assert capsys.readouterr().out == "Nothing is held back.\n"


def test_release_of_what_is_not_held_back_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    watch = fed(desk, *locked(1, "ABCDEF1"))
    assert release(desk, ["erp@contoso.com"], Ran(lambda: watch.settle(START + 200) or 0)) == 1
    assert "Nothing of that name is held back" in capsys.readouterr().out
    assert len(read_object(desk.state)["locks"]) == 1


def test_release_starts_a_watcher_that_does_not_run_and_says_when_none_answers(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    fed(desk, *locked(1, "ABCDEF1"))
    ran = Ran(lambda: 3)
    assert release(desk, [], ran, patience=0.2) == 1
    assert ran.commands[-1] == ("systemctl", "start", "mailops-relay-monitor.service")
    assert "The watcher did not answer" in capsys.readouterr().err
    assert not desk.asked.exists()
