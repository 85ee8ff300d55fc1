"""IIS SMTP as devices and Microsoft 365 meet it: what it accepts and where messages go follows from its configuration."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
import winrm

from tests.emulator.conftest import Api, Start, until
from tests.emulator.windows_lab import PASSWORD, USER, Lab, host_document

# Addresses on this host, and those that they stand for.
DEVICE, OTHER, PUBLIC = "127.0.0.5", "127.0.0.6", "127.0.0.9"
NETWORK = {DEVICE: "10.1.2.5", OTHER: "10.9.9.9", PUBLIC: "203.0.113.10"}
SERVICES = [
    {"name": "RpcSs", "start_mode": "Auto", "state": "Running"},
    {"name": "IISADMIN", "start_mode": "Auto", "state": "Running", "depends_on": ["RpcSs"]},
    {"name": "SMTPSVC", "start_mode": "Manual", "state": "Running", "depends_on": ["IISADMIN"]},
    {"name": "MpsSvc", "start_mode": "Auto", "state": "Running"},
]
RULE = {"name": "smtp", "protocol": "TCP", "local_ports": ["25"], "remote_addresses": ["10.0.0.0/255.0.0.0"]}
RELAY_LIST = {"ip_grant": ["10.1.2.0, 255.255.255.0"]}
TO_MX = {"SmartHost": "contoso-com.mail.protection.outlook.com", "SmartHostType": 2, "RouteAction": 4}
CONNECTOR = {"name": "relay", "ConnectorType": "OnPremises", "SenderDomains": ["*"], "SenderIPAddresses": ["203.0.113.10"]}


def document(server: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A host with IIS SMTP that is ready to relay for 10.1.2.0/24."""
    virtual_server = {"relay_list": RELAY_LIST, "properties": TO_MX} | (server or {})
    installed = {"features": ["Web-Metabase", "SMTP-Server", "Web-WMI"], "services": SERVICES, "firewall": [RULE]}
    return host_document(smtp_servers=[virtual_server], **{"outbound_address": PUBLIC} | installed | keys)


class Relay:
    """A host and its SMTP port."""

    def __init__(self, api: Api) -> None:
        self.api, self.lab = api, Lab(api.emulator)

    @property
    def ports(self) -> dict[str, int]:
        return dict(self.api.admin.windows_hosts()[0]["smtp_ports"])

    @property
    def server(self) -> dict[str, Any]:
        return dict(self.lab.document["smtp_servers"][0])

    def connect(self, source: str = DEVICE, port: str = "25") -> smtplib.SMTP:
        until(lambda: port in self.ports)
        return smtplib.SMTP("127.0.0.1", self.ports[port], "printer.contoso.com", 30, source_address=(source, 0))

    def send(self, recipient: str = "ops@contoso.com", source: str = DEVICE, text: str = "scan") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "noreply@contoso.com", recipient, text
        message.set_content(text)
        with self.connect(source) as client:
            client.send_message(message)

    def run(self, script: str) -> str:
        session = winrm.Session(self.lab.https, auth=(USER, PASSWORD), transport="basic", ca_trust_path=self.lab.ca_file)
        done = session.run_ps(script)
        assert done.status_code == 0, done.std_err
        return bytes(done.std_out).decode()

    def queue(self) -> list[dict[str, Any]]:
        return list(self.server.get("queue", []))


Begin = Callable[..., Relay]


@pytest.fixture
def relay(start: Start) -> Begin:
    def begin(server: dict[str, Any] | None = None, **keys: Any) -> Relay:
        return Relay(start(windows=[document(server, **keys)], network=NETWORK, tenant={"inbound_connectors": [CONNECTOR]}))

    return begin


def refused(client: smtplib.SMTP, sender: str, recipient: str) -> tuple[int, str]:
    client.ehlo()
    client.mail(sender)
    code, text = client.rcpt(recipient)
    return code, text.decode()


class TestWhoMayRelay:
    def test_a_devices_message_arrives_in_the_mailbox(self, relay: Begin) -> None:
        host = relay()
        host.send("someone@example.org")
        until(lambda: len(host.api.admin.messages()) == 1)
        [message] = host.api.admin.messages()
        assert (message["recipients"], message["connector"]) == (["someone@example.org"], "relay")
        raw = host.api.admin.raw_message(message["number"])
        assert b"Received: from [10.1.2.5] by win1 with Microsoft SMTPSVC(10.0.20348.1);" in raw
        assert host.queue() == []

    def test_another_network_is_refused(self, relay: Begin) -> None:
        with relay().connect(OTHER) as client:
            expected = (550, "5.7.1 Unable to relay for someone@example.org")
            assert refused(client, "noreply@contoso.com", "someone@example.org") == expected

    @pytest.mark.parametrize(("relay_list", "code"), [(None, 550), ({"grant_by_default": True}, 250), ({"ip_grant": []}, 550)])
    def test_no_list_an_open_relay_and_an_empty_one(self, relay: Begin, relay_list: dict[str, Any] | None, code: int) -> None:
        with relay({"relay_list": relay_list}).connect(OTHER) as client:
            assert refused(client, "a@example.org", "b@example.net")[0] == code

    @pytest.mark.parametrize(
        "recipient", ["b%example.net@win2", "b@example.net@example.org", '"b@example.net"@example.org', "<b@example.net>"]
    )
    def test_tricks_of_addresses_open_nothing(self, relay: Begin, recipient: str) -> None:
        with relay().connect(OTHER) as client:
            assert refused(client, "a@example.org", recipient)[0] in (501, 550)

    def test_the_local_domain_is_no_relaying(self, relay: Begin) -> None:
        with relay().connect(OTHER) as client:
            assert refused(client, "a@example.org", "postmaster@win1")[0] == 250

    def test_mail_to_an_alias_domain_stays_on_the_host(self, relay: Begin) -> None:
        host = relay({"domains": {"contoso.com": 16, "erp.example": 2}})
        with host.connect(OTHER) as client:
            assert refused(client, "a@example.org", "ops@contoso.com")[0] == 250
            assert refused(client, "a@example.org", "orders@erp.example")[0] == 550
        host.send("ops@contoso.com")
        until(lambda: [one["recipients"] for one in host.server.get("drop", [])] == [["ops@contoso.com"]])
        assert (host.queue(), host.api.admin.messages()) == ([], [])

    def test_the_firewall(self, relay: Begin) -> None:
        """Without a rule for the source there is no greeting."""
        host = relay(firewall=[])
        with pytest.raises(smtplib.SMTPServerDisconnected):
            host.connect(DEVICE)
        host.run("$null = New-NetFirewallRule -Name a -DisplayName a -Protocol TCP -LocalPort '25' -RemoteAddress '10.1.2.0/24'")
        host.connect(DEVICE).quit()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            host.connect(OTHER)

    def test_connection_control(self, relay: Begin) -> None:
        host = relay({"connections": {"grant_by_default": False, "ip_grant": ["10.1.2.0, 255.255.255.0"]}})
        host.connect(DEVICE).quit()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            host.connect(OTHER)

    @pytest.mark.parametrize(("for_users", "code"), [(-1, 250), (0, 550)])
    def test_authenticated_clients(self, relay: Begin, for_users: int, code: int) -> None:
        users = [{"name": USER, "password": PASSWORD}, {"name": "scanner", "password": "Pa55word"}]
        with relay({"properties": {"AuthFlags": 2, "RelayForAuth": for_users}}, users=users).connect(OTHER) as client:
            client.ehlo()
            assert client.mail("a@contoso.com") == (530, b"5.7.3 Client was not authenticated")
            with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
                client.login("scanner", "wrong")
            client.login("scanner", "Pa55word")
            client.mail("a@contoso.com")
            assert client.rcpt("b@example.org")[0] == code


class TestSettings:
    def test_greeting_and_size(self, relay: Begin) -> None:
        host = relay({"properties": TO_MX | {"FullyQualifiedDomainName": "mail.contoso.com", "MaxMessageSize": 1000}})
        with host.connect() as client:
            client.ehlo()
            assert client.ehlo_resp.splitlines()[0] == b"mail.contoso.com Hello [10.1.2.5]"
            assert client.esmtp_features["size"] == "1000"
            assert client.mail("a@contoso.com", ["SIZE=1001"])[0] == 552
            client.mail("a@contoso.com")
            client.rcpt("b@example.org")
            assert client.data(b"x" * 1001)[0] == 552

    def test_the_session_is_limited(self, relay: Begin) -> None:
        with relay({"properties": TO_MX | {"MaxSessionSize": 1000}}).connect() as client:
            client.ehlo()
            client.mail("a@contoso.com")
            client.rcpt("b@example.org")
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.data(b"x" * 1001)

    def test_ports_follow_service_and_bindings(self, relay: Begin) -> None:
        host = relay()
        until(lambda: list(host.ports) == ["25"])
        host.run("Stop-Service SMTPSVC")
        until(lambda: host.ports == {})
        script = "$s = Get-WmiObject -Namespace 'root\\MicrosoftIISv2' -Class IIsSmtpServerSetting; "
        script += "$b = ([wmiclass]'root\\MicrosoftIISv2:ServerBinding').CreateInstance(); $b.IP = ''; $b.Port = '587'; $b.Hostname = ''; "
        host.run(f"{script}$s.ServerBindings = @($b); $null = $s.Put(); Start-Service SMTPSVC")
        until(lambda: list(host.ports) == ["587"])

    def test_a_restart_stops_a_service_that_is_manual(self, relay: Begin) -> None:
        host = relay()
        until(lambda: list(host.ports) == ["25"])
        host.api.admin.change_windows_host("win1", restart_at=1)
        assert host.run('"$((Get-Service SMTPSVC).Status)"') == "Stopped\r\n"
        until(lambda: host.ports == {})


class TestDelivery:
    def test_without_the_connector_the_mx_refuses_and_the_sender_gets_a_report(self, relay: Begin) -> None:
        host = relay(outbound_address="")
        host.send("someone@example.org")
        until(lambda: host.queue() == [] and len(host.server.get("bad_mail", [])) == 0 and len(host.api.admin.messages()) == 1)
        [report] = host.api.admin.messages()
        assert (report["recipients"], report["subject"]) == (["noreply@contoso.com"], "Delivery Status Notification (Failure)")
        assert b"550 5.7.64" in host.api.admin.raw_message(report["number"])

    def test_a_smart_host_that_does_not_answer(self, relay: Begin) -> None:
        """The intervals of SmtpRemoteProgressiveRetry, then the report after SmtpRemoteNDRExpireMinutes."""
        settings = {
            "SmartHost": "relay1.contoso.com",
            "SmartHostType": 2,
            "SmtpRemoteProgressiveRetry": "15,30",
            "SmtpRemoteNDRExpireMinutes": 60,
        }
        host = relay({"properties": settings})
        host.api.admin.call("POST", "/clock", {"stopped": True})
        host.send()
        until(lambda: [one["attempts"] for one in host.queue()] == [1])
        [mail] = host.queue()
        assert "relay1.contoso.com did not respond" in mail["last_error"]
        assert mail["next_attempt"] - mail["arrived"] == 15 * 60
        host.api.admin.advance(15 * 60)
        until(lambda: [one["attempts"] for one in host.queue()] == [2])
        assert host.queue()[0]["next_attempt"] - mail["arrived"] == 45 * 60
        host.api.admin.advance(60 * 60)
        until(lambda: [one["sender"] for one in host.queue()] == [""])
        assert host.queue()[0]["recipients"] == ["noreply@contoso.com"]

    def test_client_submission_with_a_wrong_password_stays_in_the_queue(self, relay: Begin) -> None:
        properties = {"SmartHost": "smtp.office365.com", "SmartHostType": 2, "RemoteSmtpPort": 587, "RouteAction": 268}
        host = relay({"properties": properties | {"RouteUserName": "noreply@contoso.com", "RoutePassword": "wrong"}})
        route = f"{host.api.emulator.cloud['smtp_host']}:{host.api.emulator.cloud['smtp_port']}"
        host.api.admin.change_windows_host("win1", smtp_routes={"smtp.office365.com:587": route})
        host.send()
        until(lambda: [one["attempts"] for one in host.queue()] == [1])
        assert host.queue()[0]["last_error"].startswith("535 5.7.")

    def test_starttls_is_required_where_it_is_set(self, start: Start) -> None:
        """The smart host is another Windows host, which has no TLS."""
        smart_host = {"SmartHost": "plain.contoso.com", "SmartHostType": 2, "RouteAction": 4}
        hosts = [
            document({"properties": smart_host}),
            document() | {"name": "win2", "smtp_servers": [{"relay_list": {"grant_by_default": True}}]},
        ]
        api = start(windows=hosts, network=NETWORK)
        host = Relay(api)
        until(lambda: bool(api.admin.windows_hosts()[1]["smtp_ports"]))
        port = api.admin.windows_hosts()[1]["smtp_ports"]["25"]
        api.admin.change_windows_host("win1", smtp_routes={"plain.contoso.com:25": f"127.0.0.1:{port}"}, outbound_address="")
        host.send("someone@example.org")
        until(lambda: [one["attempts"] for one in host.queue()] == [1])
        assert "STARTTLS" in host.queue()[0]["last_error"]
        api.admin.change_windows_host("win1", smtp_servers=[host.server | {"properties": smart_host | {"RouteAction": 0}, "queue": []}])
        host.send("someone@example.org")
        until(lambda: bool(api.admin.windows_host("win2")["smtp_servers"][0]["queue"]) or bool(api.admin.messages()))
        until(lambda: host.queue() == [])
