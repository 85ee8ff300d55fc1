# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies senders: a test message of each is submitted to the relay's Postfix and traced until the upstream server's reply.

A message that is not delivered is removed from the queue, so that it does not arrive later.
"""

from __future__ import annotations

import email.message
import email.utils
import smtplib
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import reasons, trace
from .oauth import token_status
from .paths import Paths
from .postfix import journal, maillog, queue
from .postfix.internal_listener import SOCKET, InternalSMTP
from .postfix.journal import JournalEntry
from .postfix.maillog import Event
from .reasons import Reason
from .trace import MessageTrace

_POLL_INTERVAL = 0.25  # seconds between two reads of the journal
_RETRY_INTERVAL = 15.0  # seconds until a deferred message is tried again


class Reader(Protocol):
    def read(self) -> list[JournalEntry]:
        """The journal's entries since the read before."""


@dataclass
class Relay:
    """The relay's Postfix, journal and files; replaced in tests."""

    connect: Callable[[], smtplib.SMTP] = lambda: InternalSMTP(timeout=30)
    reader: Callable[[float], Reader] = journal.JournalReader
    read_queue: Callable[[], list[queue.Message]] = queue.read
    paths: Paths = field(default_factory=Paths)

    def flush(self, queue_id: str) -> None:
        """Try a deferred message now."""
        _run("/usr/sbin/postqueue", "-i", queue_id)

    def remove(self, queue_id: str) -> None:
        """Remove a message from the queue."""
        _run("/usr/sbin/postsuper", "-d", queue_id)


def _run(*command: str) -> None:
    """A failure is ignored: the message may have left the queue meanwhile."""
    subprocess.run(command, capture_output=True, timeout=60, check=False)  # noqa: S603


@dataclass
class Attempt:
    """A sender's test message. `seconds`: how long it took; `tried`: the clock's time of the last attempt.

    `failure`: why it was not submitted. `delay_reason`: Postfix's text in the queue, where the journal has no attempt.
    """

    name: str
    sender: str
    recipient: str
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    trace: MessageTrace | None = None
    failure: Reason | None = None
    delay_reason: str = ""
    seconds: float = 0.0
    tried: float = 0.0

    @property
    def message_id(self) -> str:
        return f"<mailops-{self.number}@{self.sender.rpartition('@')[2].lower()}>"

    @property
    def sent(self) -> bool:
        return bool(self.trace and self.trace.sent)

    def reason(self) -> Reason | None:
        """Why it is not sent, None while no attempt has failed."""
        if self.failure or not self.trace:
            return self.failure
        return self.trace.reason(self.delay_reason) if self.trace.delivery or self.delay_reason else None

    def done(self) -> bool:
        """Sent, refused, or deferred for a reason that waiting does not resolve."""
        if not self.trace or self.trace.sent or self.trace.refused:
            return True
        reason = self.reason()
        return reason is not None and not reason.transient

    def message(self) -> email.message.EmailMessage:
        """The test message (RFC 5322), with a unique id."""
        message = email.message.EmailMessage()
        message["From"] = self.sender
        message["To"] = self.recipient
        message["Subject"] = f"Test message: {self.name} [{self.number}]"
        message["Date"] = email.utils.formatdate(localtime=False)
        message["Message-ID"] = self.message_id
        message["Auto-Submitted"] = "auto-generated"
        message["X-Mailops-Probe"] = self.number
        message.set_content(
            f"{self.sender} can send through this relay.\n\nThis is a test message from mailops.m365. No action is required.\n"
        )
        return message


@dataclass
class Verification:
    """`now` and `wait` are the clock's."""

    relay: Relay
    now: Callable[[], float]
    wait: Callable[[float], None]

    def run(self, attempts: Sequence[Attempt], timeout: float) -> None:
        """Submit all test messages and trace them, at most `timeout` seconds; the result is in the attempts."""
        started = self.now()
        reader = self.relay.reader(started - 1)
        for attempt in attempts:
            self._submit(attempt)
        pending = [attempt for attempt in attempts if attempt.trace]
        try:
            while pending:
                events = [maillog.event_of(entry) for entry in reader.read()]
                seconds = self.now() - started
                for attempt in pending:
                    self._follow(attempt, events, seconds)
                pending = [attempt for attempt in pending if not attempt.done()]
                if not pending or seconds >= timeout:
                    break
                self.wait(_POLL_INTERVAL)
        finally:
            for attempt in attempts:
                if attempt.trace and not attempt.trace.sent and not attempt.trace.outcome:
                    self.relay.remove(attempt.trace.queue_ids[-1])

    def _submit(self, attempt: Attempt) -> None:
        started = time.monotonic()
        try:
            smtp = self.relay.connect()
            try:
                smtp.ehlo("localhost")
                attempt.trace = trace.read_trace(_submitted(smtp, attempt), (), self.relay.paths)
            finally:
                smtp.close()
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
            attempt.failure = reasons.explain(f"said: {error.smtp_code} {text}")
        except (smtplib.SMTPException, OSError) as error:
            attempt.failure = _not_accepted(error)
        attempt.seconds, attempt.tried = time.monotonic() - started, self.now()

    def _follow(self, attempt: Attempt, events: Sequence[Event | None], seconds: float) -> None:
        """Record new events; try a deferred message again where that is due."""
        if attempt.trace is None:
            return
        for event in events:
            attempt.trace.add(event)
        attempt.seconds = seconds
        now, queue_id = self.now(), attempt.trace.queue_ids[-1]
        if attempt.done() or now - attempt.tried < _RETRY_INTERVAL:
            return
        attempt.tried = now
        attempt.delay_reason = next((message.reason for message in self.relay.read_queue() if message.queue_id == queue_id), "")
        if attempt.reason() and not attempt.done():
            attempt.trace.token = token_status.read(self.relay.paths.token_status)
            self.relay.flush(queue_id)


def _submitted(smtp: smtplib.SMTP, attempt: Attempt) -> str:
    """Submit the message; Postfix's queue id. Raises smtplib.SMTPException."""
    _expect_ok(*smtp.mail(attempt.sender))
    _expect_ok(*smtp.rcpt(attempt.recipient))
    reply = _expect_ok(*smtp.data(attempt.message().as_bytes()))
    queue_id = trace.queued_as(reply)
    if not queue_id:
        raise smtplib.SMTPException(f"the server there is not the relay's Postfix: it replied {reply[:80]!r}")
    return queue_id


def _expect_ok(code: int, reply: bytes) -> str:
    if code != 250:
        raise smtplib.SMTPResponseException(code, reply)
    return reply.decode("utf-8", "replace")


def _not_accepted(error: Exception) -> Reason:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    cause = f"no relay accepts mail on {SOCKET} of this host ({text})"
    return Reason("relay-down", "", cause, "Run the role relay_host; run systemctl status postfix for details.", False, "", text)
