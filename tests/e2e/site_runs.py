"""Runs of ansible-playbook against the demo's tenants in an emulator, with inventories made of theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.sandbox import Sandbox

REPO = Path(__file__).resolve().parent.parent.parent
DEMO = REPO / "inventories" / "demo"
OLD = "an old report"


@dataclass
class Run:
    code: int
    output: str
    stdout: str
    report: dict[str, Any]

    @property
    def summary(self) -> list[str]:
        """From the line of totals to the end."""
        return self.stdout[self.stdout.index("\ntenants: ") + 1 :].splitlines() if "\ntenants: " in self.stdout else []

    @property
    def attention(self) -> dict[str, dict[str, Any]]:
        """The entries by host."""
        return {host: entry for entry in self.report["attention"] for host in entry["hosts"]}


@dataclass
class Site:
    """The demo's tenants in an emulator, and inventories made of them."""

    directory: Path
    sandbox: Sandbox = field(init=False)
    passwords: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.directory / "sandbox")
        self.record = self.directory / "record.jsonl"
        self.report = self.directory / "report.json"
        self.passwords = self.sandbox.make()
        self.sandbox.start(self.passwords, self.record)

    def variables(self, host: str, **changes: Any) -> dict[str, Any]:
        return {**yaml.safe_load((DEMO / "host_vars" / f"{host}.yml").read_text()), **changes}

    def play(self, tenants: dict[str, Any], relays: dict[str, Any] | None = None, *options: str, **environment: str) -> Run:
        inventory = self.directory / "inventory"
        (inventory / "group_vars").mkdir(parents=True, exist_ok=True)
        groups = {"tenants": {"hosts": tenants}, "others": {"hosts": {"other": None}}} | ({"relays": {"hosts": relays}} if relays else {})
        (inventory / "hosts.yml").write_text(yaml.safe_dump(groups))
        (inventory / "group_vars" / "tenants.yml").write_text((DEMO / "group_vars" / "tenants.yml").read_text())
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
        clean |= {"ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "NO_COLOR": "1"}
        clean |= {"MAILOPS_DEMO_DIRECTORY": str(self.sandbox.directory), "MAILOPS_REPORT": str(self.report), **environment}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory)]
        playbook = next((option for option in options if option.endswith(".yml")), str(REPO / "playbooks" / "site.yml"))
        more = [option for option in options if option != playbook]
        done = subprocess.run([*command, playbook, *more], cwd=REPO, env=clean, check=False, capture_output=True, text=True, timeout=300)
        text = self.report.read_text() if self.report.exists() else OLD
        report = {} if text == OLD else json.loads(text)
        return Run(done.returncode, done.stdout + done.stderr, done.stdout, report)

    def requests(self) -> int:
        return len(self.record.read_text().splitlines()) if self.record.exists() else 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.sandbox.stop()
