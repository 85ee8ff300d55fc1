# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import errno
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.smtp import Conversation, Route, refusal
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput, SmtpError
from cryptography.hazmat.primitives.asymmetric import rsa

from ....conftest import certificate, pem
from ....mailserver import MailServer

MESSAGE = b"Subject: x\r\n\r\nx\r\n"
Talk = Callable[..., Conversation]


@pytest.fixture
def talk(mail_server: MailServer) -> Talk:
    """A conversation with the server up to TLS."""

    def begin(**options: object) -> Conversation:
        conversation = Conversation(mail_server.route(**options))
        conversation.resolve()
        conversation.connect()
        conversation.start_tls()
        return conversation

    return begin


def test_a_message_is_sent_stage_by_stage(talk: Talk, mail_server: MailServer) -> None:
    conversation = talk()
    assert conversation.tls.startswith("TLSv1.")
    conversation.sign_in_xoauth2("erp@contoso.com", "granted-1")
    assert conversation.send("erp@contoso.com", ["a@example.net", "b@example.net"], MESSAGE).startswith("250 2.0.0 OK")
    conversation.close()
    [session] = mail_server.sessions
    assert session.commands == [
        "EHLO", "STARTTLS", "EHLO", "AUTH XOAUTH2", f"MAIL FROM:<erp@contoso.com> SIZE={len(MESSAGE)}", "RCPT TO:<a@example.net>",
        "RCPT TO:<b@example.net>", "DATA", "QUIT",
    ]  # fmt: skip
    assert session.sign_ins == ["user=erp@contoso.com\x01auth=Bearer granted-1\x01\x01"]
    assert session.messages == [MESSAGE]


def test_login_sends_user_and_password_in_base64(talk: Talk, mail_server: MailServer) -> None:
    talk().sign_in_login("erp@contoso.com", "pässword")
    assert mail_server.sessions[0].sign_ins == ["erp@contoso.com", "pässword"]


@pytest.mark.parametrize(
    ("answers", "stage", "code", "row"),
    [
        ({"banner": "421 4.3.2 Service not available"}, "greeting", "421 4.3.2", "server-busy"),
        ({"EHLO": "550 5.7.506 Access Denied, Bad HELO"}, "greeting", "550 5.7.506", "bad-helo"),
        ({"STARTTLS": "454 4.7.0 TLS not available due to temporary reason"}, "tls", "454 4.7.0", "server-busy"),
        ({"AUTH": "535 5.7.3 Authentication unsuccessful [AM0PR02]"}, "sign-in", "535 5.7.3", "authentication-refused"),
        ({"AUTH": "504 5.7.4 Unrecognized authentication type"}, "sign-in", "504 5.7.4", "wrong-mechanism"),
        ({"MAIL": "550 5.7.60 SMTP; Client does not have permissions to send as this sender"}, "sender", "550 5.7.60", "send-as-denied"),
        ({"MAIL": "530 5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, "
                  "SmtpClientAuthentication is disabled for the Mailbox. [X]"}, "sender", "535 5.7.139", "smtp-auth-off-mailbox"),
        ({"RCPT": "550 5.4.1 Recipient address rejected: Access denied"}, "recipient", "550 5.4.1", "no-such-recipient"),
        ({"DATA": "451 4.7.500 Server busy. Please try again later from [192.0.2.2]."}, "message", "451 4.7.500", "address-throttled"),
        ({".": "554 5.2.252 SendAsDenied; a not allowed to send as b"}, "message", "554 5.2.252", "send-as-denied"),
        ({".": "430 4.2.0 STOREDRV; mailbox logon failure; Cannot open mailbox."}, "message", "430 4.2.0", "no-right-on-mailbox"),
    ],
)  # fmt: skip
def test_a_refusal_names_its_stage_code_and_row(mail_server: MailServer, answers: dict[str, str], stage: str, code: str, row: str) -> None:
    mail_server.answers |= answers
    with pytest.raises(SmtpError) as raised:
        _send(Conversation(mail_server.route()))
    failure = raised.value
    assert (failure.stage, failure.code, failure.entry and failure.entry.id) == (stage, code, row)
    assert failure.as_result()["stage"] == stage


def _send(conversation: Conversation) -> None:
    try:
        conversation.connect()
        conversation.start_tls()
        conversation.sign_in_xoauth2("erp@contoso.com", "granted-1")
        conversation.send("erp@contoso.com", ["a@example.net"], MESSAGE)
    finally:
        conversation.close()


def test_a_challenge_that_hides_the_error_is_answered_with_nothing(talk: Talk, mail_server: MailServer) -> None:
    challenge = base64.b64encode(b'{"status":"401","schemes":"bearer","scope":"x"}').decode()
    mail_server.answers |= {"AUTH": f"334 {challenge}", "": "535 5.7.3 Authentication unsuccessful [X]"}
    with pytest.raises(SmtpError) as raised:
        talk().sign_in_xoauth2("erp@contoso.com", "granted-1")
    assert raised.value.code == "535 5.7.3"
    assert mail_server.sessions[0].commands[-1] == ""


@pytest.mark.parametrize("step", ["LOGIN", "user", "password"])
def test_login_may_be_refused_at_each_step(talk: Talk, mail_server: MailServer, step: str) -> None:
    mail_server.answers[step] = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."
    with pytest.raises(SmtpError, match=r"the mailbox's password is wrong \(535 5\.7\.139\)"):
        talk().sign_in_login("erp@contoso.com", "pw")


def test_closed_connection_is_reported(talk: Talk, mail_server: MailServer) -> None:
    mail_server.answers["AUTH"] = "hang up"
    conversation = talk()
    with pytest.raises(SmtpError) as raised:
        conversation.sign_in_xoauth2("erp@contoso.com", "granted-1")
    assert (raised.value.stage, raised.value.code) == ("sign-in", "closed")
    conversation.close()


@pytest.mark.parametrize(
    ("banner", "code", "entry"),
    [
        ("silence", "timeout", "greeting-timeout"),
        ("hang up", "closed", "closed-before-greeting"),
        ("HTTP/1.1 400 Bad Request", "not SMTP", "not-smtp"),
        ("<html>Please sign in to the hotel's network</html>", "not SMTP", "not-smtp"),
    ],
)
def test_answer_without_smtp_greeting_has_its_own_entry(mail_server: MailServer, banner: str, code: str, entry: str) -> None:
    mail_server.answers["banner"] = banner
    with pytest.raises(SmtpError) as raised:
        Conversation(mail_server.route(timeout=0.2)).connect()
    assert (raised.value.stage, raised.value.code, raised.value.entry and raised.value.entry.id) == ("greeting", code, entry)
    assert "Microsoft" not in str(raised.value)


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SmtpError) as raised:
        Conversation(Route("127.0.0.1", port, timeout=2)).connect()
    assert (raised.value.stage, raised.value.code) == ("connect", "connection")
    assert "nothing listens there (Connection refused)" in str(raised.value)


@pytest.mark.parametrize(
    ("error", "code", "entry"),
    [
        (TimeoutError("timed out"), "timeout", "tcp-timeout"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "connection", "tcp-no-route"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "connection", "tcp-no-route"),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "connection", "tcp-no-route"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "connection", "tcp-refused"),
        (PermissionError(errno.EPERM, "Operation not permitted"), "connection", "tcp-failed"),
    ],
)
def test_dead_tcp_path_has_its_own_entry(monkeypatch: pytest.MonkeyPatch, error: OSError, code: str, entry: str) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(SmtpError) as raised:
        Conversation(Route("contoso-com.mail.protection.outlook.com", 25)).connect()
    assert (raised.value.stage, raised.value.code, raised.value.entry and raised.value.entry.id) == ("connect", code, entry)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "bad..name", f"{'x' * 70}.example"])
def test_a_name_that_does_not_resolve_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host.endswith("invalid"):

        def unknown(*args: object, **options: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SmtpError) as raised:
        Conversation(Route(host, 25)).resolve()
    assert (raised.value.stage, raised.value.code) == ("resolve", "DNS")
    assert host in str(raised.value)


def test_a_server_without_starttls_is_not_microsofts(mail_server: MailServer) -> None:
    mail_server.offers.remove("STARTTLS")
    conversation = Conversation(mail_server.route())
    conversation.connect()
    with pytest.raises(SmtpError, match="does not offer STARTTLS"):
        conversation.start_tls()


def test_a_certificate_that_is_not_trusted_stops_it(mail_server: MailServer) -> None:
    conversation = Conversation(mail_server.route(ca_file=""))
    conversation.connect()
    with pytest.raises(SmtpError, match="certificate is not trusted") as raised:
        conversation.start_tls()
    assert (raised.value.stage, raised.value.code) == ("tls", "certificate")
    assert raised.value.entry
    assert raised.value.entry.id == "certificate-issuer"
    conversation.close()


def test_a_certificate_of_another_name_stops_it(mail_server: MailServer) -> None:
    conversation = Conversation(mail_server.route(host="127.0.0.1"))
    conversation.connect()
    with pytest.raises(SmtpError, match="certificate is not trusted") as raised:
        conversation.start_tls()
    assert raised.value.entry
    assert raised.value.entry.id == "certificate-name"
    conversation.close()


def test_a_recipient_is_tried_without_a_message(talk: Talk, mail_server: MailServer) -> None:
    mail_server.source = "203.0.113.7"
    conversation = talk()
    assert conversation.source == "203.0.113.7"
    conversation.try_recipient("erp@contoso.com", "a@example.net")
    mail_server.answers["RCPT"] = "550 5.7.64 TenantAttribution; Relay Access Denied SMTP"
    with pytest.raises(SmtpError) as raised:
        conversation.try_recipient("erp@contoso.com", "b@example.net")
    assert (raised.value.stage, raised.value.entry and raised.value.entry.id) == ("recipient", "relay-denied")
    conversation.close()
    tried = [["MAIL FROM:<erp@contoso.com>", f"RCPT TO:<{name}@example.net>", "RSET"] for name in "ab"]
    assert mail_server.sessions[0].commands[3:] == [*tried[0], *tried[1], "QUIT"]


def test_the_source_address_is_bound(talk: Talk, mail_server: MailServer) -> None:
    talk(source_address="127.0.0.2").close()
    assert mail_server.sessions[0].peer == "127.0.0.2"
    with pytest.raises(SmtpError) as raised:
        talk(source_address="192.0.2.99")
    assert raised.value.stage == "connect"


def test_client_certificate_is_presented(talk: Talk, mail_server: MailServer, tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "client.pem").write_bytes(pem(rsa_key, "pw") + pem(certificate(rsa_key, "relay")))
    talk(certificate_path=str(tmp_path / "client.pem"), certificate_password="pw").close()
    for path, password in (("client.pem", "wrong"), ("client.pem", None), ("nowhere.pem", None)):
        with pytest.raises(InvalidInput, match="cannot be used as a client certificate"):
            talk(certificate_path=str(tmp_path / path), certificate_password=password)


def test_what_signed_in_is_in_no_refusal(talk: Talk, mail_server: MailServer) -> None:
    secret = base64.b64encode(b"user=a@contoso.com\x01auth=Bearer granted-1\x01\x01").decode()
    mail_server.answers["AUTH"] = f"501 5.5.4 Invalid: {secret} granted-1"
    with pytest.raises(SmtpError) as raised:
        talk().sign_in_xoauth2("a@contoso.com", "granted-1")
    assert "granted" not in repr(raised.value) + str(raised.value.as_result())
    assert secret not in str(raised.value.as_result())
    mail_server.answers |= {"password": f"535 5.7.3 {base64.b64encode(b'pa55 word').decode()} is pa55 word"}
    with pytest.raises(SmtpError) as raised:
        talk().sign_in_login("a@contoso.com", "pa55 word")
    assert raised.value.service_message == "535 5.7.3 ******** is ********"
    assert "pa55" not in repr(Route("h", 25, certificate_password="pa55"))


def test_stages_need_a_connection() -> None:
    with pytest.raises(SmtpError, match="not connected"):
        Conversation(Route("h", 25)).start_tls()
    Conversation(Route("h", 25)).close()


@pytest.mark.parametrize(
    ("reply", "code"), [("535 5.7.3 x", "535 5.7.3"), ("554 x", "554"), ("530 5.7.57 x Error: 535 5.7.139 y", "535 5.7.139")]
)
def test_a_refusals_code_is_the_causes(reply: str, code: str) -> None:
    assert refusal("sign-in", reply).code == code
