"""SMTP sessions of hMailServer: who may connect, authenticate and send to whom, by IP ranges, accounts and settings.

Sources: hMailServer's source (SMTPConnection, RecipientParser, AccountLogon). A client whose range does not allow SMTP gets no greeting.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import email.utils
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from emulator.state import HMailElement, HMailServer, QueuedMail
from emulator.windows.hmail_com import setting
from emulator.windows.hmail_domains import account_of, is_local
from emulator.windows.hmail_logon import Logon
from emulator.windows.machine import Machine
from emulator.windows.smtp_client import IMPLICIT, NONE, REQUIRED

_ADDRESS = re.compile(r"[^\s<>@:%!\",]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_PARAMETER = re.compile(r"<?([^<>\s]*)>?((?:\s+\S+)*)\s*")
BEFORE_TLS = ("EHLO", "NOOP", "STARTTLS", "QUIT")  # what a port with STARTTLS required allows before it
LOGIN = ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")  # Username:, Password:


@dataclass
class Port:
    """A port with the security that it was opened with. `context`: the certificate's, None without one."""

    security: int
    context: ssl.SSLContext | None


class HMailSession:
    """One connection. `row`: the IP range of the client; `queue`: takes an accepted message."""

    def __init__(
        self, machine: Machine, server: HMailServer, port: Port, source: str, row: HMailElement, queue: Callable[..., None]
    ) -> None:
        self._machine, self._server, self._port, self._source, self._row, self._queue = machine, server, port, source, row, queue
        self._encrypted = False
        self._restart()

    def _restart(self) -> None:
        self._greeting, self._authenticated, self._ended = "", False, False
        self._sender: str | None = None
        self._recipients: list[str] = []

    def option(self, name: str) -> bool:
        return bool(self._row.properties.get(name))

    def number(self, name: str) -> int:
        return int(setting(self._server, name))

    @property
    def name(self) -> str:
        return str(setting(self._server, "HostName")) or self._machine.host.name

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        if self._port.security == IMPLICIT:
            await self._encrypt()
        await self._say(f"220 {setting(self._server, 'WelcomeSMTP') or f'{self.name} ESMTP'}")
        while not self._ended and (line := await reader.readline()):
            verb, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            reply = await self._command(verb.upper(), rest)
            await self._say(reply)
            if reply.startswith("220 Ready"):
                await self._encrypt()
                self._restart()

    async def _encrypt(self) -> None:
        if self._port.context is None:
            raise ConnectionError("a port with TLS has no certificate")
        await self._writer.start_tls(self._port.context)
        self._encrypted = True

    async def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())
        await self._writer.drain()

    async def _command(self, verb: str, rest: str) -> str:
        if self._port.security == REQUIRED and not self._encrypted and verb not in BEFORE_TLS:
            return "530 Must issue STARTTLS first."
        plain: dict[str, Callable[[str], str]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "NOOP": lambda _: "250 OK",
            "RSET": self._reset,
            "QUIT": self._quit,
            "HELP": lambda _: "211 DATA HELO EHLO MAIL NOOP QUIT RCPT RSET SAML TURN VRFY",
            "STARTTLS": self._starttls,
        }
        if verb in plain:
            return plain[verb](rest)
        if not self._greeting:
            return "503 Bad sequence of commands"
        in_session: dict[str, Callable[[str], str]] = {"MAIL": self._mail, "RCPT": self._rcpt}
        if verb in in_session:
            return in_session[verb](rest)
        if verb == "AUTH":
            return await self._auth(rest)
        return await self._data() if verb == "DATA" else "502 Unimplemented command."

    def _ehlo(self, rest: str) -> str:
        if not rest.strip():
            return "501 EHLO Invalid domain address."
        self._greeting = rest.strip()
        size = self.number("MaxMessageSize") * 1000
        lines = [self.name, f"SIZE {size}" if size else "SIZE"]
        if self._port.security not in (NONE, IMPLICIT) and not self._encrypted:
            lines.append("STARTTLS")
        lines.append("AUTH LOGIN" + (" PLAIN" if setting(self._server, "AllowSMTPAuthPlain") else ""))
        return "\r\n".join([*(f"250-{one}" for one in lines), "250 HELP"])

    def _helo(self, rest: str) -> str:
        self._greeting = rest.strip()
        return "250 Hello." if self._greeting else "501 HELO Invalid domain address."

    def _reset(self, _: str) -> str:
        self._sender, self._recipients = None, []
        return "250 OK"

    def _quit(self, _: str) -> str:
        self._ended = True
        return "221 goodbye"

    def _starttls(self, rest: str) -> str:
        if self._port.security in (NONE, IMPLICIT) or self._encrypted:
            return "503 Bad sequence of commands"
        return "501 Syntax error (no parameters allowed)" if rest.strip() else "220 Ready to start TLS"

    async def _auth(self, rest: str) -> str:
        """AUTH LOGIN, and PLAIN where it is allowed, with an account of a domain."""
        if self.option("RequireSSLTLSForAuth") and not self._encrypted:
            return "530 A SSL/TLS-connection is required for authentication."
        if self._authenticated:
            return "503 Already authenticated."
        method, _, first = rest.partition(" ")
        if method.upper() == "LOGIN":
            answers = [first] if first else []
            for challenge in LOGIN[len(answers) :]:
                await self._say(f"334 {challenge}")
                answers.append((await self._reader.readline()).decode("ascii", "replace").strip())
            parts = [_decoded(one) for one in answers]
        elif method.upper() == "PLAIN" and setting(self._server, "AllowSMTPAuthPlain"):
            if not first:
                await self._say("334 Log on")
                first = (await self._reader.readline()).decode("ascii", "replace").strip()
            parts = _decoded(first).split("\0")[1:]
        else:
            return "504 Authentication mechanism not supported."
        return self._authenticate(parts)

    def _authenticate(self, parts: list[str]) -> str:
        if len(parts) != 2 or not all(parts):
            return "535 Authentication failed. Restarting authentication process."
        logon = Logon(self._server, self._machine.now)
        if logon.accepts(*parts):
            self._authenticated = True
            return "235 authenticated."
        if logon.count_failure(self._source, parts[0]):
            self._ended = True
            return "535 Authentication failed. Too many invalid logon attempts."
        return "535 Authentication failed. Restarting authentication process."

    def _mail(self, rest: str) -> str:
        if self._sender is not None:
            return "503 Issue a reset if you want to start over"
        match = _PARAMETER.fullmatch(rest[5:].strip()) if rest.upper().startswith("FROM:") else None
        if not match:
            return "550 Invalid syntax. Syntax should be MAIL FROM:<userdomain>[crlf]"
        if not match[1] and setting(self._server, "DenyMailFromNull"):
            return "550 Sender address must be specified."
        if match[1] and not _ADDRESS.fullmatch(match[1]):
            return "550 The address is not valid."
        size, most = re.search(r"SIZE=(\d+)", match[2], re.IGNORECASE), self.number("MaxMessageSize")
        if size and most and int(size[1]) // 1024 > most:
            kilobytes = int(size[1]) // 1024
            return f"552 Message size exceeds fixed maximum message size. Size: {kilobytes} KB, Max size: {most} KB"
        self._sender = match[1]
        return "250 OK"

    def _rcpt(self, rest: str) -> str:
        if self._sender is None:
            return "503 must have sender first."
        match = _PARAMETER.fullmatch(rest[3:].strip()) if rest.upper().startswith("TO:") else None
        if not match:
            return "550 Invalid syntax. Syntax should be RCPT TO:<userdomain>[crlf]"
        if not _ADDRESS.fullmatch(match[1]):
            return "550 A valid address is required."
        local = is_local(self._server, match[1])
        if local and account_of(self._server, match[1]) is None:
            return "550 Unknown user"
        refusal = self._refusal(is_local(self._server, self._sender), local)
        if refusal:
            return refusal
        self._recipients.append(match[1])
        return "250 OK"

    def _refusal(self, from_local: bool, to_local: bool) -> str:
        """What the range says of this pair of sender and recipient: authentication first, then whether it may be delivered."""
        sides = ("Local" if from_local else "External", "Local" if to_local else "External")
        if self.option(f"RequireSMTPAuth{sides[0]}To{sides[1]}") and not self._authenticated:
            return "530 SMTP authentication is required."
        names = [one.replace("External", "Remote") for one in sides]
        return "" if self.option(f"AllowDeliveryFrom{names[0]}To{names[1]}") else "550 Delivery is not allowed to this address."

    async def _data(self) -> str:
        if self._sender is None or not self._recipients:
            return "503 Must have sender and recipient first."
        await self._say("354 OK, send.")
        lines: list[bytes] = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        raw = b"".join(lines)
        sender, recipients, most = self._sender, self._recipients, self.number("MaxMessageSize")
        self._reset("")
        if most and len(raw) // 1024 > most:
            text = f"Size: {len(raw) // 1024} KB, Max size: {most} KB"
            return f"554 Rejected - Message size exceeds fixed maximum message size. {text}"
        if not setting(self._server, "AllowIncorrectLineEndings") and raw.count(b"\n") != raw.count(b"\r\n"):
            return "554 Rejected - Message containing bare LF's."
        protocol = "ESMTP" + ("S" if self._encrypted else "") + ("A" if self._authenticated else "")
        received = f"Received: from {self._greeting} (Unknown [{self._source}])\r\n\tby {self.name} with {protocol}\r\n"
        received += f"\t; {email.utils.formatdate(self._machine.now)}\r\n"
        self._queue(sender, recipients, received.encode() + raw)
        return "250 Queued (0.000 seconds)"


def _decoded(written: str) -> str:
    try:
        return base64.b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def message(server: HMailServer, sender: str, recipients: list[str], raw: bytes, now: float) -> QueuedMail:
    """A message of the queue, with the next ID."""
    server.last_message += 1
    return QueuedMail(str(server.last_message), sender, recipients, raw, now)
