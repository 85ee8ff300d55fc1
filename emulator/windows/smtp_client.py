"""The SMTP client of the products on a Windows host: one connection, to a smart host or an MX."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass, field

from emulator.state import QueuedMail
from emulator.windows.machine import Machine

MICROSOFT = (".mail.protection.outlook.com", ".mx.microsoft")
SECONDS = 30.0  # of a connection
NONE, IMPLICIT, OPTIONAL, REQUIRED = range(4)  # eConnectionSecurity of hMailServer
Address = tuple[str, int]


class UndeliveredError(Exception):
    """`permanent`: it is not tried again. `recipients`: those that are not delivered; None: all of them."""

    def __init__(self, text: str, *, permanent: bool, recipients: list[str] | None = None) -> None:
        super().__init__(text)
        self.permanent, self.recipients = permanent, recipients


@dataclass
class Transcript:
    """A session, each line with `SENT: ` or `RECEIVED: ` before it. A password is masked, and the message is `[nl].` (hMailServer)."""

    lines: list[str] = field(default_factory=list)

    @property
    def last_reply(self) -> str:
        """The reply to the message; "" where none was sent."""
        at = self.lines.index("SENT: [nl].") if "SENT: [nl]." in self.lines else len(self.lines)
        return next((one.partition(": ")[2] for one in self.lines[at:] if one.startswith("RECEIVED: ")), "")


@dataclass
class Upstream:
    """Where a message goes. `name`: the host that its certificate has to name, where `ca_file` is set."""

    address: Address
    name: str
    greeting: str
    security: int = NONE
    user: str = ""
    password: str = ""
    ca_file: str = ""
    source: str = ""

    def context(self) -> ssl.SSLContext:
        if self.ca_file:
            return ssl.create_default_context(cafile=self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


START_INPUT = 354  # the reply to DATA
_VERBS = ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "QUIT")


class _Client(smtplib.SMTP):
    def __init__(self, upstream: Upstream, transcript: Transcript) -> None:
        self._upstream, self._lines = upstream, transcript.lines
        source = (upstream.source, 0) if upstream.source else None
        super().__init__(upstream.name, upstream.address[1], upstream.greeting, SECONDS, source_address=source)

    def putcmd(self, cmd: str, args: str = "") -> None:
        verb = cmd.upper()
        shown = f"{verb} {args.split(' size=')[0]}".strip() if verb in _VERBS else "AUTH LOGIN" if verb == "AUTH" else "***"
        self._lines.append(f"SENT: {shown}")
        super().putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        self._lines.append(f"RECEIVED: {code} {_text(text)}")
        if code == START_INPUT:
            self._lines.append("SENT: [nl].")
        return code, text

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection(self._upstream.address, timeout, self.source_address)
        if self._upstream.security == IMPLICIT:
            return self._upstream.context().wrap_socket(sock, server_hostname=self._upstream.name)
        return sock


def destination(machine: Machine, mx: Address, host: str, port: object) -> Address:
    """Where a name leads: those of Microsoft to the emulated MX, others as the host's `smtp_routes` say."""
    if host.lower().endswith(MICROSOFT):
        return mx
    route = machine.host.smtp_routes.get(f"{host}:{port}")
    if route is None:
        raise UndeliveredError(f"4.4.1 The remote server {host} did not respond", permanent=False)
    address, _, number = route.rpartition(":")
    return address, int(number)


def send(upstream: Upstream, mail: QueuedMail, recipients: list[str], transcript: Transcript) -> None:
    """Hand over a message. UndeliveredError for whom it is not delivered. `transcript` gets the session."""
    try:
        with _Client(upstream, transcript) as client:
            client.ehlo()
            if upstream.security == REQUIRED or (upstream.security == OPTIONAL and client.has_extn("starttls")):
                client.starttls(context=upstream.context())
            if upstream.user:
                client.user, client.password = upstream.user, upstream.password
                client.ehlo_or_helo_if_needed()
                client.auth("LOGIN", client.auth_login)
            refused = client.sendmail(mail.sender, recipients, mail.raw)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise UndeliveredError(f"{code} {_text(text)}", permanent=code >= 500) from None
    except smtplib.SMTPResponseException as error:
        raise UndeliveredError(f"{error.smtp_code} {_text(error.smtp_error)}", permanent=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        raise UndeliveredError(f"4.4.1 {error}", permanent=False) from None
    if refused:
        code, text = next(iter(refused.values()))
        raise UndeliveredError(f"{code} {_text(text)}", permanent=code >= 500, recipients=list(refused))


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
