# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender of a message changes, and nothing else of it."""

from __future__ import annotations

import io
import os
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent.postfix import internal_listener, rewriting

SENDER = "scanner@contoso.com"


def header(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return b"".join(rewriting.rewritten(rewriting.fields(io.BytesIO(raw)), SENDER, "relay1.contoso.com")).decode()


@pytest.mark.parametrize(
    ("field", "sender", "reply"),
    [
        ("From: joe@foo.example", SENDER, "joe@foo.example"),
        ("From: Joe Doe <joe@foo.example>", f"Joe Doe <{SENDER}>", "Joe Doe <joe@foo.example>"),
        ('From: "Doe, Joe" <joe@foo.example>', f'"Doe, Joe" <{SENDER}>', '"Doe, Joe" <joe@foo.example>'),
        ("From: =?UTF-8?B?SsO2cmc=?= <j@foo.example>", f"=?UTF-8?B?SsO2cmc=?= <{SENDER}>", "=?UTF-8?B?SsO2cmc=?= <j@foo.example>"),
        ("From: Jörg <j@foo.example>", f"=?utf-8?b?SsO2cmc=?= <{SENDER}>", "=?utf-8?b?SsO2cmc=?= <j@foo.example>"),
        ("From: boss@foo.example <joe@foo.example>", SENDER, "joe@foo.example"),
        ("From: joe@foo.example (Joe)", f"Joe <{SENDER}>", "Joe <joe@foo.example>"),
        ("From: <boss@foo.example> <joe@foo.example>", SENDER, "joe@foo.example"),
        ("From: Cam 3", f"Cam 3 <{SENDER}>", ""),
        ("From: scanner", f"scanner <{SENDER}>", ""),
        ("From: Scanner@Contoso.com", SENDER, ""),
        ("From: Joe\n <joe@foo.example>", f"Joe <{SENDER}>", "Joe <joe@foo.example>"),
        ("From: scanner@relay1.contoso.com", SENDER, ""),
        ("From:", SENDER, ""),
        ("X-No: from at all", SENDER, ""),
    ],
)
def test_original_sender_is_kept_in_reply_to(field: str, sender: str, reply: str) -> None:
    text = header(f"Subject: s\n{field}\nTo: a@b.example\n\nbody\n")
    assert f"From: {sender}\n" in text
    assert (f"Reply-To: {reply}\n" in text) if reply else ("Reply-To" not in text)
    assert text.count("From:") == 1
    assert "Subject: s\n" in text
    assert "body" not in text


def test_existing_reply_to_is_kept_and_an_empty_one_replaced() -> None:
    kept = header("From: joe@foo.example\nReply-To: keep@foo.example\n\n")
    assert kept == "Reply-To: keep@foo.example\nFrom: scanner@contoso.com\n"
    assert header("reply-to: \nFrom: joe@foo.example\n\n").count("eply-") == 1


def test_other_sender_fields_are_removed() -> None:
    text = header(
        "From: a@foo.example\nfrom : b@foo.example\nSender: c@foo.example\nResent-From: d@foo.example\nReturn-Path: <e@foo.example>\n\n"
    )
    assert text == "From: scanner@contoso.com\nReply-To: a@foo.example\n"


@pytest.mark.parametrize("bad", [b"\r", b"\x00", b"\x0b", b"\x85", b"\xc2\x85", b"\x1b[31m"])
def test_control_character_adds_no_line(bad: bytes) -> None:
    text = header(b"From: Joe" + bad + b"Bcc: victim@foo.example <joe@foo.example>\nSubject: s\n\n")
    assert [line.partition(":")[0] for line in text.split("\n") if line] == ["Subject", "From", "Reply-To"][: text.count("\n")]
    assert not set(text) & {"\r", "\x00", "\x0b", "\x85", "\x1b"}


def test_long_display_name_is_shortened() -> None:
    assert len(header(f"From: {'x' * 50000} <joe@foo.example>\n\n")) < 500


def test_folded_fields_and_8_bit_bodies_are_unchanged() -> None:
    message = io.BytesIO(b"Subject: a\n folded\nFrom: joe@foo.example\n\n.dot\nJ\xf6rg\r\n\n")
    fields = rewriting.rewritten(list(rewriting.fields(message)), SENDER)
    wire = b"".join(rewriting.lines(fields, message))
    assert wire == b"Subject: a\r\n folded\r\nFrom: scanner@contoso.com\r\nReply-To: joe@foo.example\r\n\r\n..dot\r\nJ\xf6rg\r\n\r\n"


class Server(socketserver.ThreadingUnixStreamServer):
    """Plays Postfix taking the message back; `refuse`: the command that it refuses."""

    daemon_threads = True
    refuse = b""
    commands: list[bytes] = []


class Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(b"220 relay\r\n")
        while line := self.rfile.readline():
            self.server.commands.append(line.strip())
            if line.startswith(b"DATA") and self.server.refuse != b"DATA":
                self.wfile.write(b"354 go\r\n")
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    self.server.commands.append(line)
                self.wfile.write(b"452 4.3.1 full\r\n" if self.server.refuse == b"." else b"250 2.0.0 Ok: queued as ABC\r\n")
            elif self.server.refuse and line.startswith(self.server.refuse):
                self.wfile.write(b"554 5.7.1 no\r\n")
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def postfix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with Server(str(tmp_path / "socket"), Session) as server:
        server.commands = []
        monkeypatch.setattr(internal_listener, "SOCKET", str(server.server_address))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


MESSAGE = b"From: joe@foo.example\n\nbody\n"


def test_message_is_submitted_again_and_the_reply_printed(postfix: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert rewriting.main(SENDER, "relay1.contoso.com", ["a@b.example", "-c@d.example"], io.BytesIO(MESSAGE)) == 0, postfix.commands
    assert capsys.readouterr().out == "250 2.0.0 Ok: queued as ABC\n"
    # Commands are the same in either case (RFC 5321, 2.4), and Python's smtplib of 3.13 writes this one in another.
    mail, *recipients = postfix.commands[1:4]
    assert mail.lower() == b"mail from:<scanner@contoso.com> body=8bitmime"
    assert recipients == [b"RCPT TO:<a@b.example>", b"RCPT TO:<-c@d.example>"]
    assert postfix.commands[-3:] == [b"\r\n", b"body\r\n", b"quit"]


@pytest.mark.parametrize("recipient", ["ü@b.example".encode(), b"\xfc@b.example"])
def test_recipient_is_submitted_in_the_bytes_of_the_device(postfix: Server, recipient: bytes) -> None:
    """As pipe(8) passes it, UTF-8 or not, where SMTPUTF8 is not offered."""
    assert rewriting.main(SENDER, "relay1.contoso.com", [os.fsdecode(recipient)], io.BytesIO(MESSAGE)) == 0
    assert postfix.commands[2] == b"RCPT TO:<%s>" % recipient


@pytest.mark.parametrize("refused", [b"mail", b"RCPT", b"DATA", b"."])
def test_refused_message_stays_queued(postfix: Server, refused: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    postfix.refuse = refused
    assert rewriting.main(SENDER, "relay1.contoso.com", ["a@b.example"], io.BytesIO(MESSAGE)) == rewriting.TEMPORARY
    assert capsys.readouterr().out.startswith("4.3.0 this relay did not accept the rewritten message: ")


def test_message_stays_queued_where_postfix_does_not_listen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(internal_listener, "SOCKET", str(tmp_path / "socket"))
    assert rewriting.main(SENDER, "relay1.contoso.com", ["a@b.example"], io.BytesIO(MESSAGE)) == 75
    assert "No such file" in capsys.readouterr().out
