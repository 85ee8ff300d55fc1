"""Runs modules on emulated Windows hosts by Ansible's connection plugins winrm and psrp."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.launcher import Emulator
from tests.emulator.windows_lab import PASSWORD, USER, Lab

from .test_playbooks import REPO

CONNECTIONS = ("winrm", "psrp")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@dataclass
class Ran:
    """A run of ansible-playbook: exit code, output, and the result of each task on each host."""

    code: int
    output: str
    results: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The output in one line."""
        return " ".join(self.output.split())


@dataclass
class Playbook:
    """Runs tasks on hosts of an emulator; `directory` has the inventory, the results, and the journal."""

    emulator: Emulator
    directory: Path

    def variables(self, name: str, connection: str) -> dict[str, Any]:
        """The inventory's variables of a host: winrm with Basic, psrp with NTLM, both by HTTPS."""
        lab = Lab(self.emulator, name)
        common = {"ansible_host": "127.0.0.1", "ansible_connection": connection, "ansible_port": lab.ports["https_port"]}
        common |= {"ansible_user": USER, "ansible_password": PASSWORD, "m365_journal_dir": str(self.directory / "journal")}
        if connection == "winrm":
            return common | {"ansible_winrm_transport": "basic", "ansible_winrm_ca_trust_path": lab.ca_file}
        return common | {"ansible_psrp_protocol": "https", "ansible_psrp_auth": "ntlm", "ansible_psrp_ca_cert": lab.ca_file}

    def run(
        self,
        *tasks: dict[str, Any],
        hosts: tuple[str, ...] = ("win1",),
        connection: str = "winrm",
        check: bool = False,
        variables: dict[str, Any] | None = None,
        options: tuple[str, ...] = (),
        timeout: int = 240,
    ) -> Ran:
        """Run tasks, each {module: options}. A failed task ends a host's run. `options`: of ansible-playbook; `timeout`: seconds."""
        inventory, play = self.directory / "inventory.json", self.directory / "play.json"
        inventory.write_text(
            json.dumps({"all": {"hosts": {name: self.variables(name, connection) | (variables or {}) for name in hosts}}}), encoding="utf-8"
        )
        for old in self.directory.glob("result-*.json"):
            old.unlink()
        steps: list[dict[str, Any]] = []
        for number, task in enumerate(tasks):
            [(module, module_options)] = task.items()
            copy = {"content": "{{ result | to_json }}", "dest": f"{self.directory}/result-{{{{ inventory_hostname }}}}-{number}.json"}
            steps += [
                {"name": f"Run {module}", f"mailops.m365.{module}": module_options, "register": "result", "diff": True},
                {"name": "Write the result", "ansible.builtin.copy": copy, "delegate_to": "localhost", "check_mode": False, "vars": LOCAL},
            ]
        play.write_text(json.dumps([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": steps}]), encoding="utf-8")
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", str(inventory), "-vvv", *(["--check"] if check else []), *options, str(play)],
            check=False, capture_output=True, text=True, timeout=timeout, cwd=REPO,
            env=os.environ | {"ANSIBLE_HOME": str(self.directory), "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
        ran = Ran(done.returncode, done.stdout + done.stderr)
        for name in hosts:
            paths = (self.directory / f"result-{name}-{number}.json" for number in range(len(tasks)))
            ran.results[name] = [json.loads(path.read_text()) for path in paths if path.exists()]
        return ran

    def one(self, task: dict[str, Any], host: str = "win1", **options: Any) -> dict[str, Any]:
        """The result of one task that succeeds on one host."""
        ran = self.run(task, hosts=(host,), **options)
        assert ran.code == 0, ran.output
        return ran.results[host][0]

    def journal(self, host: str = "win1") -> str:
        path = self.directory / "journal" / f"{host}.jsonl"
        return path.read_text() if path.exists() else ""
