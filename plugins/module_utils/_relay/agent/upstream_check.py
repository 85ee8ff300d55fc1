# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay check-upstream`: whether DNS and the upstream server answer while no mail is sent, and how far the clock is off.

Mail that is sent shows that both answer, so the server is contacted only where nothing was sent for five minutes, and for the time in its
greeting, as in "220 ... Microsoft ESMTP MAIL Service ready at Sun, 29 Nov 2026 13:20:57 +0000": once an hour, in every run while the clock
is off, and after the clock was set. Nothing but QUIT is sent.
`mailops-relay status` and the metrics read the result from a file: they open no connections.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace

from ..._core.errors import MailopsError
from . import mx_lookup
from .config import ServerConfig
from .console import print_error, print_line
from .files import read_object, write
from .formatting import offset_text
from .monitor.store import MonitorStore
from .paths import Paths
from .status_document import UpstreamCheck

_IDLE = 300.0  # seconds without sent mail after which the server is contacted
_CLOCK_INTERVAL = 3600.0  # seconds between two readings of its clock
CLOCK_TOLERANCE = 60.0  # seconds that the clock may be off
_TIMEOUT = 15.0  # seconds for a connection, and for a greeting
_ADDRESSES = 4  # how many are tried
# A date of RFC 5322, section 3.3, with the day of the week; the comment or zone name after the offset is left out.
_DATE = re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d{1,2} [A-Z][a-z]{2} \d{4} \d{1,2}:\d{2}:\d{2} (?:[+-]\d{4}|GMT|UT)")


class NoAnswerError(Exception):
    """The server does not answer; the text is what Postfix would log."""


def read(paths: Paths) -> UpstreamCheck | None:
    """The result of the last run; None where there is none."""
    document = read_object(paths.upstream_check)
    try:
        return UpstreamCheck(**document) if document else None
    except TypeError:  # of another version
        return None


def with_sent_mail(check: UpstreamCheck, last_sent: float, now: float) -> UpstreamCheck:
    """The result, without its failure where mail was sent after the server was contacted: it answers.

    Unix times. A time in the future is that of a clock which was ahead, and says nothing.
    """
    return replace(check, failure="", failing_since=None) if (check.contacted or 0) < last_sent <= now else check


def greeting(server: ServerConfig) -> str:
    """The server's greeting; "" on a port with implicit TLS, where the connection alone is tried. Raises NoAnswerError."""
    failure = ""
    for host, family, address in _addresses(server):
        target = f"{host}[{address[0]}]:{server.port}"
        try:
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.settimeout(_TIMEOUT)
                connection.connect(address)
                text = "" if server.implicit_tls else _first_reply(connection)
        except OSError as error:
            failure = f"connect to {target}: {'Connection timed out' if isinstance(error, TimeoutError) else error.strerror or error}"
            continue
        if server.implicit_tls or text.startswith("220"):
            return text
        reply = " ".join(text.split())[:300]
        failure = f"host {target} refused to talk to me: {reply}" if reply else f"connect to {target}: closed without a greeting"
    raise NoAnswerError(failure)


def boot_time() -> float:
    """The time of the boot by the clock as it is now: it changes only where the clock is set."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Check:
    """One run. `connect`: returns the server's greeting; replaced in tests. Raises ConfigError."""

    store: MonitorStore = field(default_factory=MonitorStore)
    now: Callable[[], float] = time.time
    connect: Callable[[ServerConfig], str] = greeting
    boot_time: Callable[[], float] = boot_time
    log: Callable[[str], object] = print_line

    def run(self, immediately: bool = False) -> UpstreamCheck:
        """Contact the server where that is due, and save the result. Raises OSError where it cannot be saved."""
        state, _cursor = self.store.load()
        server, now = state.config.server, self.now()
        before = read(self.store.paths)
        if before is None or before.server != server.name:
            before = UpstreamCheck(server.name, now)
        answered = with_sent_mail(before, state.last_sent, now)
        idle = not 0 <= now - state.last_sent < _IDLE or answered.failure
        contact = immediately or idle or self._clock_is_unknown(answered, now)
        result = replace(self._contact(server, answered) if contact else answered, checked=now)
        self.store.paths.check.mkdir(parents=True, exist_ok=True)  # the unit's, where an administrator runs it first
        write(self.store.paths.upstream_check, json.dumps(asdict(result)), 0o644)
        if immediately or bool(result.failure) != bool(before.failure):
            self.log(_summary(result))
        return result

    def _clock_is_unknown(self, before: UpstreamCheck, now: float) -> bool:
        """Whether the last comparison says nothing about the clock as it is now, or says that it is off, which a correction ends."""
        recent = 0 <= now - (before.contacted or 0) < _CLOCK_INTERVAL
        return not recent or self._was_set(before) or abs(before.clock_offset or 0) >= CLOCK_TOLERANCE

    def _was_set(self, before: UpstreamCheck) -> bool:
        return before.boot_time is not None and abs(self.boot_time() - before.boot_time) >= CLOCK_TOLERANCE

    def _contact(self, server: ServerConfig, before: UpstreamCheck) -> UpstreamCheck:
        started = self.now()
        try:
            text = self.connect(server)
        except NoAnswerError as error:
            offset = None if self._was_set(before) else before.clock_offset
            since = before.failing_since or started
            return replace(before, contacted=started, failure=str(error), failing_since=since, clock_offset=offset)
        return UpstreamCheck(server.name, started, started, clock_offset=clock_offset(text, self.now()), boot_time=self.boot_time())


def clock_offset(text: str, now: float) -> float | None:
    """Seconds that `now` is ahead of the time in a greeting; None where it has none."""
    match = _DATE.search(text)
    try:
        return now - email.utils.parsedate_to_datetime(match[0]).timestamp() if match else None
    except ValueError:
        return None


def _addresses(server: ServerConfig) -> Iterator[tuple[str, socket.AddressFamily, tuple[str, int]]]:
    """The first addresses of the server, IPv4 before IPv6. Raises NoAnswerError where there are none."""
    family = socket.AF_INET if server.ipv4_only else socket.AF_UNSPEC
    found: list[tuple[str, socket.AddressFamily, tuple[str, int]]] = []
    failure = ""
    try:
        hosts = mx_lookup.exchangers(server.host) if server.mx else [server.host]
    except mx_lookup.MxLookupError as error:
        raise NoAnswerError(str(error)) from error
    for host in hosts:
        try:
            infos = socket.getaddrinfo(host, server.port, family, socket.SOCK_STREAM)
        except OSError as error:
            failure = f"DNS lookup for {host} failed: {error.strerror or error}"
            continue
        found += [(host, info[0], (str(info[4][0]), server.port)) for info in infos]
    if not found:
        raise NoAnswerError(failure)
    yield from sorted(found, key=lambda one: one[1] != socket.AF_INET)[:_ADDRESSES]


def _first_reply(connection: socket.socket) -> str:
    """All lines of a reply (RFC 5321, section 4.2); QUIT is sent after it."""
    with connection.makefile("rb") as lines:
        text = ""
        while line := lines.readline(2048).decode("utf-8", "replace"):
            text += line
            if line[3:4] != "-":
                break
        with contextlib.suppress(OSError):
            connection.sendall(b"QUIT\r\n")
            lines.readline(2048)
    return text


def main(immediately: bool = False) -> int:
    """Exit status of `mailops-relay check-upstream [--now]`: 1 where the server does not answer and --now is given, 2 without a relay."""
    try:
        result = Check().run(immediately)
    except (MailopsError, OSError, KeyError, TypeError, ValueError) as error:
        print_error(f"<3>The upstream server could not be checked: {error}")
        return 2
    return int(bool(immediately and result.failure))


def _summary(result: UpstreamCheck) -> str:
    if result.failure:
        return f"{result.server} does not answer: {result.failure}"
    if result.clock_offset is None:
        return f"{result.server} answers."
    return f"{result.server} answers; the clock is {offset_text(result.clock_offset, result.server)}."
