# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay host with upstream connector: a delivered message to an internal recipient does not show that a connector accepted it."""

from __future__ import annotations

import json
import socket
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine import host_engine
from ansible_collections.mailops.m365.plugins.module_utils._engine.local_host import LocalHost
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.paths import Paths
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import journal
from ansible_collections.mailops.m365.plugins.module_utils._verification import upstream
from ansible_collections.mailops.m365.plugins.module_utils._verification.result import NotVerifiable
from ansible_collections.mailops.m365.plugins.module_utils.resources.relay_probe import RelayProbe
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import FakeClock, certificate, pem
from ....mailserver import MailServer
from .test_relay_probe import SENT, Postfix

INTERNAL = {"name": "Scanner", "address": "scanner@contoso.com", "verify_recipient": "it@contoso.com"}
DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
OTHER_DOMAIN = "550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958"


class Upstream(Postfix):
    """Postfix that delivers every message to a server."""

    def __init__(self, server: str) -> None:
        self.server = server
        super().__init__(SENT, SENT)

    def read(self) -> list[journal.JournalEntry]:
        return [replace(entry, message=entry.message.replace("127.0.0.1[127.0.0.1]:2587", self.server)) for entry in super().read()]


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, clock: FakeClock, tmp_path: Path, mail_server: MailServer) -> Any:
    paths = Paths(tmp_path, tmp_path, tmp_path)
    paths.config_file.write_text(json.dumps({"upstream": "connector", "mailboxes": []}))

    def run(*, server: str = "", **parameters: str) -> dict[str, Any]:
        monkeypatch.setattr(host_engine, "LocalHost", lambda: LocalHost(clock))
        postfix = Upstream(server or f"localhost[127.0.0.1]:{mail_server.port}")
        postfix.paths = paths
        values = {"smtp_tls_CAfile": mail_server.route().ca_file, **parameters}
        resource = RelayProbe(postfix, lambda transport: values if transport == "m365-1" else {})
        return host_engine.run(resource, {"senders": [INTERNAL], "timeout": 60, "required": True, "hosted_account": {}}, check_mode=False)

    return run


def only(result: dict[str, Any]) -> dict[str, Any]:
    [entry] = result["senders"]
    return dict(entry)


def test_upstream_that_relays_is_a_connector(verify: Any, mail_server: MailServer) -> None:
    entry = only(verify())
    assert (entry["status"], entry["accepted_by"], entry["reason"]) == ("verified", "connector", "")
    [session] = mail_server.sessions
    assert session.commands[3:6] == ["MAIL FROM:<scanner@contoso.com>", "RCPT TO:<mailops-relay-check@example.com>", "RSET"]
    assert session.messages == []


@pytest.mark.parametrize("accepts", [True, False])
def test_connector_is_checked_at_an_mx_host_under_mx_microsoft(
    verify: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rsa_key: rsa.RSAPrivateKey, accepts: bool
) -> None:
    host, lookup = "fabrikam-com.p-v1.mx.microsoft", socket.getaddrinfo
    addresses = {host: "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *options, **more: lookup(addresses.get(name, name), *options, **more))
    file = tmp_path / "mx.pem"
    file.write_bytes(pem(rsa_key) + pem(certificate(rsa_key, host, dns="*.p-v1.mx.microsoft")))
    server = MailServer(file)
    if not accepts:
        server.answers["relay"] = DENIED
    try:
        entry = only(verify(server=f"{host}[127.0.0.1]:{server.port}", smtp_tls_CAfile=str(file)))
    finally:
        server.close()
    expected = ("verified", "connector") if accepts else ("failed", "")
    assert (entry["status"], entry["accepted_by"]) == expected, entry
    assert [session.commands[4] for session in server.sessions][:1] == ["RCPT TO:<mailops-relay-check@example.com>"]


@pytest.mark.parametrize("reply", [DENIED, OTHER_DOMAIN])
def test_message_that_direct_send_accepts_does_not_verify_a_connector(verify: Any, mail_server: MailServer, reply: str) -> None:
    mail_server.answers["relay"] = reply
    result = verify()
    entry = only(result)
    assert (entry["status"], entry["accepted_by"], entry["stage"], entry["code"]) == ("failed", "", "recipient", "550 5.7.64")
    assert entry["reason"].startswith("the message was delivered, but no connector relays for this sender: ")
    assert entry["remedy"]
    assert result["failed"] is True


def test_new_connector_is_waited_for(verify: Any, mail_server: MailServer, clock: FakeClock) -> None:
    mail_server.relay_replies = [DENIED, DENIED]
    assert only(verify())["status"] == "verified"
    assert clock.slept[-2:] == [15.0, 15.0]


@pytest.mark.parametrize(
    ("server", "parameters", "words"),
    [
        ("local", {}, "Postfix logs local as the upstream server"),
        ("localhost[127.0.0.1]:1", {}, "localhost"),
        ("", {"smtp_tls_CAfile": ""}, "certificate"),
        ("", {"smtp_tls_CAfile": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ("", {"smtp_tls_chain_files": "/nowhere/key.pem, /nowhere/chain.pem"}, "/nowhere/chain.pem"),
    ],
)
def test_connector_that_cannot_be_seen_is_not_verifiable(verify: Any, server: str, parameters: dict[str, str], words: str) -> None:
    result = verify(server=server, **parameters)
    entry = only(result)
    assert (entry["status"], entry["accepted_by"], "failed" in result) == ("not_verifiable", "", False)
    assert words in entry["reason"]
    assert "external verify_recipient" in entry["remedy"]


def test_temporary_refusal_is_not_verifiable(verify: Any, mail_server: MailServer) -> None:
    mail_server.answers["relay"] = "451 4.7.500 Server busy"
    assert only(verify())["status"] == "not_verifiable"


def test_certificate_of_the_relay_is_presented(verify: Any, tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "key.pem").write_bytes(pem(rsa_key))
    (tmp_path / "chain.pem").write_bytes(pem(certificate(rsa_key)))
    assert only(verify(smtp_tls_chain_files=f"{tmp_path}/key.pem, {tmp_path}/chain.pem"))["status"] == "verified"


def test_route_is_that_of_postfix() -> None:
    parameters = {"smtp_tls_CAfile": "/etc/ssl/ca.pem", "smtp_bind_address": "192.0.2.7", "smtp_tls_chain_files": "/k.pem, /c.pem"}
    route = upstream.route_to("contoso-com.mail.protection.outlook.com[52.101.1.2]:25", parameters)
    assert (route.host, route.port, route.ca_file) == ("contoso-com.mail.protection.outlook.com", 25, "/etc/ssl/ca.pem")
    assert (route.source_address, route.certificate_path, route.key_path) == ("192.0.2.7", "/c.pem", "/k.pem")
    assert upstream.route_to("mx[192.0.2.1]:25", {"smtp_tls_chain_files": "/both.pem"}).certificate_path == "/both.pem"
    assert upstream.route_to("mx[192.0.2.1]:25", {}).source_address == upstream.ANY_IPV4
    with pytest.raises(NotVerifiable):
        upstream.route_to("none", {})


def test_parameters_of_the_transport_come_before_those_of_main_cf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "postconf"
    program.write_text(
        '#!/bin/sh\ncase "$1" in\n'
        '-xP) echo "m365-1/unix/smtp_tls_chain_files = /k, /c"; echo "postconf: warning: unmatched request" >&2;;\n'
        '*) echo "smtp_bind_address ="; echo "smtp_tls_CAfile = /ca.pem"; echo "smtp_tls_chain_files =";;\nesac\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(upstream, "POSTCONF", str(program))
    expected = {"smtp_bind_address": "", "smtp_tls_CAfile": "/ca.pem", "smtp_tls_chain_files": "/k, /c"}
    assert upstream.read_parameters("m365-1") == expected
    assert upstream.read_parameters("") == expected | {"smtp_tls_chain_files": ""}
