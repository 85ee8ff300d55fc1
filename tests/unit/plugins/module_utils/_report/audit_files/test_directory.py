# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of an audit."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files import directory, rendering

from .documents import SENDER, audited, document

FILES = {"report.html", "report.json", "senders.csv", "findings.csv", "action-plan.csv", "findings.sarif", "metrics.prom"}


def test_the_files_are_private_and_replace_those_of_an_earlier_audit(tmp_path: Path) -> None:
    target = tmp_path / "a/audit"
    for number in range(2):
        done = document(f"2026-11-2{number}T00:00:00Z", contoso=audited(SENDER))
        directory.write(target, rendering.files(done, {}))
        assert json.loads((target / "report.json").read_text("utf-8")) == done
    assert {path.name for path in target.iterdir()} == FILES, "no temporary file is left"
    assert {stat.S_IMODE(path.stat().st_mode) for path in target.iterdir()} == {0o600}
    assert stat.S_IMODE(target.stat().st_mode) == 0o700


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for target in (tmp_path / "file", tmp_path / "file/audit"):
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            directory.prepare(target)


def test_nothing_temporary_stays_where_a_file_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "senders.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        directory.write(tmp_path, rendering.files(document(contoso=audited(SENDER)), {}))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
