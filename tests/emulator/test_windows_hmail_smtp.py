"""hMailServer as devices and Microsoft 365 meet it: what it accepts and where messages go follows from its configuration."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.ca import Authority
from emulator.state.hmailserver import INTERNET
from tests.emulator.conftest import Start, until
from tests.emulator.test_windows_smtp import CONNECTOR, DEVICE, NETWORK, OTHER, PUBLIC, RULE, Relay, refused
from tests.emulator.windows_lab import host_document

SERVICES = [
    {"name": "RpcSs", "start_mode": "Auto", "state": "Running"},
    {"name": "MpsSvc", "start_mode": "Auto", "state": "Running"},
    {"name": "hMailServer", "start_mode": "Auto", "state": "Running", "depends_on": ["RpcSs"]},
]
OPEN = {f"AllowDeliveryFrom{one}To{other}": True for one in ("Local", "Remote") for other in ("Local", "Remote")}
DEVICES = OPEN | {
    "Name": "Devices", "Priority": 50, "LowerIP": "10.1.2.0", "UpperIP": "10.1.2.255", "AllowSMTPConnections": True
}  # fmt: skip
CLOSED = {name: value for name, value in INTERNET.items() if name != "options"}
TO_MX = {"SMTPRelayer": "contoso-com.mail.protection.outlook.com", "SMTPRelayerPort": 25, "SMTPRelayerConnectionSecurity": 3}
DOMAIN = {
    "id": 1,
    "properties": {"Name": "relay.internal", "Active": True},
    "accounts": [{"id": 1, "properties": {"Address": "scanner@relay.internal", "Password": "geheim", "Active": True}}],
}
LOGGING = {"Enabled": True, "LogSMTP": True, "LogApplication": True}


def document(properties: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A host with hMailServer that is ready to relay for 10.1.2.0/24. `keys` of hmailserver are in the same mapping."""
    ranges = [{"id": number, "properties": one} for number, one in enumerate(keys.pop("ranges", [CLOSED, DEVICES]), 1)]
    server = {"properties": TO_MX | (properties or {}), "ranges": ranges, "logging": LOGGING} | keys.pop("server", {})
    more = {"outbound_address": PUBLIC, "services": SERVICES, "firewall": [RULE | {"local_ports": ["25", "465", "587"]}]}
    return host_document(hmailserver=server, **more | keys)


class HMailRelay(Relay):
    @property
    def server(self) -> dict[str, Any]:
        return dict(self.lab.document["hmailserver"])

    def change(self, **keys: Any) -> None:
        self.api.admin.change_windows_host("win1", hmailserver=keys)


Begin = Callable[..., HMailRelay]


@pytest.fixture
def relay(start: Start) -> Begin:
    def begin(properties: dict[str, Any] | None = None, **keys: Any) -> HMailRelay:
        hosts = [document(properties, **keys)]
        return HMailRelay(start(windows=hosts, network=NETWORK, tenant={"inbound_connectors": [CONNECTOR]}))

    return begin


class TestWhoMaySend:
    def test_a_devices_message_arrives_in_the_mailbox(self, relay: Begin) -> None:
        host = relay({"HostName": "mail.contoso.com"})
        host.send("someone@example.org")
        until(lambda: len(host.api.admin.messages()) == 1)
        [message] = host.api.admin.messages()
        assert (message["recipients"], message["connector"]) == (["someone@example.org"], "relay")
        raw = host.api.admin.raw_message(message["number"])
        assert b"Received: from printer.contoso.com (Unknown [10.1.2.5])\r\n\tby mail.contoso.com with ESMTP" in raw
        assert host.queue() == []

    def test_a_range_that_does_not_allow_smtp_gives_no_greeting(self, relay: Begin) -> None:
        host = relay()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            host.connect(OTHER)
        host.connect(DEVICE).quit()

    def test_the_highest_priority_wins_alone(self, relay: Begin) -> None:
        narrow = CLOSED | {"Name": "Closed", "Priority": 60, "LowerIP": "10.1.2.5", "UpperIP": "10.1.2.5", "AllowSMTPConnections": True}
        with relay(ranges=[CLOSED, DEVICES, narrow]).connect() as client:
            assert refused(client, "a@contoso.com", "b@example.org") == (550, "Delivery is not allowed to this address.")

    def test_as_installed_everybody_is_asked_for_authentication(self, relay: Begin) -> None:
        with relay(ranges=[INTERNET]).connect(OTHER) as client:
            assert refused(client, "a@example.org", "b@example.net") == (530, "SMTP authentication is required.")

    @pytest.mark.parametrize(
        "recipient",
        [
            "b%example.net@relay.internal",
            "b@example.net@relay.internal",
            '"b@example.net"@relay.internal',
            "<@relay.internal:b@example.net>",
        ],
    )
    def test_tricks_of_addresses_open_nothing(self, relay: Begin, recipient: str) -> None:
        ranges = [CLOSED | {"AllowSMTPConnections": True, "AllowDeliveryFromRemoteToLocal": True}]
        with relay(ranges=ranges, server={"domains": [DOMAIN]}).connect(OTHER) as client:
            assert refused(client, "a@example.org", recipient)[0] == 550

    def test_local_recipients_are_accounts(self, relay: Begin) -> None:
        host = relay(server={"domains": [DOMAIN]})
        with host.connect() as client:
            assert refused(client, "a@contoso.com", "nobody@relay.internal") == (550, "Unknown user")
        host.send("scanner@relay.internal")
        until(lambda: len(host.server.get("delivered", [])) == 1)
        assert host.api.admin.messages() == []

    def test_a_stopped_service_has_no_port_and_the_port_of_another_process_is_not_opened(self, relay: Begin) -> None:
        host = relay(processes=[{"name": "othermail", "ports": [25]}])
        until(lambda: list(host.ports) == ["587"])
        host.run("Stop-Service hMailServer")
        until(lambda: host.ports == {})


class TestAuthentication:
    REQUIRED = DEVICES | {"LowerIP": "10.9.9.9", "UpperIP": "10.9.9.9", "RequireSMTPAuthExternalToExternal": True}

    def test_accounts_of_a_domain(self, relay: Begin) -> None:
        with relay(ranges=[CLOSED, self.REQUIRED], server={"domains": [DOMAIN]}).connect(OTHER) as client:
            assert refused(client, "a@contoso.com", "b@example.org")[0] == 530
            with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
                client.login("scanner@relay.internal", "wrong")
            client.login("scanner@relay.internal", "geheim")
            assert client.rcpt("b@example.org") == (250, b"OK")

    def test_authentication_needs_tls_where_the_range_says_so(self, relay: Begin) -> None:
        ranges = [CLOSED, self.REQUIRED | {"RequireSSLTLSForAuth": True}]
        with relay(ranges=ranges, server={"domains": [DOMAIN]}).connect(OTHER) as client:
            client.ehlo()
            with pytest.raises(smtplib.SMTPAuthenticationError, match="A SSL/TLS-connection is required"):
                client.login("scanner@relay.internal", "geheim")

    def test_auto_ban(self, relay: Begin) -> None:
        host = relay(ranges=[CLOSED, self.REQUIRED], server={"domains": [DOMAIN]})
        host.api.admin.call("POST", "/clock", {"stopped": True})
        for _ in range(2):
            with host.connect(OTHER) as client, pytest.raises(smtplib.SMTPAuthenticationError, match="Restarting"):
                client.login("scanner@relay.internal", "wrong")
        client = host.connect(OTHER)
        with pytest.raises(smtplib.SMTPAuthenticationError, match="Too many invalid logon attempts"):
            client.login("scanner@relay.internal", "wrong")
        ban = host.server["ranges"][-1]["properties"]
        assert (ban["Name"], ban["Priority"], ban["LowerIP"]) == ("Auto-ban: scanner@relay.internal", 100, "10.9.9.9")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            host.connect(OTHER)
        host.api.admin.advance(61 * 60)
        host.connect(OTHER).quit()
        assert len(host.server["ranges"]) == 2


class TestTls:
    def files(self, directory: Path) -> dict[str, Any]:
        chain, key = Authority(directory / "authority").issue(["mail.contoso.com"])
        keys = tls(chain, key, [(25, 0), (465, 1), (587, 3)])
        return {"files": keys["files"], "server": keys["hmailserver"]}

    def context(self, directory: Path) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=directory / "authority" / "ca.pem")
        context.check_hostname = False
        return context

    def test_starttls_and_implicit_tls(self, relay: Begin, tmp_path: Path) -> None:
        host = relay(**self.files(tmp_path))
        with host.connect(port="587") as client:
            client.ehlo()
            assert client.mail("a@contoso.com") == (530, b"Must issue STARTTLS first.")
            client.starttls(context=self.context(tmp_path))
            assert refused(client, "a@contoso.com", "b@example.org") == (250, "OK")
        until(lambda: "465" in host.ports)
        with smtplib.SMTP_SSL("127.0.0.1", host.ports["465"], source_address=(DEVICE, 0), context=self.context(tmp_path)) as client:
            assert refused(client, "a@contoso.com", "b@example.org") == (250, "OK")
            client.mail("a@contoso.com")
        with host.connect(port="25") as client:
            client.ehlo()
            assert not client.has_extn("starttls")

    def test_a_port_whose_certificate_is_missing_is_not_opened(self, relay: Begin, tmp_path: Path) -> None:
        host = relay(**self.files(tmp_path) | {"files": []})
        until(lambda: list(host.ports) == ["25"])

    def test_changed_ports_count_from_the_next_start(self, relay: Begin) -> None:
        host = relay()
        until(lambda: set(host.ports) == {"25", "587"})
        app = "$a = New-Object -ComObject hMailServer.Application; "
        host.run(app + "$p = $a.Settings.TCPIPPorts; $x = $p.Item(1); $x.PortNumber = 2525; $x.Save()")
        host.connect().quit()
        assert set(host.ports) == {"25", "587"}
        host.run(app + "$a.Stop()")
        until(lambda: host.ports == {})
        host.run(app + "$a.Start()")
        until(lambda: set(host.ports) == {"25", "2525"})


class TestSizes:
    def test_of_the_announcement_and_the_message(self, relay: Begin) -> None:
        with relay({"MaxMessageSize": 1}).connect() as client:
            client.ehlo()
            assert client.esmtp_features["size"] == "1000"
            assert client.mail("a@contoso.com", ["SIZE=2048"])[0] == 552
            client.mail("a@contoso.com")
            client.rcpt("b@example.org")
            assert client.data(b"x" * 2500)[0] == 554

    def test_bare_line_feeds(self, relay: Begin) -> None:
        with relay({"AllowIncorrectLineEndings": False}).connect() as client:
            refused(client, "a@contoso.com", "b@example.org")
            client.putcmd("data")
            client.getreply()
            client.send(b"Subject: a\n\nb\r\n.\r\n")
            assert client.getreply() == (554, b"Rejected - Message containing bare LF's.")


class TestDelivery:
    def test_without_the_connector_the_sender_gets_a_report(self, relay: Begin) -> None:
        host = relay(outbound_address="")
        host.send("someone@example.org")
        until(lambda: host.queue() == [] and len(host.api.admin.messages()) == 1)
        [report] = host.api.admin.messages()
        assert (report["recipients"], report["subject"]) == (["noreply@contoso.com"], "Message undeliverable: scan")
        assert any("RECEIVED: 550 5.7.64" in line for line in host.server["log"])

    def test_retries_and_then_the_report(self, relay: Begin) -> None:
        host = relay({"SMTPRelayer": "relay1.contoso.com", "SMTPNoOfTries": 1, "SMTPMinutesBetweenTry": 15})
        host.api.admin.call("POST", "/clock", {"stopped": True})
        host.send()
        until(lambda: [one["attempts"] for one in host.queue()] == [1])
        [mail] = host.queue()
        assert mail["next_attempt"] - mail["arrived"] == 15 * 60
        assert "Scheduling it for later delivery in 15 minutes." in host.server["log"][-1]
        host.api.admin.advance(15 * 60)
        until(lambda: [one["sender"] for one in host.queue()] == [""])
        assert host.queue()[0]["recipients"] == ["noreply@contoso.com"]

    @pytest.mark.parametrize(
        ("password", "name", "outcome"),
        [
            ("geheim", "relay1.contoso.com", "delivered"),
            ("wrong", "relay1.contoso.com", "535 Authentication failed. Restarting authentication process."),
            ("geheim", "other.contoso.com", "certificate verify failed"),
        ],
    )
    def test_a_smart_host_with_a_password(self, start: Start, password: str, name: str, outcome: str) -> None:
        """The smart host is another hMailServer. A wrong password is final; a wrong certificate is tried again."""
        smart_host = {"SMTPRelayer": "relay1.contoso.com", "SMTPRelayerPort": 587, "SMTPRelayerConnectionSecurity": 3}
        smart_host |= {"SMTPRelayerRequiresAuthentication": True, "SMTPRelayerUsername": "scanner@relay.internal"}
        everybody = CLOSED | OPEN | {"AllowSMTPConnections": True, "RequireSMTPAuthExternalToExternal": True}
        hosts = [document(smart_host, outbound_address="", server={"relayer_password": password})]
        hosts.append(document(ranges=[everybody], firewall=[]) | {"name": "win2"})
        api = start(windows=hosts, network=NETWORK, tenant={"inbound_connectors": [CONNECTOR]})
        chain, key = Authority(Path(api.emulator.cloud["ca_file"]).parent).issue([name])
        api.admin.change_windows_host("win2", **tls(chain, key, [(587, 3)], {"domains": [DOMAIN]}))
        host = HMailRelay(api)
        until(lambda: "587" in api.admin.windows_hosts()[1]["smtp_ports"])
        api.admin.change_windows_host(
            "win1", smtp_routes={"relay1.contoso.com:587": f"127.0.0.1:{api.admin.windows_hosts()[1]['smtp_ports']['587']}"}
        )
        host.send("someone@example.org")
        if outcome == "delivered":
            until(lambda: len(api.admin.messages()) == 1)
            assert api.admin.messages()[0]["recipients"] == ["someone@example.org"]
        elif outcome.startswith("535"):
            until(lambda: any(outcome in line for line in host.server.get("log", [])))
            until(lambda: [one["sender"] for one in host.queue()] != ["noreply@contoso.com"])
        else:
            until(lambda: [one["attempts"] for one in host.queue()] == [1])
            assert outcome in host.queue()[0]["last_error"]


def tls(chain: bytes, key: bytes, ports: list[tuple[int, int]], server: dict[str, Any] | None = None) -> dict[str, Any]:
    """Keys of a host: a certificate in files, and hMailServer's ports with their security."""
    paths = {"CertificateFile": "C:\\Certificates\\mail.pem", "PrivateKeyFile": "C:\\Certificates\\mail.key"}
    contents = zip(paths.values(), (chain, key), strict=True)
    return {
        "files": [{"path": path, "content": base64.b64encode(content).decode("ascii")} for path, content in contents],
        "hmailserver": (server or {}) | {
            "certificates": [{"id": 7, "properties": paths | {"Name": "mail"}}],
            "ports": [
                {"id": number, "properties": {"Protocol": 1, "PortNumber": port, "ConnectionSecurity": security, "SSLCertificateID": 7}}
                for number, (port, security) in enumerate(ports, 1)
            ],
        },
    }  # fmt: skip
