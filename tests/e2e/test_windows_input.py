"""The input of scripts through Ansible's connection plugins: the same by winrm and psrp, and no secret in any log."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.test_winrm_ansible import variables
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document

from .test_playbooks import REPO

CANARY = "canary \"'`$(1+1)$env:COMPUTERNAME;#<>&|%PATH%\\\t äöü€ 漢字 \U0001f600 " + "x" * 128
SCRIPT = """$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $first = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($lines[1]))
    $second = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($lines[2]))
    if ($request.fail) { throw "not $first" }
    if ($request.noise) { $second; exit 3 }
    $same = $first -ceq $second
    $lengths = @($first.Length, $second.Length)
    ConvertTo-Json -InputObject @{ lines = $lines.Count; lengths = $lengths; names = @($request.names); same = $same } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
"""
PROGRAM = """
import json, sys
from pathlib import Path
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader
from ansible.utils.display import Display

init_plugin_loader()
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import MailopsError
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.windows_connection import executor
from ansible_collections.mailops.m365.plugins.module_utils._windows import powershell
from ansible_collections.mailops.m365.plugins.module_utils._windows.host import WindowsHost

asked = json.load(sys.stdin)
Display().verbosity = 6
powershell.DIRECTORY = Path(asked["scripts"])
connection = connection_loader.get(asked["connection"], PlayContext(), "/dev/null")
connection.set_options(var_options=asked["variables"] | {"_extras": {}})
host = WindowsHost("win1", executor(connection))
answers = []
for request in asked["requests"]:
    try:
        answers.append(host.run("probe", "read the input", request, asked["secrets"]))
    except MailopsError as error:
        answers.append({"failed": str(error), "parts": error.as_result()})
connection.close()
print("ANSWERS " + json.dumps(answers))
"""


def ask(lab: Lab, directory: Path, connection: str, secrets: list[str], *requests: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The answers to requests, and everything that Ansible has displayed at its highest verbosity."""
    (directory / "probe.ps1").write_text(SCRIPT, encoding="ascii")
    options = variables(lab, connection, "ntlm by http")
    options |= {"ansible_host": "127.0.0.1", "ansible_user": USER, "ansible_password": PASSWORD}
    options |= {"ansible_winrm_transport": ["ntlm"]} if connection == "winrm" else {}
    asked = {"connection": connection, "variables": options, "requests": requests, "secrets": secrets, "scripts": str(directory)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(asked), check=False, capture_output=True, text=True, timeout=120, cwd=REPO,
        env=os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_LOCAL_TEMP": str(directory), "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    displayed, _, answers = done.stdout.rpartition("ANSWERS ")
    return json.loads(answers), displayed + done.stderr


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    with Emulator({"windows": [host_document()], "tenants": []}, directory=tmp_path / "emulator") as running:
        yield Lab(running)


def forms(secret: str) -> list[str]:
    """A secret as it stands, and as lines of input, command lines and JSON would hold it."""
    encoded = [base64.b64encode(secret.encode(name)).decode() for name in ("utf-8", "utf-16-le")]
    return [secret, *(text[8:48] for text in encoded), json.dumps(secret)[1:-1]]


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_input_arrives_and_no_log_has_a_secret(lab: Lab, tmp_path: Path, connection: str) -> None:
    secrets = [CANARY, "Pa55-wörd's of a smart host"]
    names = ["only one"]
    answers, displayed = ask(lab, tmp_path, connection, secrets, {"names": names}, {"names": [], "fail": True}, {"noise": True})
    units = [len(secret.encode("utf-16-le")) // 2 for secret in secrets]
    assert answers[0] == {"lines": 3, "lengths": units, "names": names, "same": False}
    assert answers[1]["failed"].startswith("Could not read the input on win1: Windows answered not ********")
    assert "exit code 3 instead of JSON: ********" in answers[2]["failed"]
    events = json.dumps(lab.document["events"], ensure_ascii=False)
    assert "@($input)" in events  # 4104: the text of the script
    assert "ConvertFrom-Json" in events  # 4103: the arguments of cmdlets
    # The two scripts that failed have repeated a secret in their output, which Ansible displays at this verbosity.
    text = "\n".join(line for line in displayed.splitlines() if "STDOUT" not in line and "RESULT" not in line)
    logged = "\n".join(lab.events(4688) + lab.events(4104))
    for secret in secrets:
        for form in forms(secret):
            assert form not in json.dumps(answers, ensure_ascii=False)
            assert form not in text
            assert form not in logged
    assert not [form for form in forms(secrets[1]) if form in events]
    assert lab.document["refused"] == []
