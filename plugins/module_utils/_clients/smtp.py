# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP session by stages. A failure has the stage and the server's reply.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH); "Authenticate an IMAP, POP or
SMTP connection using OAuth" (XOAUTH2).
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import error_catalog
from .._core import trust
from .._core.bounds import SMTP_TIMEOUT
from .._core.errors import InvalidInput, SmtpError
from .._core.redaction import hide
from .ehlo_name import ehlo_name

_MICROSOFT = ("smtp", "hve", "acs")


@dataclass(frozen=True)
class Route:
    """Where to send and from which address of this host; a client certificate is a PEM file with chain and key, unless `key_path` has it.

    `ca_file`: the CAs that the server's certificate is checked against; "": those of the environment or of the system.
    `service`: the service whose entries of the error catalog come first.
    """

    host: str
    port: int
    ca_file: str = ""
    source_address: str = ""
    certificate_path: str = ""
    key_path: str = ""
    certificate_password: str | None = field(default=None, repr=False)
    timeout: float = SMTP_TIMEOUT
    service: str = "smtp"


class _Client(smtplib.SMTP):
    """smtplib's client, whose constructor makes the TCP connection only: the greeting is a stage of its own.

    The constructor gets the host, whose name the certificate must have, and a host name, since smtplib would look one up.
    """

    def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        self.sock = socket.create_connection((host, port), self.timeout, self.source_address)
        self.local_address = str(self.sock.getsockname()[0])
        self.file = None
        return 220, b""


class Conversation:
    """A connection to a mail server. Every method is one stage and raises SmtpError where the server refuses.

    `source`: this host's address as the server sees it, where its reply to EHLO has it ("Hello [203.0.113.7]").
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        self._smtp: _Client | None = None
        self.tls = ""
        self.source = ""
        self._secrets: list[str] = []

    # -- the stages -----------------------------------------------------------------------------------------------

    def resolve(self) -> None:
        with self._stage("resolve"):
            try:
                socket.getaddrinfo(self.route.host, self.route.port, type=socket.SOCK_STREAM)
            except (socket.gaierror, UnicodeError) as error:
                raise _network("resolve", f"the name {self.route.host} does not resolve; check the host and DNS", "DNS") from error

    def connect(self) -> None:
        """TCP connection, greeting and EHLO."""
        route = self.route
        with self._stage("connect"):
            self._smtp = client = _Client(route.host, route.port, "localhost", timeout=route.timeout, source_address=self._source())
        with self._stage("greeting"):
            code, text = client.getreply()
            if code == -1:
                raise _network("greeting", "what answers on this port does not greet with SMTP", "not SMTP")
            self._expect("greeting", code, text, 220)
            client.local_hostname = ehlo_name(client.local_address)
            self._expect("greeting", *client.ehlo(), 250)
            self.source = _own_address(client.ehlo_resp or b"")

    def start_tls(self) -> None:
        client = self._client()
        with self._stage("tls"):
            if not client.has_extn("starttls"):
                owner = "Microsoft's" if self.route.service in _MICROSOFT else "the provider's"
                raise _network("tls", f"{self.route.host} does not offer STARTTLS: it is not {owner} server", "no STARTTLS")
            self._expect("tls", *client.starttls(context=self._context()), 220)
            self._expect("tls", *client.ehlo(), 250)
            sock: Any = client.sock
            self.tls = sock.version() or ""

    def sign_in_xoauth2(self, mailbox: str, token: str) -> None:
        """XOAUTH2 as exactly this mailbox. A server that sends its error as a challenge first gets the empty answer that it expects."""
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

    def try_recipient(self, sender: str, recipient: str) -> None:
        """A transaction without a message, ended by RSET: whether the server accepts this recipient from this sender."""
        client = self._client()
        try:
            with self._stage("sender"):
                self._expect("sender", *client.mail(sender), 250)
            with self._stage("recipient"):
                self._expect("recipient", *client.rcpt(recipient), 250)
        finally:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.rset()

    def close(self) -> None:
        if self._smtp and self._smtp.sock:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()

    # -- parts of the stages ----------------------------------------------------------------------------------------

    def _expect(self, stage: str, code: int, text: bytes | str, expected: int) -> None:
        if code != expected:
            raise self._refused(stage, code, text)

    def _refused(self, stage: str, code: int, text: bytes | str) -> SmtpError:
        """The failure, without the secrets of the session: a server may repeat the line that it refuses."""
        return refusal(stage, hide(f"{code} {_text(text)}", self._secrets), self.route.service)

    @contextlib.contextmanager
    def _stage(self, stage: str) -> Iterator[None]:
        """Turns what the socket and smtplib raise into SmtpError."""
        try:
            yield
        except smtplib.SMTPResponseException as error:
            raise self._refused(stage, error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPServerDisconnected as error:
            # smtplib hides the socket's own error so.
            if isinstance(error.__context__, TimeoutError):
                raise _timeout(stage) from error
            if stage == "greeting":
                raise _network(stage, "the connection was closed before the greeting", "closed") from error
            raise SmtpError(stage, "the server closed the connection", code="closed") from error
        except smtplib.SMTPException as error:
            raise SmtpError(stage, str(error), code="protocol") from error
        except ssl.SSLCertVerificationError as error:
            raise _network(stage, f"the server's certificate is not trusted ({error.verify_message})", "certificate") from error
        except ssl.SSLError as error:
            raise _network(stage, f"TLS failed: {error.reason}", "TLS") from error
        except TimeoutError as error:
            raise _timeout(stage) from error
        except OSError as error:
            raise _network(stage, error.strerror or str(error), "connection") from error

    def _client(self) -> _Client:
        if self._smtp is None:
            raise SmtpError("connect", "not connected")
        return self._smtp

    def _source(self) -> tuple[str, int] | None:
        return (self.route.source_address, 0) if self.route.source_address else None

    def _context(self) -> ssl.SSLContext:
        context = _verifying_context(trust.ca_bundle(self.route.ca_file))
        if self.route.certificate_path:
            try:
                context.load_cert_chain(
                    self.route.certificate_path, self.route.key_path or None, self.route.certificate_password or (lambda: "")
                )
            except (OSError, ssl.SSLError) as error:
                raise InvalidInput(
                    f"certificate_path is {self.route.certificate_path}, which cannot be used as a client certificate: give a PEM "
                    "file with the private key, the certificate and its intermediates, and certificate_password if it has one."
                ) from error
        return context


def _verifying_context(path: str) -> ssl.SSLContext:
    """Verifies the server's certificate against the CAs in a file or a directory; "": those of the system."""
    try:
        context = ssl.create_default_context(
            cafile=None if os.path.isdir(path) else path or None, capath=path if os.path.isdir(path) else None
        )
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"{path} cannot be used as a file of CAs: it has to hold certificates in PEM.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _network(stage: str, message: str, code: str) -> SmtpError:
    """A failure of the connection. Before the session, the error catalog tells apart what can be between this host and the server."""
    before = stage in ("resolve", "connect", "greeting", "tls")
    return SmtpError(stage, message, code=code, entry=error_catalog.network(code, message) if before else None)


def _timeout(stage: str) -> SmtpError:
    texts = {"connect": "no TCP connection in time", "greeting": "no greeting in time"}
    return _network(stage, texts.get(stage, "no answer in time"), "timeout")


def _own_address(reply: bytes) -> str:
    """The client's address in a reply to EHLO such as `BL0PR.outlook.office365.com Hello [203.0.113.7]`; "" where there is none."""
    match = re.search(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]", reply.split(b"\n")[0].decode("utf-8", "replace"))
    try:
        return str(ipaddress.ip_address(match.group(1))) if match else ""
    except ValueError:
        return ""


def _text(text: bytes | str) -> str:
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split())


def refusal(stage: str, reply: str, service: str = "smtp") -> SmtpError:
    """The failure that a reply such as `535 5.7.3 ...` means."""
    cause = error_catalog.smtp_cause(reply)
    code = " ".join(part for part in (cause[:3], error_catalog.smtp_code(cause)) if part)
    return SmtpError(stage, cause, code=code, entry=error_catalog.smtp(reply, service))
