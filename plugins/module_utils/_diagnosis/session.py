# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with a server up to EHLO after TLS, observed at each stage. Sends no message and signs in as nobody.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (implicit TLS).
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass

from .._clients.ehlo_name import ehlo_name
from . import observations as seen
from .certificate import read_certificate
from .observations import Endpoint, Sample
from .tcp_info import transport

_MOST_LINES, _LONGEST_LINE = 100, 4096


class Ended(Exception):  # noqa: N818 - how a session ended
    """A session that ended in a stage; `error` is one of the endings of observations.py."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(detail)
        self.error, self.detail = error, detail


@dataclass
class Reply:
    """A reply of SMTP: its code, and the texts of its lines."""

    code: int
    lines: list[str]


class Session:
    """One connection. `context`: None leaves out TLS.

    `segment`: the largest TCP segment in bytes, both ways; 0 leaves that to the path. `address`: connects to it instead of to those of the
    endpoint's name.
    """

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None, timeout: float, segment: int = 0, address: str = "") -> None:
        self.endpoint, self._context, self._timeout, self._segment = endpoint, context, timeout, segment
        self._address = address
        self._sock: socket.socket | None = None
        self._buffer = b""
        self.stage = seen.RESOLVE
        self._plain: socket.socket | None = None
        self._values: dict[str, str] = {}
        self._keywords: tuple[str, ...] = ()
        self._certificate: seen.Certificate | None = None

    def run(self) -> Sample:
        """The session from its begin to its end."""
        error = detail = ""
        try:
            self._run()
        except Ended as ended:
            error, detail = ended.error, ended.detail
        except (OSError, ValueError) as problem:
            error, detail = _ending(problem)
            if isinstance(problem, ssl.SSLCertVerificationError):
                self._certificate = seen.Certificate(problem=problem.verify_message)
        known = transport(self._plain) if self._plain and self._connected else None
        self._close()
        values = self._values
        return Sample(
            stage=self.stage,
            error=error,
            detail=" ".join(detail.split())[:200],
            address=values.get("address", ""),
            banner=values.get("banner", ""),
            keywords=self._keywords,
            tls_version=values.get("tls", ""),
            certificate=self._certificate,
            source=values.get("source", ""),
            transport=known,
        )

    @property
    def _connected(self) -> bool:
        return self.stage not in (seen.RESOLVE, seen.CONNECT)

    def _run(self) -> None:
        self._resolve_and_connect()
        if self.endpoint.tls != "starttls":
            self._handshake()
        if self.endpoint.tls != "https":
            self._greeting()
        if self.endpoint.tls == "starttls":
            self._start_tls()
        self.stage = seen.END

    def _resolve_and_connect(self) -> None:
        """The addresses in the system's order until one is connected."""
        try:
            addresses = socket.getaddrinfo(self._address or self.endpoint.host, self.endpoint.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise Ended(seen.UNREACHABLE, f"the name does not resolve: {getattr(error, 'strerror', '') or error}") from error
        self.stage = seen.CONNECT
        problem: OSError = OSError("no address")
        for family, kind, protocol, _name, address in addresses:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(self._timeout)
            self._values["address"] = str(address[0])
            try:
                if self._segment:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self._segment)
                sock.connect(address)
            except OSError as error:
                sock.close()
                problem = error
                continue
            self._sock = self._plain = sock
            return
        raise problem

    def _greeting(self) -> None:
        self.stage = seen.GREETING
        greeting = self._reply()
        self._values["banner"] = f"{greeting.code} {greeting.lines[0]}"
        if greeting.code != 220:
            raise Ended(seen.REPLY, self._values["banner"])
        self.stage = seen.EHLO
        self._keywords = tuple(self._ehlo())

    def _ehlo(self) -> list[str]:
        reply = self._command(f"EHLO {ehlo_name(self._connection().getsockname()[0])}")
        if reply.code != 250:
            raise Ended(seen.REPLY, f"{reply.code} {reply.lines[0]}")
        self._values["source"] = own_address(reply.lines[0])
        return [line.strip().upper() for line in reply.lines[1:] if line.strip()]

    def _start_tls(self) -> None:
        self.stage = seen.STARTTLS
        if "STARTTLS" not in self._keywords:
            raise Ended(seen.MISSING, "the server does not offer STARTTLS")
        reply = self._command("STARTTLS")
        if reply.code != 220:
            raise Ended(seen.REPLY, f"{reply.code} {reply.lines[0]}")
        self._handshake()
        self._ehlo()

    def _handshake(self) -> None:
        self.stage = seen.TLS
        if self._context is None:
            return
        self._buffer = b""
        self._plain = self._connection()
        # The plain socket stays open for the kernel's figures.
        wrapped = self._context.wrap_socket(self._plain.dup(), server_hostname=self.endpoint.host, do_handshake_on_connect=False)
        self._sock = wrapped
        wrapped.settimeout(self._timeout)
        wrapped.do_handshake()
        self._values["tls"] = (wrapped.version() or "").replace("TLSv", "")
        self._certificate = read_certificate(wrapped.getpeercert(binary_form=True) or b"")

    # -- lines ----------------------------------------------------------------------------------------------------

    def _connection(self) -> socket.socket:
        if self._sock is None:
            raise Ended(seen.CLOSED)
        return self._sock

    def _command(self, line: str) -> Reply:
        self._connection().sendall(f"{line}\r\n".encode("ascii", "replace"))
        return self._reply()

    def _reply(self) -> Reply:
        lines: list[str] = []
        for _number in range(_MOST_LINES):
            line = self._line()
            if not re.match(r"\d{3}(?:[ -]|$)", line):
                raise Ended(seen.PROTOCOL, line)
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), lines)
        raise Ended(seen.PROTOCOL, "the reply does not end")

    def _line(self) -> str:
        while b"\n" not in self._buffer:
            data = self._connection().recv(4096)
            if not data:
                raise Ended(seen.CLOSED, "the connection was closed")
            self._buffer += data
            if len(self._buffer) > _LONGEST_LINE * _MOST_LINES:
                raise Ended(seen.PROTOCOL, "the line does not end")
        line, _end, self._buffer = self._buffer.partition(b"\n")
        text = line.decode("utf-8", "replace")
        return "".join(char if char.isprintable() else " " for char in text).strip()[:_LONGEST_LINE]

    def _close(self) -> None:
        if self._sock and self.stage == seen.END and self.endpoint.tls != "https":
            with contextlib.suppress(OSError, Ended, ValueError):
                self._command("QUIT")
        for sock in (self._sock, self._plain):
            if sock:
                sock.close()


def own_address(line: str) -> str:
    """The client's address in the first line of a reply to EHLO, `AM0PR.outlook.office365.com Hello [203.0.113.7]`; "" without one."""
    match = re.search(r"\[(?:IPv6:)?([0-9A-Fa-f.:]+)\]", line)
    try:
        return str(ipaddress.ip_address(match.group(1))) if match else ""
    except ValueError:
        return ""


def _ending(problem: Exception) -> tuple[str, str]:
    """How an error of the socket or of TLS ends a session, and its text."""
    text = getattr(problem, "strerror", "") or str(problem)
    if isinstance(problem, ssl.SSLCertVerificationError):
        return seen.PROTOCOL, f"certificate: {problem.verify_message}"
    if isinstance(problem, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return seen.CLOSED, "the connection was closed"
    if isinstance(problem, ssl.SSLError) and not isinstance(problem, TimeoutError):
        timed_out = "timed out" in str(problem)
        return (seen.TIMEOUT if timed_out else seen.PROTOCOL), str(problem.reason or problem)
    if isinstance(problem, (TimeoutError, socket.timeout)):
        return seen.TIMEOUT, "no answer in time"
    if isinstance(problem, ConnectionRefusedError):
        return seen.REFUSED, text
    if isinstance(problem, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)):
        return seen.RESET, text
    return seen.UNREACHABLE, text
