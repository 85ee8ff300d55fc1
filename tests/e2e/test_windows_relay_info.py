"""Module windows_relay_info on emulated Windows hosts, through Ansible's own connection plugin winrm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document

from .test_playbooks import REPO

EXCHANGE = {"path": r"HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup", "name": "MsiProductMajor", "kind": "DWord", "number": 15}
RESTART = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"
HOSTS = {
    "win2016": {"build": 14393},
    "win2022": {},
    "win2025": {"build": 26100},
    "core2019": {"build": 17763, "edition": "Server Core"},
    "client11": {"build": 22631, "edition": "Client"},
    "mail2019": {"build": 17763, "registry": [EXCHANGE], "registry_keys": [RESTART]},
}


@dataclass
class Windows:
    emulator: Emulator
    directory: Path

    def variables(self, name: str) -> dict[str, Any]:
        lab = Lab(self.emulator, name)
        return {
            "ansible_host": "127.0.0.1",
            "ansible_connection": "winrm",
            "ansible_port": lab.ports["https_port"],
            "ansible_user": USER,
            "ansible_password": PASSWORD,
            "ansible_winrm_transport": "basic",
            "ansible_winrm_ca_trust_path": lab.ca_file,
        }

    def __call__(self, *names: str, options: tuple[str, ...] = (), **changed: Any) -> tuple[int, str, dict[str, Any]]:
        """Run the module on these hosts; the exit code, the output, and what each host has registered."""
        inventory, play = self.directory / "inventory.json", self.directory / "play.json"
        hosts = {name: self.variables(name) | changed for name in names}
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        copy = {"content": "{{ result | to_json }}", "dest": f"{self.directory}/{{{{ inventory_hostname }}}}.json"}
        tasks = [
            {"name": "Read the host", "mailops.m365.windows_relay_info": {}, "register": "result"},
            {"name": "Write the result", "ansible.builtin.copy": copy, "delegate_to": "localhost", "check_mode": False, "vars": LOCAL},
        ]
        play.write_text(json.dumps([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        environment = os.environ | {"ANSIBLE_HOME": str(self.directory), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            [program, "-i", str(inventory), *options, str(play)],
            check=False, capture_output=True, text=True, timeout=240, env=environment, cwd=REPO,
        )  # fmt: skip
        results = {name: json.loads(path.read_text()) for name in names if (path := self.directory / f"{name}.json").exists()}
        return done.returncode, done.stdout + done.stderr, results


LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    documents = [host_document(name, **keys) for name, keys in HOSTS.items()]
    with Emulator({"windows": documents, "tenants": []}, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def windows(emulator: Emulator, tmp_path: Path) -> Windows:
    return Windows(emulator, tmp_path)


def scripts(emulator: Emulator, name: str) -> list[str]:
    """The command lines of powershell.exe that a host has logged."""
    return [line for line in Lab(emulator, name).events(4688) if line.lower().startswith("powershell")]


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_what_each_host_is_and_what_can_relay_there(windows: Windows, options: tuple[str, ...]) -> None:
    before = {name: len(scripts(windows.emulator, name)) for name in HOSTS}
    code, output, results = windows(*HOSTS, options=options)
    assert code == 0, output
    read = {name: result["windows_relay"] for name, result in results.items()}
    facts = {name: (one["host"]["build"], one["host"]["installation"]) for name, one in read.items()}
    assert facts == {
        "win2016": (14393, "desktop_experience"),
        "win2022": (20348, "desktop_experience"),
        "win2025": (26100, "desktop_experience"),
        "core2019": (17763, "server_core"),
        "client11": (22631, "client"),
        "mail2019": (17763, "desktop_experience"),
    }
    supported = {name: {product for product, one in host["products"].items() if one["supported"]} for name, host in read.items()}
    assert supported["win2016"] == supported["win2022"] == {"iis_smtp", "hmailserver"}
    assert supported["win2025"] == supported["core2019"] == supported["client11"] == {"hmailserver"}
    assert supported["mail2019"] == set()
    assert [name for name, one in read.items() if one["host"]["restart_pending"]] == ["mail2019"]
    assert "Windows Server 2025 Standard" in read["win2025"]["products"]["iis_smtp"]["obstacles"][0]
    for name, result in results.items():
        scripts_run = 3 if name == "client11" else 4  # a client edition has no features
        assert (result["changed"], result["cost"]["requests"]) == (False, scripts_run)
        assert (result["windows_relay"]["iis_smtp"], result["windows_relay"]["certificates"]) == (None, [])
        assert len(scripts(windows.emulator, name)) - before[name] == scripts_run
        assert (result["windows_relay"]["hmailserver"]["installed"], result["windows_relay"]["hmailserver"]["queue"]) == (False, None)
        assert Lab(windows.emulator, name).document["refused"] == []


def test_psrp_reads_the_same_as_winrm(windows: Windows) -> None:
    psrp = {
        "ansible_connection": "psrp",
        "ansible_psrp_protocol": "https",
        "ansible_psrp_auth": "ntlm",
        "ansible_psrp_ca_cert": Lab(windows.emulator, "mail2019").ca_file,
    }
    code, output, by_winrm = windows("mail2019")
    assert code == 0, output
    code, output, by_psrp = windows("mail2019", **psrp)
    assert code == 0, output
    assert by_psrp["mail2019"]["windows_relay"] == by_winrm["mail2019"]["windows_relay"]


def test_a_connection_without_powershell(windows: Windows) -> None:
    code, output, _ = windows("win2022", ansible_connection="local", ansible_python_interpreter="python3")
    assert code == 2
    assert "The connection of win2022 is local, which has no PowerShell: set ansible_connection to winrm or psrp." in " ".join(
        output.split()
    )


def test_become_is_refused(windows: Windows) -> None:
    code, output, _ = windows("win2022", ansible_become=True, ansible_become_method="ansible.builtin.runas", ansible_become_user="SYSTEM")
    assert code == 2
    assert "become is set for win2022: set ansible_become: false, and sign in as an administrator." in " ".join(output.split())


def test_a_wrong_password_makes_the_host_unreachable(windows: Windows) -> None:
    code, output, _ = windows("win2022", "win2016", ansible_password="wrong-password-of-a-test")
    assert code == 4
    assert "the specified credentials were rejected by the server" in output
    assert "wrong-password-of-a-test" not in output
