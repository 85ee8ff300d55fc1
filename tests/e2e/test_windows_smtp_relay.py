"""What a relay does that module windows_smtp_server has configured: mail of devices arrives, and unknown clients relay nothing."""

from __future__ import annotations

import base64
import copy
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import Emulator
from tests.emulator.conftest import STATE, until
from tests.emulator.test_windows_iis_clients import unverified
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document

from .windows_playbook import CONNECTIONS, Playbook

# Addresses on this host, and those that they stand for.
DEVICE, NEIGHBOUR, UNKNOWN, PUBLIC = "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.9"
NETWORK = {DEVICE: "10.1.2.5", NEIGHBOUR: "10.1.9.9", UNKNOWN: "198.51.100.7", PUBLIC: "203.0.113.10"}
CONNECTOR = {"name": "relay", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.10"]}
MX = {"host": "contoso-com.mail.protection.outlook.com"}
RELAY = {"fqdn": "relay.contoso.com", "relay_networks": ["10.1.2.0/24"], "connection_networks": ["10.1.0.0/16"], "upstream": MX}
OPEN = {"name": "smtp", "protocol": "TCP", "local_ports": ["25"], "remote_addresses": ["10.0.0.0/255.0.0.0"]}
HOSTS = (*CONNECTIONS, "smarthost", "drained", "attention", "authenticated")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    hosts = [host_document(name, outbound_address=PUBLIC, firewall=[] if name in CONNECTIONS else [OPEN]) for name in HOSTS]
    state = copy.deepcopy(STATE) | {"windows": hosts, "network": NETWORK}
    state["tenants"][0]["inbound_connectors"] = [CONNECTOR]
    with Emulator(state, directory=tmp_path_factory.mktemp("windows")) as running:
        yield running


@pytest.fixture
def playbook(emulator: Emulator, tmp_path: Path) -> Playbook:
    return Playbook(emulator, tmp_path)


def connect(emulator: Emulator, host: str, source: str, port: str = "25") -> smtplib.SMTP:
    until(lambda: port in _ports(emulator, host))
    return smtplib.SMTP("127.0.0.1", _ports(emulator, host)[port], "printer.contoso.com", 30, source_address=(source, 0))


def _ports(emulator: Emulator, host: str) -> dict[str, int]:
    return dict(Lab(emulator, host).ports["smtp_ports"])


def send(emulator: Emulator, host: str, recipient: str, subject: str, source: str = DEVICE) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@contoso.com", recipient, subject
    message.set_content("a scan")
    with connect(emulator, host, source) as client:
        client.send_message(message)


def queue(emulator: Emulator, host: str) -> list[dict[str, Any]]:
    return list(Lab(emulator, host).document["smtp_servers"][0]["queue"])


TRICKS = [
    ("a@contoso.com", "b@example.net"),
    ("", "b@example.net"),
    ("postmaster@relay.contoso.com", "b@example.net"),
    ("a@localhost", "b@example.net"),
    ("a@[127.0.0.1]", "b@example.net"),
    ("a@contoso.com", "b%example.net@relay.contoso.com"),
    ("a@contoso.com", "b%example.net@[127.0.0.1]"),
    ("a@contoso.com", "b@example.net@relay.contoso.com"),
    ("a@contoso.com", '"b@example.net"@relay.contoso.com'),
    ("a@contoso.com", "@relay.contoso.com:b@example.net"),
    ("a@contoso.com", "example.net!b@relay.contoso.com"),
    ("a@contoso.com", "example.net!b"),
    ("a@contoso.com", "b@example.net "),
]


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_a_devices_message_arrives_and_nobody_else_relays(playbook: Playbook, connection: str) -> None:
    host, emulator = connection, playbook.emulator
    firewall = {"windows_relay_firewall": {"networks": ["10.1.0.0/16"]}}
    ran = playbook.run({"windows_smtp_server": RELAY}, firewall, hosts=(host,), connection=connection)
    assert ran.code == 0, ran.output
    before = len(emulator.admin.messages())
    send(emulator, host, "ops@contoso.com", f"scan by {connection}")
    until(lambda: len(emulator.admin.messages()) == before + 1)
    message = emulator.admin.messages()[-1]
    assert (message["recipients"], message["connector"]) == (["ops@contoso.com"], "relay")
    assert b"by relay.contoso.com with Microsoft SMTPSVC" in emulator.admin.raw_message(message["number"])
    with connect(emulator, host, NEIGHBOUR) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        for sender, recipient in TRICKS:
            client.rset()
            assert client.mail(sender)[0] == 250
            code, text = client.docmd(f"RCPT TO:<{recipient}>")
            assert code in (501, 550), (sender, recipient, text)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        connect(emulator, host, UNKNOWN)
    with connect(emulator, host, DEVICE) as client:
        client.ehlo()
        assert client.docmd("MAIL FROM:<a@contoso.com> SIZE=36700161")[0] == 552
        assert client.docmd("MAIL FROM:<a@contoso.com> SIZE=36700160")[0] == 250
    until(lambda: queue(emulator, host) == [])
    assert len(emulator.admin.messages()) == before + 1


def test_a_wrong_password_of_the_smart_host_keeps_messages(playbook: Playbook) -> None:
    host, emulator = "smarthost", playbook.emulator
    address = emulator.cloud["smtp_host"], emulator.cloud["smtp_port"]
    emulator.admin.change_windows_host(host, smtp_routes={"mail.example.com:587": f"{address[0]}:{address[1]}"}, outbound_address="")
    upstream = {"host": "mail.example.com", "port": 587, "username": "ops@contoso.com", "password": "a wrong password"}
    playbook.one({"windows_smtp_server": RELAY | {"upstream": upstream, "connection_networks": []}}, host)
    send(emulator, host, "someone@example.net", "stays")
    until(lambda: [one["attempts"] for one in queue(emulator, host)] == [1])
    assert queue(emulator, host)[0]["last_error"].startswith("535 5.7.")
    read = [playbook.one({"windows_relay_info": {}}, host, connection=connection) for connection in CONNECTIONS]
    relay = read[0]["windows_relay"]["iis_smtp"]
    assert relay == read[1]["windows_relay"]["iis_smtp"]
    assert (relay["managed"], relay["service"]) == (True, {"state": "running", "start_mode": "auto"})
    server = relay["virtual_server"]
    assert (server["queue"]["count"], server["bad_mail"]["count"], server["open_relay"]) == (1, 0, False)
    assert server["queue"]["size"] > 100
    assert server["upstream"] == {"host": "mail.example.com", "port": 587}
    [error] = server["errors"]
    assert error["reply"].startswith("535 5.7.")
    assert (error["count"], bool(error["cause"]), bool(error["remedy"])) == (1, True, True)
    [attention] = read[0]["attention"]
    assert (attention["kind"], attention["subject"]) == ("relay", host)
    assert attention["problem"].startswith("The queue has 1 message; the upstream server answers: 535 5.7.")
    assert attention["remedy"] == f"{error['cause']} {error['remedy']}"


def test_what_needs_attention(playbook: Playbook) -> None:
    """A stopped service, an open relay, bad mail, and a certificate that expires; then a virtual server that is missing."""
    host, emulator = "attention", playbook.emulator
    playbook.one({"windows_smtp_server": RELAY}, host)
    assert "attention" not in playbook.one({"windows_relay_info": {}}, host)
    document = Lab(emulator, host).document
    services = [one | ({"start_mode": "Manual", "state": "Stopped"} if one["name"] == "SMTPSVC" else {}) for one in document["services"]]
    mail = {"id": "m", "sender": "", "recipients": ["a@example.net"], "raw": "YQ==", "arrived": "2026-11-20T00:00:00Z"}
    [server] = document["smtp_servers"]
    server |= {"relay_list": {"grant_by_default": True}, "bad_mail": [mail | {"id": f"m{number}"} for number in range(120)]}
    certificates = [{"names": ["relay.contoso.com"], "not_after": "2020-01-01T00:00:00Z", "thumbprint": "ab12"}]
    emulator.admin.change_windows_host(host, services=services, smtp_servers=[server], certificates=certificates)
    result = playbook.one({"windows_relay_info": {}}, host)
    problems = [one["problem"] for one in result["attention"]]
    assert problems == [
        "The SMTP service is stopped.",
        "The SMTP service has the start mode manual: it is stopped after a restart.",
        "Everybody who can connect may relay.",
        "C:\\inetpub\\mailroot\\Badmail has 120 messages that could be neither delivered nor returned.",
        "The certificate of relay.contoso.com has expired (AB12).",
    ]
    assert result["windows_relay"]["iis_smtp"]["virtual_server"]["bad_mail"]["oldest"] == "2026-11-20T00:00:00.0000000Z"
    emulator.admin.change_windows_host(host, smtp_servers=[])
    result = playbook.one({"windows_relay_info": {}}, host)
    assert result["attention"][-1]["problem"] == "The virtual SMTP server is missing, as after an upgrade of Windows."
    assert Lab(emulator, host).document["refused"] == []


def test_absent_waits_until_the_queue_is_empty(playbook: Playbook) -> None:
    host, emulator = "drained", playbook.emulator
    playbook.one({"windows_smtp_server": RELAY | {"upstream": {"host": "gone.example.com"}}}, host)
    send(emulator, host, "someone@example.net", "stays")
    until(lambda: [one["attempts"] for one in queue(emulator, host)] == [1])
    ran = playbook.run({"windows_smtp_server": {"state": "absent", "drain_timeout": 1}}, hosts=(host,))
    assert ran.code == 2
    assert r"drained has 1 message in C:\inetpub\mailroot\Queue after 1 seconds. Devices cannot connect any more." in ran.text
    with pytest.raises(smtplib.SMTPServerDisconnected):
        connect(emulator, host, DEVICE)
    [server] = Lab(emulator, host).document["smtp_servers"]
    emulator.admin.change_windows_host(host, smtp_servers=[server | {"queue": []}])
    assert playbook.one({"windows_smtp_server": {"state": "absent", "drain_timeout": 1}}, host)["changed"] is True
    assert Lab(emulator, host).document["refused"] == []


def test_devices_that_authenticate(playbook: Playbook) -> None:
    """By Windows accounts, Basic by TLS only; another network may relay then, and a wrong password opens nothing."""
    host, emulator = "authenticated", playbook.emulator
    options = RELAY | {"authentication": ["anonymous", "basic", "windows"], "require_tls": True, "relay_authenticated": True}
    assert playbook.one({"windows_smtp_server": options}, host)["changed"] is True
    certificates = [{"names": ["relay.contoso.com"], "not_after": "2100-01-01T00:00:00Z"}]
    emulator.admin.change_windows_host(host, certificates=certificates)
    assert playbook.one({"windows_smtp_server": options}, host)["changed"] is False
    for password, code in ((PASSWORD, 250), ("wrong", 550)):
        with connect(emulator, host, NEIGHBOUR) as client:
            client.ehlo()
            assert client.docmd("MAIL FROM:<a@contoso.com>")[0] == 530
            client.starttls(context=unverified())
            client.ehlo()
            user, secret = (base64.b64encode(one.encode()).decode() for one in (USER, password))
            assert client.docmd(f"AUTH LOGIN {user}")[0] == 334
            assert client.docmd(secret)[0] == (235 if code == 250 else 535)
            client.mail("noreply@contoso.com")
            assert client.rcpt("someone@example.net")[0] == code
