"""Module windows_smtp_server on emulated Windows hosts, by winrm and by psrp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.windows_lab import Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

PASSWORD = "cänary \"'`$(1+1);<&>% of a smart host" + "x" * 90
HOSTS: dict[str, dict[str, Any]] = {name: {} for name in (*CONNECTIONS, "checked", "restored", "password", "lost", "restarted")}
HOSTS["restarted"] = {"features_with_restart": ["SMTP-Server"], "restart_seconds": 1}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    documents = [host_document(name, **keys) for name, keys in HOSTS.items()]
    with Emulator({"windows": documents, "tenants": []}, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def playbook(emulator: Emulator, tmp_path: Path) -> Playbook:
    return Playbook(emulator, tmp_path)


def task(**changed: Any) -> dict[str, Any]:
    upstream = {"host": "relay1.contoso.com", "port": 587, "username": "branch1", "password": PASSWORD}
    options = {"fqdn": "relay.contoso.com", "relay_networks": ["10.1.2.0/24", "10.1.3.7"], "upstream": upstream}
    return {"windows_smtp_server": options | changed}


ABSENT = {"windows_smtp_server": {"state": "absent"}}


def server(emulator: Emulator, host: str) -> dict[str, Any]:
    [match] = Lab(emulator, host).document["smtp_servers"]
    return dict(match)


def service(emulator: Emulator, host: str) -> tuple[str, str]:
    [match] = [one for one in Lab(emulator, host).document["services"] if one["name"] == "SMTPSVC"]
    return match["state"], match["start_mode"]


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_converge_on_a_host_without_the_feature(playbook: Playbook, connection: str) -> None:
    host, emulator = connection, playbook.emulator
    ran = playbook.run(task(), task(), hosts=(host,), connection=connection)
    assert ran.code == 0, ran.output
    first, second = ran.results[host]
    assert (first["changed"], second["changed"], second["cost"]["requests"]) == (True, False, 3)
    assert first["smtp_server"] == second["smtp_server"]
    assert first["smtp_server"]["relay_networks"] == ["10.1.2.0/24", "10.1.3.7", "127.0.0.1"]
    match = server(emulator, host)
    entries = ["10.1.2.0, 255.255.255.0", "10.1.3.7, 255.255.255.255", "127.0.0.1, 255.255.255.255"]
    for name in ("relay_list", "connections"):
        assert (match[name]["ip_grant"], match[name]["grant_by_default"]) == (entries, False)
    properties = match["properties"]
    assert {name: properties[name] for name in ("SmartHost", "RemoteSmtpPort", "RouteAction", "RouteUserName", "RoutePassword")} == {
        "SmartHost": "relay1.contoso.com", "RemoteSmtpPort": 587, "RouteAction": 268, "RouteUserName": "branch1", "RoutePassword": PASSWORD
    }  # fmt: skip
    assert service(emulator, host) == ("Running", "Auto")
    document = Lab(emulator, host).document
    assert document["refused"] == []
    everything = [ran.output, playbook.journal(host), json.dumps(document["events"], ensure_ascii=False), json.dumps(document["registry"])]
    for text in everything:
        assert not [part for part in (PASSWORD, PASSWORD[:12], json.dumps(PASSWORD)[1:20]) if part in text]


def test_both_connections_leave_the_same(playbook: Playbook) -> None:
    results = []
    for connection in CONNECTIONS:
        playbook.one(task(), connection, connection=connection)
        one = server(playbook.emulator, connection)
        one["properties"].pop("RoutePassword")
        results.append({name: value for name, value in one.items() if name not in ("queue", "bad_mail")})
    assert results[0] == results[1]


def test_check_mode_predicts_and_writes_nothing(playbook: Playbook) -> None:
    before = {name: value for name, value in Lab(playbook.emulator, "checked").document.items() if name != "events"}
    predicted = playbook.one(task(), "checked", check=True)
    after = {name: value for name, value in Lab(playbook.emulator, "checked").document.items() if name != "events"}
    assert before == after
    assert playbook.journal("checked") == ""
    real = playbook.one(task(), "checked")
    assert predicted["diff"] == real["diff"]
    assert predicted["smtp_server"] == real["smtp_server"]
    changed = task(
        max_message_size=20000000, relay_networks=["10.1.2.0/25"], connection_networks=["10.0.0.0/8"], listeners=[{"port": 2525}]
    )
    predicted = playbook.one(changed, "checked", check=True)
    assert server(playbook.emulator, "checked")["bindings"] == [":25:"]
    real = playbook.one(changed, "checked")
    assert predicted["diff"] == real["diff"]
    assert real["diff"]["before"]["settings"] == {"MaxMessageSize": 36700160}
    assert real["diff"]["after"]["relay_networks"] == ["10.1.2.0/25", "127.0.0.1"]
    assert server(playbook.emulator, "checked")["bindings"] == [":2525:"]
    assert playbook.one(changed, "checked")["changed"] is False


def test_absent_restores_what_was_there(playbook: Playbook) -> None:
    emulator = playbook.emulator
    old = {
        "properties": {"SmartHost": "old.contoso.com", "SmartHostType": 2, "MaxRecipients": 7},
        "bindings": ["10.9.9.9:2500:"],
        "relay_list": {"ip_grant": ["10.9.0.0, 255.255.0.0"]},
        "connections": {"grant_by_default": True, "ip_deny": ["10.9.1.1, 255.255.255.255"]},
    }
    features = ["Web-Metabase", "SMTP-Server", "Web-WMI"]
    services = [
        *Lab(emulator, "restored").document["services"],
        {"name": "IISADMIN", "start_mode": "Auto", "state": "Running"},
        {"name": "SMTPSVC", "start_mode": "Manual", "state": "Running", "depends_on": ["IISADMIN"]},
    ]
    emulator.admin.change_windows_host("restored", features=features, services=services, smtp_servers=[old])
    before = server(emulator, "restored")
    assert playbook.one(ABSENT, "restored")["changed"] is False
    assert playbook.one(task(), "restored")["changed"] is True
    assert playbook.one(task(max_recipients=50), "restored")["changed"] is True
    assert playbook.one(ABSENT, "restored", check=True)["changed"] is True
    assert server(emulator, "restored")["properties"]["MaxRecipients"] == 50
    gone = playbook.one(ABSENT, "restored")
    assert gone["changed"] is True
    after = server(emulator, "restored")
    assert "RoutePassword" not in {name for name, value in after["properties"].items() if value}
    for name in ("bindings", "relay_list", "connections"):
        assert after[name] == before[name], name
    kept = {name: value for name, value in after["properties"].items() if value not in ("", None)}
    assert kept == {name: value for name, value in before["properties"].items() if value not in ("", None)}
    assert service(emulator, "restored") == ("Running", "Manual")
    assert playbook.one(ABSENT, "restored")["changed"] is False
    assert Lab(emulator, "restored").document["refused"] == []


def test_absent_removes_features_that_it_installed(playbook: Playbook) -> None:
    ran = playbook.run(task(), ABSENT, ABSENT, hosts=("password",))
    assert [one["changed"] for one in ran.results["password"]] == [True, True, False], ran.output
    document = Lab(playbook.emulator, "password").document
    assert [one for one in document["features"] if one in ("SMTP-Server", "Web-WMI")] == []
    assert "Restart password to complete the removal of SMTP-Server, Web-WMI." in ran.text
    playbook.emulator.admin.change_windows_host("password", reboot_pending=False)


def test_when_a_password_is_written(playbook: Playbook) -> None:
    host, emulator = "password", playbook.emulator
    upstream = {"host": "relay1.contoso.com", "port": 587, "username": "branch1"}
    first, second = task(), task(upstream=upstream | {"password": "another one, longer"})
    tasks = (first, first, second, second, task(upstream=upstream | {"password": "x y z " * 9}, update_password="on_create"))
    ran = playbook.run(*tasks, hosts=(host,))
    assert [one["changed"] for one in ran.results[host]] == [True, False, True, False, False], ran.output
    assert server(emulator, host)["properties"]["RoutePassword"] == "another one, longer"
    digests = (playbook.directory / "journal" / f"{host}.digests.json").read_text()
    assert "another one" not in digests
    ran = playbook.run(task(update_password="always"), task(update_password="always"), hosts=(host,))
    assert [one["changed"] for one in ran.results[host]] == [True, True]
    connector = task(upstream={"host": "contoso-com.mail.protection.outlook.com"})
    assert playbook.one(connector, host)["changed"] is True
    properties = server(emulator, host)["properties"]
    assert (properties.get("RoutePassword") or "", properties.get("RouteUserName") or "", properties["RouteAction"]) == ("", "", 4)
    assert playbook.one(connector, host)["changed"] is False


def test_an_upgrade_that_lost_the_virtual_server_is_healed(playbook: Playbook) -> None:
    host, emulator = "lost", playbook.emulator
    playbook.one(task(), host)
    before = server(emulator, host)
    services = [
        one | ({"start_mode": "Manual", "state": "Stopped"} if one["name"] == "SMTPSVC" else {})
        for one in Lab(emulator, host).document["services"]
    ]
    emulator.admin.change_windows_host(host, smtp_servers=[], services=services)
    assert playbook.one(task(), host, check=True)["changed"] is True
    assert playbook.one(task(), host)["changed"] is True
    after = server(emulator, host)
    for name in ("bindings", "relay_list", "connections"):
        assert after[name] == before[name]
    for folder in ("QueueDirectory", "BadMailDirectory", "PickupDirectory", "DropDirectory"):
        assert after["properties"].pop(folder, None) in (
            None,
            "C:\\inetpub\\mailroot\\"
            + {"QueueDirectory": "Queue", "BadMailDirectory": "Badmail"}.get(folder, folder.removesuffix("Directory")),
        )
    assert after["properties"] == before["properties"]
    assert service(emulator, host) == ("Running", "Auto")
    assert playbook.one(task(), host)["changed"] is False
    assert Lab(emulator, host).document["refused"] == []


def test_a_feature_that_needs_a_restart(playbook: Playbook) -> None:
    host, emulator = "restarted", playbook.emulator
    ran = playbook.run(task(), hosts=(host,))
    assert ran.code == 2
    assert "Windows needs a restart now: restart the host (ansible.windows.win_reboot), then run this task again." in ran.text
    emulator.admin.change_windows_host(host, features=["Web-Metabase", "SMTP-Server"])
    ran = playbook.run(task(), hosts=(host,))
    assert "restarted waits for a restart, so that Web-WMI cannot be installed: restart it first." in ran.text
    emulator.admin.change_windows_host(host, reboot_pending=False)
    assert playbook.one(task(), host)["changed"] is True
    assert playbook.one(task(), host)["changed"] is False
    assert playbook.one(ABSENT, host)["changed"] is True
    assert "SMTP-Server" not in Lab(emulator, host).document["features"]
