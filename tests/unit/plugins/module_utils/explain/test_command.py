# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command mailops-explain: input, output and exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils import explain
from ansible_collections.mailops.m365.plugins.module_utils.error_catalog import ENTRIES
from ansible_collections.mailops.m365.plugins.module_utils.explain.command import main
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import LIMIT

COMMAND = Path(explain.__file__).parent / "mailops_explain.py"
OFF = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
Captured = pytest.CaptureFixture[str]


def test_arguments_are_one_text(capsys: Captured) -> None:
    assert main(["--width", "100", *OFF.split()]) == 0
    assert capsys.readouterr().out == (
        f"{OFF}\n"
        "  Cause      SMTP AUTH is disabled for this mailbox.\n"
        "  Remedy     Enable SMTP AUTH for this mailbox (role smtp_auth).\n"
        "  Waiting    Does not help by itself.\n"
        "  Inventory  m365_senders, smtp_auth_mailboxes\n"
        "  Relay host A relay host keeps the message in the queue and tries again.\n"
        "  Source     Enable or disable authenticated client SMTP submission (SMTP AUTH)\n"
    )


def test_several_errors_are_numbered(capsys: Captured) -> None:
    assert main([f"{OFF}\n421 4.7.0 Service not available, try again later\nAADSTS123: new"]) == 0
    output = capsys.readouterr().out
    assert [line[:12] for line in output.splitlines() if line[:1].isdigit()] == ["1. 535 5.7.1", "2. 421 4.7.0"]
    assert "  Waiting    May help: the same request can succeed later.\n" in output
    assert "  Inventory  No variable changes this.\n" in output
    assert output.endswith("\n\nNot in the error catalog: AADSTS123.\n")


def test_file_and_standard_input_are_read(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bounce.eml"
    file.write_bytes(f"{OFF} \xe9".encode("latin-1"))
    assert main(["--file", str(file)]) == 0
    first = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert main([]) == 0
    assert capsys.readouterr().out == first


def test_json_has_every_field(capsys: Captured) -> None:
    assert main(["--json", f"{OFF} AADSTS123"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["unknown_codes"] == ["AADSTS123"]
    assert data["explanations"] == [
        {
            "code": "535 5.7.139",
            "text": OFF,
            "service": "smtp",
            "id": "smtp-auth-off-mailbox",
            "cause": "SMTP AUTH is disabled for this mailbox",
            "remedy": "Enable SMTP AUTH for this mailbox (role smtp_auth).",
            "waiting_helps": False,
            "variables": ["m365_senders", "smtp_auth_mailboxes"],
            "queue_policy": "defer",
            "source": "Enable or disable authenticated client SMTP submission (SMTP AUTH)",
            "other_services": [],
        }
    ]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_nothing_recognized_is_exit_status_1_and_says_what_was_looked_for(arguments: list[str], capsys: Captured) -> None:
    assert main([*arguments, "The printer is on fire, AADSTS999999, and the password is hunter2"]) == 1
    output = capsys.readouterr()
    assert output.err.startswith("Could not explain the text: it has no error of the error catalog. Looked for: AADSTS codes")
    assert output.err.endswith("The error catalog does not have: AADSTS999999.\n")
    assert "hunter2" not in output.err + output.out
    assert output.out == "" if not arguments else json.loads(output.out) == {"explanations": [], "unknown_codes": ["AADSTS999999"]}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--file", "/nonexistent/bounce.eml"], "--file: cannot read /nonexistent/bounce.eml: No such file or directory"),
        (["--file", "/"], "--file: cannot read /: Is a directory"),
        (["--file", "x", "text"], "give the text as arguments or as --file, not both"),
        ([" "], "the text is empty"),
        (["--service", "imap", "x"], "invalid choice: 'imap'"),
    ],
)
def test_text_that_cannot_be_read_is_exit_status_2(arguments: list[str], problem: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert problem in capsys.readouterr().err


def test_text_that_is_too_long_is_exit_status_2(capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["x" * (LIMIT + 1)])
    assert f"the text has more than {LIMIT} characters: give the part with the error" in capsys.readouterr().err


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_fit_the_width(width: int, capsys: Captured) -> None:
    for entry in ENTRIES:
        main(["--width", str(width), "--service", entry.service, entry.sample])
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) >= 5
        assert max(map(len, lines)) <= width


def test_default_width_is_that_of_the_terminal(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, widest in ("70", 70), ("300", 120):
        monkeypatch.setenv("COLUMNS", columns)
        main(["535 5.7.3 Authentication unsuccessful"])
        assert widest - 20 <= max(map(len, capsys.readouterr().out.splitlines())) <= widest


def test_command_runs_by_its_path_without_any_library(tmp_path: Path) -> None:
    for command in (COMMAND, COMMAND.resolve()):
        done = subprocess.run([sys.executable, "-I", "-S", command, "5.7.30"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout.startswith("5.7.30\n  Cause      Basic authentication for SMTP is off in this tenant")
        assert done.returncode == 0


REPORT = """\
From: MAILER-DAEMON@relay1.contoso.com (Mail Delivery System)
To: printer@contoso.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"

--=_1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

VGhpcyBpcyB0aGUgbWFpbCBzeXN0ZW0gYXQgaG9zdCByZWxheTEuY29udG9zby5jb20uCg==
--=_1
Content-Type: message/delivery-status

Reporting-MTA: dns; relay1.contoso.com

Final-Recipient: rfc822; it@example.net
Action: failed
Status: 5.7.64
Remote-MTA: dns; contoso-com.mail.protection.outlook.com
Diagnostic-Code: smtp; 550 5.7.64 TenantAttribution; Relay Access Denied
    SMTP; AS(1234)
--=_1
Content-Type: message/rfc822

From: printer@contoso.com
Subject: 535 5.7.3 is in the title of the message

Text.
--=_1--
"""


@pytest.mark.parametrize("start", [["-m", "ansible_collections.mailops.m365.plugins.module_utils.explain.mailops_explain"], [str(COMMAND)]])
def test_whole_delivery_report_of_a_file_and_of_standard_input(start: list[str], tmp_path: Path) -> None:
    (tmp_path / "bounce.eml").write_text(REPORT)
    command, options = [sys.executable, *start, "--json"], {"cwd": tmp_path, "env": {"PYTHONPATH": str(Path(explain.__file__).parents[6])}}
    of_file = subprocess.run([*command, "--file", "bounce.eml"], check=True, capture_output=True, text=True, **options)
    of_input = subprocess.run(command, check=True, capture_output=True, text=True, input=REPORT, **options)
    assert of_input.stdout == of_file.stdout
    explanations = json.loads(of_file.stdout)["explanations"]
    assert [explanation["code"] for explanation in explanations] == ["550 5.7.64"]


def test_reader_may_stop_early(tmp_path: Path) -> None:
    script = f"{sys.executable} {COMMAND} --json {'550 5.7.64 Relay Access Denied'!r} | true"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
