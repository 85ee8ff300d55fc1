# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import cli, transfer
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import config_check, rewriting

COMMANDS = (
    "backup", "check-config", "check-upstream", "delete", "drain", "export", "import", "metrics", "monitor", "queue-actions", "release",
    "restore", "rewrite", "status", "token", "trace",
)  # fmt: skip
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
    directory = tmp_path / "etc"
    (directory / "dynamicmaps.cf.d").mkdir(parents=True)
    (directory / "dynamicmaps.cf.d" / "pcre").touch()
    for name in ("main.cf", "master.cf"):
        (directory / name).write_text("good\n")
    return directory


def candidate(tmp_path: Path, text: str) -> Path:
    (tmp_path / "candidate").write_text(text)
    return tmp_path / "candidate"


def test_copy_of_a_secret_is_never_readable_by_others(configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[int] = []

    def copy(*_: object) -> None:
        masks.append(os.umask(0o077))

    monkeypatch.setattr("shutil.copy", copy)
    before = os.umask(0o022)
    with pytest.raises(FileNotFoundError):
        config_check.problems("main.cf", candidate(tmp_path, "good\n"), configuration)
    assert os.umask(before) == 0o022
    assert set(masks) == {0o077}


def test_file_that_postfix_accepts_has_no_problems(configuration: Path, tmp_path: Path) -> None:
    for name in ("main.cf", "master.cf"):
        assert config_check.problems(name, candidate(tmp_path, "good\n"), configuration) == []


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("main.cf", "bogus = 1", "unused parameter: bogus=1"),
        ("main.cf", "worse", "missing '='"),
        ("master.cf", "broken", "bad transport type"),
    ],
)
def test_problem_is_reported_once_and_the_current_file_is_unchanged(
    configuration: Path, tmp_path: Path, name: str, text: str, problem: str
) -> None:
    directory = config_check.problems(name, candidate(tmp_path, text), configuration)
    assert len(directory) == 1
    assert problem in directory[0]
    assert (configuration / name).read_text() == "good\n"


def test_services_may_be_removed_before_their_parameters(configuration: Path, tmp_path: Path) -> None:
    (configuration / "main.cf").write_text("bogus = 1\n")
    assert config_check.problems("master.cf", candidate(tmp_path, "good\n"), configuration) == []


def test_check_config_prints_the_problems(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(config_check.problems, "__defaults__", (configuration,))
    assert cli.main(["check-config", "main.cf", str(candidate(tmp_path, "good"))]) == 0
    assert cli.main(["check-config", "main.cf", str(candidate(tmp_path, "bogus = 1"))]) == 1
    assert "main.cf: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["dance"],
        [],
        ["export"],
        ["import"],
        ["drain", "soon"],
        ["backup"],
        ["restore"],
        ["trace"],
        ["check-config", "x.cf", "file"],
        ["rewrite", "a"],
        ["delete"],
        ["export", "--stop"],
        ["export", "--sto", "/queue"],
        ["export", "--stop=/queue"],
        ["export", "--", "--stop"],
        ["export", "--stop", "--", "-x"],
        ["export", ""],
        ["export", "/queue", "--stopp"],
        ["export", "/queue", "/other"],
        ["export", "--directory", "/queue"],
        ["import", "--stop", "/queue"],
        ["import", "--", "--queue"],
        ["drain", "-5"],
        ["drain", "\u0663"],
        ["drain", "5", "--stop"],
        ["drain", "5s"],
        ["backup", "--keep", "/backups"],
        ["backup", ""],
        ["restore", "--", "-f"],
        ["restore", "a.tar.gz", "b.tar.gz"],
        ["release", "--all"],
        ["status", "now"],
        ["status", "--js"],
        ["token", "--use-next"],
        ["metrics", "--directory"],
        ["queue-actions", "now"],
        ["monitor", "--follow"],
    ],
)  # fmt: skip
def test_wrong_arguments_print_the_usage_and_run_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(subprocess, "run", lambda *command, **_: calls.append(command))
    monkeypatch.setattr(subprocess, "Popen", lambda *command, **_: calls.append(command))
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith("usage: mailops-relay ")
    assert calls == []


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    output = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main([name, "--help"])
    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: mailops-relay {name}")


def test_recipient_may_begin_with_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(rewriting, "main", lambda *arguments: calls.append(arguments) or 0)
    assert cli.main(["rewrite", "scanner@contoso.com", "relay1.contoso.com", "-c@d.example", "a@b.example"]) == 0
    assert calls == [("scanner@contoso.com", "relay1.contoso.com", ["-c@d.example", "a@b.example"])]


@pytest.mark.parametrize("order", [["--stop", "queue"], ["queue", "--stop"]])
def test_options_may_come_before_or_after_the_directory(order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(transfer, "export_main", lambda *arguments: calls.append(arguments) or 0)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", *order]) == 0
    assert calls == [(tmp_path / "queue", True)]


@pytest.mark.parametrize(
    ("arguments", "module", "status"),
    [
        (["release"], "monitor.release", 1),
        (["queue-actions"], "monitor.queue_actions", 1),
        (["monitor"], "monitor.service", 1),
        (["backup", "/backups"], "backup", 1),
        (["import", "/queue"], "transfer", 1),
        (["rewrite", "a@contoso.com", "relay1", "b@example.net"], "postfix.rewriting", 75),
    ],
)
def test_error_of_the_operating_system_is_one_line(
    arguments: list[str], module: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Postfix keeps a message whose rewriting failed: another exit status would be a refusal."""
    loaded = importlib.import_module(f"{cli.__package__}.{module}")
    name = {"backup": "backup_main", "transfer": "import_main"}.get(module, "main")

    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device", "/var/lib/mailops-relay/x")

    monkeypatch.setattr(loaded, name, full)
    assert cli.main(arguments) == status
    error = capsys.readouterr().err
    assert error == f"<3>mailops-relay {arguments[0]} failed: /var/lib/mailops-relay/x No space left on device.\n"
