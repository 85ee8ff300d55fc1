"""Client submission byte for byte: greeting, EHLO, STARTTLS, sign-in, and what may not crash it."""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import ssl
import warnings

import pytest

from tests.emulator.smtp_lab import OPS, PASSWORD, Lab, StartLab, reply_text, send, token, xoauth2_blob

pytest_plugins = ["tests.emulator.smtp_lab"]

STAMP = r" \[AM0PR02CA0134\.eurprd02\.prod\.outlook\.com \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9A-F]{16}\]"
SIGNED_IN = "235 2.7.0 Authentication successful"
BEFORE = [
    "250-AM0PR02CA0134.outlook.office365.com Hello [127.0.0.1]\r\n",
    "250-SIZE 157286400\r\n",
    "250-PIPELINING\r\n",
    "250-DSN\r\n",
    "250-ENHANCEDSTATUSCODES\r\n",
    "250-STARTTLS\r\n",
    "250-8BITMIME\r\n",
    "250-BINARYMIME\r\n",
    "250-CHUNKING\r\n",
    "250 SMTPUTF8\r\n",
]
AFTER = [line.replace("STARTTLS", "AUTH LOGIN XOAUTH2") for line in BEFORE]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def stamped(result: str, text: str) -> bool:
    return re.fullmatch(re.escape(text) + STAMP, result) is not None


def test_greeting_and_ehlo_in_clear_and_in_tls(lab: Lab) -> None:
    lab.clock.offset = 1433160000.5 - lab.state.now()
    with lab.raw() as raw:
        assert raw.reply() == [
            "220 AM0PR02CA0134.outlook.office365.com Microsoft ESMTP MAIL Service ready at Mon, 1 Jun 2015 12:00:00 +0000\r\n"
        ]
        assert raw.say("EHLO client.example.net") == BEFORE
        raw.start_tls(lab.trust())
        assert raw.say("MAIL FROM:<a@example.net>") == ["503 5.5.2 Send hello first\r\n"]  # TLS forgets the EHLO before it
        assert raw.say("EHLO client.example.net") == AFTER
        assert raw.say("STARTTLS") == ["503 5.5.1 Bad sequence of commands\r\n"]
        assert raw.say("QUIT") == ["221 2.0.0 Service closing transmission channel\r\n"]
        assert raw.line() == ""


def test_the_client_sees_its_public_address(lab: Lab) -> None:
    lab.state.network["127.0.0.9"] = "203.0.113.9"
    with lab.client("127.0.0.9") as client:
        assert client.ehlo_resp is not None
        assert client.ehlo_resp.startswith(b"AM0PR02CA0134.outlook.office365.com Hello [203.0.113.9]\n")


def test_commands_before_starttls_are_refused(lab: Lab) -> None:
    with lab.client(tls=False) as client:
        assert stamped(reply_text(client.mail(OPS)), "451 5.7.3 STARTTLS is required to send mail")
        for mechanism in ("LOGIN", f"XOAUTH2 {xoauth2_blob()}", "PLAIN"):
            assert reply_text(client.docmd("AUTH", mechanism)) == "504 5.7.4 Unrecognized authentication type"


def test_state_before_starttls_is_discarded(lab: Lab) -> None:
    with lab.raw() as raw:
        raw.reply()
        raw.say("EHLO a")
        raw.socket.sendall(b"STARTTLS\r\nNOOP\r\n")  # the NOOP is an injection (RFC 3207, section 6)
        assert raw.reply() == ["220 2.0.0 SMTP server ready\r\n"]
        raw.socket = lab.trust().wrap_socket(raw.socket, server_hostname="localhost")
        raw._file = raw.socket.makefile("rb")
        assert raw.say("EHLO a")[0].startswith("250-")


def test_xoauth2_in_one_line_and_in_two(lab: Lab) -> None:
    with lab.client() as client:
        assert reply_text(client.docmd("AUTH", f"xoauth2 {xoauth2_blob()}")) == SIGNED_IN
        assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")) == "503 5.5.2 Already authenticated"
    with lab.raw() as raw:
        raw.reply()
        raw.say("EHLO a")
        raw.start_tls(lab.trust())
        raw.say("EHLO a")
        assert raw.say("AUTH XOAUTH2") == ["334 \r\n"]
        assert raw.say(xoauth2_blob(bearer=token(padding="x" * 7000))) == [f"{SIGNED_IN}\r\n"]


def test_login_in_three_lines_and_in_two(lab: Lab) -> None:
    with lab.client() as client:
        assert reply_text(client.docmd("AUTH", "LOGIN")) == "334 VXNlcm5hbWU6"
        assert reply_text(client.docmd(encoded(OPS))) == "334 UGFzc3dvcmQ6"
        assert reply_text(client.docmd(encoded(PASSWORD))) == SIGNED_IN
    with lab.client() as client:
        assert reply_text(client.docmd("AUTH", f"LOGIN {encoded(OPS)}")) == "334 UGFzc3dvcmQ6"
        assert reply_text(client.docmd(encoded(PASSWORD))) == SIGNED_IN


def test_plain_is_not_offered(lab: Lab) -> None:
    with lab.client() as client:
        for mechanism in ("PLAIN", f"PLAIN {encoded(chr(0) + OPS + chr(0) + PASSWORD)}", "CRAM-MD5", ""):
            assert reply_text(client.docmd("AUTH", mechanism)) == "504 5.7.4 Unrecognized authentication type"


def test_after_a_refused_sign_in_mail_repeats_why(lab: Lab) -> None:
    with lab.client() as client:
        assert stamped(reply_text(client.mail(OPS)), "530 5.7.57 Client not authenticated to send mail.")
        lab.ops.smtp_client_authentication_disabled = True
        cause = (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. "
            "Visit https://aka.ms/smtp_auth_disabled for more information."
        )
        assert stamped(reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")), cause)
        assert stamped(reply_text(client.mail(OPS)), f"530 5.7.57 Client not authenticated to send mail. Error: {cause}")
        lab.ops.smtp_client_authentication_disabled = False
        assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")) == SIGNED_IN
        assert send(client).startswith("250 2.0.0 OK <1@contoso.com> [Hostname=")


def test_a_refused_token_may_be_explained_first(start_lab: StartLab) -> None:
    with start_lab(challenge_334=True).client() as client:
        code, text = client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob(bearer=token(aud='https://graph.microsoft.com'))}")
        assert code == 334
        assert json.loads(base64.b64decode(text))["status"] == "401"
        assert stamped(reply_text(client.docmd("")), "535 5.7.3 Authentication unsuccessful")
        assert reply_text(client.docmd("AUTH", f"XOAUTH2 {xoauth2_blob()}")) == SIGNED_IN


def test_cancelled_sign_in_and_invalid_base64(lab: Lab) -> None:
    with lab.client() as client:
        for mechanism in ("LOGIN", "XOAUTH2"):
            client.docmd("AUTH", mechanism)
            assert reply_text(client.docmd("*")) == "501 5.7.0 Authentication cancelled"
            client.docmd("AUTH", mechanism)
            assert reply_text(client.docmd("a=b=c")) == "501 5.5.2 Cannot decode response"
        assert stamped(reply_text(client.docmd("AUTH", "XOAUTH2 =")), "535 5.7.3 Authentication unsuccessful")


def test_basic_is_retired_by_a_setting(start_lab: StartLab) -> None:
    retired = "550 5.7.30 Basic authentication is not supported for Client Submission."
    with start_lab(basic_retired=True).client() as client:
        client.docmd("AUTH", f"LOGIN {encoded(OPS)}")
        assert reply_text(client.docmd(encoded(PASSWORD))) == retired
        assert stamped(reply_text(client.mail(OPS)), f"530 5.7.57 Client not authenticated to send mail. Error: {retired}")


@pytest.mark.parametrize(
    ("version", "minimum", "refused"),
    [("TLSv1", "1.2", True), ("TLSv1_1", "1.2", True), ("TLSv1_2", "1.2", False), ("TLSv1", "1.0", False)],
)
def test_old_tls_is_answered(start_lab: StartLab, version: str, minimum: str, refused: bool) -> None:
    context = start_lab(minimum_tls="1.2").trust()
    lab = start_lab(minimum_tls=minimum)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with lab.raw() as raw:
        raw.reply()
        raw.say("EHLO a")
        try:
            raw.start_tls(context)
        except ssl.SSLError as error:
            pytest.skip(f"this OpenSSL does not speak {version} ({error.reason})")
        if refused:
            text = (
                "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. "
                "Visit https://aka.ms/smtp_auth_tls\r\n"
            )
            assert raw.say("EHLO a") == [text]
            assert raw.line() == ""
        else:
            assert raw.say("EHLO a")[0].startswith("250-")


def test_commands_out_of_order_and_unknown(lab: Lab) -> None:
    with lab.raw() as raw:
        raw.reply()
        assert raw.say("MAIL FROM:<a@example.net>") == ["503 5.5.2 Send hello first\r\n"]
        assert raw.say("AUTH LOGIN") == ["503 5.5.2 Send hello first\r\n"]
        assert raw.say("EHLO") == ["501 5.5.4 Invalid domain name\r\n"]
        assert raw.say("EHLO b\u00fcro-pc.local") == ["501 5.5.4 Invalid domain name\r\n"]
        assert raw.say("HELO a") == ["250 AM0PR02CA0134.outlook.office365.com Hello [127.0.0.1]\r\n"]
        assert raw.say("RCPT TO:<a@example.net>") == ["503 5.5.2 Need mail command\r\n"]
        assert raw.say("DATA") == ["503 5.5.2 Need mail command\r\n"]
        assert raw.say("NOOP x") == ["250 2.0.0 OK\r\n"]
        assert raw.say("RSET") == ["250 2.0.0 Resetting\r\n"]
        assert raw.say("VRFY a") == ["252 2.1.5 Cannot VRFY user\r\n"]
        assert raw.say("EXPN a") == ["502 5.3.3 Command not implemented\r\n"]
        assert raw.say("HELP")[-1].startswith("214 ")
        for _ in range(9):
            assert raw.say("XYZZY") == ["500 5.3.3 Unrecognized command\r\n"]
        assert raw.say("XYZZY")[0].startswith("421 4.7.0 ")
        assert raw.line() == ""


def test_a_line_that_is_far_too_long(lab: Lab) -> None:
    with lab.raw() as raw:
        raw.reply()
        assert raw.say(b"EHLO " + b"a" * 200_000 + b"\r\n") == ["500 5.5.2 Line too long\r\n"]
        assert raw.say("EHLO a") == BEFORE


def test_no_bytes_crash_a_session(lab: Lab) -> None:
    """The end of a lab asserts that no session failed; here each connection gets noise in another state."""
    chance = random.Random(4711)  # noqa: S311
    words = [
        b"AUTH LOGIN",
        b"AUTH XOAUTH2 ",
        b"MAIL FROM:<",
        b"RCPT TO:",
        b"BDAT 5",
        b"DATA",
        b"EHLO ",
        b"\xff\xfe",
        b"\x00",
        b"\xed\xa0\x80",
        b"=?",
        b"\r",
        b"\n",
    ]
    for _ in range(60):
        with lab.raw(mx=chance.random() < 0.5) as raw:
            raw.reply()
            raw.say("EHLO a")
            if chance.random() < 0.5:
                raw.start_tls(lab.trust())
                raw.say("EHLO a")
            noise = b"".join(chance.choice(words) + chance.randbytes(chance.randrange(12)) for _ in range(30))
            raw.socket.sendall(noise + b"\r\n.\r\n\r\nQUIT\r\n")
            if not isinstance(raw.socket, ssl.SSLSocket):
                raw.socket.shutdown(socket.SHUT_WR)
    with lab.signed_in() as client:
        assert send(client).startswith("250 ")


def test_a_failed_handshake_ends_only_that_connection(lab: Lab) -> None:
    with lab.raw() as raw:
        raw.reply()
        raw.say("EHLO a")
        assert raw.say("STARTTLS") == ["220 2.0.0 SMTP server ready\r\n"]
        raw.socket.sendall(b"this is no ClientHello\r\n" * 10)
        raw.socket.settimeout(5)
        while raw.socket.recv(4096):
            pass
    with lab.signed_in() as client:
        assert send(client).startswith("250 ")
