"""SMTP sessions of IIS SMTP: who may connect, authenticate and relay, by the configuration of the virtual server.

Sources: Microsoft's telnet articles for replies; IIS 6.0 metabase reference and the help of the SMTP dialogs for the settings. A client
whom firewall or connection control refuses gets no greeting: the text of that refusal is not published.
"""

from __future__ import annotations

import asyncio
import email.utils
import ipaddress
import re
import ssl
from collections.abc import Callable

from emulator.state import AddressList, QueuedMail, SmtpVirtualServer
from emulator.state.ids import new_guid
from emulator.windows import iis_authentication, iis_smtp
from emulator.windows.machine import Machine

ANONYMOUS = 1  # AuthFlags
TLS_REQUIRED = 8  # AccessSSLFlags
READY = "220 2.0.0 SMTP server ready"
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>(.*)", re.IGNORECASE)


def contains(entries: list[str], source: str) -> bool:
    """Whether an address is in entries "address, mask"."""
    networks = (ipaddress.ip_network("/".join(part.strip() for part in entry.split(",")), strict=False) for entry in entries)
    return any(ipaddress.ip_address(source) in network for network in networks)


def allows(entries: AddressList | None, source: str) -> bool:
    """Whether a list lets an address pass; a null list lets nobody."""
    if entries is None:
        return False
    return not contains(entries.ip_deny, source) if entries.grant_by_default else contains(entries.ip_grant, source)


class IisSession:
    """One connection. `queue`: takes an accepted message; `context`: for STARTTLS."""

    def __init__(
        self, machine: Machine, server: SmtpVirtualServer, source: str, queue: Callable[[QueuedMail], None], context: ssl.SSLContext
    ) -> None:
        self._machine, self._server, self._source, self._queue, self._context = machine, server, source, queue, context
        self._encrypted = False
        self._authenticated = False
        self._greeted = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._received = 0

    def setting(self, name: str) -> object:
        return iis_smtp.value_of(self._machine.host, self._server, name)

    def number(self, name: str) -> int:
        value = self.setting(name)
        return value if isinstance(value, int) else 0

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        date = email.utils.formatdate(self._machine.now)
        name, build = self.setting("FullyQualifiedDomainName"), self._machine.host.build
        await self._say(f"220 {name} Microsoft ESMTP MAIL Service, Version: 10.0.{build}.1 ready at  {date} ")
        while line := await reader.readline():
            verb, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            reply = await self._command(verb.upper(), rest)
            await self._say(reply)
            if reply == READY:
                await self._writer.start_tls(self._context)
                self._encrypted, self._greeted, self._authenticated = True, False, False
            if reply.startswith("221"):
                return

    async def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())
        await self._writer.drain()

    async def _command(self, verb: str, rest: str) -> str:
        name = self.setting("FullyQualifiedDomainName")
        if verb in ("EHLO", "HELO"):
            self._greeted = True
            lines = [f"{name} Hello [{self._source}]", *(self._extensions() if verb == "EHLO" else [])]
            return "\r\n".join(f"250{'-' if one != lines[-1] else ' '}{one}" for one in lines)
        if verb == "QUIT":
            return f"221 2.0.0 {name} Service closing transmission channel"
        if verb == "RSET":
            self._sender, self._recipients = None, []
            return "250 2.0.0 Resetting"
        if verb == "NOOP":
            return "250 2.0.0 OK"
        if not self._greeted:
            return "503 5.5.2 Send hello first"
        if verb == "STARTTLS" and self._has_tls():
            return READY
        if verb in ("AUTH", "MAIL") and self.number("AccessSSLFlags") & TLS_REQUIRED and not self._encrypted:
            return "530 5.7.0 Must issue a STARTTLS command first"
        if verb == "AUTH" and iis_authentication.mechanisms(self.number("AuthFlags")):
            reply = await iis_authentication.Dialogue(self._machine.host, self.number("AuthFlags"), self._ask).run(rest)
            self._authenticated = reply == iis_authentication.SUCCEEDED
            return reply
        methods: dict[str, Callable[[str], str]] = {"MAIL": self._mail, "RCPT": self._rcpt}
        if verb in methods:
            return methods[verb](rest)
        return await self._data() if verb == "DATA" else "500 5.3.3 Unrecognized command"

    def _extensions(self) -> list[str]:
        tls = ["TLS", "STARTTLS"] if self._has_tls() else []
        auth = iis_authentication.extensions(self.number("AuthFlags"))
        return [*tls, *auth, f"SIZE {self.number('MaxMessageSize')}", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8bitmime", "OK"]

    def _has_tls(self) -> bool:
        """Whether a certificate with a private key names the server. Which one Windows chooses is not documented for SMTP."""
        name = str(self.setting("FullyQualifiedDomainName")).lower()
        valid = [one for one in self._machine.host.certificates if one.private_key and one.not_after > self._machine.now]
        return not self._encrypted and any(name in (each.lower() for each in one.names) for one in valid)

    async def _ask(self, challenge: str) -> str:
        await self._say(f"334 {challenge}")
        return (await self._reader.readline()).decode("ascii", "replace").strip()

    def _mail(self, rest: str) -> str:
        match = _PATH.match(rest)
        if not match:
            return "501 5.5.4 Invalid arguments"
        if not self._authenticated and not self.number("AuthFlags") & ANONYMOUS:
            return "530 5.7.3 Client was not authenticated"
        size = re.search(r"SIZE=(\d+)", match[2], re.IGNORECASE)
        if size and self._too_big(int(size[1])):
            return "552 5.3.4 Message size exceeds fixed maximum message size"
        self._sender, self._recipients = match[1], []
        return f"250 2.1.0 {match[1]}....Sender OK"

    def _too_big(self, size: int) -> bool:
        most = self.number("MaxMessageSize")
        return most > 0 and size > most

    def _may_relay(self, recipient: str) -> bool:
        """The recipient's domain is local, or the client may relay: by its address, or because it has authenticated (RelayForAuth)."""
        domain = recipient.rpartition("@")[2].lower()
        local = domain == str(self.setting("DefaultDomain")).lower() or iis_smtp.is_alias(self._server, domain)
        by_user = self._authenticated and self.number("RelayForAuth") != 0
        return local or by_user or allows(self._server.relay_list, self._source)

    def _rcpt(self, rest: str) -> str:
        match = _PATH.match(rest)
        if self._sender is None:
            return "503 5.5.2 Need mail command."
        if not match or "@" not in match[1]:
            return "501 5.5.4 Invalid Address"
        if not self._may_relay(match[1]):
            return f"550 5.7.1 Unable to relay for {match[1]}"
        self._recipients.append(match[1])
        return f"250 2.1.5 {match[1]} "

    async def _data(self) -> str:
        if not self._recipients:
            return "503 5.5.2 Need Rcpt command."
        await self._say("354 Start mail input; end with <CRLF>.<CRLF>")
        lines: list[bytes] = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        raw = b"".join(lines)
        sender, recipients = self._sender or "", self._recipients
        self._sender, self._recipients = None, []
        if self._too_big(len(raw)):
            return "552 5.3.4 Message size exceeds fixed maximum message size"
        self._received += len(raw)
        most = self.number("MaxSessionSize")
        if most > 0 and self._received > most:
            raise ConnectionError("the session is larger than MaxSessionSize")
        name, identifier = self.setting("FullyQualifiedDomainName"), new_guid()
        date = email.utils.formatdate(self._machine.now)
        received = f"Received: from [{self._source}] by {name} with Microsoft SMTPSVC(10.0.{self._machine.host.build}.1);\r\n\t {date}\r\n"
        self._queue(QueuedMail(identifier, sender, recipients, received.encode() + raw, self._machine.now))
        return f"250 2.6.0 <{identifier}@{name}> Queued mail for delivery"
