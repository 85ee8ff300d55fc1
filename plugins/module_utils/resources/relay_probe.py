# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's proof: every sender's message goes in at the relay's own port 25, and is followed to the last reply.

Private to the collection. Runs on the relay, as root: it reads Postfix's journal and queue. What does not get through is taken out of
the queue again, so that nothing arrives of it later.
"""

from __future__ import annotations

import email.message
import email.utils
import smtplib
import subprocess
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core.errors import MailopsError
from .._core.spec import Spec
from .._engine.engine import Plan, Reading
from .._engine.local_host import LocalHost
from .._exchange import addresses
from .._relay.agent import reasons, trace
from .._relay.agent.oauth import token_status
from .._relay.agent.paths import Paths
from .._relay.agent.postfix import journal, maillog, queue
from .._relay.agent.postfix.journal import JournalEntry
from .._relay.agent.postfix.maillog import Event
from .._relay.agent.trace import MessageTrace

HOST, PORT = "127.0.0.1", 25
PAUSE = 0.25  # seconds between looks into the journal
AGAIN = 15.0  # seconds until a deferred message is tried once more
OPTIONS = Spec(
    {
        "senders": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str"},
                "address": {"type": "str", "required": True},
                "verify_recipient": {"type": "str", "required": True},
            },
        },
        "timeout": {"type": "int", "default": 120},
        "required": {"type": "bool", "default": True},
    },
    writes=False,
)


class NotProven(MailopsError):  # noqa: N818 - reads as what it is
    """Senders whose message did not get through; `outcome` holds every sender's result."""

    def __init__(self, text: str, outcome: dict[str, Any]) -> None:
        super().__init__(text)
        self.outcome = outcome


class JournalReader(Protocol):
    """What is new in the journal."""

    def read(self) -> list[JournalEntry]: ...


@dataclass
class Relay:
    """The relay as this resource touches it; tests have another."""

    connect: Callable[[], smtplib.SMTP] = lambda: smtplib.SMTP(HOST, PORT, timeout=30)
    reader: Callable[[float], JournalReader] = journal.JournalReader
    waiting: Callable[[], list[queue.Message]] = queue.read
    paths: Paths = field(default_factory=Paths)

    def flush(self, queue_id: str) -> None:
        """Try a deferred message now."""
        _call("/usr/sbin/postqueue", "-i", queue_id)

    def withdraw(self, queue_id: str) -> None:
        """Take a message out of the queue."""
        _call("/usr/sbin/postsuper", "-d", queue_id)


def _call(*command: str) -> None:
    """What has left the queue meanwhile is no failure."""
    subprocess.run(command, capture_output=True, timeout=60, check=False)  # noqa: S603


@dataclass
class Proof:
    """One sender's message on its way."""

    sender: dict[str, Any]
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    trace: MessageTrace | None = None
    failure: reasons.Reason | None = None
    waits: str = ""
    seconds: float = 0.0
    tried: float = 0.0

    @property
    def message_id(self) -> str:
        return f"<mailops-{self.number}@{addresses.domain(self.sender['address'])}>"

    def reason(self) -> reasons.Reason | None:
        """Why it is not sent, None while no attempt has failed."""
        if self.failure or not self.trace:
            return self.failure
        return self.trace.reason(self.waits) if self.trace.delivery or self.waits else None

    def done(self) -> bool:
        """Sent, refused, or deferred for a reason that waiting does not help."""
        if not self.trace or self.trace.sent or self.trace.refused:
            return True
        why = self.reason()
        return why is not None and not why.wait_helps


class RelayProbe(Reading):
    """module relay_probe"""

    name = "relay_probe"
    spec = OPTIONS

    def __init__(self, relay: Relay | None = None) -> None:
        self.relay = relay or Relay()

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = [] if params["timeout"] > 0 else [f"timeout is {params['timeout']}: give seconds, at least 1."]
        for sender in params["senders"]:
            label = sender["name"] or sender["address"]
            for option in ("address", "verify_recipient"):
                problems += [f"senders: {label}: {problem}" for problem in addresses.problems(f"the sender's {option}", [sender[option]])]
        return problems

    def plan(self, tenant: LocalHost, params: dict[str, Any], check_mode: bool) -> Plan:
        proofs = [Proof(sender) for sender in params["senders"]]
        if not check_mode:
            self._prove(tenant, proofs, float(params["timeout"]))
        results = [_result(proof, check_mode) for proof in proofs]
        outcome = {"senders": results, "verified": sum(result["verified"] is True for result in results), "total": len(results)}
        failed = [result for result in results if result["verified"] is False]
        if failed and params["required"]:
            told = "; ".join(f"{r['name']}: {r['cause']}. {r['remedy']}".rstrip(". ") for r in failed)
            raise NotProven(f"{len(failed)} of {len(results)} senders cannot send through this relay: {told}.", outcome)
        return Plan(outcome=outcome)

    def _prove(self, machine: LocalHost, proofs: list[Proof], timeout: float) -> None:
        began = machine.clock.now()
        reader = self.relay.reader(began - 1)
        for proof in proofs:
            self._hand_over(proof, machine)
        on_the_way = [proof for proof in proofs if proof.trace]
        try:
            while on_the_way:
                entries = [maillog.event_of(entry) for entry in reader.read()]
                now = machine.clock.now()
                for proof in on_the_way:
                    self._follow(proof, entries, now, now - began)
                on_the_way = [proof for proof in on_the_way if not proof.done()]
                if not on_the_way or now - began >= timeout:
                    break
                machine.wait(PAUSE)
        finally:
            self._give_up(proofs)

    def _hand_over(self, proof: Proof, machine: LocalHost) -> None:
        """To Postfix; whatever it says is explained."""
        started = time.monotonic()
        try:
            smtp = self.relay.connect()
            try:
                smtp.ehlo("localhost")
                proof.trace = trace.read_trace(_sent(smtp, proof), (), self.relay.paths)
            finally:
                smtp.close()
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
            proof.failure = reasons.explain(f"said: {error.smtp_code} {said}")
        except (smtplib.SMTPException, OSError) as error:
            proof.failure = _silent(error)
        proof.seconds, proof.tried = time.monotonic() - started, machine.clock.now()

    def _follow(self, proof: Proof, events: list[Event | None], now: float, seconds: float) -> None:
        if proof.trace is None:
            return  # it was not taken, so there is nothing to follow
        for event in events:
            proof.trace.add(event)
        proof.seconds = seconds
        if proof.done() or now - proof.tried < AGAIN:
            return
        proof.tried = now
        proof.waits = next((message.reason for message in self.relay.waiting() if message.queue_id == proof.trace.queue_ids[-1]), "")
        if proof.reason() and not proof.done():
            proof.trace.token = token_status.read(self.relay.paths.token_status)
            self.relay.flush(proof.trace.queue_ids[-1])

    def _give_up(self, proofs: list[Proof]) -> None:
        """What did not get through does not stay behind."""
        for proof in proofs:
            if proof.trace and not proof.trace.sent and not proof.trace.outcome:
                self.relay.withdraw(proof.trace.queue_ids[-1])


def _sent(smtp: smtplib.SMTP, proof: Proof) -> str:
    """Postfix's queue id of the message."""
    _expect(*smtp.mail(proof.sender["address"]))
    _expect(*smtp.rcpt(proof.sender["verify_recipient"]))
    said = _expect(*smtp.data(compose(proof).as_bytes()))
    found = trace.queued_as(said)
    if not found:
        raise smtplib.SMTPException(f"what listens there is not the relay's Postfix: it said {said[:80]!r}")
    return found


def _expect(code: int, said: bytes) -> str:
    if code != 250:
        raise smtplib.SMTPResponseException(code, said)
    return said.decode("utf-8", "replace")


def _silent(error: Exception) -> reasons.Reason:
    said = " ".join(str(getattr(error, "strerror", None) or error).split())
    cause = f"nobody takes mail on {HOST}:{PORT} of this host ({said})"
    return reasons.Reason("relay-down", "", cause, "Run the role relay_host; systemctl status postfix says more.", False, "", said)


def compose(proof: Proof) -> email.message.EmailMessage:
    """A message with a unique id (RFC 5322), short, and saying what it is."""
    sender, message = proof.sender, email.message.EmailMessage()
    message["From"] = sender["address"]
    message["To"] = sender["verify_recipient"]
    message["Subject"] = f"Test message: {sender['name'] or sender['address']} [{proof.number}]"
    message["Date"] = email.utils.formatdate(localtime=False)
    message["Message-ID"] = proof.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Mailops-Probe"] = proof.number
    message.set_content(
        f"{sender['address']} can send through this relay.\n\nThis is a test message from mailops.m365. No action is required.\n"
    )
    return message


def _result(proof: Proof, check_mode: bool) -> dict[str, Any]:
    """smtp_probe's shape, and the hops."""
    sender, trace_, why = proof.sender, proof.trace, proof.reason()
    sent = bool(trace_ and trace_.sent)
    found: dict[str, Any] = {
        "name": sender["name"] or sender["address"],
        "address": sender["address"],
        "verify_recipient": sender["verify_recipient"],
        "method": "relay",
        "server": f"{HOST}:{PORT}",
        "verified": None if check_mode else sent,
        "message_id": None if check_mode else proof.message_id,
        "stage": "input" if check_mode else trace_.stage() if trace_ else "relay",
        "code": "",
        "said": "",
        "cause": "",
        "remedy": "",
        "wait_helps": False,
        "seconds": round(proof.seconds, 2),
        "hops": [hop.as_result() for hop in trace_.hops("relay_probe")] if trace_ else [],
    }
    if not sent and not check_mode:
        why = why or reasons.WAITING
        late = {"cause": "it still waits in the relay's queue, and no attempt has failed", "remedy": "Give the task a longer timeout."}
        told = {"code": why.code, "said": why.reply, "cause": why.cause.rstrip("."), "remedy": why.remedy, "wait_helps": why.wait_helps}
        found |= told | (late if why.id == reasons.WAITING.id else {})
    return found


RESOURCE = RelayProbe()
