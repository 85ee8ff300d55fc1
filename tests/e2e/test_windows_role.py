"""Role relay_windows by playbook site, with group windows_relays by winrm and by psrp: a device's message arrives, no stranger's."""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import STATE, until
from tests.emulator.windows_lab import Lab, host_document

from .test_playbooks import REPO
from .test_windows_hmailserver import ADMIN, CONTENT, DIGEST, SETUP
from .test_windows_smtp_relay import CONNECTOR, NETWORK, PUBLIC, UNKNOWN, connect, send
from .windows_playbook import CONNECTIONS, Playbook

DEVICES = [{"name": "Printers", "networks": ["10.1.2.0/24"], "senders": ["noreply@contoso.com"]}]
COMMON: dict[str, Any] = {
    "relay_hostname": "relay.contoso.com",
    "relay_devices": DEVICES,
    "relay_connector_host": "contoso-com.mail.protection.outlook.com",
}
PRODUCTS: dict[str, dict[str, Any]] = {
    "iis_smtp": {},
    "hmailserver": {
        "relay_windows_installer": {"path": SETUP, "sha256": DIGEST},
        "relay_windows_admin_password": ADMIN,
    },
}
# Each product by each connection: product and connection of each host.
HOSTS = {f"{product.replace('_', '')}-{connection}": (product, connection) for product in PRODUCTS for connection in CONNECTIONS}


@dataclass
class Site:
    """Runs playbook site on the hosts."""

    playbook: Playbook

    def run(self, *options: str, hosts: tuple[str, ...] = tuple(HOSTS), **variables: Any) -> tuple[str, dict[str, tuple[int, int]]]:
        """The output, and for each host how many tasks changed something, and how many failed."""
        directory = self.playbook.directory
        inventory = directory / "site.json"
        inventory.write_text(json.dumps({"windows_relays": {"hosts": {name: self.variables(name) | variables for name in hosts}}}))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        environment = os.environ | {"ANSIBLE_HOME": str(directory), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_STDOUT_CALLBACK": "default"}
        done = subprocess.run(
            [program, "-i", str(inventory), "-vv", "--diff", *options, str(REPO / "playbooks/site.yml")],
            check=False, capture_output=True, text=True, timeout=480, cwd=REPO, env=environment,
        )  # fmt: skip
        totals = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", done.stdout, re.MULTILINE)
        numbers = {name: (int(changed), int(unreachable) + int(failed)) for name, changed, unreachable, failed in totals}
        return done.stdout + done.stderr, numbers

    def variables(self, name: str) -> dict[str, Any]:
        product, connection = HOSTS[name]
        return self.playbook.variables(name, connection) | COMMON | PRODUCTS[product] | {"relay_windows_product": product}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    setup = {"path": SETUP, "content": base64.b64encode(CONTENT).decode("ascii"), "installs": "5.6.9-B2632"}
    hosts = [
        host_document(name, outbound_address=PUBLIC, **({"files": [setup]} if product == "hmailserver" else {}))
        for name, (product, _connection) in HOSTS.items()
    ]
    state = copy.deepcopy(STATE) | {"windows": hosts, "network": NETWORK}
    state["tenants"][0]["inbound_connectors"] = [CONNECTOR]
    with Emulator(state, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def site(emulator: Emulator, tmp_path: Path) -> Site:
    return Site(Playbook(emulator, tmp_path))


def settings(emulator: Emulator, name: str) -> dict[str, Any]:
    """What a relay changes on its host."""
    document = Lab(emulator, name).document
    return {key: document.get(key) for key in ("features", "services", "firewall", "smtp_servers", "hmailserver", "registry", "files")}


def test_check_converge_use_and_restore(site: Site) -> None:
    emulator = site.playbook.emulator
    before = {name: settings(emulator, name) for name in HOSTS}
    output, predicted = site.run("--check")
    assert predicted == dict.fromkeys(HOSTS, (2, 0)), output
    assert {name: settings(emulator, name) for name in HOSTS} == before
    output, first = site.run()
    assert first == dict.fromkeys(HOSTS, (2, 0)), output
    output, second = site.run()
    assert second == dict.fromkeys(HOSTS, (0, 0)), output
    for name in HOSTS:
        send(emulator, name, "ops@contoso.com", f"scan through {name}")
        until(lambda name=name: f"scan through {name}" in [one["subject"] for one in emulator.admin.messages()])  # type: ignore[misc]
        message = next(one for one in emulator.admin.messages() if one["subject"] == f"scan through {name}")
        assert (message["recipients"], message["connector"]) == (["ops@contoso.com"], "relay")
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            connect(emulator, name, UNKNOWN)
        assert Lab(emulator, name).document["refused"] == []
    output, removed = site.run(relay_state="absent")
    assert removed == dict.fromkeys(HOSTS, (2, 0)), output
    output, again = site.run(relay_state="absent")
    assert again == dict.fromkeys(HOSTS, (0, 0)), output
    for name in HOSTS:
        assert settings(emulator, name)["firewall"] == before[name]["firewall"]
        assert Lab(emulator, name).ports["smtp_ports"] == {}
    assert ADMIN not in output


def test_refused_before_anything_is_written(site: Site) -> None:
    """Every problem at once, and no secret among them."""
    emulator, [name] = site.playbook.emulator, [name for name in HOSTS if name == "hmailserver-psrp"]
    before = settings(emulator, name)
    smart_host = {"host": "relay1.contoso.com", "username": "branch1", "password": "a canary", "tls": "none"}
    devices = [DEVICES[0] | {"networks": ["203.0.113.0/24"], "rewrite": True}]
    output, numbers = site.run(hosts=(name,), relay_upstream="smarthost", relay_smarthost=smart_host, relay_devices=devices)
    assert numbers == {name: (0, 1)}
    text = " ".join(output.split())
    assert "relay_smarthost.tls is none, which would send the password in clear text: use verify or encrypt." in text
    assert "relay_devices has 203.0.113.0/24, which is not private" in text
    assert "relay_devices, Printers: rewrite is true, and hMailServer does not replace senders: use a relay host on Linux" in text
    assert "a canary" not in output
    output, numbers = site.run(hosts=(name,), relay_upstream="oauth")
    assert numbers == {name: (0, 1)}
    assert "relay_upstream is oauth, and hMailServer has no OAuth" in " ".join(output.split())
    assert settings(emulator, name) == before
