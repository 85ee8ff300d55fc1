# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._engine import journal
from ansible_collections.mailops.m365.plugins.module_utils._engine.journal import Journal


def _entries(directory: Path) -> list[dict]:
    [file] = directory.glob("*.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_change_has_an_entry_before_and_one_after(journal_dir: Path) -> None:
    book = Journal(str(journal_dir), "contoso.com")
    number = book.before("smtp_auth", {"a": "inherit"}, {"a": "enabled"})
    assert [entry["phase"] for entry in _entries(journal_dir)] == ["before"]
    assert book.end(number) == ""
    first, last = _entries(journal_dir)
    assert first == {"id": number, "phase": "before", "resource": "smtp_auth", "before": {"a": "inherit"}, "after": {"a": "enabled"},
                     "time": first["time"]}  # fmt: skip
    assert last == {"id": number, "phase": "done", "time": last["time"]}


def test_a_failure_is_noted_with_its_sentence(journal_dir: Path) -> None:
    book = Journal(str(journal_dir), "contoso.com")
    book.end(book.before("smtp_auth", {}, {}), "Could not do it")
    assert _entries(journal_dir)[1]["phase"] == "failed"
    assert _entries(journal_dir)[1]["failure"] == "Could not do it"


def test_journal_is_readable_by_its_owner_only(journal_dir: Path) -> None:
    Journal(str(journal_dir / "deep"), "contoso.com").before("x", {}, {})
    assert stat.S_IMODE((journal_dir / "deep").stat().st_mode) == 0o700
    assert stat.S_IMODE((journal_dir / "deep" / "contoso.com.jsonl").stat().st_mode) == 0o600


def test_a_tenants_name_cannot_leave_the_directory(journal_dir: Path) -> None:
    Journal(str(journal_dir), "../../etc/x y").before("x", {}, {})
    assert [file.name for file in journal_dir.iterdir()] == [".._.._etc_x_y.jsonl"]


def test_a_directory_that_cannot_be_written_is_named_before_anything_is_changed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"m365_journal_dir is .*/file/sub, which cannot be written \(.*\): nothing was changed\."):
        Journal(str(tmp_path / "file" / "sub"), "contoso.com").before("x", {}, {})


def test_unwritable_final_entry_is_a_warning_and_the_change_is_reported(journal_dir: Path) -> None:
    book = Journal(str(journal_dir), "contoso.com")
    number = book.before("x", {}, {})
    (journal_dir / "contoso.com.jsonl").unlink()
    (journal_dir / "contoso.com.jsonl").mkdir()
    assert (
        book.end(number)
        == f"The journal {journal_dir}/contoso.com.jsonl lacks the end of entry {number}: it cannot be written any more (Is a directory)."
    )


def test_the_default_directory_is_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert journal.default_directory() == "/state/mailops/journal"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert journal.default_directory() == "/home/me/.local/state/mailops/journal"


def _write(directory: str, number: int) -> None:
    for i in range(50):
        Journal(directory, "contoso.com").before("x", {"payload": str(number) * 3000}, {"i": i})


def test_lines_of_parallel_tasks_do_not_mix(journal_dir: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write, args=(str(journal_dir), n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    entries = _entries(journal_dir)
    assert len(entries) == 150
    assert all(len(set(entry["before"]["payload"])) == 1 for entry in entries)
