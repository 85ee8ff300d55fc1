"""The conversation of both services: lines, greeting, EHLO, STARTTLS, and the small commands.

RFC 5321, RFC 2920 (PIPELINING), RFC 3207 (STARTTLS). aiosmtpd carries the connection and its TLS; what is said is
Exchange's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import AnyStr, ClassVar

from aiosmtpd import smtp as aio

from emulator.smtp import texts, tls
from emulator.smtp.faults import DroppedError, Script
from emulator.smtp.paths import Transaction
from emulator.smtp.settings import TLS_VERSIONS, SmtpSettings
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account
from emulator.state import State

EXTENSIONS = ("PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8")
LINE_LIMIT = 1 << 16  # RFC 4954 requires 12,288 octets for a token
UNKNOWN_LIMIT = 10
ITS_OWN_NAMES = (".mail.protection.outlook.com", ".mx.microsoft", ".outlook.office365.com", ".prod.outlook.com")

log = logging.getLogger(__name__)
Command = Callable[[str], Awaitable[None]]


class Session(aio.Session):
    """What is known of the client; a new one starts with TLS (RFC 3207, section 4.2)."""

    hello = ""
    account: Account | None = None
    sign_in_error = ""  # the last refused sign-in, without its stamp


class Conversation(aio.SMTP):
    """One connection."""

    line_length_limit = LINE_LIMIT
    command_size_limit = LINE_LIMIT
    command_size_limits: dict[str, int] = defaultdict(lambda: LINE_LIMIT)  # not the one that all of aiosmtpd shares
    name: ClassVar[str]
    service: ClassVar[str]

    def __init__(self, state: State, script: Script, settings: SmtpSettings, context: ssl.SSLContext) -> None:
        self.state, self.script, self.settings = state, script, settings
        self.client = Session(asyncio.get_running_loop())
        self.transaction: Transaction | None = None
        super().__init__(
            object(),  # no handler: every command has its method here
            data_size_limit=settings.size_limit,
            enable_SMTPUTF8=True,
            hostname=self.name,
            tls_context=context,
            loop=asyncio.get_running_loop(),
        )
        self._commands: dict[str, Command] = self._smtp_methods

    # -- what aiosmtpd asks for -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        new = self._handler_coroutine is None  # else it is TLS on the same connection
        super().connection_made(transport)
        if new and self._handler_coroutine:
            self._handler_coroutine.add_done_callback(_report)

    def _create_session(self) -> aio.Session:
        self.client = Session(self.loop)
        return self.client

    def _set_rset_state(self) -> None:
        self.envelope = self._create_envelope()  # all that _set_rset_state of aiosmtpd does
        self.transaction = None

    async def push(self, status: AnyStr) -> None:
        """Say it in Exchange's words: aiosmtpd speaks for itself only when it starts TLS."""
        text = status if isinstance(status, bytes) else str(status).encode("utf-8", "surrogateescape")
        await super().push(texts.STARTTLS.encode() if text == b"220 Ready to start TLS" else text)

    # -- what is known of the client ------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """The public address that stands for the client's."""
        peer = self.client.peer
        address = str(peer[0]) if isinstance(peer, tuple) else ""
        return self.state.network.get(address, address)

    @property
    def encrypted(self) -> ssl.SSLObject | None:
        extra = self.client.ssl
        return extra["ssl_object"] if extra else None

    def facts(self, **more: str) -> dict[str, str]:
        """Facts that a fault can match."""
        result = {"source": self.source, "helo": self.client.hello}
        account, transaction = self.client.account, self.transaction
        if account:
            result |= {"tenant": account.tenant_id, "mailbox": account.address, "app_id": account.app_id or ""}
        if transaction:
            result |= {"sender": transaction.sender, "domain": transaction.sender_domain}
        return result | more

    def named(self, address: str) -> dict[str, str]:
        """Facts of an address: the mailbox, and its tenant."""
        tenant = self.state.tenant(address.rpartition("@")[2])
        return {"mailbox": address} | ({"tenant": tenant.id} if tenant else {})

    async def stage(self, name: str, **facts: str) -> None:
        await self.script.play(name, self.facts(**facts))

    # -- the conversation -----------------------------------------------------------------------------------------

    async def _handle_client(self) -> None:
        try:
            if await self._greet():
                await self._serve()
        except aio.TLSSetupException as error:
            if self.transport is not None:
                self.transport.close()
            self.connection_lost(error)
        except DroppedError:
            if isinstance(self.transport, asyncio.WriteTransport):
                self.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has gone
        finally:
            self._cut()

    def _cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.close()

    async def _greet(self) -> bool:
        try:
            await self.stage("connect")
        except Refused as refusal:
            await self.push(refusal.reply)
            return False
        await self.push(texts.banner(self.name, self.state.now()))
        return True

    async def _serve(self) -> None:
        unknown = 0
        while self.transport is not None and not self.transport.is_closing():
            try:
                line = await self.read_line()
                self._reset_timeout()
                name, _, argument = line.partition(" ")
                command = self._commands.get(name.upper())
                if command is None:
                    unknown += 1
                    raise Refused(texts.UNKNOWN_COMMAND if unknown < UNKNOWN_LIMIT else texts.TOO_MANY_UNKNOWN)
                self._check_tls()
                await command(argument.strip())
            except Refused as refusal:
                await self.push(refusal.reply)
                if refusal.reply.startswith("421"):
                    return

    def _check_tls(self) -> None:
        connection = self.encrypted
        if connection and TLS_VERSIONS.index(tls.version(connection)) < TLS_VERSIONS.index(self.settings.minimum_tls):
            raise Refused(texts.OLD_TLS)

    async def read_line(self) -> str:
        """A line without its end; whatever bytes it has come back as they were."""
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            await self._skip_line(error.consumed)
            raise Refused(texts.LINE_TOO_LONG) from None
        return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")

    async def _skip_line(self, consumed: int) -> None:
        while True:
            await self._reader.readexactly(consumed)
            try:
                await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as error:
                consumed = error.consumed
            else:
                return

    # -- commands -------------------------------------------------------------------------------------------------

    def authentication(self) -> str:
        """The AUTH line of EHLO, where there is one."""
        return ""

    async def smtp_EHLO(self, hostname: str) -> None:
        await self._hello(hostname, extended=True)
        last = [self.authentication()] if self.encrypted else ["STARTTLS"]
        size = f"SIZE {self.settings.size_limit}"
        lines = [f"{self.name} Hello [{self.source}]", size, *EXTENSIONS[:3], *filter(None, last), *EXTENSIONS[3:]]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_HELO(self, hostname: str) -> None:
        await self._hello(hostname, extended=False)
        await self.push(f"250 {self.name} Hello [{self.source}]")

    async def _hello(self, hostname: str, *, extended: bool) -> None:
        name = hostname.strip()
        if not name or not name.isascii() or not name.isprintable() or " " in name:
            raise Refused(texts.INVALID_DOMAIN)
        self._set_rset_state()
        await self.stage("ehlo", helo=name)
        self.client.hello, self.client.extended_smtp, self.client.host_name = name, extended, name

    def is_own_name(self) -> bool:
        """Whether the client greeted with a name of the service itself."""
        name = self.client.hello.lower().rstrip(".")
        return name == self.name.lower() or name.endswith(ITS_OWN_NAMES)

    async def smtp_STARTTLS(self, arg: str) -> None:
        if arg:
            raise Refused(texts.INVALID_ARGUMENTS)
        if self.encrypted:
            raise Refused(texts.BAD_SEQUENCE)
        await super().smtp_STARTTLS(arg)

    async def smtp_NOOP(self, arg: str) -> None:
        await self.push(texts.NOOP)

    async def smtp_RSET(self, arg: str) -> None:
        self._set_rset_state()
        await self.push(texts.RESET)

    async def smtp_VRFY(self, arg: str) -> None:
        await self.push(texts.VRFY if arg else texts.INVALID_ARGUMENTS)

    async def smtp_EXPN(self, arg: str) -> None:
        await self.push(texts.NOT_IMPLEMENTED)

    async def smtp_HELP(self, arg: str) -> None:
        await self.push(texts.HELP)

    async def smtp_AUTH(self, arg: str) -> None:
        raise Refused(texts.UNKNOWN_MECHANISM)

    async def smtp_QUIT(self, arg: str) -> None:
        await self.push(texts.BYE)
        self._cut()


def _report(task: asyncio.Task[None]) -> None:
    """A mistake of the emulator's own: where it happened, but not its text, which may hold what a client sent."""
    error = None if task.cancelled() else task.exception()
    if error:
        log.error("a session failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
