# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay trace`: a message's hops through the relay, from the journal: device -> Postfix -> submission proxy -> Microsoft 365.

A message is identified by its queue id. A listener that passes it to another one on loopback gives it a new id, which the first id's
last line names ("queued as"). The cause behind the submission proxy's own 454 is in the proxy's log and in the token's status. Source:
Postfix smtp(8), "delays=a/b/c/d": before the queue manager, in it, connecting, sending.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from ... import error_catalog
from ..._core.errors import MailopsError
from . import config, reasons
from .config import AgentConfig
from .console import print_error, print_line
from .formatting import sentence
from .oauth import token_status
from .oauth.token_status import TokenStatus
from .paths import Paths
from .postfix import journal, maillog
from .postfix.journal import JournalEntry, JournalReader
from .postfix.maillog import Accepted, Delivery, Ended, Event, Noticed, ProxyError

_QUEUED_AS = re.compile(r"\bqueued as (\w+)")
_MESSAGE_ID = re.compile(r"(\w+): (?:resent-)?message-id=(<.*>)", re.DOTALL)
_STAGES = (
    (re.compile(r"SASL authentication failed|Authentication unsuccessful"), "sign-in"),
    (re.compile(r"in reply to MAIL FROM"), "sender"),
    (re.compile(r"in reply to RCPT TO"), "recipient"),
    (re.compile(r"in reply to end of DATA|in reply to DATA"), "message"),
    (re.compile(r"TLS|certificate"), "tls"),
    (re.compile(r"[Nn]ame service|Host not found|name resolution"), "resolve"),
    (re.compile(r"connect to |Connection|timed out"), "connect"),
)
# Services that deliver on the relay itself.
_LOCAL = {"discard": "discard", "local": "mailbox on the relay"}
_EVENTS = {"sent": "accepted", "deferred": "deferred", "bounced": "refused"}
PROXY = "submission proxy"
NOTICES = "m365-notices"  # the transport of Postfix's notices


def queued_as(text: str) -> str:
    """The queue id in a Postfix's final reply; "" where it names none."""
    match = _QUEUED_AS.search(text)
    return match[1] if match else ""


def queue_id_of(entries: Iterable[JournalEntry], message_id: str) -> str:
    """The first queue id of the message with this Message-ID; "" where there is none."""
    for entry in entries:
        if entry.unit in journal.POSTFIX_UNITS:
            match = _MESSAGE_ID.match(entry.message)
            if match and match[2] == message_id:
                return match[1]
    return ""


@dataclass(frozen=True)
class Hop:
    """One step. `event`: accepted, deferred, refused, submitted, created, rewritten, queued, relayed, delivered, discarded or notified."""

    source: str
    target: str
    event: str
    seconds: float
    detail: str

    def as_result(self) -> dict[str, str | float]:
        return {"from": self.source, "to": self.target, "event": self.event, "seconds": self.seconds, "detail": self.detail}


def _hop(source: str, target: str, event: str, seconds: float, detail: str) -> Hop:
    return Hop(source, target, event, round(seconds, 2), detail)


@dataclass
class MessageTrace:
    """The journal's events of one message. `queue_ids`: the ids that it had, the last one is the current one.

    `notice`: that it is a notice of Postfix about another message. `notices`: those about this message.
    """

    queue_id: str
    config: AgentConfig = field(default_factory=AgentConfig)
    token: TokenStatus = field(default_factory=TokenStatus)
    accepted: Accepted | None = None
    delivery: Delivery | None = None
    outcome: str = ""
    proxy_errors: list[ProxyError] = field(default_factory=list)
    rewriting: Delivery | None = None
    notice: Noticed | None = None
    notices: list[Noticed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue_ids = [self.queue_id]

    def add(self, event: Event | None) -> None:
        """Record an event of this message; the last attempt counts."""
        if isinstance(event, ProxyError):
            self.proxy_errors.append(event)
        elif isinstance(event, Accepted) and event.queue_id == self.queue_id:
            self.accepted = event
        elif isinstance(event, Delivery) and event.queue_id == self.queue_ids[-1]:
            next_id = queued_as(event.text) if _is_local(event) else ""
            if event.status == "sent" and next_id and not self._to_proxy(event):
                self.rewriting = event
                self.queue_ids.append(next_id)
            else:
                self.delivery = event
        elif isinstance(event, Noticed) and event.notice_id == self.queue_id:
            self.notice = event
        elif isinstance(event, Noticed) and event.queue_id == self.queue_ids[-1]:
            self.notices.append(event)
        elif isinstance(event, Ended) and event.queue_id == self.queue_ids[-1]:
            self.outcome = event.outcome

    def _to_proxy(self, delivery: Delivery) -> bool:
        return self.config.upstream == "oauth" and delivery.label.startswith("m365")

    @property
    def sent(self) -> bool:
        return self.delivery is not None and self.delivery.status == "sent" and not self.discarded

    @property
    def discarded(self) -> bool:
        """Postfix deleted it without sending it, as it does with bounces (roles/relay_host: the table of transports)."""
        return self.delivery is not None and self.delivery.service == "discard"

    @property
    def refused(self) -> bool:
        """Postfix returned it to its sender."""
        return self.outcome == "expired" or (self.delivery is not None and self.delivery.status in ("bounced", "expired"))

    def reason(self, delay_reason: str = "") -> reasons.Reason:
        """Why it is not sent; `delay_reason` is postqueue's. The submission proxy's own 454 is replaced by its cause."""
        reason = reasons.explain(self.delivery.text if self.delivery else delay_reason)
        if reason.id in ("relay-proxy-refused", "relay-no-token"):
            return self._proxy_reason() or reason
        return reason

    def _proxy_reason(self) -> reasons.Reason | None:
        """A missing token comes first: it causes whatever the submission proxy logs."""
        if self.token.failure and not self.token.expires:
            return reasons.explain(self.token.failure)
        errors = [error for error in self.proxy_errors if error.mailbox in ("", self.mailbox)]
        return reasons.explain(errors[-1].text) if errors else None

    @property
    def mailbox(self) -> str:
        """The mailbox whose transport delivered it, in lower case; the relay's own notices are sent by the first one."""
        label = self.delivery.label if self.delivery else ""
        if label == NOTICES and self.config.mailboxes:
            return self.config.mailboxes[0].address.lower()
        return next((mailbox.address.lower() for mailbox in self.config.mailboxes if mailbox.transport == label), "")

    def stage(self) -> str:
        """The stage that was reached, as module smtp_probe names it; `queue` where no attempt has failed."""
        if self.sent or self.discarded:
            return "sent" if self.sent else "discarded"
        text = self.delivery.text if self.delivery else ""
        return next((stage for pattern, stage in _STAGES if pattern.search(text)), "queue")

    # -- the hops -------------------------------------------------------------------------------------------------

    def hops(self, client: str = "") -> list[Hop]:
        """The hops so far. `client`: who submitted it, where that is known."""
        last = self.delivery
        delays = (*last.delays, 0.0, 0.0, 0.0, 0.0)[:4] if last else (0.0, 0.0, 0.0, 0.0)
        hops = [self._first_hop(client, delays[0])]
        if self.rewriting:
            hops.append(_hop("Postfix", "Postfix", "rewritten", self.rewriting.delay, f"queue id {self.queue_ids[-1]}"))
        if not last:
            return hops + self._notice_hops()
        pace = "within the mailbox's pace, " if last.label.startswith("m365-") else ""
        hops.append(_hop("Postfix", "Postfix", "queued", delays[1], f"{pace}transport {last.label or last.service}"))
        return hops + self._upstream_hops(last, delays[2], delays[3]) + self._notice_hops()

    def _first_hop(self, client: str, seconds: float) -> Hop:
        if self.notice:
            return _hop("Postfix", "Postfix", "created", seconds, f"queue id {self.queue_id}, {self.notice.kind} of {self.notice.queue_id}")
        source = client or (self.accepted.client if self.accepted else "device")
        listener = f"listener {self.accepted.label}" if self.accepted and self.accepted.label else "port 25"
        user = f", authenticated as {self.accepted.user}" if self.accepted and self.accepted.user else ""
        return _hop(source, "Postfix", "submitted", seconds, f"queue id {self.queue_id}, {listener}{user}")

    def _notice_hops(self) -> list[Hop]:
        """The notices about this message; each is a message of its own."""
        return [
            _hop("Postfix", notice.kind.partition(" ")[0], "notified", 0.0, f"{notice.kind}, queue id {notice.notice_id}")
            for notice in self.notices
        ]

    def _upstream_hops(self, last: Delivery, connecting: float, sending: float) -> list[Hop]:
        if last.service in _LOCAL:
            return [_hop("Postfix", _LOCAL[last.service], "discarded" if self.discarded else "delivered", connecting + sending, last.text)]
        connection = "new connection" if connecting >= 0.005 else "cached connection"
        event = _EVENTS.get(last.status, last.status)
        server = self._server(last)
        reply = " ".join(error_catalog.server_reply(last.text).split())
        if not self._to_proxy(last):
            return [_hop("Postfix", server, event, connecting + sending, f"{connection}; {reply}")]
        if last.status != "sent" and self.stage() in ("sign-in", "connect", "tls", "resolve"):
            return [_hop("Postfix", PROXY, event, connecting, reply)]
        return [
            _hop("Postfix", PROXY, "relayed", connecting, f"{connection}, authenticated by OAuth as {self.mailbox or 'the mailbox'}"),
            _hop(PROXY, "Microsoft 365", event, sending, f"{server}: {reply}"),
        ]

    def _server(self, last: Delivery) -> str:
        if self._to_proxy(last):
            return self.config.smtp_host or "smtp.office365.com"
        return last.relay.partition("[")[0] or "upstream"


def _is_local(delivery: Delivery) -> bool:
    """Whether it was delivered to a listener of this Postfix: over loopback, or by the rewriting transport."""
    return "[127.0.0.1]" in delivery.relay or delivery.relay == "m365-rewrite"


def read_trace(queue_id: str, entries: Iterable[JournalEntry], paths: Paths | None = None) -> MessageTrace:
    """The trace of a message from journal entries of this relay."""
    paths = paths or Paths()
    trace = MessageTrace(queue_id, config.load_or_default(paths.config_file), token_status.read(paths.token_status))
    for entry in entries:
        trace.add(maillog.event_of(entry))
    return trace


def lines(trace: MessageTrace) -> list[str]:
    """A line a hop, and the reason where the message is not sent."""
    text = [f"{hop.source} -> {hop.target}: {hop.event} after {hop.seconds:.2f} s ({hop.detail})" for hop in trace.hops()]
    if not trace.sent and not trace.discarded:
        reason = trace.reason()
        text.append(f"{sentence(reason.cause)}{f' ({reason.code})' if reason.code else ''}. {reason.remedy}".strip())
    return text


def main(message: str, as_json: bool = False, paths: Paths | None = None) -> int:
    """Exit status of `mailops-relay trace QUEUE-ID|MESSAGE-ID [--json]`; 1 where the journal of the last day has no entry of it."""
    try:
        entries = JournalReader(time.time() - 86400).read()
    except MailopsError as error:
        print_error(error)
        return 1
    name = message if "@" not in message or message.startswith("<") else f"<{message}>"
    queue_id = queue_id_of(entries, name) if "@" in name else name
    trace = read_trace(queue_id, entries, paths)
    if not queue_id or not (trace.accepted or trace.delivery or trace.notice):
        print_error(f"The journal of the last day has no entry of {message}.")
        return 1
    if as_json:
        hops = [hop.as_result() for hop in trace.hops()]
        print_line(json.dumps({"queue_id": queue_id, "sent": trace.sent, "stage": trace.stage(), "hops": hops}))
    else:
        print_line("\n".join(lines(trace)))
    return 0
