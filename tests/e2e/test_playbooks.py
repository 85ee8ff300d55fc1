"""The playbooks against the emulator, as a user runs them: prediction, idempotence, drift, bad input, secrets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.sandbox import Sandbox
from tests.contract import check_contract

REPO = Path(__file__).resolve().parent.parent.parent
SENDERS = 10


@dataclass
class Run:
    code: int
    output: str
    report: dict[str, Any]

    def total(self, what: str) -> int:
        return sum(row[what] for row in self.report["tenants"].values())

    def sentences(self) -> dict[str, str]:
        return {task["tenant"]: task["msg"] for task in self.report["tasks"] if task["failed"]}


class Playground:
    """The demo's tenants in an emulator of their own, and ansible-playbook as a user calls it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sandbox = Sandbox(directory / "sandbox")
        self.record_file = directory / "record.jsonl"
        self.secrets = self.sandbox.make()
        self.sandbox.start(self.secrets, self.record_file)
        self.admin = self.sandbox.admin

    def play(self, playbook: str, *options: str, inventory: Path | None = None, variables: dict[str, str] | None = None) -> Run:
        """`variables`: of the environment."""
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
        environment |= {
            "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"),
            "MAILOPS_DEMO_DIRECTORY": str(self.sandbox.directory),
            "MAILOPS_REPORT": str(report),
            **(variables or {}),
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory or REPO / "inventories" / "demo")]
        command += [str(REPO / "playbooks" / playbook), *options]
        done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True, timeout=300)
        content = json.loads(report.read_text()) if report.exists() else {"tenants": {}, "tasks": []}
        return Run(done.returncode, done.stdout + done.stderr, content)

    def record(self) -> list[dict[str, Any]]:
        if not self.record_file.exists():
            return []
        return [json.loads(line) for line in self.record_file.read_text().splitlines()]

    def writes(self) -> list[dict[str, Any]]:
        return [line for line in self.record() if line["write"]]


@pytest.fixture(scope="module")
def shared_playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    made = Playground(tmp_path_factory.mktemp("playground"))
    yield made
    made.sandbox.stop()


@pytest.fixture
def playground(shared_playground: Playground) -> Playground:
    """The demo's tenants as at their start, with an empty record and no journal."""
    shared_playground.admin.reset()
    shutil.rmtree(shared_playground.sandbox.directory / "journal", ignore_errors=True)
    return shared_playground


def differences(run: Run) -> list[Any]:
    """What each changed task says it changes (or would), in a form in which a prediction equals the deed."""
    content = [(t["tenant"], t["module"], t["diff"]["before"], t["diff"]["after"]) for t in run.report["tasks"] if t["changed"]]
    return sorted(content, key=lambda entry: entry[:2])


def test_a_check_run_on_empty_tenants_writes_nothing_and_predicts_the_real_run(playground: Playground) -> None:
    planned = playground.play("site.yml", "--check")
    assert planned.code == 0, planned.output
    assert planned.total("changed") == 16
    assert playground.record(), "the check run reads"
    assert playground.writes() == []
    assert playground.admin.messages() == []

    applied = playground.play("site.yml")
    assert applied.code == 0, applied.output
    assert differences(applied) == differences(planned)
    assert applied.total("verified") == SENDERS
    assert playground.writes()

    again = playground.play("site.yml")
    assert (again.code, again.total("changed"), again.total("verified")) == (0, 0, SENDERS), again.output
    check = playground.play("site.yml", "--check")
    assert (check.code, check.total("changed")) == (0, 0), check.output
    check_contract(playground.record_file)


def test_drift_is_reported_by_a_check_run_and_corrected_by_the_next_run(playground: Playground) -> None:
    assert playground.play("site.yml").code == 0
    admin = playground.admin
    admin.change("contoso.com", "mailboxes", "scanner@contoso.com", smtp_client_authentication_disabled=True)
    admin.change("fabrikam.com", "inbound_connectors", "Plant relay", SenderIPAddresses=["203.0.113.99"])
    before = len(playground.writes())
    check = playground.play("site.yml", "--check", "--diff")
    assert "-        scanner@contoso.com: disabled" in check.output
    assert "+        - 203.0.113.10" in check.output
    assert check.total("changed") == 2
    assert len(playground.writes()) == before
    mended = playground.play("site.yml")
    assert (mended.code, mended.total("changed"), mended.total("verified")) == (0, 2, SENDERS), mended.output


def test_every_refusal_before_the_first_run_has_its_cause(playground: Playground) -> None:
    run = playground.play("verify.yml", "-e", "verify_required=false")
    assert run.code == 0, run.output
    senders = {sender["name"]: sender for task in run.report["tasks"] for sender in task["senders"]}
    assert "the Entra application mailops-smtp-sender does not exist" in senders["ERP invoices"]["reason"]
    assert senders["Plant relay"]["code"] == "550 5.7.64"
    assert senders["Plant relay"]["reason"] == "no inbound connector matches this IP address or certificate"
    assert senders["Label printer"]["reason"] == "SMTP AUTH is disabled for the organization, and the mailbox inherits the setting"
    assert senders["UPS alarms"]["code"] == "550 5.7.68"
    assert run.total("verified") == 0
    assert playground.writes() == []


def test_both_entry_points_give_the_same_result(playground: Playground, tmp_path: Path) -> None:
    other = Playground(tmp_path / "other")
    try:
        fast = playground.play("site.yml")
        slow = other.play("site.yml", "-e", "m365_in_process=false", "-e", "verify_wait=0")
    finally:
        other.sandbox.stop()
    assert (fast.code, slow.code) == (0, 0), slow.output

    def without_keys(run: Run) -> str:
        return json.dumps([entry for entry in differences(run) if entry[1] != "entra_app"])  # thumbprints differ

    assert without_keys(fast) == without_keys(slow)
    assert fast.total("verified") == slow.total("verified") == SENDERS


def test_rejected_direct_send_is_refused_at_the_mx(playground: Playground) -> None:
    device = {"name": "Device", "method": "direct_send", "address": "erp@contoso.com", "verify_recipient": "ada@contoso.com"}
    options = ["--limit", "contoso", "-e", json.dumps({"verify_senders": [device], "verify_required": False})]
    before = playground.play("verify.yml", *options)
    assert (before.code, before.total("verified")) == (0, 1), before.output
    rejected = playground.play("site.yml", *options)
    assert rejected.code == 0, rejected.output
    [sender] = [sender for task in rejected.report["tasks"] for sender in task["senders"]]
    assert (sender["status"], sender["code"]) == ("failed", "550 5.7.68")
    assert sender["reason"] == "the organization rejects Direct Send from sources without a connector"
    writes = [line["parameters"] for line in playground.writes() if line.get("cmdlet") == "Set-OrganizationConfig"]
    assert {"RejectDirectSend": True, "Confirm": False} in writes
    assert [set(one) for one in writes].count({"RejectDirectSend", "Confirm"}) == 1


def test_a_connector_is_not_verified_by_direct_send(playground: Playground) -> None:
    """Fabrikam accepts Direct Send, so that its internal recipients accept mail from any address."""
    machine = {"name": "Plant", "method": "connector", "address": "machines@fabrikam.com", "verify_recipient": "it@fabrikam.com"}
    plant = {"public_addresses": ["203.0.113.10"]}
    senders = [machine | plant | {"source_address": "127.0.0.10"}, machine | plant, machine | {"name": "Office"}]
    senders.append(machine | {"name": "UPS", "method": "direct_send", "source_address": "127.0.0.12"})
    senders.append(machine | {"name": "Direct", "method": "direct_send", "source_address": "127.0.0.10"})
    senders.append({name: value for name, value in machine.items() if name != "verify_recipient"})
    options = ["--limit", "fabrikam", "-e", json.dumps({"verify_senders": senders, "verify_required": False})]
    assert playground.play("site.yml", "--limit", "fabrikam", "-e", "verify_required=false").code == 0
    run = playground.play("verify.yml", *options)
    results = [(sender["status"], sender["accepted_by"]) for task in run.report["tasks"] for sender in task["senders"]]
    assert results == [
        ("verified", "connector"),
        ("not_verifiable", ""),
        ("failed", ""),
        ("verified", "direct_send"),
        ("not_verifiable", ""),
        ("not_verified", ""),
    ], run.output
    playground.admin.change("fabrikam.com", "inbound_connectors", "Plant relay", Enabled=False)
    run = playground.play("verify.yml", *options)
    [first, *_rest] = [sender for task in run.report["tasks"] for sender in task["senders"]]
    assert (first["status"], first["code"]) == ("failed", "550 5.7.64"), run.output
    assert run.code == 0


# -- bad input --------------------------------------------------------------------------------------------------------

CLOSED = dict.fromkeys(("authority", "graph", "exchange"), "https://127.0.0.1:1") | {"smtp_host": "127.0.0.1"}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "cloud": ({"m365_cloud": "gcc_high"}, "m365_cloud is 'gcc_high', which is no cloud: use global, gcc-high, dod, china"),
    "authority": ({"m365_cloud": CLOSED}, "no answer from 127.0.0.1:1: the connection was refused"),
    "secret": ({"m365_client_secret": "not-the-secret"}, "the client secret is wrong (AADSTS7000215)"),
    "tenant": ({"m365_tenant": "nowhere.example"}, "there is no such tenant in this cloud (AADSTS90002)"),
    "application": ({"m365_client_id": "00000000-0000-4000-8000-000000000009"}, "the application is not registered in this tenant"),
    "certificate": (
        {"m365_client_secret": None, "m365_certificate_path": "{{ demo_directory }}/keys/contoso-sender.pem"},
        "the certificate is not registered on the application",
    ),
    "password": (
        {
            "m365_client_secret": None,
            "m365_certificate_path": "{{ demo_directory }}/keys/fabrikam-automation.pfx",
            "m365_certificate_password": "not-the-password",
        },
        "m365_certificate_password is wrong or missing",
    ),
    "mailboxes": (
        {"entra_app_full_access": ["erp@contoso.com", "erb@contoso.com", "scaner@contoso.com", "ups@other.example"]},
        "entra_app_full_access: Exchange has no mailboxes erb@contoso.com, scaner@contoso.com: create them or correct the address; nothing "
        "was changed.\n- entra_app_full_access: ups@other.example: not in an accepted domain of this tenant",
    ),
    "identity": ({"entra_app_full_access": ["erp@contoso.com", ""]}, "entra_app_full_access holds an empty address: remove it."),
    "permission": ({"entra_app_permissions": [{"name": "SMTP.SendAsAp"}]}, "offers no application permission 'SMTP.SendAsAp'"),
    "basic": (
        {"smtp_auth_mailboxes": [{"address": "erp@contoso.com", "sign_in": "basic"}]},
        "Entra Security Defaults are enabled and refuse Basic authentication",
    ),
    "direct_send": (
        {"direct_send_senders": ["ups@contoso.com"]},
        "senders that rely on Direct Send would be refused: ups@contoso.com; give each an inbound connector or SMTP AUTH",
    ),
    "senders": (
        {
            "m365_senders": [
                {"name": "Storm", "address": "erp@contoso.com", "method": "oauth", "messages_per_minute": 90},
                {"name": "UPS", "address": "ups@contoso.com", "method": "direct_send"},
            ]
        },
        "m365_senders: Storm: oauth is impossible: 90 messages a minute are more than the 30 that one mailbox may send; spread it over 3 "
        "mailboxes, or use connector, hve (internal recipients) or hosted.\n"
        "- m365_senders: UPS: direct_send is impossible: Direct Send reaches",
    ),
    "private": (
        {"inbound_connector_connectors": [{"name": "x", "sender_ip_addresses": ["10.0.0.7", "203.0.112.0/22", "2001:db8::1"]}]},
        "'10.0.0.7', which is not a public address",
    ),
}


@pytest.fixture
def bad_inventory(playground: Playground, tmp_path: Path) -> Path:
    """One host a bad input, each otherwise Contoso; and fabrikam, which is as it should be."""
    demo = REPO / "inventories" / "demo"
    contoso = yaml.safe_load((demo / "host_vars" / "contoso.yml").read_text())
    fabrikam = yaml.safe_load((demo / "host_vars" / "fabrikam.yml").read_text())
    hosts = {f"bad-{name}": {**contoso, **changes} for name, (changes, _sentence) in BAD.items()}
    document = {"tenants": {"hosts": {**hosts, "fabrikam": fabrikam}}}
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump(document))
    (folder / "group_vars" / "tenants.yml").write_text((demo / "group_vars" / "tenants.yml").read_text())
    return folder


def test_each_input_problem_is_one_sentence_and_other_tenants_continue(playground: Playground, bad_inventory: Path) -> None:
    # With one application for all the hosts, Contoso is done first, so that only the bad part differs.
    assert playground.play("site.yml", "--limit", "contoso").code == 0
    before = len(playground.writes())
    run = playground.play("site.yml", "-e", "m365_wait_timeout=2", inventory=bad_inventory)
    assert run.code == 2, run.output
    sentences = run.sentences()
    assert set(sentences) == {f"bad-{name}" for name in BAD}, run.output
    for name, (_changes, sentence) in BAD.items():
        assert sentence in sentences[f"bad-{name}"], name
        assert "Traceback" not in sentences[f"bad-{name}"]
    written = {line["tenant"] for line in playground.writes()[before:]}
    assert written == {playground.admin.tenant("fabrikam.com")["id"]}
    assert run.report["tenants"]["fabrikam"]["verified"] == 3


def test_missing_consent_and_an_expired_secret_are_named(playground: Playground) -> None:
    admin = playground.admin
    contoso = admin.tenant("contoso.com")
    automation = next(app for app in contoso["applications"] if app["display_name"] == "Automation")
    principal = automation["service_principal"]
    admin.change("contoso.com", "applications", automation["app_id"], service_principal={**principal, "app_roles": []})
    run = playground.play("site.yml", "--limit", "contoso")
    sentence = run.sentences()["contoso"]
    for name in ("Policy.Read.All", "Domain.Read.All", "AppRoleAssignment.ReadWrite.All", "Exchange.ManageAsApp"):
        assert f"lacks the permission {name} of" in sentence
    secret = {"value": playground.secrets["contoso_client_secret"], "end": time.time() - 60}
    admin.change("contoso.com", "applications", automation["app_id"], secrets=[secret])
    run = playground.play("site.yml", "--limit", "contoso")
    assert "the client secret has expired (AADSTS7000222)" in run.sentences()["contoso"]
    assert playground.writes() == []


# -- secrets ----------------------------------------------------------------------------------------------------------


class ProcessWatch(threading.Thread):
    """Looks at the command lines of all processes while something runs."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__(daemon=True)
        self.secrets, self.seen, self.looks, self._ended = secrets, set[str](), 0, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.02):
            self.looks += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().decode(errors="replace")
                except OSError:
                    continue
                self.seen |= {secret for secret in self.secrets if secret in line}

    def end(self) -> None:
        self._ended.set()
        self.join()


@pytest.mark.parametrize("entry_point", ["in_process", "subprocess"])
def test_no_secret_reaches_output_journal_report_record_or_process_list(playground: Playground, entry_point: str) -> None:
    secrets = [value for name, value in playground.secrets.items() if name != "any_password"]
    watch = ProcessWatch(secrets)
    watch.start()
    options = ["-vvvv", "--diff", "-e", f"m365_in_process={'true' if entry_point == 'in_process' else 'false'}"]
    good = playground.play("site.yml", *options)
    playground.admin.change("northwind.example.com", "mailboxes", "labels@northwind.example.com", password="another")
    failed = playground.play("verify.yml", *options)
    watch.end()
    assert good.code == 0, good.output
    assert failed.code != 0
    assert "the mailbox's password is wrong" in failed.output
    texts = {"output": good.output + failed.output, "report": json.dumps([good.report, failed.report])}
    texts |= {str(path): path.read_text() for path in (playground.sandbox.directory / "journal").glob("*.jsonl")}
    texts["record"] = playground.record_file.read_text()
    assert len(texts) == 6
    for place, text in texts.items():
        assert not [secret for secret in secrets if secret in text], place
        assert "eyJ" not in text, f"a token in {place}"
        assert "PRIVATE KEY" not in text, place
    assert watch.looks > 10
    assert not watch.seen
