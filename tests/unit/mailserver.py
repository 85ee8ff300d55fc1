# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small scripted mail server on loopback: STARTTLS, XOAUTH2 and LOGIN, and any reply to any command on order."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._clients.smtp import Route

REPLIES = {
    "banner": "220 AM0PR02.outlook.office365.com Microsoft ESMTP MAIL Service ready",
    "STARTTLS": "220 2.0.0 SMTP server ready",
    "AUTH": "235 2.7.0 Authentication successful",
    "LOGIN": "334 VXNlcm5hbWU6",
    "user": "334 UGFzc3dvcmQ6",
    "password": "235 2.7.0 Authentication successful",
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": "250 2.1.5 Recipient OK",
    "relay": "250 2.1.5 Recipient OK",
    "RSET": "250 2.0.0 Resetting",
    "DATA": "354 Start mail input; end with <CRLF>.<CRLF>",
    ".": "250 2.0.0 OK <id@example> Queued mail for delivery",
    "QUIT": "221 2.0.0 Service closing transmission channel",
}


class HangUp(Exception):  # noqa: N818
    """The server closes the connection."""


@dataclass
class Session:
    """What one client did. `greetings`: the names in EHLO."""

    peer: str
    commands: list[str] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    sign_ins: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)


class MailServer:
    """Serves on 127.0.0.1 under the name localhost. `answers` replaces replies; "hang up" and "silence" are two of them.

    "relay" is the reply to an external recipient in a transaction without a message; `relay_replies` come before it.
    `source`: the client's address in the reply to EHLO.
    `at_once` is the largest number of connections there were at a time, by the address that signed in.
    """

    def __init__(self, key_and_certificate: Path) -> None:
        self.answers: dict[str, str] = {}
        self.source = ""
        self.relay_replies: list[str] = []
        self.offers = ["SIZE 157286400", "STARTTLS", "8BITMIME"]
        self.sessions: list[Session] = []
        self.at_once: dict[str, int] = {}
        self._open: dict[str, int] = {}
        self._file = key_and_certificate
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(key_and_certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def route(self, **options: Any) -> Route:
        return Route(**{"host": "localhost", "port": self.port, "ca_file": str(self._file), "timeout": 5.0, **options})

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, address = self._listener.accept()
                session = Session(address[0])
                self.sessions.append(session)
                threading.Thread(target=self._talk, args=(connection, session), daemon=True).start()

    def _talk(self, connection: socket.socket, session: Session) -> None:
        with contextlib.suppress(OSError, HangUp, ValueError):
            _Talk(self, connection, session).run()
        with contextlib.suppress(OSError):
            connection.close()

    def context(self) -> ssl.SSLContext:
        return self._context

    def entered(self, mailbox: str, step: int) -> None:
        with self._lock:
            self._open[mailbox] = self._open.get(mailbox, 0) + step
            self.at_once[mailbox] = max(self.at_once.get(mailbox, 0), self._open[mailbox])


class _Talk:
    """One conversation, from the server's side."""

    def __init__(self, server: MailServer, connection: socket.socket, session: Session) -> None:
        self.server, self.session = server, session
        self.socket: socket.socket = connection
        self.file = connection.makefile("rb")
        self.secure = False
        self.mailbox = ""

    def run(self) -> None:
        try:
            self.reply("banner")
            while True:
                line = self.line()
                verb = line.split(" ")[0].upper()
                self.session.commands.append(self.redacted(verb, line))
                getattr(self, f"on_{verb.lower()}", self.other)(line)
        finally:
            if self.mailbox:
                self.server.entered(self.mailbox, -1)
            self.file.close()
            self.socket.close()

    @staticmethod
    def redacted(verb: str, line: str) -> str:
        rest = line[len(verb) :].replace(" from:", " FROM:").replace(" to:", " TO:")  # Python 3.13 writes them small
        return verb + {"EHLO": "", "AUTH": " ".join(rest.split(" ")[:2])}.get(verb, rest)

    def line(self) -> str:
        line = self.file.readline()
        if not line:
            raise HangUp
        return line.rstrip(b"\r\n").decode()

    def reply(self, step: str) -> str:
        text = self.server.answers.get(step, REPLIES.get(step, "502 5.5.1 Command not implemented"))
        if text == "hang up":
            raise HangUp
        if text == "silence":
            self.socket.recv(1)
            raise HangUp
        self.socket.sendall(f"{text}\r\n".encode())
        return text

    def on_ehlo(self, line: str) -> None:
        self.session.greetings.append(line.partition(" ")[2])
        if "EHLO" in self.server.answers:
            self.reply("EHLO")
            return
        offers = [offer for offer in self.server.offers if offer != "STARTTLS" or not self.secure]
        offers += ["AUTH LOGIN XOAUTH2"] if self.secure else []
        seen = f" [{self.server.source}]" if self.server.source else ""
        lines = [f"AM0PR02.outlook.office365.com Hello{seen}", *offers]
        text = "".join(f"250{' ' if i == len(lines) - 1 else '-'}{text}\r\n" for i, text in enumerate(lines))
        self.socket.sendall(text.encode())

    def on_starttls(self, line: str) -> None:
        if self.reply("STARTTLS").startswith("220"):
            self.file.close()
            self.socket = self.server.context().wrap_socket(self.socket, server_side=True)
            self.file = self.socket.makefile("rb")
            self.secure = True

    def on_auth(self, line: str) -> None:
        _auth, mechanism, *initial = line.split(" ")
        if mechanism == "XOAUTH2":
            self.session.sign_ins.append(base64.b64decode(initial[0]).decode())
            self.enter(self.session.sign_ins[-1].split("\x01")[0].removeprefix("user="))
            self.reply("AUTH")
            return
        if not self.reply("LOGIN").startswith("334"):
            return
        for step in ("user", "password"):
            self.session.sign_ins.append(base64.b64decode(self.line()).decode())
            if not self.reply(step).startswith("334"):
                break
        self.enter(self.session.sign_ins[0])

    def enter(self, mailbox: str) -> None:
        self.mailbox = mailbox.lower()
        self.server.entered(self.mailbox, 1)

    def on_mail(self, line: str) -> None:
        self.reply("MAIL")

    def on_rcpt(self, line: str) -> None:
        if "mailops-relay-check@" not in line:
            self.reply("RCPT")
        elif self.server.relay_replies:
            self.socket.sendall(f"{self.server.relay_replies.pop(0)}\r\n".encode())
        else:
            self.reply("relay")

    def on_data(self, line: str) -> None:
        if not self.reply("DATA").startswith("354"):
            return
        content = b""
        while (line_ := self.file.readline()) not in (b".\r\n", b""):
            content += line_
        self.session.messages.append(content)
        self.reply(".")

    def on_quit(self, line: str) -> None:
        self.reply("QUIT")
        raise HangUp

    def other(self, line: str) -> None:
        self.reply(line.split(" ")[0].upper())
