"""40 Windows hosts in one run: WinRM's quotas are met by one shell of the user on each host, and as many commands as there are scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.windows_lab import Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

pytestmark = pytest.mark.tier_all

HOSTS = tuple(f"win{number:02}" for number in range(1, 41))
# MaxShellsPerUser is 30 on Windows, MaxConcurrentOperationsPerUser 1500: a run needs far less.
QUOTAS = {"basic": True, "max_shells_per_user": 1, "max_operations_per_user": 25}
SERVER: dict[str, Any] = {
    "windows_smtp_server": {
        "fqdn": "relay.contoso.com",
        "relay_networks": ["10.1.2.0/24"],
        "upstream": {"host": "contoso-com.mail.protection.outlook.com"},
    }
}
FIREWALL: dict[str, Any] = {"windows_relay_firewall": {"networks": ["10.1.2.0/24"], "ports": [25]}}
TASKS = (SERVER, FIREWALL, {"windows_relay_info": {}})


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    hosts = [host_document(name, winrm=QUOTAS) for name in HOSTS]
    with Emulator({"windows": hosts, "tenants": []}, directory=tmp_path / "windows") as running:
        yield running


def test_forty_hosts_in_one_run(emulator: Emulator, tmp_path: Path) -> None:
    """The first connection configures the hosts, the second finds them configured; each reads the same of every host."""
    for connection in CONNECTIONS:
        (tmp_path / connection).mkdir()
        configure(emulator, tmp_path / connection, connection, changed=connection == CONNECTIONS[0])


def configure(emulator: Emulator, directory: Path, connection: str, *, changed: bool) -> None:
    playbook = Playbook(emulator, directory)
    before = {name: commands(emulator, name) for name in HOSTS}
    ran = playbook.run(*TASKS, hosts=HOSTS, connection=connection, options=("--forks", "20"), timeout=1800)
    assert ran.code == 0, ran.output[-20000:]
    for name in HOSTS:
        server, firewall, info = ran.results[name]
        assert (server["changed"], firewall["changed"]) == (changed, changed), (connection, name)
        requests = [one["cost"]["requests"] for one in (server, firewall, info)]
        assert requests == [one["cost"]["requests"] for one in ran.results[HOSTS[0]]], (connection, name)
        # By winrm each script is a process; psrp runs it in the runspace of its shell.
        assert commands(emulator, name) - before[name] == sum(requests), (connection, name)
        assert info["windows_relay"]["iis_smtp"]["managed"], (connection, name)
        assert Lab(emulator, name).document["refused"] == []
    assert max(sum(one["cost"]["requests"] for one in ran.results[name]) for name in HOSTS) <= 30


def commands(emulator: Emulator, name: str) -> int:
    """The scripts that a host has run: PowerShell logs the text of each (event 4104)."""
    return sum("$ErrorActionPreference = 'Stop'" in text for text in Lab(emulator, name).events(4104))
