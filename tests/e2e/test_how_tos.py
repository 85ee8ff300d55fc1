"""The how-tos of docs/: their inventory files are written and their commands run, as they stand, against the emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import pytest
import yaml

from emulator.sandbox import Sandbox

REPO = Path(__file__).resolve().parents[2]
# Commands of a page that need a host of its own: tests/hosts and molecule/relay_host run them.
ON_HOSTS = {"printer-fleet.md": ["ansible-playbook mailops.m365.site -e verify_wait=3600"]}
# Variables of the emulator, in place of what the pages' reader has.
CONNECTION = ("m365_cloud", "m365_dns_servers", "m365_journal_dir", "m365_wait_timeout")
CREDENTIALS = ("m365_client_id", "m365_client_secret", "m365_certificate_path")
CONFIG = f"""[defaults]
inventory = inventory,emulated
collections_path = {REPO}/.ansible/collections
stdout_callback = mailops.m365.concise
callbacks_enabled = mailops.m365.summary
inject_facts_as_vars = false
localhost_warning = false
"""
HOST_VARS = "inventory/host_vars/contoso.yml"
_YAML = re.compile(r"^```yaml\n# (inventory/[\w./-]+\.yml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`(inventory/[\w./-]+\.yml)`[^\n`]*:\n\n```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:(?:[A-Z_]+=\S+ )*ansible(?:-playbook)?|mkdir -p) .*)$", re.MULTILINE)


def inventory_files(page: str) -> dict[str, str]:
    """The inventory files that a page shows, whole or in parts: the path is in a comment above, or in the sentence before."""
    files: dict[str, str] = {}
    for path, content in (match for pattern in (_YAML, _NAMED) for match in pattern.findall(page)):
        files[path] = files.get(path, "") + content
    return files


def commands(page: str) -> list[str]:
    """The commands that a page shows, but for those that make a directory in the reader's home."""
    return [command.partition(" #")[0].strip() for command in _COMMAND.findall(page) if "~" not in command]


@dataclass
class Reader:
    """Somebody who follows a page, in a directory of their own."""

    directory: Path
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(self.directory / "sandbox")
        self.sandbox.start(self.sandbox.make(), patience=300)

    def write(self, page: str) -> None:
        (self.directory / "ansible.cfg").write_text(CONFIG)
        for name, content in inventory_files(page).items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        group = self.directory / "inventory/group_vars/tenants.yml"
        if not group.exists():  # as getting-started.md has it
            group.parent.mkdir(parents=True, exist_ok=True)
            group.write_text(inventory_files((REPO / "docs/getting-started.md").read_text())["inventory/group_vars/tenants.yml"])
        self.emulate()

    def emulate(self) -> None:
        """A second inventory: where the emulator listens, and what the automation apps of its tenants sign in with."""
        demo = REPO / "inventories/demo"
        folder = self.directory / "emulated"
        (folder / "host_vars").mkdir(parents=True)
        hosts = yaml.safe_load((self.directory / "inventory/hosts.yml").read_text())["tenants"]["hosts"]
        (folder / "hosts.yml").write_text(yaml.safe_dump({"tenants": {"hosts": hosts}}))
        shared = yaml.safe_load((demo / "group_vars/tenants.yml").read_text())
        for host in hosts:
            of_demo = yaml.safe_load((demo / "host_vars" / f"{host}.yml").read_text())
            variables = {name: value for name, value in shared.items() if name.startswith("demo_") or name in CONNECTION}
            variables |= {name: of_demo.get(name, "") for name in CREDENTIALS} | self.sender_app(host)
            (folder / "host_vars" / f"{host}.yml").write_text(yaml.safe_dump(variables))

    def sender_app(self, host: str) -> dict[str, Any]:
        """The files that getting-started.md makes with openssl."""
        texts = "".join(path.read_text() for path in (self.directory / "inventory").rglob("*.yml"))
        if "entra_app_certificates" not in texts:
            return {}
        keys = self.sandbox.keys
        return {
            "entra_app_certificates": [str(keys / f"{host}-sender.crt")],
            "verify_app_certificate_path": str(keys / f"{host}-sender.pem"),
        }

    def run(self, command: str, code: int = 0) -> str:
        """Run a command of the page as its reader does; its output. `code`: the exit status that the page leads to expect."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
        environment |= {"PATH": f"{Path(sys.executable).parent}:{environment['PATH']}", "HOME": str(self.directory), "NO_COLOR": "1"}
        environment |= {"MAILOPS_DEMO_DIRECTORY": str(self.sandbox.directory)}
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.directory, env=environment, check=False, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    made.sandbox.stop()


def follow(reader: Reader, name: str) -> dict[str, str]:
    """Do what a page says, in its order; the output of each command."""
    page = (REPO / "docs" / name).read_text(encoding="utf-8")
    reader.write(page)
    on_hosts = ON_HOSTS.get(name, [])
    assert set(on_hosts) <= set(commands(page))
    return {command: reader.run(command) for command in commands(page) if command not in on_hosts}


def test_first_tenant(reader: Reader) -> None:
    outputs = follow(reader, "getting-started.md")
    assert list(outputs) == ["ansible-playbook mailops.m365.site --check --diff", "ansible-playbook mailops.m365.site -e verify_wait=3600"]
    assert "2 verified" in outputs["ansible-playbook mailops.m365.site -e verify_wait=3600"]


def test_printer_fleet(reader: Reader) -> None:
    outputs = follow(reader, "printer-fleet.md")
    assert "AUDIT\n" in outputs["MAILOPS_AUDIT=audit ansible-playbook mailops.m365.audit -e tenant_draft_directory=drafts"]
    assert (reader.directory / "drafts/contoso.draft.yml").exists()
    sheets = {path.stem for path in (reader.directory / "settings/contoso").glob("*.html")}
    assert {"index", "printer-fleet", "copier-third-floor", "label-printer"} <= sheets
    plan = outputs["ansible-playbook mailops.m365.site --check --diff --limit contoso"]
    assert re.search(r"connector.*203\.0\.113\.10", plan, re.DOTALL)
    assert "relay_host" in plan or "relay1.contoso.com" in plan


def test_secrets_to_certificates(reader: Reader) -> None:
    outputs = follow(reader, "secrets-to-certificates.md")
    assert "1 verified" in outputs["ansible-playbook mailops.m365.site -e verify_wait=3600"]
    assert "tenants: 1 unchanged" in outputs["ansible-playbook mailops.m365.site"]
    [key] = (reader.directory / "keys").rglob("*.pem")
    assert key.relative_to(reader.directory).as_posix() == "keys/contoso.com/mailops-smtp-sender.pem"
    assert key.stat().st_mode & 0o777 == 0o600


def test_customers_of_an_msp(reader: Reader) -> None:
    outputs = follow(reader, "msp.md")
    assert "tenants: 1 changed" in outputs["ansible-playbook mailops.m365.site --limit contoso"]
    everything = outputs["MAILOPS_REPORT=report.json ansible-playbook mailops.m365.site --forks 20"]
    assert "senders: 2 verified" in everything
    assert "tenants: 1 changed, 1 unchanged" in everything or "tenants: 1 unchanged, 1 changed" in everything
    report = json.loads((reader.directory / "report.json").read_text())
    assert set(report["tenants"]) == {"contoso", "northwind"}
    plan = outputs["ansible-playbook mailops.m365.offboard -e offboard_tenants=northwind --check --diff"]
    assert "northwind" in plan


def encrypt(reader: Reader, command: str, name: str, value: str) -> str:
    """The variable as the command prints it, which asks for its name and its value."""
    command = f"{Path(sys.executable).parent}/{command} --vault-password-file vault-password"
    with pexpect.spawn(command, cwd=reader.directory, encoding="utf-8", timeout=120) as vault:
        vault.expect("name")
        vault.sendline(name)
        vault.expect("encrypt")
        vault.sendline(value)
        vault.expect(rf"{name}: !vault.*?\n(?=\S)")
        return str(vault.after).replace("\r\n", "\n")


def hosted_relay(variables: dict[str, Any]) -> dict[str, str]:
    """Where the emulator has the provider and region."""
    provider, region = variables["m365_hosted_relay"], variables["m365_hosted_relay_region"]
    return {
        "m365_hosted_relay_api_url": f"{{{{ m365_cloud.graph }}}}/{provider}/{region}/v3",
        "m365_hosted_relay_smtp_host": "127.0.0.1",
        "m365_hosted_relay_smtp_port": f"{{{{ demo_vars.hosted_smtp_ports.{provider}['global'] }}}}",  # SMTP2GO: for all regions
    }


def test_trial_account_of_a_hosted_relay(reader: Reader) -> None:
    """The page's list of steps: the API key goes into a vault, and the DNS records that the run prints are published by hand."""
    page = re.sub(r"^ {3}", "", (REPO / "docs/hosted-relays.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    before = inventory_files((REPO / "docs/getting-started.md").read_text(encoding="utf-8"))
    (reader.directory / "inventory/host_vars").mkdir(parents=True)
    (reader.directory / "inventory/hosts.yml").write_text(before["inventory/hosts.yml"])
    reader.write(page)
    content = inventory_files(page)[HOST_VARS]
    [command] = re.findall(r"^\$ (ansible-vault .*)$", page, re.MULTILINE)
    (reader.directory / "vault-password").write_text("password of the vault")
    key = yaml.safe_load(reader.sandbox.vars_file.read_text())["demo_secrets"]["smtp2go_api_key"]
    encrypted = encrypt(reader, command, "vault_hosted_relay_api_key", key)
    assert key not in encrypted
    tenant = before[HOST_VARS].partition("\nm365_senders:")[0]
    (reader.directory / HOST_VARS).write_text(f"{tenant}\n{content}\n{encrypted}")
    with (reader.directory / "ansible.cfg").open("a") as config:
        config.write("vault_password_file = vault-password\n")
    emulated = reader.directory / "emulated" / HOST_VARS.removeprefix("inventory/")
    emulated.write_text(emulated.read_text() + yaml.safe_dump(hosted_relay(yaml.safe_load(content))))
    account, check, run = commands(page)
    assert '"missing_rights": []' in reader.run(account)
    assert "hosted_domain, hosted_credential" in reader.run(check)
    refused = " ".join(reader.run(run, code=2).split())  # as step 5 says: DNS lacks the records
    assert "The provider has not verified the domain of the sender" in refused
    records = re.findall(r"Publish the (\w+) record (\S+) with the value (\S+)\.(?: |$)", refused)
    assert records
    zones = reader.sandbox.admin.tenant("contoso.com")["dns"]
    zones["contoso.com"] += [f"{name}. 3600 {kind} {value}." for kind, name, value in records]
    reader.sandbox.admin.change("contoso.com", dns=zones)
    assert "1 verified" in reader.run(run)
    [store] = re.findall(r"`~/(\.local/state/mailops/credentials/\S+\.json)`", page)
    assert key not in (reader.directory / store).read_text()
    assert {"username", "password"} <= set(json.loads((reader.directory / store).read_text())["current"])


@pytest.mark.parametrize("name", ["getting-started.md", "printer-fleet.md", "secrets-to-certificates.md", "msp.md"])
def test_every_how_to_shows_an_inventory_and_commands(name: str) -> None:
    """What the patterns above do not find would not be tried."""
    page = (REPO / "docs" / name).read_text(encoding="utf-8")
    assert {"inventory/hosts.yml", "inventory/host_vars/contoso.yml"} <= set(inventory_files(page))
    assert len([one for one in commands(page) if "mkdir" not in one]) == page.count("ansible-playbook mailops.") - len(
        re.findall(r"`[^`\n]*ansible-playbook mailops\.", page)
    )
