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


def winrm_variables(lab: Lab) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": lab.ports["https_port"],
        "ansible_winrm_transport": "basic",
        "ansible_winrm_ca_trust_path": lab.ca_file,
    }


@pytest.fixture
def lab(start: Start) -> Lab:
    return Lab(start(windows=[host_document()]).emulator)


def test_raw_by_winrm(lab: Lab, tmp_path: Path) -> None:
    code, text = raw(lab, tmp_path, "hostname", **winrm_variables(lab))
    assert code == 0, text
    assert "win1" in text


def test_a_script_fails_with_its_error(lab: Lab, tmp_path: Path) -> None:
    code, text = raw(lab, tmp_path, "throw 'boom'", **winrm_variables(lab))
    assert code == 2, text
    assert "boom" in text


def test_a_wrong_password(lab: Lab, tmp_path: Path) -> None:
    code, text = raw(lab, tmp_path, "hostname", **winrm_variables(lab) | {"ansible_password": "wrong"})
    assert code == 4, text
    assert "the specified credentials were rejected by the server" in text
    assert lab.document["events"] == []
