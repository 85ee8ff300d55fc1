# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP session by stages. A failure has the stage and the server's reply.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH); "Authenticate an IMAP, POP or
SMTP connection using OAuth" (XOAUTH2).
"""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import error_catalog
from .._core.bounds import SMTP_TIMEOUT
from .._core.errors import InvalidInput, SmtpError
from .._core.redaction import hide


@dataclass(frozen=True)
class Route:
    """Where to send and from which address of this machine; a client certificate is a PEM file with key and chain."""

    host: str
    port: int
    ca_file: str = ""
    source_address: str = ""
    certificate_path: str = ""
    certificate_password: str | None = field(default=None, repr=False)
    timeout: float = SMTP_TIMEOUT
    service: str = "smtp"  # whose rows of the error table come first


class Conversation:
    """A connection to a mail server. Every method is one stage and raises SmtpError where the server refuses."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._smtp: smtplib.SMTP | None = None
        self.tls = ""
        self._secrets: list[str] = []

    # -- the stages -----------------------------------------------------------------------------------------------

    def resolve(self) -> None:
        with self._stage("resolve"):
            try:
                socket.getaddrinfo(self.route.host, self.route.port, type=socket.SOCK_STREAM)
            except (socket.gaierror, UnicodeError) as error:
                raise SmtpError("resolve", f"the name {self.route.host} does not resolve; check the host and DNS", code="DNS") from error

    def connect(self) -> None:
        with self._stage("connect"):
            # The constructor connects and remembers the name that the certificate must bear; connect() would not.
            self._smtp = smtplib.SMTP(self.route.host, self.route.port, timeout=self.route.timeout, source_address=self._source())
        with self._stage("greeting"):
            self._expect("greeting", *self._smtp.ehlo(), 250)

    def start_tls(self) -> None:
        client = self._client()
        with self._stage("tls"):
            if not client.has_extn("starttls"):
                raise SmtpError("tls", f"{self.route.host} does not offer STARTTLS: it is not Microsoft's server", code="no STARTTLS")
            self._expect("tls", *client.starttls(context=self._context()), 220)
            self._expect("tls", *client.ehlo(), 250)
            sock: Any = client.sock
            self.tls = sock.version() or ""

    def sign_in_xoauth2(self, mailbox: str, token: str) -> None:
        """XOAUTH2 as exactly this mailbox. A server that sends its error as a challenge first gets the empty answer it wants."""
        client = self._client()
        with self._stage("sign-in"):
            secret = base64.b64encode(f"user={mailbox}\x01auth=Bearer {token}\x01\x01".encode()).decode()
            self._secrets += [token, secret]
            code, text = client.docmd("AUTH", f"XOAUTH2 {secret}")
            if code == 334:
                code, text = client.docmd("")
            self._expect("sign-in", code, text, 235)

    def sign_in_login(self, user: str, password: str) -> None:
        client = self._client()
        self._secrets.append(password)
        with self._stage("sign-in"):
            self._expect("sign-in", *client.docmd("AUTH", "LOGIN"), 334)
            self._expect("sign-in", *client.docmd(base64.b64encode(user.encode()).decode()), 334)
            self._expect("sign-in", *client.docmd(base64.b64encode(password.encode()).decode()), 235)

    def send(self, sender: str, recipients: list[str], message: bytes) -> str:
        """Hand over a message; the server's last reply."""
        client = self._client()
        with self._stage("sender"):
            self._expect("sender", *client.mail(sender, [f"SIZE={len(message)}"]), 250)
        for recipient in recipients:
            with self._stage("recipient"):
                self._expect("recipient", *client.rcpt(recipient), 250)
        with self._stage("message"):
            code, text = client.data(message)
            self._expect("message", code, text, 250)
        return f"{code} {_text(text)}"

    def close(self) -> None:
        if self._smtp and self._smtp.sock:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()

    # -- its parts ------------------------------------------------------------------------------------------------

    def _expect(self, stage: str, code: int, text: bytes | str, expected: int) -> None:
        if code != expected:
            raise self._refused(stage, code, text)

    def _refused(self, stage: str, code: int, text: bytes | str) -> SmtpError:
        """A server may repeat the line that it refuses: what signed in is taken out of its words."""
        return refusal(stage, hide(f"{code} {_text(text)}", self._secrets), self.route.service)

    @contextmanager
    def _stage(self, stage: str) -> Iterator[None]:
        """Turns what the socket and smtplib raise into SmtpError."""
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._refused(stage, error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, TimeoutError):  # smtplib hides it so
                raise _too_late(stage) from error
            raise SmtpError(stage, "the server closed the connection", code="closed") from error
        except smtplib.SMTPException as error:
            raise SmtpError(stage, str(error), code="protocol") from error
        except ssl.SSLCertVerificationError as error:
            problem = f"the server's certificate is not trusted ({error.verify_message}): something between here and Microsoft opens TLS"
            raise SmtpError(stage, problem, code="certificate") from error
        except ssl.SSLError as error:
            raise SmtpError(stage, f"TLS failed: {error.reason}", code="TLS") from error
        except TimeoutError as error:
            raise _too_late(stage) from error
        except OSError as error:
            problem = f"{error.strerror or error}: a firewall may block the port, or nothing listens there"
            raise SmtpError(stage, problem, code="connection") from error

    def _client(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise SmtpError("connect", "not connected")
        return self._smtp

    def _source(self) -> tuple[str, int] | None:
        return (self.route.source_address, 0) if self.route.source_address else None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.route.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.route.certificate_path:
            try:
                context.load_cert_chain(self.route.certificate_path, password=self.route.certificate_password or (lambda: ""))
            except (OSError, ssl.SSLError) as error:
                raise InvalidInput(
                    f"certificate_path is {self.route.certificate_path}, which cannot be used as a client certificate: give a PEM "
                    "file with the private key, the certificate and its intermediates, and certificate_password if it has one."
                ) from error
        return context


def _too_late(stage: str) -> SmtpError:
    hint = ": a firewall may block the port" if stage == "connect" else ""
    return SmtpError(stage, f"no answer in time{hint}", code="timeout")


def _text(text: bytes | str) -> str:
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split())


def refusal(stage: str, reply: str, service: str = "smtp") -> SmtpError:
    """The failure that a reply such as `535 5.7.3 ...` means."""
    cause = error_catalog.smtp_cause(reply)
    code = " ".join(part for part in (cause[:3], error_catalog.smtp_code(cause)) if part)
    return SmtpError(stage, cause, code=code, entry=error_catalog.smtp(reply, service))
