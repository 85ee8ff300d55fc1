# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where refresh tokens are kept."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput, MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_stores import TokenStore, TokenStoreOptions

TOKEN = "1.refresh-t0ken/+="


def options(kind: str = "file", **values: Any) -> TokenStoreOptions:
    return TokenStoreOptions(kind, **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def program(directory: Path, body: str) -> list[str]:
    path = directory / f"program{len(list(directory.iterdir()))}.py"
    path.write_text(f"import pathlib, sys\nkept = pathlib.Path({str(directory / 'kept')!r})\n{body}\n")
    return [sys.executable, str(path)]


# -- a file -----------------------------------------------------------------------------------------------------------


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ada.token"
    token_store = options(path=str(path)).open()
    assert token_store.read() == ""
    token_store.prepare()
    token_store.write("older")
    token_store.write(TOKEN)
    assert token_store.read() == TOKEN
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["ada.token"]
    token_store.remove()
    token_store.remove()
    assert token_store.read() == ""


def test_a_file_that_others_can_read_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "ada.token"
    path.write_text(TOKEN)
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="can be read by other users"):
        options(path=str(path)).open().read()


def test_unwritable_file_is_reported_before_the_sign_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    token_store = options(path=str(tmp_path / "file" / "ada.token")).open()
    for attempt in (token_store.prepare, lambda: token_store.write(TOKEN)):
        with pytest.raises(InvalidInput, match="cannot be written") as raised:
            attempt()
        assert TOKEN not in str(raised.value)


# -- a command --------------------------------------------------------------------------------------------------------


def command(directory: Path, **bodies: str) -> TokenStore:
    standard = {
        "fetch": "sys.stdout.write(kept.read_text() if kept.exists() else '')",
        "store": "kept.write_text(sys.stdin.read())",
        "remove": "kept.unlink()",
    }
    return options("command", **{name: program(directory, body) for name, body in (standard | bodies).items()}).open()


def test_programs_keep_the_token(tmp_path: Path) -> None:
    token_store = command(tmp_path)
    assert (token_store.read(), token_store.writable) == ("", True)
    token_store.prepare()
    token_store.write(TOKEN)
    assert (token_store.read(), (tmp_path / "kept").read_text()) == (TOKEN, f"{TOKEN}\n")
    token_store.remove()
    assert token_store.read() == ""


def test_a_program_that_fails_to_fetch_holds_nothing(tmp_path: Path) -> None:
    assert command(tmp_path, fetch="print('no such secret'); sys.exit(2)").read() == ""


def test_failed_store_program_is_reported_without_the_token(tmp_path: Path) -> None:
    token_store = command(tmp_path, store="sys.exit('locked: ' + sys.stdin.read())")
    with pytest.raises(MailopsError, match=r"ended with 1: locked: \*{8}") as raised:
        token_store.write(TOKEN)
    assert TOKEN not in str(raised.value)


def test_programs_that_disagree_are_reported(tmp_path: Path) -> None:
    with pytest.raises(MailopsError, match="they must agree"):
        command(tmp_path, store="pass").write(TOKEN)


def test_the_token_is_in_no_command_line(tmp_path: Path) -> None:
    token_store = command(tmp_path, store="kept.write_text(sys.stdin.read()); (kept.parent / 'seen').write_text(' '.join(sys.argv))")
    token_store.write(TOKEN)
    assert TOKEN not in (tmp_path / "seen").read_text()


def test_a_token_store_without_store_is_read_only(tmp_path: Path) -> None:
    assert options("command", fetch=program(tmp_path, "")).open().writable is False


# -- the environment --------------------------------------------------------------------------------------------------


def test_an_environment_variable_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    token_store = options("environment", variable="ADA_TOKEN").open()
    assert (token_store.read(), token_store.writable) == ("", False)
    monkeypatch.setenv("ADA_TOKEN", f"{TOKEN}\n")
    assert token_store.read() == TOKEN
    for attempt in (token_store.prepare, token_store.remove, lambda: token_store.write(TOKEN)):
        with pytest.raises(InvalidInput, match="the environment variable ADA_TOKEN cannot be written"):
            attempt()


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("invalid", "expected"),
    [
        (options(), "token_store: kind file needs path."),
        (options("command"), "token_store: kind command needs fetch."),
        (options("environment"), "token_store: kind environment needs variable."),
        (options(path="ada.token"), "token_store: path is 'ada.token': give an absolute path, so that every run uses the same file."),
        (options(path="/x/ada.token", variable="A"), "token_store: variable does not apply to kind file: remove it."),
        (
            options("command", fetch=["no-such-program"]),
            "token_store: fetch begins with 'no-such-program', which is not a program on this host.",
        ),
    ],
)
def test_invalid_options_are_reported(invalid: TokenStoreOptions, expected: str) -> None:
    assert invalid.problems() == [expected]


def test_valid_options_have_no_problems(tmp_path: Path) -> None:
    assert options(path=str(tmp_path / "x")).problems() == []
    assert options("command", fetch=[sys.executable]).problems() == []
