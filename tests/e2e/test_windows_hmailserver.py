"""Module windows_hmailserver on emulated Windows hosts, by winrm and by psrp: a device's message through the relay, and all refusals."""

from __future__ import annotations

import base64
import hashlib
import json
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from emulator.ca import Authority
from emulator.launcher import Emulator
from tests.emulator.conftest import STATE, until
from tests.emulator.windows_lab import Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

CONTENT = b"a setup program"
SETUP = r"C:\Setup\hMailServer.exe"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ADMIN = "Adm1n-\"quotes'-äöü-$x-`y"
MX = "contoso-com.mail.protection.outlook.com"
DEVICE, OTHER, PUBLIC, SCANNER = "127.0.0.5", "127.0.0.6", "127.0.0.9", "127.0.0.7"
NETWORK = {DEVICE: "10.1.2.5", OTHER: "203.0.113.99", PUBLIC: "203.0.113.10", SCANNER: "10.1.3.7"}
CONNECTOR = {"name": "relay", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.10"]}
RULE = {"name": "smtp", "protocol": "TCP", "local_ports": ["25", "587"]}
OPTIONS: dict[str, Any] = {
    "installer": {"path": SETUP, "sha256": DIGEST},
    "admin_password": ADMIN,
    "hostname": "relay.contoso.com",
    "ranges": [{"name": "printers", "networks": ["10.1.2.0/24"]}],
    "upstream": {"host": MX},
}


def document(name: str, **keys: Any) -> dict[str, Any]:
    """A host with a setup program, and the firewall open."""
    setup = {"path": SETUP, "content": base64.b64encode(CONTENT).decode("ascii"), "installs": "5.6.9-B2632"}
    return host_document(name, **{"files": [setup], "firewall": [RULE], "outbound_address": PUBLIC} | keys)


def task(**changed: Any) -> dict[str, Any]:
    return {"windows_hmailserver": {name: value for name, value in (OPTIONS | changed).items() if value is not None}}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    tenant = STATE["tenants"][0] | {"inbound_connectors": [CONNECTOR]}
    state = {"windows": [document(name) for name in (*CONNECTIONS, "scanners", "smarthost")], "tenants": [tenant], "network": NETWORK}
    with Emulator(state, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def playbook(emulator: Emulator, tmp_path: Path) -> Playbook:
    return Playbook(emulator, tmp_path)


def ports(emulator: Emulator, name: str) -> dict[str, int]:
    return dict(next(one for one in emulator.admin.windows_hosts() if one["name"] == name)["smtp_ports"])


def connect(emulator: Emulator, name: str, source: str, port: str = "25") -> smtplib.SMTP:
    until(lambda: port in ports(emulator, name))
    return smtplib.SMTP("127.0.0.1", ports(emulator, name)[port], "printer.contoso.com", 30, source_address=(source, 0))


def send(client: smtplib.SMTP, recipient: str, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@contoso.com", recipient, subject
    message.set_content("scan")
    client.send_message(message)


def server(emulator: Emulator, name: str) -> dict[str, Any]:
    return dict(Lab(emulator, name).document["hmailserver"])


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_installed_configured_used_and_removed(playbook: Playbook, connection: str) -> None:
    emulator = playbook.emulator
    first = playbook.one(task(), connection, connection=connection)
    assert first["changed"]
    assert first["hmailserver"]["version"] == "5.6.9-B2632"
    second = playbook.one(task(), connection, connection=connection)
    assert (second["changed"], second["diff"]["before"], second["cost"]["requests"]) == (False, "", 3)
    with connect(emulator, connection, DEVICE) as client:
        send(client, "someone@example.org", f"from {connection}")
    until(lambda: f"from {connection}" in [one["subject"] for one in emulator.admin.messages()])
    with pytest.raises(smtplib.SMTPServerDisconnected):
        connect(emulator, connection, OTHER)
    assert list(ports(emulator, connection)) == ["25"]
    gone = [{"windows_hmailserver": {"state": "absent", "admin_password": ADMIN}}] * 2
    ran = playbook.run(*gone, hosts=(connection,), connection=connection)
    assert [one["changed"] for one in ran.results[connection]] == [True, False], ran.output
    host = Lab(emulator, connection).document
    assert (host.get("hmailserver"), [one["path"] for one in host["files"]]) == (None, [SETUP])
    again = playbook.one(task(), connection, connection=connection)
    assert again["changed"]
    assert Lab(emulator, connection).document["refused"] == []
    phases = [json.loads(line)["phase"] for line in playbook.journal(connection).splitlines()]
    assert phases == ["before", "done"] * 3


def test_check_mode_and_equal_results_by_both_connections(playbook: Playbook) -> None:
    """A host that has not been configured: the prediction is what the real run does."""
    results = [playbook.one(task(), "scanners", connection=connection, check=True) for connection in CONNECTIONS]
    assert results[0] == results[1]
    assert (results[0]["changed"], results[0]["diff"]["after"]["installed"]) == (True, True)
    assert Lab(playbook.emulator, "scanners").document.get("hmailserver") is None
    assert playbook.journal("scanners") == ""


class TestScanners:
    """Devices that authenticate, and a smart host: another hMailServer, which takes a user name and password."""

    PASSWORD, UPSTREAM = "Sc4nner-$`'\"-geheim", "Upstr3am-$`'\"-geheim"

    def files(self, emulator: Emulator, name: str) -> list[dict[str, Any]]:
        chain, key = Authority(Path(emulator.cloud["ca_file"]).parent).issue([name])
        contents = {r"C:\Certificates\relay.pem": chain, r"C:\Certificates\relay.key": key}
        return [{"path": path, "content": base64.b64encode(content).decode("ascii")} for path, content in contents.items()]

    def options(self) -> dict[str, Any]:
        return {
            "listeners": [{"port": 25}, {"port": 587, "tls": "required"}],
            "certificate": {"certificate_file": r"C:\Certificates\relay.pem", "private_key_file": r"C:\Certificates\relay.key"},
        }

    def test_open_relay_battery_and_canaries(self, playbook: Playbook) -> None:
        emulator = playbook.emulator
        for host, name in (("smarthost", "relay1.contoso.com"), ("scanners", "relay.contoso.com")):
            files = Lab(emulator, host).document["files"]
            emulator.admin.change_windows_host(host, files=[*files, *self.files(emulator, name)])
        upstream = [{"address": "branch1@relay.internal", "password": self.UPSTREAM}]
        public = [{"name": "branches", "networks": ["127.0.0.0/8"], "authenticate": True}]
        smart_host = task(hostname="relay1.contoso.com", accounts=upstream, ranges=public, **self.options())
        ran = playbook.run(smart_host, hosts=("smarthost",))
        assert ran.code == 0, ran.output
        until(lambda: "587" in ports(emulator, "smarthost"))
        route = f"127.0.0.1:{ports(emulator, 'smarthost')['587']}"
        emulator.admin.change_windows_host("scanners", smtp_routes={"relay1.contoso.com:587": route}, outbound_address="")
        scanners = task(
            **self.options(),
            accounts=[{"address": "scanner@relay.internal", "password": self.PASSWORD}],
            ranges=[*OPTIONS["ranges"], {"name": "scanners", "networks": ["10.1.3.0/24"], "authenticate": True}],
            upstream={"host": "relay1.contoso.com", "port": 587, "username": "branch1@relay.internal", "password": self.UPSTREAM},
        )
        runs = [playbook.run(scanners, hosts=("scanners",), connection=connection) for connection in CONNECTIONS]
        assert [one.results["scanners"][0]["changed"] for one in runs] == [True, False], runs[1].output
        self.send_by_user(emulator)
        self.try_to_relay(emulator)
        self.search(playbook, [one.output for one in runs] + [ran.output])
        emulator.admin.change_windows_host("scanners", restart_at=1)
        until(lambda: Lab(emulator, "scanners").document["booted"] > 1 and "25" in ports(emulator, "scanners"))

    def send_by_user(self, emulator: Emulator) -> None:
        context = ssl.create_default_context(cafile=emulator.cloud["ca_file"])
        context.check_hostname = False
        with connect(emulator, "scanners", SCANNER, "587") as client:
            client.starttls(context=context)
            client.login("scanner@relay.internal", self.PASSWORD)
            send(client, "someone@example.org", "by a scanner")
        until(lambda: "by a scanner" in [one["subject"] for one in emulator.admin.messages()])

    def try_to_relay(self, emulator: Emulator) -> None:
        """Strangers get no greeting; devices that have to authenticate relay nothing without it, by no form of address."""
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connect(emulator, "scanners", OTHER)
        recipients = [
            "b@example.net", "b%example.net@relay.internal", "b@example.net@relay.internal", '"b@example.net"@relay.internal',
            "<@relay.internal:b@example.net>", "b!example.net@relay.internal", "scanner@relay.internal", "example.net!b",
        ]  # fmt: skip
        senders = ["a@example.org", "scanner@relay.internal", "", "a@contoso.com"]
        for sender in senders:
            with connect(emulator, "scanners", SCANNER) as client:
                client.ehlo()
                client.mail(sender)
                codes = [client.rcpt(recipient)[0] for recipient in recipients]
                assert [code for code in codes if code < 500] == []
        with connect(emulator, "scanners", SCANNER) as client, pytest.raises(smtplib.SMTPAuthenticationError, match="530"):
            client.login("scanner@relay.internal", self.PASSWORD)

    def search(self, playbook: Playbook, outputs: list[str]) -> None:
        """No secret is in what Windows logs, in Ansible's output, in the journal or beside it."""
        canaries = [self.PASSWORD, self.UPSTREAM, ADMIN]
        canaries += [json.dumps(one)[1:-1] for one in canaries] + [base64.b64encode(one.encode()).decode() for one in canaries]
        lab = Lab(playbook.emulator, "scanners")
        assert lab.document["refused"] == []
        texts = [event["message"] for event in lab.document["events"]] + outputs
        texts += [path.read_text() for path in (playbook.directory / "journal").iterdir()]
        assert len(texts) > 20
        assert not [text for text in texts if any(one in text for one in canaries)]
