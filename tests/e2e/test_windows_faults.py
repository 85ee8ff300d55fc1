"""Failures of Windows hosts and of their connections in a run: a sentence with a remedy, and the end of the journal's entry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.windows_lab import Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

SERVER = {
    "windows_smtp_server": {
        "fqdn": "relay.contoso.com",
        "relay_networks": ["10.1.2.0/24"],
        "upstream": {"host": "relay1.contoso.com", "port": 587, "username": "branch1", "password": "a password of the smart host"},
    }
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    hosts = [host_document(name) for name in ("win1", *CONNECTIONS)]
    with Emulator({"windows": hosts, "tenants": []}, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def playbook(emulator: Emulator, tmp_path: Path) -> Iterator[Playbook]:
    yield Playbook(emulator, tmp_path)
    emulator.admin.clear_faults()


COMMAND, WMI = {"action": "Command"}, {"stage": "wmi", "class": "Win32_OperatingSystem"}


@pytest.mark.parametrize(
    ("connection", "fault", "match", "parts"),
    [
        ("winrm", "access_denied", COMMAND, ["the connection failed: Access is denied", "a local administrator"]),
        ("psrp", "access_denied", COMMAND, ["the connection failed", "a local administrator"]),
        ("winrm", "shell_gone", COMMAND, ["WinRM has ended the shell"]),
        ("psrp", "quota", COMMAND, ["Raise the quota"]),
        ("winrm", "cut", COMMAND, ["Check WinRM on the host"]),
        ("winrm", "wmi_failed", WMI, ["Windows answered HRESULT 0x80041001: Generic failure. Restart the service Winmgmt"]),
        ("winrm", "wmi_shutting_down", WMI, ["Windows answered HRESULT 0x80041033", "Windows is restarting: run the task again"]),
        ("psrp", "wmi_access_denied", WMI, ["Windows answered HRESULT 0x80041003", "a local administrator"]),
    ],
)
def test_a_sentence_with_a_remedy(playbook: Playbook, connection: str, fault: str, match: dict[str, str], parts: list[str]) -> None:
    playbook.emulator.admin.fault("windows", fault, count=1, match=match)
    ran = playbook.run({"windows_relay_info": {}}, connection=connection)
    assert ran.code == 2, ran.output
    assert "Could not read what the host is on win1: " in ran.text
    assert not [part for part in parts if part not in ran.text], ran.text


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_credentials_that_are_refused(playbook: Playbook, connection: str) -> None:
    playbook.emulator.admin.fault("windows", "unauthorized")
    ran = playbook.run({"windows_relay_info": {}}, connection=connection)
    assert ran.code != 0
    assert "Correct ansible_user and ansible_password" in ran.text, ran.text


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_slow_answer_is_waited_for(playbook: Playbook, connection: str) -> None:
    """WinRM ends an operation without output by a fault, and both clients ask again."""
    playbook.emulator.admin.fault("windows", "timeout", count=2, match={"action": "Receive", "target": "command"})
    assert playbook.one({"windows_relay_info": {}}, connection=connection)["windows_relay"]["host"]["build"] == 20348
    assert [fault["used"] for fault in playbook.emulator.admin.faults()] == [2]


@pytest.mark.parametrize(
    ("connection", "action", "sentence", "remedy"),
    [
        (
            "winrm",
            "Create",
            "basic: WinRM could not complete the operation within its timeout",
            "Raise ansible_winrm_operation_timeout_sec",
        ),
        ("psrp", "Create", "psrp connection failure during runspace open", "Raise ansible_psrp_operation_timeout"),
        ("psrp", "Receive", "psrp connection failure during runspace open", "Raise ansible_psrp_operation_timeout"),
    ],
)
def test_a_connection_that_is_slow_to_open(playbook: Playbook, connection: str, action: str, sentence: str, remedy: str) -> None:
    """The host is unreachable, with the variable of its connection, and every sentence is there once."""
    playbook.emulator.admin.fault("windows", "timeout", match={"action": action, "target": "shell"})
    ran = playbook.run({"windows_relay_info": {}}, connection=connection)
    assert ran.code == 4, ran.output
    message = ran.text.partition("[ERROR]: ")[2].partition("Origin: ")[0]
    assert [message.count(part) for part in (sentence, remedy)] == [1, 1], ran.output


@pytest.mark.parametrize(
    ("connection", "timeouts", "remedy"),
    [
        ("winrm", {"ansible_winrm_operation_timeout_sec": 5, "ansible_winrm_read_timeout_sec": 10}, "Raise ansible_winrm_read_timeout_sec"),
        ("psrp", {"ansible_psrp_operation_timeout": 5, "ansible_psrp_read_timeout": 10}, "Raise ansible_psrp_read_timeout"),
    ],
)
def test_a_read_timeout(playbook: Playbook, connection: str, timeouts: dict[str, Any], remedy: str) -> None:
    playbook.emulator.admin.fault("windows", "stall", match=COMMAND)
    ran = playbook.run({"windows_relay_info": {}}, connection=connection, variables=timeouts)
    assert ran.code != 0
    assert remedy in ran.text, ran.text


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_noise_before_the_answer_changes_nothing(playbook: Playbook, connection: str) -> None:
    playbook.emulator.admin.fault("windows", "noise", match={"stage": "script"})
    assert playbook.one({"windows_relay_info": {}}, connection=connection)["windows_relay"]["host"]["build"] == 20348


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_connection_that_is_cut_between_two_writes(playbook: Playbook, connection: str) -> None:
    """The journal's entry ends, the host is not an open relay, and the next run completes it."""
    host, admin = connection, playbook.emulator.admin
    admin.fault("windows", "wmi_failed", count=1, match={"host": host, "stage": "wmi", "class": "IIsSmtpServerSetting"})
    ran = playbook.run(SERVER, hosts=(host,), connection=connection)
    assert ran.code == 2, ran.output
    assert "changed: true" in ran.text
    phases = [json.loads(line)["phase"] for line in playbook.journal(host).splitlines()]
    assert phases == ["before", "failed"]
    for server in Lab(playbook.emulator, host).document["smtp_servers"]:
        assert not (server["relay_list"] or {}).get("grant_by_default")
    admin.clear_faults()
    ran = playbook.run(SERVER, SERVER, hosts=(host,), connection=connection)
    assert [one["changed"] for one in ran.results[host]] == [True, False], ran.output
    assert Lab(playbook.emulator, host).document["refused"] == []


def test_http_with_basic_is_refused(playbook: Playbook) -> None:
    variables: dict[str, Any] = {"ansible_winrm_scheme": "http", "ansible_port": Lab(playbook.emulator).ports["http_port"]}
    ran = playbook.run({"windows_relay_info": {}}, variables=variables)
    assert ran.code == 2
    assert "The connection of win1 sends passwords in plain text (http and basic): use https" in ran.text
