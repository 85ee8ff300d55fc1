"""Module windows_relay_firewall on an emulated Windows host, by winrm and by psrp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.windows_lab import Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

OTHERS = [
    {"name": "WINRM-HTTPS", "display_name": "WinRM", "group": "Windows Remote Management", "protocol": "TCP", "local_ports": ["5986"]},
    {"name": "smtp-any", "display_name": "SMTP for all", "protocol": "TCP", "local_ports": ["20-30"]},
    {"name": "outbound-25", "direction": "Outbound", "protocol": "TCP", "local_ports": ["25"]},
    {"name": "mailops-relay-2525", "display_name": "a name of ours", "protocol": "TCP", "local_ports": ["2525"]},
]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    hosts = [host_document(name, firewall=OTHERS) for name in (*CONNECTIONS, "checked", "taken")]
    with Emulator({"windows": hosts, "tenants": []}, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def playbook(emulator: Emulator, tmp_path: Path) -> Playbook:
    return Playbook(emulator, tmp_path)


def rules(emulator: Emulator, host: str) -> list[dict[str, Any]]:
    """The rules that were not there at first."""
    names = [one["name"] for one in OTHERS]
    return [one for one in Lab(emulator, host).document["firewall"] if one["name"] not in names]


TASK = {"windows_relay_firewall": {"networks": ["10.1.2.0/24", "10.1.3.7"], "ports": [25, 587]}}


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_rules_come_change_and_go(playbook: Playbook, connection: str) -> None:
    host, emulator = connection, playbook.emulator
    first = playbook.one(TASK, host, connection=connection)
    assert (first["changed"], [one["name"] for one in first["rules"]]) == (True, ["mailops-relay-25", "mailops-relay-587"])
    made = rules(emulator, host)
    assert [(one["local_ports"], one["remote_addresses"], one["protocol"]) for one in made] == [
        (["25"], ["10.1.2.0/255.255.255.0", "10.1.3.7"], "TCP"),
        (["587"], ["10.1.2.0/255.255.255.0", "10.1.3.7"], "TCP"),
    ]
    assert {one["group"] for one in made} == {"mailops relay"}
    second = playbook.one(TASK, host, connection=connection)
    assert (second["changed"], second["cost"]["requests"]) == (False, 1)
    changed = {"windows_relay_firewall": {"networks": ["10.1.2.0/25"], "profiles": ["private", "domain"]}}
    ran = playbook.run(changed, changed, hosts=(host,), connection=connection)
    assert [one["changed"] for one in ran.results[host]] == [True, False], ran.output
    [rule] = rules(emulator, host)
    assert (rule["local_ports"], rule["remote_addresses"]) == (["25"], ["10.1.2.0/255.255.255.128"])
    assert sorted(rule["profiles"]) == ["Domain", "Private"]
    assert "Port 25 is open by other rules of the firewall, too: SMTP for all." in ran.text
    gone = playbook.run(*[{"windows_relay_firewall": {"state": "absent"}}] * 2, hosts=(host,), connection=connection)
    assert [one["changed"] for one in gone.results[host]] == [True, False], gone.output
    assert rules(emulator, host) == []
    assert len(Lab(emulator, host).document["firewall"]) == len(OTHERS)
    assert Lab(emulator, host).document["refused"] == []
    entries = [json.loads(line) for line in playbook.journal(host).splitlines()]
    assert [one["phase"] for one in entries] == ["before", "done"] * 3
    assert entries[2]["before"][1]["networks"] == ["10.1.2.0/24", "10.1.3.7"]


def test_check_mode_predicts_and_writes_nothing(playbook: Playbook) -> None:
    predicted = playbook.one(TASK, "checked", check=True)
    assert rules(playbook.emulator, "checked") == []
    assert playbook.journal("checked") == ""
    real = playbook.one(TASK, "checked")
    assert (predicted["changed"], predicted["diff"]) == (True, real["diff"])
    rule = rules(playbook.emulator, "checked")[0]
    disabled = [one | {"enabled": one["name"] != rule["name"]} for one in Lab(playbook.emulator, "checked").document["firewall"]]
    playbook.emulator.admin.change_windows_host("checked", firewall=disabled)
    assert playbook.one(TASK, "checked")["diff"]["before"][0]["enabled"] is False
    assert rules(playbook.emulator, "checked")[0]["enabled"] is True


def test_a_rule_of_others_with_this_name_is_kept(playbook: Playbook) -> None:
    ran = playbook.run({"windows_relay_firewall": {"networks": ["10.0.0.0/8"], "ports": [25, 2525]}}, hosts=("taken",))
    assert ran.code == 2
    sentence = "taken has a firewall rule mailops-relay-2525 (a name of ours) that is not in the group mailops relay: rename or remove it."
    assert sentence in ran.text
    assert rules(playbook.emulator, "taken") == []
