# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module relay_files on files of a temporary directory, as the user and group that run the tests."""

from __future__ import annotations

import grp
import json
import os
import platform
import pwd
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_files import RESOURCE

OWN = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}
FILE = {**OWN, "mode": "0644", "replace": True, "show_content": True, "validate": ""}
ACCEPT = f"{sys.executable} -c \"import sys; sys.exit('bad' in open(sys.argv[1]).read() and 'line 1 is bad')\" %s"


def directory(path: Path, mode: str = "0755") -> dict[str, Any]:
    return {"path": str(path), "mode": mode, **OWN}


def file(path: Path, content: str = "text\n", **more: Any) -> dict[str, Any]:
    return {**FILE, "path": str(path), "content": content, **more}


def converge(*files: dict[str, Any], check_mode: bool = False, **more: Any) -> dict[str, Any]:
    return run(RESOURCE, {"directories": [], "files": list(files), "purge": [], **more}, check_mode=check_mode)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_files_are_created_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "new/one", tmp_path / "new/two"
    options: dict[str, Any] = {"directories": [directory(tmp_path / "new", "0750")]}
    predicted = converge(file(one), file(two, "", mode="0600"), check_mode=True, **options)
    assert not (tmp_path / "new").exists(), "check mode writes nothing"
    done = converge(file(one), file(two, "", mode="0600"), **options)
    assert done == predicted
    assert done["paths"] == [str(tmp_path / "new"), str(one), str(two)]
    assert (one.read_text(), mode(one), two.read_text(), mode(two), mode(one.parent)) == ("text\n", 0o644, "", 0o600, 0o750)
    again = converge(file(one), file(two, "", mode="0600"), **options)
    assert (again["changed"], again["paths"], again["diff"]["before"]) == (False, [], "")


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    same, other, modes = tmp_path / "same", tmp_path / "other", tmp_path / "modes"
    converge(file(same), file(other), file(modes))
    inodes = [path.stat().st_ino for path in (same, modes)]
    done = converge(file(same), file(other, "new\n"), file(modes, mode="0600"))
    assert done["paths"] == sorted(map(str, (other, modes)))
    assert (other.read_text(), mode(modes)) == ("new\n", 0o600)
    assert [path.stat().st_ino for path in (same, modes)] == inodes, "neither file was replaced"
    assert "text\n" in done["diff"]["before"]
    assert "new\n" in done["diff"]["after"]
    assert f"{modes} 0600" in done["diff"]["after"]
    assert str(same) not in done["diff"]["before"] + done["diff"]["after"]


def test_existing_content_is_kept_without_replace(tmp_path: Path) -> None:
    path = tmp_path / "table"
    assert converge(file(path, "", replace=False))["changed"]
    path.write_text("written by the agent\n")
    assert not converge(file(path, "", replace=False))["changed"]
    assert converge(file(path, "", replace=False, mode="0600"))["changed"]
    assert (path.read_text(), mode(path)) == ("written by the agent\n", 0o600)


def test_refused_content_leaves_the_file_and_those_after_it(tmp_path: Path) -> None:
    first, second, third = tmp_path / "first", tmp_path / "second", tmp_path / "third"
    converge(file(second, "good\n", validate=ACCEPT))
    done = converge(file(first), file(second, "bad\n", validate=ACCEPT), file(third))
    assert done["failed"]
    assert done["changed"], "the first file was written"
    assert f"Could not replace {second}: " in done["msg"]
    assert "refused the new content: line 1 is bad" in done["msg"]
    assert second.read_text() == "good\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "host-journal", "second"]


def test_hidden_content_is_in_neither_diff_nor_journal(tmp_path: Path, host_journal: Path) -> None:
    path = tmp_path / "m365.passwd"
    converge(file(path, "host user:earlier-password\n", show_content=False))
    done = converge(file(path, "host user:new-password\n", show_content=False))
    assert done["changed"]
    journal = "".join(entry.read_text() for entry in host_journal.rglob("*.jsonl"))
    assert str(path) in journal
    assert "password" not in journal.replace("m365.passwd", "") + str(done).replace("m365.passwd", "")
    assert path.read_text() == "host user:new-password\n"


def test_files_that_match_purge_and_are_not_listed_are_removed(tmp_path: Path) -> None:
    for name in ("a.passwd", "b.passwd", "b.table"):
        (tmp_path / name).write_text("text\n")
    options: dict[str, Any] = {"purge": [f"{tmp_path}/*.passwd"]}
    assert converge(file(tmp_path / "b.passwd"), check_mode=True, **options)["paths"][0] == str(tmp_path / "a.passwd")
    assert converge(file(tmp_path / "b.passwd"), **options)["changed"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["b.passwd", "b.table"]
    assert not converge(file(tmp_path / "b.passwd"), **options)["changed"]


def test_symbolic_link_is_replaced_and_its_target_is_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("of another package\n")
    link.symlink_to(target)
    assert converge(file(link))["changed"]
    assert (link.is_symlink(), link.read_text(), target.read_text()) == (False, "text\n", "of another package\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"files": [file(Path("etc/x"))]}, "etc/x is not an absolute path."),
        ({"files": [file(Path("/x"), mode="u=rw")]}, "/x: mode is 'u=rw', which is not an octal number; write it like '0644', in quotes."),
        ({"files": [file(Path("/x")), file(Path("/x"))]}, "/x is listed more than once; list each path once."),
        ({"files": [file(Path("/x"), validate="true")]}, "/x: validate is 'true', which lacks %s, the path of the new file."),
        ({"purge": ["*.passwd"]}, "*.passwd is not an absolute path."),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], sentence: str) -> None:
    done = run(RESOURCE, {"directories": [], "files": [], "purge": [], **options}, check_mode=False)
    assert (done["failed"], done["msg"]) == (True, sentence)


def test_missing_directory_and_unknown_owner_are_named(tmp_path: Path) -> None:
    path = tmp_path / "none/file"
    assert converge(file(path))["msg"] == f"Could not write {path}: No such file or directory."
    path = tmp_path / "file"
    done = converge(file(path, owner="nobody-of-that-name"))
    assert done["msg"].startswith(f"Could not write {path}: ")
    assert "nobody-of-that-name" in done["msg"]
    assert not path.exists()


def test_journal_is_written_below_var_log(tmp_path: Path, host_journal: Path) -> None:
    converge(file(tmp_path / "one"))
    (journal,) = host_journal.iterdir()
    assert journal.name == f"{platform.node()}.jsonl"
    assert [json.loads(line)["phase"] for line in journal.read_text().splitlines()] == ["before", "done"]


def test_journal_that_cannot_be_written_changes_nothing(tmp_path: Path, host_journal: Path) -> None:
    host_journal.touch()
    failed = converge(file(tmp_path / "one"))
    assert failed["msg"].startswith(f"The directory of the journal is {host_journal}, which cannot be written (")
    assert not (tmp_path / "one").exists()
