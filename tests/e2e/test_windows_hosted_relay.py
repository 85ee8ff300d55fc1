"""A relay on Windows whose upstream is a hosted relay: what its account would not deliver is known before a test message is sent."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import STATE, TENANT, until
from tests.emulator.windows_lab import Lab, host_document

from .test_hosted_verification import ACCOUNTS
from .test_playbooks import REPO
from .test_windows_role import COMMON
from .windows_playbook import LOCAL, Playbook

NAME, RECIPIENT = "win1.contoso.com", "ops@contoso.com"
KEY, ACCOUNT = ACCOUNTS["smtp2go"]
SENDERS = [{"name": "Printers", "address": "noreply@contoso.com", "verify_recipient": RECIPIENT}]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = copy.deepcopy(STATE) | {"windows": [host_document(NAME)], "smtp2go": [ACCOUNT]}
    with Emulator(state, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


def play(emulator: Emulator, directory: Path, *options: str) -> tuple[str, bool]:
    """Output of a playbook, and whether it succeeded. The tenant has the account, and the relay names its credential."""
    store = {"m365_hosted_credential_store": str(directory / "store")}
    tenant: dict[str, Any] = (
        LOCAL
        | store
        | {
            "m365_tenant": TENANT,
            "m365_cloud": emulator.cloud,
            "m365_hosted_relay": "smtp2go",
            "m365_hosted_relay_api_key": KEY,
            "m365_hosted_relay_api_url": f"{emulator.cloud['graph']}/smtp2go/global/v3",
            "hosted_relay_smtp_host": "127.0.0.1",
            "hosted_relay_smtp_port": emulator.hosted_smtp_ports["smtp2go"]["global"],
            "m365_journal_dir": str(directory / "journal"),
        }
    )
    relay = (
        Playbook(emulator, directory).variables(NAME, "winrm")
        | COMMON
        | store
        | {
            "relay_windows_product": "iis_smtp",
            "relay_tenant": "contoso",
            "relay_upstream": "smtp2go",
            "relay_smarthost": {"credential": "relay"},
            "relay_senders": SENDERS,
        }
    )
    inventory = {"tenants": {"hosts": {"contoso": tenant}}, "windows_relays": {"hosts": {NAME: relay}}}
    (directory / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    environment = os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "default"}
    environment["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "json"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(directory / "inventory.json"), *options],
        check=False, capture_output=True, text=True, timeout=1200, cwd=REPO, env=environment,
    )  # fmt: skip
    return done.stdout + done.stderr, done.returncode == 0


def test_account_is_read_before_a_test_message(emulator: Emulator, tmp_path: Path) -> None:
    create = tmp_path / "create.yml"
    module = {"mailops.m365.hosted_credential": {"credentials": [{"name": "relay"}], "smtp_host": "{{ hosted_relay_smtp_host }}"}}
    module["mailops.m365.hosted_credential"]["smtp_port"] = "{{ hosted_relay_smtp_port }}"
    create.write_text(json.dumps([{"name": "Create", "hosts": "contoso", "gather_facts": False, "tasks": [{"name": "Create", **module}]}]))
    output, succeeded = play(emulator, tmp_path, str(create))
    assert succeeded, output
    port = emulator.hosted_smtp_ports["smtp2go"]["global"]
    emulator.admin.change_windows_host(NAME, smtp_routes={"mail.smtp2go.com:587": f"127.0.0.1:{port}"})
    output, succeeded = play(emulator, tmp_path, str(REPO / "playbooks/windows_relays.yml"))
    assert succeeded, output
    verify = str(REPO / "playbooks/verify_windows_relays.yml")
    before = len(emulator.admin.messages())

    def verified(*options: str) -> dict[str, Any]:
        output, succeeded = play(emulator, tmp_path, "-v", *options, verify)
        assert succeeded, output
        assert KEY not in output
        lines = [line for line in output.splitlines() if '"senders": [' in line]
        assert len(lines) == 1, output
        [row] = json.loads(lines[0].partition(" => ")[2])["senders"]
        return dict(row)

    row = verified()
    assert (row["status"], row["accepted_by"]) == ("verified", "hosted_relay"), row
    assert row["reason"].endswith("messages of the provider's quota are used")
    until(lambda: len(emulator.admin.messages()) > before)
    assert [one["recipients"] for one in emulator.admin.messages()[before:]] == [[RECIPIENT]]
    [account] = emulator.admin.accounts("smtp2go")
    account["suppressions"] = [{"address": RECIPIENT, "list": "bounce", "added": emulator.admin.now()}]
    emulator.admin.replace_accounts("smtp2go", [account])
    row = verified()
    assert (row["status"], row["stage"]) == ("not_verifiable", "source")
    assert row["reason"].startswith(f"SMTP2GO accepts mail to {RECIPIENT} and does not deliver it, because the address is in its list")
    assert len(emulator.admin.messages()) == before + 1
    assert verified("--check")["stage"] == "check_mode"
    assert Lab(emulator, NAME).document["refused"] == []
