# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import cli as program
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import config_check

POSTCONF = """\
#!/bin/sh
grep -q "^bogus" "$2/main.cf" && echo "postconf: warning: $2/main.cf: unused parameter: bogus=1" >&2
grep -q "^worse" "$2/main.cf" && echo "postconf: fatal: file $2/main.cf, line 3: missing '='" >&2 && exit 1
grep -q "^broken" "$2/master.cf" && echo "postconf: fatal: $2/master.cf: line 9: bad transport type: broken" >&2 && exit 1
exit 0
"""
# Postfix 3.7's own script looks at the working configuration, too.
POSTFIX = """\
#!/bin/sh
echo "postconf: warning: $(dirname $0)/etc/main.cf: unused parameter: m365-2_destination_rate_delay=2s" >&2
[ -f "$2/dynamicmaps.cf.d/pcre" ] || { echo "postfix: fatal: no dynamic maps" >&2; exit 1; }
"""


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working configuration, and a Postfix that finds certain words wrong."""
    for name, text in (("postconf", POSTCONF), ("postfix", POSTFIX)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = tmp_path / "etc"
    (found / "dynamicmaps.cf.d").mkdir(parents=True)
    (found / "dynamicmaps.cf.d" / "pcre").touch()
    for name in ("main.cf", "master.cf"):
        (found / name).write_text("good\n")
    return found


def candidate(tmp_path: Path, text: str) -> Path:
    (tmp_path / "candidate").write_text(text)
    return tmp_path / "candidate"


def test_a_copy_of_a_secret_is_never_anybodys_to_read(configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[int] = []

    def copy(*_: object) -> None:
        masks.append(os.umask(0o077))

    monkeypatch.setattr("shutil.copy", copy)
    before = os.umask(0o022)
    with pytest.raises(FileNotFoundError):
        config_check.complaints("main.cf", candidate(tmp_path, "good\n"), configuration)
    assert os.umask(before) == 0o022
    assert set(masks) == {0o077}


def test_a_file_that_postfix_takes_has_no_complaints(configuration: Path, tmp_path: Path) -> None:
    for name in ("main.cf", "master.cf"):
        assert config_check.complaints(name, candidate(tmp_path, "good\n"), configuration) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("main.cf", "bogus = 1", "unused parameter: bogus=1"),
        ("main.cf", "worse", "missing '='"),
        ("master.cf", "broken", "bad transport type"),
    ],
)
def test_what_postfix_says_against_a_file_is_told_once_and_the_working_one_is_as_it_was(
    configuration: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    found = config_check.complaints(name, candidate(tmp_path, text), configuration)
    assert len(found) == 1
    assert said in found[0]
    assert (configuration / name).read_text() == "good\n"


def test_services_may_go_before_their_settings_do(configuration: Path, tmp_path: Path) -> None:
    (configuration / "main.cf").write_text("bogus = 1\n")
    assert config_check.complaints("master.cf", candidate(tmp_path, "good\n"), configuration) == []


def test_the_sub_command_says_why(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_check.complaints, "__defaults__", (configuration,))
    assert program.main(["check-config", "main.cf", str(candidate(tmp_path, "good"))]) == 0
    assert program.main(["check-config", "main.cf", str(candidate(tmp_path, "bogus = 1"))]) == 1
    assert "main.cf: " in capsys.readouterr().err


def test_a_word_that_is_no_sub_command_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["dance"]) == 2
    assert {"check-config", "token"} <= set(capsys.readouterr().err.split()[-1].split("|"))
