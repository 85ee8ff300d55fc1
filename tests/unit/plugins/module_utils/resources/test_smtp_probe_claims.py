# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender is verified only by what its method claims, and what this host cannot see is neither verified nor failed."""

# ruff: noqa: F811 (fixtures)

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients import ehlo_name
from ansible_collections.mailops.m365.plugins.module_utils._verification import probe as probing
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import certificate, pem
from ....mailserver import MailServer
from .test_smtp_probe import RELAY_DENIED, Verify, basic, cloud, sender, service, verify  # noqa: F401 (fixtures)

RELAY_DOMAIN = "550 5.7.64 Relay Access Denied ATTR36. For more details please refer to: https://support.microsoft.com/kb/3169958"
OWN, PLANT = "198.51.100.7", "203.0.113.10"
INTERNAL = {"verify_recipient": "it@contoso.com"}


def connector(**more: Any) -> dict[str, Any]:
    return sender("plant@contoso.com", method="connector", **INTERNAL | more)


def direct_send(**more: Any) -> dict[str, Any]:
    return sender("ups@contoso.com", method="direct_send", **INTERNAL | more)


def only(result: dict[str, Any]) -> dict[str, Any]:
    [entry] = result["senders"]
    return dict(entry)


# -- connectors -------------------------------------------------------------------------------------------------------


def test_a_connector_relays_to_an_external_recipient_before_the_message(verify: Verify, mail_server: MailServer) -> None:
    entry = only(verify(connector()))
    assert (entry["status"], entry["accepted_by"]) == ("verified", "connector")
    [session] = mail_server.sessions
    assert session.commands[3:6] == ["MAIL FROM:<plant@contoso.com>", "RCPT TO:<mailops-relay-check@example.com>", "RSET"]
    assert session.commands[6].startswith("MAIL FROM:<plant@contoso.com> SIZE=")
    assert session.commands[7] == "RCPT TO:<it@contoso.com>"


@pytest.mark.parametrize("reply", [RELAY_DENIED, RELAY_DOMAIN, "550 5.7.1 Unable to relay"])
def test_a_message_that_direct_send_would_take_does_not_verify_a_connector(verify: Verify, mail_server: MailServer, reply: str) -> None:
    """The server accepts the internal recipient, and refuses to relay."""
    mail_server.answers["relay"] = reply
    result = verify(connector())
    entry = only(result)
    assert (entry["status"], entry["stage"], entry["accepted_by"]) == ("failed", "recipient", "")
    assert result["failed"] is True
    assert mail_server.sessions[0].messages == []


def test_an_external_recipient_is_itself_the_one_that_is_tried(verify: Verify, mail_server: MailServer) -> None:
    mail_server.answers["RCPT"] = RELAY_DENIED
    entry = only(verify(connector(verify_recipient="test@example.net"), required=False))
    assert (entry["status"], entry["code"]) == ("failed", "550 5.7.64")
    assert not any("example.com" in command for command in mail_server.sessions[0].commands)


@pytest.mark.parametrize("addresses", [[PLANT], ["203.0.113.0/28", "192.0.2.1"]])
def test_a_connector_of_another_address_is_not_verifiable_from_here(verify: Verify, mail_server: MailServer, addresses: list[str]) -> None:
    """Also where another connector of the tenant matches this host: the message would not be this connector's."""
    mail_server.source = OWN
    result = verify(connector(public_addresses=addresses))
    entry = only(result)
    assert "failed" not in result
    assert (entry["status"], entry["stage"], entry["source"]) == ("not_verifiable", "source", OWN)
    assert entry["reason"] == f"this host sends from {OWN}, and the connector matches {', '.join(addresses)}"
    assert entry["remedy"].endswith("Set verify_from of this sender to a host of the inventory that sends as the sender does.")
    assert mail_server.sessions[0].messages == []


@pytest.mark.parametrize("addresses", [[OWN], ["198.51.100.0/28"], ["198.51.100.7/32"]])
def test_at_its_own_address_a_connector_is_verified_or_fails(verify: Verify, mail_server: MailServer, addresses: list[str]) -> None:
    mail_server.source = OWN
    assert only(verify(connector(public_addresses=addresses)))["status"] == "verified"
    mail_server.answers["relay"] = RELAY_DENIED
    entry = only(verify(connector(public_addresses=addresses), required=False))
    assert (entry["status"], entry["reason"]) == ("failed", "no inbound connector matches this IP address or certificate")


def test_a_connector_by_certificate_needs_the_private_key(verify: Verify, mail_server: MailServer) -> None:
    entry = only(verify(connector(certificate_name="relay.contoso.com", public_addresses=[OWN])))
    assert entry["status"] == "not_verifiable"
    assert "relay.contoso.com" in entry["reason"]
    assert "verify_connection.certificate_path" in entry["remedy"]


def test_a_connector_that_relays_without_the_certificate_is_another_one(
    verify: Verify, mail_server: MailServer, tmp_path: Path, rsa_key: rsa.RSAPrivateKey
) -> None:
    path = tmp_path / "relay.pem"
    path.write_bytes(pem(rsa_key) + pem(certificate(rsa_key)))
    entry = only(verify(connector(certificate_name="sender", certificate_path=str(path))))
    assert (entry["status"], entry["accepted_by"]) == ("not_verifiable", "")
    assert "by its address" in entry["reason"]
    assert [session.messages for session in mail_server.sessions] == [[], []]


# -- Direct Send ------------------------------------------------------------------------------------------------------


def test_direct_send_is_what_takes_the_message_where_nothing_relays(verify: Verify, mail_server: MailServer) -> None:
    mail_server.answers["relay"] = RELAY_DENIED
    entry = only(verify(direct_send()))
    assert (entry["status"], entry["accepted_by"]) == ("verified", "direct_send")
    assert len(mail_server.sessions[0].messages) == 1


@pytest.mark.parametrize("reply", ["250 2.1.5 Recipient OK", RELAY_DOMAIN])
def test_direct_send_is_not_verifiable_where_a_connector_matches(verify: Verify, mail_server: MailServer, reply: str) -> None:
    mail_server.answers["relay"], mail_server.source = reply, OWN
    result = verify(direct_send())
    entry = only(result)
    assert (entry["status"], entry["accepted_by"], "failed" in result) == ("not_verifiable", "", False)
    assert entry["reason"] == f"a connector matches {OWN}, so that the message would not be Direct Send"
    assert mail_server.sessions[0].messages == []


def test_rejected_direct_send_fails(verify: Verify, mail_server: MailServer) -> None:
    reply = "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"
    mail_server.answers |= {"relay": RELAY_DENIED, "RCPT": reply}
    entry = only(verify(direct_send(), required=False))
    assert (entry["status"], entry["code"]) == ("failed", "550 5.7.68")


def test_direct_send_to_an_external_recipient_is_impossible(verify: Verify, mail_server: MailServer) -> None:
    entry = only(verify(direct_send(verify_recipient="test@example.net"), required=False))
    assert (entry["status"], entry["stage"]) == ("failed", "input")
    assert entry["reason"] == "Direct Send reaches internal recipients only, and verify_recipient test@example.net is external"


# -- submission -------------------------------------------------------------------------------------------------------


def test_submission_needs_a_server_that_authenticates(verify: Verify, mail_server: MailServer) -> None:
    """A server that would take the message without authentication."""
    mail_server.answers["LOGIN"] = "504 5.7.4 Unrecognized authentication type"
    entry = only(verify(basic(), required=False))
    assert (entry["status"], entry["stage"], entry["code"]) == ("failed", "sign-in", "504 5.7.4")
    assert mail_server.sessions[0].messages == []


# -- one of many ------------------------------------------------------------------------------------------------------


def test_a_sender_without_recipient_is_not_verified_and_needs_nothing(verify: Verify, mail_server: MailServer) -> None:
    result = verify({**sender(), "verify_recipient": None}, basic())
    first, second = result["senders"]
    assert (first["status"], first["reason"]) == ("not_verified", "there is no recipient of a test message")
    assert "m365_verify_recipient" in first["remedy"]
    assert (second["status"], result["verified"], result["total"]) == ("verified", 1, 2)


def test_a_name_with_line_breaks_is_one_line(verify: Verify, mail_server: MailServer) -> None:
    """`name: >` in YAML ends with a line break, which a header must not have."""
    result = verify(basic(name="ERP\ninvoices\n"), basic(name=" \n"), basic("b@contoso.com"))
    assert [(entry["name"], entry["status"]) for entry in result["senders"]] == [
        ("ERP invoices", "verified"),
        ("erp@contoso.com", "verified"),
        ("b", "verified"),
    ]
    assert any(b"Subject: Test message: ERP invoices [" in message for session in mail_server.sessions for message in session.messages)


def test_an_error_in_one_probe_loses_no_other_result(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    compose = probing.compose

    def fail(of: Any, number: str) -> Any:
        if of.address == "a@contoso.com":
            raise ValueError("Header values may not contain linefeed or carriage return characters")
        return compose(of, number)

    monkeypatch.setattr(probing, "compose", fail)
    first, second = verify(basic("a@contoso.com"), basic("b@contoso.com"), required=False)["senders"]
    assert (first["status"], second["status"]) == ("failed", "verified")
    assert first["reason"].startswith("Header values may not contain")


@pytest.mark.parametrize(
    "name", ["b\u00fcro-pc.local", "my laptop.home", "my_pc.example.com", "localhost", "192.0.2.44", "-x.example.com", ""]
)
def test_every_host_name_gives_a_valid_ehlo(verify: Verify, monkeypatch: pytest.MonkeyPatch, mail_server: MailServer, name: str) -> None:
    ehlo_name._host_name.cache_clear()
    monkeypatch.setattr(socket, "getfqdn", lambda: name)
    assert only(verify(basic()))["status"] == "verified"
    assert mail_server.sessions[0].greetings == ["[127.0.0.1]", "[127.0.0.1]"]
    ehlo_name._host_name.cache_clear()


# -- the network of this host -----------------------------------------------------------------------------------------


def test_a_dead_path_to_microsofts_own_server_is_not_the_senders_failure(verify: Verify, cloud: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = verify(connector(), cloud=cloud | {"mx_host": "127.0.0.1", "mx_port": port})
    entry = only(result)
    assert (entry["status"], entry["stage"], entry["code"], "failed" in result) == ("not_verifiable", "connect", "connection", False)
    assert "firewall" in entry["reason"]
    assert entry["remedy"].endswith("Set verify_from of this sender to a host of the inventory that sends as the sender does.")


def test_a_dead_path_to_a_server_that_the_inventory_names_fails(verify: Verify) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    entry = only(verify(sender(method="relay_host", host="127.0.0.1", port=port), required=False))
    assert (entry["status"], entry["code"]) == ("failed", "connection")


def test_a_captive_portal_is_not_microsofts_refusal(verify: Verify, mail_server: MailServer) -> None:
    mail_server.answers["banner"] = "HTTP/1.0 302 Found"
    entry = only(verify(basic()))
    assert (entry["status"], entry["code"]) == ("not_verifiable", "not SMTP")
    assert "captive portal" in entry["reason"]
