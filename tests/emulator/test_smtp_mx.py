"""The MX endpoint over sockets: what it offers, client certificates, and what it receives for whom."""

from __future__ import annotations

import smtplib
import ssl
from pathlib import Path

import pytest

from emulator.ca import Authority
from tests.emulator.conftest import KeyPair
from tests.emulator.smtp_lab import CONTOSO, FABRIKAM, MESSAGE, OPS, Lab, connector, reply_text, send

pytest_plugins = ["tests.emulator.smtp_lab"]

RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
OFFERED = ["SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "STARTTLS", "8BITMIME", "BINARYMIME", "CHUNKING"]


def connect(lab: Lab, **properties: object) -> None:
    lab.contoso.inbound_connectors["relay"] = connector(**properties)


def certificate(directory: Path, authority: Authority, name: str = "relay.contoso.com", *, whole: bool = True, days: int = 30) -> Path:
    issue = authority.issue if whole else authority.issue_leaf_only
    chain, key = issue([name], client=True, days=days)
    file = directory / "client.pem"
    file.write_bytes(chain + key)
    return file


def test_ehlo_extensions_of_the_mx(lab: Lab) -> None:
    with lab.raw(mx=True) as raw:
        assert raw.line().startswith("220 AM0PR02FT012.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at ")
        hello = "250-AM0PR02FT012.mail.protection.outlook.com Hello [127.0.0.1]\r\n"
        assert raw.say("EHLO relay.contoso.com") == [hello, *(f"250-{line}\r\n" for line in OFFERED), "250 SMTPUTF8\r\n"]
        assert raw.say("AUTH LOGIN") == ["504 5.7.4 Unrecognized authentication type\r\n"]
        raw.start_tls(lab.trust())
        offered = [f"250-{line}\r\n" for line in OFFERED if line != "STARTTLS"]
        assert raw.say("EHLO relay.contoso.com") == [hello, *offered, "250 SMTPUTF8\r\n"]
        assert raw.say("AUTH LOGIN") == ["504 5.7.4 Unrecognized authentication type\r\n"]


def test_relaying_by_the_played_address(lab: Lab) -> None:
    lab.state.network |= {"127.0.0.10": "203.0.113.10", "127.0.0.11": "203.0.113.11"}
    connect(lab, SenderIPAddresses=["203.0.113.10"])
    with lab.client("127.0.0.11", mx=True, tls=False) as client:
        assert send(client) == RELAY_DENIED
    with lab.client("127.0.0.10", mx=True, tls=False) as client:
        assert send(client).startswith("250 2.6.0 <1@contoso.com> [InternalId=")
    (result,) = lab.state.messages
    assert (result.tenant_id, result.via, result.connector, result.source) == (CONTOSO, "connector", "relay", "203.0.113.10")
    assert (result.mail_from, result.recipients, result.raw) == (OPS, ["x@example.net"], MESSAGE)
    assert (result.authenticated_as, result.app_id) == (None, None)


def test_relaying_by_certificate(lab: Lab, tmp_path: Path) -> None:
    connect(lab, TlsSenderCertificateName="*.contoso.com")
    file = certificate(tmp_path, lab.authority)
    with lab.client(mx=True, files=file) as client:
        assert send(client, sender="someone@example.org").startswith("250 2.6.0 ")
    assert [m.connector for m in lab.state.messages] == ["relay"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_second_session_of_a_client_is_attributed_again(lab: Lab, tmp_path: Path, version: ssl.TLSVersion) -> None:
    """Postfix offers to resume its TLS session; a ticket would have lost the chain."""
    connect(lab, TlsSenderCertificateName="*.contoso.com")
    context = lab.trust()
    context.maximum_version = version
    context.load_cert_chain(certificate(tmp_path, lab.authority))
    session: ssl.SSLSession | None = None
    for _ in range(2):
        with lab.raw(mx=True) as raw:
            raw.reply()
            raw.say("EHLO relay.contoso.com")
            raw.start_tls(context, session)
            raw.say("EHLO relay.contoso.com")
            raw.say(f"MAIL FROM:<{OPS}>")
            assert raw.say("RCPT TO:<x@example.net>") == ["250 2.1.5 Recipient OK\r\n"]
            assert isinstance(raw.socket, ssl.SSLSocket)
            session = raw.socket.session
            raw.say("QUIT")


@pytest.mark.parametrize(("name", "whole"), [("relay.contoso.com", False), ("relay.fabrikam.com", True)])
def test_certificates_that_do_not_count(lab: Lab, tmp_path: Path, name: str, whole: bool) -> None:
    """Without its intermediate, or with another name: TLS goes on, and no connector fits."""
    connect(lab, TlsSenderCertificateName="*.contoso.com")
    with lab.client(mx=True, files=certificate(tmp_path, lab.authority, name, whole=whole)) as client:
        assert send(client) == RELAY_DENIED


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["foreign", "self-signed", "expired"])
def test_a_bad_certificate_is_no_reason_to_hang_up(lab: Lab, tmp_path: Path, key_pair: KeyPair, kind: str, version: ssl.TLSVersion) -> None:
    """It counts for nothing, even when its name fits; what came by address passes."""
    connect(lab, TlsSenderCertificateName="*.contoso.com")
    if kind == "self-signed":
        file = tmp_path / "client.pem"
        file.write_text(key_pair.pem + key_pair.private_pem)
    else:
        authority = Authority(tmp_path / "other") if kind == "foreign" else lab.authority
        file = certificate(tmp_path, authority, days=-1 if kind == "expired" else 30)
    for expected in (RELAY_DENIED, "250 2.6.0 "):
        with lab.client(mx=True, files=file, version=version) as client:
            assert send(client).startswith(expected)
        connect(lab, SenderIPAddresses=["127.0.0.1"])


def test_a_certificate_for_servers_only(lab: Lab, tmp_path: Path) -> None:
    """OpenSSL ends the connection: with TLS 1.3 after the client's handshake, so where it shows varies."""
    chain, key = lab.authority.issue(["relay.contoso.com"])
    file = tmp_path / "client.pem"
    file.write_bytes(chain + key)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)), lab.client(mx=True, files=file) as client:
        client.noop()
    assert lab.state.messages == []


def test_no_certificate(lab: Lab) -> None:
    connect(lab, TlsSenderCertificateName="*.contoso.com")
    with lab.client(mx=True) as client:
        assert send(client) == RELAY_DENIED


def test_a_message_for_two_tenants(lab: Lab) -> None:
    with lab.client(mx=True) as client:
        client.mail(OPS)
        replies = [client.rcpt(to)[0] for to in (OPS, "it@fabrikam.com", "nobody@fabrikam.com", "sales@contoso.com", "x@example.net")]
        assert replies == [250, 250, 550, 250, 550]
        assert reply_text(client.data(MESSAGE)).startswith("250 2.6.0 ")
        assert send(client, recipients=(OPS,)).startswith("250 ")  # nothing of the transaction before is left
    matches = [(m.tenant_id, m.via, m.recipients) for m in lab.state.messages]
    assert matches == [
        (CONTOSO, "direct-send", [OPS, "sales@contoso.com"]),
        (FABRIKAM, "internet", ["it@fabrikam.com"]),
        (CONTOSO, "direct-send", [OPS]),
    ]


@pytest.mark.parametrize(
    "name", ["AM0PR02FT012.mail.protection.outlook.com", "contoso-com.mail.protection.outlook.com", "contoso-com.p-v1.mx.microsoft."]
)
def test_the_services_own_name_as_helo(lab: Lab, name: str) -> None:
    with lab.client(mx=True, tls=False) as client:
        client.ehlo(name)
        assert reply_text(client.mail(OPS)) == "550 5.7.506 Access Denied, Bad HELO"
        client.ehlo("relay.contoso.com")
        assert reply_text(client.mail(OPS)) == "250 2.1.0 Sender OK"


def test_two_hundred_recipients_of_a_domain(lab: Lab) -> None:
    connect(lab, SenderIPAddresses=["127.0.0.1"])
    with lab.client(mx=True, tls=False) as client:
        client.mail(OPS)
        client.send("".join(f"RCPT TO:<{n}@example.net>\r\n" for n in range(201)))
        replies = [reply_text(client.getreply()) for _ in range(201)]
        assert replies == ["250 2.1.5 Recipient OK"] * 200 + ["452 4.5.3 Too many recipients"]
        assert reply_text(client.rcpt("x@example.org")) == "250 2.1.5 Recipient OK"


def test_what_every_message_must_have(lab: Lab) -> None:
    with lab.client(mx=True, tls=False) as client:
        assert send(client, recipients=(OPS,), message=b"Subject: x\r\n\r\n").startswith("550 5.7.512 ")
        client.mail(OPS)
        client.rcpt(OPS)
        client.docmd("DATA")
        client.send(MESSAGE + b"bare\nline feed\r\n.\r\n")
        assert reply_text(client.getreply()) == "550 5.6.11 Invalid characters"
