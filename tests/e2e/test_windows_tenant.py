"""Playbook site with a tenant and its relay on Windows: the connector is the plan's, and a printer's message passes it."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import STATE, TENANT, app_id, until
from tests.emulator.windows_lab import Lab, host_document

from .test_playbooks import REPO
from .test_windows_role import COMMON
from .test_windows_smtp_relay import NETWORK, PUBLIC, send
from .windows_playbook import LOCAL, Playbook

NAME = "win1.contoso.com"
SENDER = {"name": "Printers", "address": "noreply@contoso.com", "relay_host": NAME, "verify_recipient": "verify@example.net"}


@pytest.fixture
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = copy.deepcopy(STATE) | {"windows": [host_document(NAME, outbound_address=PUBLIC)], "network": NETWORK}
    with Emulator(state, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


Played = tuple[str, dict[str, tuple[int, int]]]


def site(emulator: Emulator, directory: Path, *options: str, playbook: str = "site.yml", relay: dict[str, Any] | None = None) -> Played:
    """The output, and of each host how many tasks changed something, and how many failed.

    As in a real cloud, Graph names the MX host of the tenant's domain, and the relay takes it from the tenant's plan.
    """
    tenant = LOCAL | {
        "m365_tenant": TENANT,
        "m365_cloud": {name: value for name, value in emulator.cloud.items() if name != "mx_host"},
        "m365_client_id": app_id("manager"),
        "m365_client_secret": "manager-secret",
        "m365_journal_dir": str(directory / "journal"),
        "m365_wait_timeout": 5,
        "m365_senders": [SENDER],
        "spf_domains": [],
    }
    windows = Playbook(emulator, directory).variables(NAME, "winrm") | COMMON | {"relay_windows_product": "iis_smtp"}
    del windows["relay_connector_host"]
    windows |= {"relay_tenant": "contoso", "relay_public_addresses": [NETWORK[PUBLIC]], **(relay or {})}
    inventory = {"tenants": {"hosts": {"contoso": tenant}}, "windows_relays": {"hosts": {NAME: windows}}}
    (directory / "site.json").write_text(json.dumps(inventory), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run(
        [program, "-i", str(directory / "site.json"), *options, str(REPO / "playbooks" / playbook)],
        check=False, capture_output=True, text=True, timeout=300, cwd=REPO, env=environment,
    )  # fmt: skip
    totals = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", done.stdout, re.MULTILINE)
    return done.stdout + done.stderr, {name: (int(changed), int(gone) + int(failed)) for name, changed, gone, failed in totals}


def test_a_printers_message_passes_the_connector_of_the_plan(emulator: Emulator, tmp_path: Path) -> None:
    output, numbers = site(emulator, tmp_path)
    assert [failed for _changed, failed in numbers.values()] == [0, 0], output
    [connector] = emulator.admin.tenant("contoso.com")["inbound_connectors"]
    assert connector["SenderIPAddresses"] == ["203.0.113.10"]
    assert "senders: 1 verified" in output, output
    [test_message] = [one for one in emulator.admin.messages() if one["recipients"] == ["verify@example.net"]]
    assert test_message["connector"] == connector["name"]
    assert test_message["subject"].startswith("Test message: Printers [")
    send(emulator, NAME, "someone@example.net", "scan to a customer")
    until(lambda: "scan to a customer" in [one["subject"] for one in emulator.admin.messages()])
    message = next(one for one in emulator.admin.messages() if one["subject"] == "scan to a customer")
    assert (message["connector"], message["recipients"]) == (connector["name"], ["someone@example.net"])
    output, numbers = site(emulator, tmp_path)
    assert numbers == {"contoso": (0, 0), NAME: (0, 0)}, output
    assert re.search(rf"^RELAY +QUEUE .*\n{NAME} +0 +- .* healthy$", output, re.MULTILINE)
    output, numbers = site(emulator, tmp_path, "--tags", "relay", "--check")
    assert numbers == {"contoso": (0, 0), NAME: (0, 0)}, output
    assert Lab(emulator, NAME).document["refused"] == []


def test_the_plan_refuses_what_windows_cannot_do(emulator: Emulator, tmp_path: Path) -> None:
    """The tenant says it, before anything is written; so does the relay."""
    before = emulator.admin.tenant("contoso.com"), Lab(emulator, NAME).document["smtp_servers"]
    output, numbers = site(emulator, tmp_path, relay={"relay_upstream": "oauth"})
    assert numbers == {"contoso": (0, 1), NAME: (0, 1)}, output
    text = " ".join(output.split())
    assert (
        "win1.contoso.com has relay_upstream oauth, and a relay on Windows has no OAuth: use connector with relay_public_addresses" in text
    )
    assert "relay_upstream is oauth, and IIS SMTP Server has no OAuth: use connector, or use a relay host on Linux" in text
    assert (emulator.admin.tenant("contoso.com"), Lab(emulator, NAME).document["smtp_servers"]) == before


def test_offboarding_removes_the_relay_before_its_tenant(emulator: Emulator, tmp_path: Path) -> None:
    """The mail of a relay on Windows leaves through the tenant, like that of one on Linux."""

    def state() -> tuple[Any, Any]:
        connectors = [one["name"] for one in emulator.admin.tenant("contoso.com")["inbound_connectors"]]
        document = Lab(emulator, NAME).document
        return connectors, (document["smtp_servers"], document["firewall"])

    def offboard(*options: str) -> Played:
        return site(emulator, tmp_path, "-e", "offboard_tenants=contoso", *options, playbook="offboard.yml")

    output, numbers = site(emulator, tmp_path)
    assert [failed for _changed, failed in numbers.values()] == [0, 0], output
    before = state()
    assert before[0] == [f"mailops {NAME}"]
    output, numbers = offboard()
    assert (numbers["contoso"], state()) == ((0, 1), before), output
    assert f"{NAME}: relay hosts that send through this tenant. Set offboard_relay_hosts to their names" in " ".join(output.split())
    relays = ("-e", f"offboard_relay_hosts={NAME}")
    output, numbers = offboard(*relays, "--check")
    assert (numbers, state()) == ({"localhost": (0, 0), "contoso": (1, 0), NAME: (2, 0)}, before), output
    output, numbers = offboard(*relays)
    assert numbers == {"localhost": (0, 0), "contoso": (1, 0), NAME: (2, 0)}, output
    connectors, (servers, rules) = state()
    assert (connectors, Lab(emulator, NAME).ports["smtp_ports"]) == ([], {})
    assert (servers, rules) != before[1]
    assert "Nothing of m365_owner is left in the tenant." in output
    output, numbers = offboard(*relays)
    assert numbers == {"localhost": (0, 0), "contoso": (0, 0), NAME: (0, 0)}, output
