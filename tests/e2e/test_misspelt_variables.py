"""Misspelt variables of relay hosts are named with the nearest real one before anything on the host changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).resolve().parent.parent.parent
FACTS = {"distribution": "Debian", "distribution_major_version": "13", "os_family": "Debian", "cacheable": True}
TASKS: list[dict[str, Any]] = [
    {"name": "Set the facts of a relay host", "ansible.builtin.set_fact": FACTS},
    {"name": "Validate", "ansible.builtin.include_role": {"name": "mailops.m365.relay_host", "tasks_from": "config/validate"}},
]
PLAY = [{"hosts": "relays", "connection": "local", "gather_facts": False, "tasks": TASKS}]
VALID: dict[str, Any] = {
    "m365_tenant": "contoso.com",
    "relay_client_id": "11111111-2222-4333-8444-555555555555",
    "relay_mailboxes": [{"address": "scanner@contoso.com"}],
}


def validate(directory: Path, **variables: Any) -> tuple[int, str]:
    """The exit status and output of the role's validation on a relay host."""
    (directory / "play.yml").write_text(yaml.safe_dump(PLAY))
    (directory / "hosts.yml").write_text(yaml.safe_dump({"relays": {"hosts": {"relay1": VALID | variables}}}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(directory / "hosts.yml"), str(directory / "play.yml")]
    environment = clean | {"ANSIBLE_CONFIG": str(REPO / "ansible.cfg"), "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True, timeout=300)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


MISSPELT = {
    "relay_devces": "relay_devices",
    "relay_smart_host": "relay_smarthost",
    "m365_tenannt": "m365_tenant",
    "hosted_relay_credential": "hosted_relay_credentials",
}


def test_misspelt_variables_of_a_relay_host_are_named_with_the_nearest(tmp_path: Path) -> None:
    code, output = validate(tmp_path, **dict.fromkeys(MISSPELT, ""))
    assert code == 2
    for name, near in MISSPELT.items():
        assert f"{name} is no variable of this collection: did you mean {near}?" in output, output


def test_variables_of_the_user_the_tenant_and_the_role_itself_are_accepted(tmp_path: Path) -> None:
    own = {"relay_rack": 12, "__relay_devces": 1, "site_relay_devces": 1, "relays_contact": "ops"}
    facts = {"relay_certificates": ["x"], "relay_retired_certificates": []}
    code, output = validate(tmp_path, **own, **facts, m365_owner="branch", m365_senders=[], spf_policy="~all", verify_required=False)
    assert code == 0, output
