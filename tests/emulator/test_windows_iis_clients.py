"""Clients of IIS SMTP: STARTTLS, authentication by LOGIN and NTLM, the folder Pickup, and the log."""

from __future__ import annotations

import base64
import re
import smtplib
import ssl
from typing import Any

import pytest
import spnego

from tests.emulator.conftest import Start, until
from tests.emulator.test_windows_smtp import CONNECTOR, NETWORK, OTHER, TO_MX, Relay, document
from tests.emulator.windows_lab import PASSWORD, USER

CERTIFICATE = {"names": ["relay.contoso.com"], "not_after": "2100-01-01T00:00:00Z", "thumbprint": "ab"}
FQDN = {"FullyQualifiedDomainName": "relay.contoso.com"}


def relay(start: Start, *, certificates: Any = (CERTIFICATE,), **properties: Any) -> Relay:
    server = {"properties": TO_MX | FQDN | properties}
    return Relay(
        start(windows=[document(server, certificates=list(certificates))], network=NETWORK, tenant={"inbound_connectors": [CONNECTOR]})
    )


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class TestTls:
    def test_a_message_by_starttls(self, start: Start) -> None:
        host = relay(start)
        with host.connect() as client:
            client.ehlo()
            assert client.has_extn("starttls")
            client.starttls(context=unverified())
            assert client.docmd("MAIL FROM:<a@contoso.com>")[0] == 503
            client.ehlo()
            assert not client.has_extn("starttls")
            client.sendmail("noreply@contoso.com", ["ops@contoso.com"], b"Subject: x\r\n\r\nscan\r\n")
        until(lambda: len(host.api.admin.messages()) == 1)

    @pytest.mark.parametrize(
        "certificates",
        [
            [],
            [CERTIFICATE | {"names": ["other.contoso.com"]}],
            [CERTIFICATE | {"private_key": False}],
            [CERTIFICATE | {"not_after": "2020-01-01T00:00:00Z"}],
        ],
    )
    def test_without_a_certificate_of_the_name_there_is_no_tls(self, start: Start, certificates: list[Any]) -> None:
        with relay(start, certificates=certificates).connect() as client:
            client.ehlo()
            assert not client.has_extn("starttls")
            assert client.docmd("STARTTLS")[0] == 500

    def test_tls_that_is_required(self, start: Start) -> None:
        with relay(start, AccessSSLFlags=8, AuthFlags=3).connect() as client:
            client.ehlo()
            assert client.docmd("MAIL FROM:<a@contoso.com>") == (530, b"5.7.0 Must issue a STARTTLS command first")
            assert client.docmd("AUTH LOGIN")[0] == 530
            client.starttls(context=unverified())
            client.ehlo()
            assert client.docmd("MAIL FROM:<a@contoso.com>")[0] == 250


def authenticate_by_ntlm(client: smtplib.SMTP, password: str) -> tuple[int, bytes]:
    context = spnego.client(USER, password, protocol="ntlm")
    code, text = client.docmd("AUTH", "NTLM " + base64.b64encode(context.step() or b"").decode())
    assert code == 334, text
    return client.docmd(base64.b64encode(context.step(base64.b64decode(text)) or b"").decode())


class TestAuthentication:
    @pytest.mark.parametrize(("flags", "mechanisms"), [(1, None), (3, "LOGIN"), (5, "NTLM"), (7, "NTLM LOGIN")])
    def test_mechanisms_are_those_of_the_flags(self, start: Start, flags: int, mechanisms: str | None) -> None:
        with relay(start, AuthFlags=flags).connect() as client:
            client.ehlo()
            assert client.esmtp_features.get("auth", "").strip() == (mechanisms or "") or mechanisms in client.esmtp_features["auth"]
            assert client.docmd("AUTH CRAM-MD5")[0] == (504 if mechanisms else 500)

    @pytest.mark.parametrize(("password", "code"), [(PASSWORD, 235), ("wrong", 535)])
    def test_ntlm_lets_a_client_of_another_network_relay(self, start: Start, password: str, code: int) -> None:
        with relay(start, AuthFlags=5, RelayForAuth=-1).connect(OTHER) as client:
            client.ehlo()
            assert authenticate_by_ntlm(client, password)[0] == code
            client.mail("noreply@contoso.com")
            assert client.rcpt("someone@example.net")[0] == (250 if code == 235 else 550)

    def test_ntlm_that_is_malformed_or_cancelled(self, start: Start) -> None:
        with relay(start, AuthFlags=5).connect() as client:
            client.ehlo()
            assert client.docmd("AUTH NTLM %%")[0] == 501
            assert client.docmd("AUTH NTLM")[0] == 334
            assert client.docmd("AAAA")[0] == 535
            token = base64.b64encode(spnego.client(USER, PASSWORD, protocol="ntlm").step() or b"").decode()
            assert client.docmd(f"AUTH NTLM {token}")[0] == 334
            assert client.docmd("*")[0] == 501


class TestPickup:
    FOLDER = "C:\\inetpub\\mailroot\\Pickup"

    @pytest.mark.parametrize(
        "head",
        [
            "x-sender: noreply@contoso.com\r\nx-receiver: ops@contoso.com\r\nFrom: noreply@contoso.com\r\nTo: y@example.net\r\n",
            "From: A <noreply@contoso.com>\r\nTo: B <ops@contoso.com>\r\n",
        ],
    )
    def test_a_file_is_sent(self, start: Start, head: str) -> None:
        host = relay(start)
        host.run(f"[IO.File]::WriteAllText('{self.FOLDER}\\a.eml', [Text.Encoding]::ASCII.GetString([Convert]::FromBase64String('"
                 + base64.b64encode(f"{head}Subject: test\r\n\r\ntext\r\n".encode()).decode() + "')))")  # fmt: skip
        until(lambda: len(host.api.admin.messages()) == 1)
        [message] = host.api.admin.messages()
        assert message["recipients"] == ["ops@contoso.com"]
        assert b"x-receiver" not in host.api.admin.raw_message(message["number"])
        assert host.lab.document["files"] == []

    def test_a_file_without_recipients_is_bad_mail(self, start: Start) -> None:
        host = relay(start)
        host.run(f"[IO.File]::WriteAllText('{self.FOLDER}\\a.eml', 'Subject: x')")
        until(lambda: len(host.server["bad_mail"]) == 1)

    def test_a_stopped_service_leaves_files(self, start: Start) -> None:
        host = relay(start)
        host.run("Stop-Service -Name 'SMTPSVC'")
        host.run(f"[IO.File]::WriteAllText('{self.FOLDER}\\a.eml', 'To: ops@contoso.com')")
        host.run("'wait'")
        assert len(host.lab.document["files"]) == 1


LOGGED = {"LogType": 1, "LogPluginClsid": "{FF160663-DE82-11CF-BC0A-00AA006111E0}", "LogExtFileFlags": 1 | 2 | 8 | 512}
READ = """
$files = @(Get-ChildItem -LiteralPath 'C:\\Windows\\System32\\LogFiles\\SMTPSVC1' -File)
foreach ($file in $files) {
    $file.Name
    @(Get-Content -LiteralPath $file.FullName -TotalCount 3)
    @(Get-Content -LiteralPath $file.FullName -Tail 1)
}
"""


def test_replies_of_the_upstream_server_are_logged_with_the_chosen_fields(start: Start) -> None:
    host = relay(start, **LOGGED)
    host.send()
    until(lambda: len(host.api.admin.messages()) == 1)
    until(lambda: host.queue() == [])
    name, _, version, fields, last = host.run(READ).splitlines()
    assert name.startswith("ex")
    assert (version, fields) == ("#Version: 1.0", "#Fields: date time cs-username cs-uri-query")
    [user, reply] = last.split(" ")[2:]
    assert user == "OutboundConnectionResponse"
    assert re.fullmatch(r"250\+2\.6\.0\+<[^>]+>\+\[InternalId=.*\]\+\d+\+bytes\+Queued\+mail\+for\+delivery", reply)


@pytest.mark.parametrize("changed", [{"LogType": 0}, {"LogPluginClsid": "{FF16065F-DE82-11CF-BC0A-00AA006111E0}"}])
def test_without_logging_there_is_no_file(start: Start, changed: dict[str, Any]) -> None:
    host = relay(start, **LOGGED | changed)
    host.send()
    until(lambda: len(host.api.admin.messages()) == 1)
    assert host.server["log"] == []


def test_messages_of_the_queue_are_files(start: Start) -> None:
    host = relay(start, SmartHost="gone.example.com")
    host.send()
    until(lambda: [one["attempts"] for one in host.queue()] == [1])
    script = "@(Get-ChildItem -LiteralPath 'C:\\inetpub\\mailroot\\Queue' -File | ForEach-Object { $_.Name; $_.Length -gt 100 })"
    assert host.run(script).splitlines() == [f"NTFS_{host.queue()[0]['id']}.EML", "True"]
    assert host.run("Get-ChildItem -LiteralPath 'C:\\nowhere' -File -ErrorAction SilentlyContinue; 'end'").strip() == "end"


def test_certificates_of_the_store(start: Start) -> None:
    script = "foreach ($one in @(Get-ChildItem -LiteralPath 'Cert:\\LocalMachine\\My')) { $one.Subject; $one.Thumbprint; "
    script += "$one.HasPrivateKey; $one.DnsNameList[0].Unicode; $one.NotAfter.ToUniversalTime().ToString('o') }"
    expected = ["CN=relay.contoso.com", "AB", "True", "relay.contoso.com", "2100-01-01T00:00:00.0000000Z"]
    assert relay(start).run(script).splitlines() == expected


def test_a_lost_virtual_server_is_created_by_adsi(start: Start) -> None:
    host = Relay(start(windows=[document()], network=NETWORK))
    host.api.admin.change_windows_host("win1", smtp_servers=[])
    create = "$e = New-Object System.DirectoryServices.DirectoryEntry 'IIS://localhost/SmtpSvc'; "
    create += "$n = $e.Children.Add('1', 'IIsSmtpServer'); $n.Properties['ServerBindings'].Value = ':2525:'; $n.CommitChanges()"
    host.run(create)
    assert (host.server["bindings"], host.server["properties"]["QueueDirectory"]) == ([":2525:"], "")
    assert "The object already exists" in host.run(f"try {{ {create} }} catch {{ $_.Exception.Message }}")
