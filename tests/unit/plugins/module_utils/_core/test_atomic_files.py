# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files replaced at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core import atomic_files


@pytest.mark.parametrize("durable", [True, False])
def test_file_is_replaced_with_its_owners_mode(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "secret"
    path.write_text("before", encoding="utf-8")
    path.chmod(0o644)
    atomic_files.replace(path, "after", durable=durable)
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777, [*tmp_path.iterdir()]) == ("after", 0o600, [path])


def test_mode_and_line_breaks_are_those_of_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    atomic_files.replace(path, "a\r\nb\n", mode=0o644, durable=False)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"a\r\nb\n", 0o644)


def test_failure_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("before", encoding="utf-8")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_files.replace(path, "after")
    assert (path.read_text(encoding="utf-8"), [*tmp_path.iterdir()]) == ("before", [path])
