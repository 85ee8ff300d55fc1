"""Ansible's own connection plugins against the emulated Windows hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document


def raw(lab: Lab, directory: Path, command: str, **variables: Any) -> tuple[int, str]:
    """`ansible -m raw` with a host's connection variables; its exit code and output."""
    connection = {"ansible_host": "127.0.0.1", "ansible_user": USER, "ansible_password": PASSWORD} | variables
    inventory = directory / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"win": connection}}}), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible"))
    environment = os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_LOCAL_TEMP": str(directory), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [program, "-i", str(inventory), "win", "-m", "ansible.builtin.raw", "-a", command],
        check=False, capture_output=True, text=True, timeout=120, env=environment, cwd=directory,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def variables(lab: Lab, connection: str, authentication: str) -> dict[str, Any]:
    """What an inventory says for Ansible's winrm and psrp plugins."""
    port = lab.ports["http_port" if authentication == "ntlm by http" else "https_port"]
    method = authentication.partition(" ")[0]
    common = {"ansible_connection": connection, "ansible_port": port}
    if connection == "winrm":
        scheme = "http" if authentication == "ntlm by http" else "https"
        own = {"scheme": scheme, "transport": method, "ca_trust_path": lab.ca_file}
    else:
        protocol = "http" if authentication == "ntlm by http" else "https"
        own = {"protocol": protocol, "auth": method, "ca_cert": lab.ca_file}
    return common | {f"ansible_{connection}_{name}": value for name, value in own.items()}


@pytest.fixture
def lab(start: Start) -> Lab:
    return Lab(start(windows=[host_document()]).emulator)


AUTHENTICATIONS = ["basic", "ntlm by http", "ntlm by https"]


@pytest.mark.parametrize("authentication", AUTHENTICATIONS)
@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_raw(lab: Lab, tmp_path: Path, connection: str, authentication: str) -> None:
    code, text = raw(lab, tmp_path, "hostname", **variables(lab, connection, authentication))
    assert code == 0, text
    assert "win1" in text


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_a_script_fails_with_its_error(lab: Lab, tmp_path: Path, connection: str) -> None:
    code, text = raw(lab, tmp_path, "throw 'boom'", **variables(lab, connection, "ntlm by http"))
    assert code == 2, text
    assert "boom" in text


@pytest.mark.parametrize("authentication", ["basic", "ntlm by http"])
@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_a_wrong_password(lab: Lab, tmp_path: Path, connection: str, authentication: str) -> None:
    code, text = raw(lab, tmp_path, "hostname", **variables(lab, connection, authentication) | {"ansible_password": "wrong"})
    assert code == 4, text
    assert "the specified credentials were rejected by the server" in text or "Failed to authenticate the user ansible" in text
    assert lab.document["events"] == []


PLUGIN = """
import json, sys
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

init_plugin_loader()
request = json.load(sys.stdin)
results = []
connection = connection_loader.get(request["connection"], PlayContext(), "/dev/null")
connection.set_options(var_options=request["variables"] | {"_extras": {}})
for script, lines in request["scripts"]:
    command = connection._shell._encode_script(script, strict_mode=False, preserve_rc=False)
    code, out, err = connection.exec_command(command, in_data=lines.encode() or None, sudoable=False)
    results.append([code, out.decode(), err.decode()])
connection.close()
print(json.dumps(results))
"""


def execute(lab: Lab, directory: Path, connection: str, *scripts: tuple[str, str]) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of scripts with their input, by the public exec_command of a connection plugin."""
    options = variables(lab, connection, "ntlm by http")
    options |= {"ansible_host": "127.0.0.1", "ansible_user": USER, "ansible_password": PASSWORD}
    if connection == "winrm":
        options["ansible_winrm_transport"] = ["ntlm"]
    request = {"connection": connection, "variables": options, "scripts": scripts}
    environment = os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_LOCAL_TEMP": str(directory)}
    done = subprocess.run(
        [sys.executable, "-c", PLUGIN],
        input=json.dumps(request), check=False, capture_output=True, text=True, timeout=120, env=environment, cwd=directory,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(code, out, err) for code, out, err in json.loads(done.stdout.splitlines()[-1])]


SCRIPT = """
$ErrorActionPreference = 'Stop'
$lines = @($input)
$secret = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($lines[0]))
$request = ConvertFrom-Json -InputObject $lines[1]
ConvertTo-Json -Compress -InputObject @{ ok = $true; length = $secret.Length; names = @($request.names) }
"""


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_one_script_with_its_input_by_exec_command(lab: Lab, tmp_path: Path, connection: str) -> None:
    """The same bytes by either plugin; the secret is a line of input, and no event has it."""
    lines = "Y2FuYXJ5LTVmMGE=\n" + json.dumps({"names": ["only"]}) + "\n"
    [(code, out, err), (failed, _, text)] = execute(lab, tmp_path, connection, (SCRIPT, lines), ("throw 'boom'", ""))
    assert (code, json.loads(out), err) == (0, {"ok": True, "length": 11, "names": ["only"]}, "")
    assert failed == 1
    assert "boom" in text
    assert not any("canary" in event["message"] or "Y2FuYXJ5" in event["message"] for event in lab.document["events"])


def test_the_winrm_plugin_makes_a_new_shell_at_the_quota_of_operations(start: Start, tmp_path: Path) -> None:
    """Fault 2150859174 with its MSFT_WmiError (ansible.builtin.winrm)."""
    api = start(windows=[host_document(winrm={"max_operations_per_user": 2})])
    results = execute(Lab(api.emulator), tmp_path, "winrm", *[("'x'", "")] * 5)
    assert [(code, out.strip()) for code, out, _ in results] == [(0, "x")] * 5
    assert api.admin.requests()["win1"]["windows_Create"] == 3
