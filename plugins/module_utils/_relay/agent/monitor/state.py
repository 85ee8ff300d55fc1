# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The delivery monitor's state: the rolling counter, the circuit breaker, each mailbox's activity. Does no input or output.

Journal events go in; `update` returns which messages root has to hold or to release. The state survives a restart together with the
journal's cursor, so that no event is counted twice and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from ...._core.json_types import JsonObject
from .. import reasons
from ..config import AgentConfig, MailboxConfig
from ..formatting import local_time
from ..postfix.maillog import (
    Accepted,
    Activated,
    Connected,
    DaemonEnded,
    DaemonError,
    DaemonThrottled,
    Delivery,
    Ended,
    Event,
    LimitReached,
    ProxyError,
    Rejected,
    Started,
)
from . import circuit_breaker, daily_quota
from .actions import QueueActions
from .activity import Activity, Refusal
from .circuit_breaker import Circuit, CircuitBreaker
from .daemons import DaemonFailures
from .daily_quota import DailyQuota, RollingCounter

# Messages that Postfix sends at once through one transport; their recipients are in flight.
_CONCURRENCY = 3
# Seconds after which a message that is being sent is no longer counted as in flight.
_STALE = 3600.0
# Limits of listeners and clients that are remembered, the last ones.
_LIMITS = 20
STAGES = ("before", "queue", "connect", "send")


@dataclass
class MailboxState:
    """A mailbox's configuration and its daily quota; `quota_text` is the text of its deferred mail."""

    config: MailboxConfig
    quota: DailyQuota
    quota_text: str = ""


@dataclass
class InFlight:
    """A message that Postfix is delivering: `remaining` recipients have no result yet."""

    sender: str
    remaining: int
    since: float


@dataclass
class MonitorState:
    """`sender_of` returns the sender of a queued message that became active before the monitor began.

    `counters`: name -> label -> count, such as sent -> "scanner@contoso.com/" -> 12. `last_event`: its Unix time.
    `activity`: by mailbox. `table`: Postfix's table of suspended senders as it is on disk, None where that is not known.
    `limits`: processes/SERVICE or client/CLIENT -> when Postfix last logged that it reached its limit of connections.
    `last_attempt`: the Unix time of the last delivery attempt.
    """

    config: AgentConfig
    window: float = daily_quota.DAY
    probe_delay: float = circuit_breaker.INITIAL_DELAY
    sender_of: Callable[[str], str] = lambda _queue_id: ""
    activity: dict[str, Activity] = field(default_factory=dict)
    counters: dict[str, dict[str, float]] = field(default_factory=dict)
    active: dict[str, InFlight] = field(default_factory=dict)
    last_event: float = 0.0
    table: str | None = None
    limits: dict[str, float] = field(default_factory=dict)
    last_attempt: float = 0.0
    daemons: DaemonFailures = field(default_factory=DaemonFailures)

    def __post_init__(self) -> None:
        self.recipients = RollingCounter(self.window)
        self.breaker = CircuitBreaker(initial_delay=self.probe_delay)
        self.pending = QueueActions()
        self.mailboxes = {
            mailbox.address: MailboxState(mailbox, DailyQuota(mailbox.recipients_per_day)) for mailbox in self.config.mailboxes
        }
        # By m365 senders without a mailbox send; the relay's own notices are sent by the first mailbox.
        self.by_transport = {"m365": "", "m365-notices": next(iter(self.mailboxes), "")}
        self.by_transport.update({mailbox.transport: mailbox.address for mailbox in self.config.mailboxes})
        self.by_sender = {sender: mailbox.address for mailbox in self.config.mailboxes for sender in mailbox.senders}

    @property
    def last_sent(self) -> float:
        """When the upstream server last accepted a message; 0 before any."""
        return max((one.last_sent or 0.0 for one in self.activity.values()), default=0.0)

    # -- persistence ----------------------------------------------------------------------------------------------

    def as_state(self) -> dict[str, object]:
        quotas = {
            address: {"reached": mailbox.quota.reached, "reserve": mailbox.quota.reserve, "text": mailbox.quota_text}
            for address, mailbox in self.mailboxes.items()
        }
        return {
            "last_event": self.last_event,
            "recipients": self.recipients.as_state(),
            "quotas": quotas,
            "circuits": self.breaker.as_state(),
            "activity": {address: asdict(activity) for address, activity in self.activity.items()},
            "counters": self.counters,
            "limits": self.limits,
            "last_attempt": self.last_attempt,
            "daemons": self.daemons.as_state(),
            "active": {queue_id: asdict(message) for queue_id, message in self.active.items()},
        }

    def load(self, state: JsonObject) -> None:
        """Restore what `as_state` returned."""
        self.last_event = float(state.get("last_event") or 0)
        self.recipients = RollingCounter.from_state(state.get("recipients") or {}, self.window)
        self.breaker = CircuitBreaker([Circuit(**entry) for entry in state.get("circuits") or ()], self.probe_delay)
        for circuit in list(self.breaker.circuits.values()):
            if not self._is_configured(circuit.mailbox, circuit.sender):
                self.pending.extend(self.breaker.close(circuit))  # another mailbox may send for this sender now
        self.activity = {address: Activity.from_state(entry) for address, entry in (state.get("activity") or {}).items()}
        self.counters = state.get("counters") or {}
        self.limits = state.get("limits") or {}
        self.last_attempt = float(state.get("last_attempt") or 0)
        self.daemons = DaemonFailures.from_state(state.get("daemons") or ())
        self.active = {queue_id: InFlight(**message) for queue_id, message in (state.get("active") or {}).items()}
        for address, quota in (state.get("quotas") or {}).items():
            if address in self.mailboxes:
                mailbox = self.mailboxes[address]
                mailbox.quota.reached, mailbox.quota.reserve = bool(quota["reached"]), int(quota["reserve"])
                mailbox.quota_text = str(quota["text"])

    def _is_configured(self, address: str, sender: str) -> bool:
        """Whether the mailbox still sends for this sender ("" for all of them)."""
        mailbox = self.mailboxes.get(address)
        notice = sender.endswith(f"@{self.config.hostname}")
        return bool(mailbox and (not sender or notice or sender in mailbox.config.senders))

    # -- events ---------------------------------------------------------------------------------------------------

    def process(self, event: Event) -> None:
        """Record a journal event."""
        self.last_event = max(self.last_event, event.timestamp)
        if isinstance(event, (Accepted, Activated, Delivery)):
            self.daemons.record_success(event.label, event.service)
        if isinstance(event, Activated):
            self.active[event.queue_id] = InFlight(event.sender, event.recipients, event.timestamp)
        elif isinstance(event, Delivery):
            self._record_delivery(event)
        elif isinstance(event, Ended):
            self.active.pop(event.queue_id, None)
            self._count("expired" if event.outcome == "expired" else "done", "")
        elif isinstance(event, Accepted):
            self._count("accepted", event.label)
        elif isinstance(event, Rejected):
            self._count("rejected", f"{event.label}/{event.stage}")
            self.daemons.record_rejection(event)
        elif isinstance(event, ProxyError):
            for address in [event.mailbox] if event.mailbox else self.mailboxes:
                self._activity(address).proxy_error = event.text[:500]
        else:
            self._record_operation(event)

    def _record_operation(self, event: Event) -> None:
        """Events of Postfix's processes, not of mail."""
        if isinstance(event, Connected):
            self.daemons.record_connection(event)
        elif isinstance(event, LimitReached):
            self.limits.pop(f"{event.kind}/{event.name}", None)
            self.limits[f"{event.kind}/{event.name}"] = event.timestamp
            self.limits = dict(list(self.limits.items())[-_LIMITS:])
        elif isinstance(event, DaemonError):
            self.daemons.record_error(event)
        elif isinstance(event, DaemonEnded):
            self.daemons.record_end(event)
        elif isinstance(event, DaemonThrottled):
            self.daemons.record_throttle(event)
        elif isinstance(event, Started):
            self.daemons.clear()

    def _record_delivery(self, event: Delivery) -> None:
        self.last_attempt = max(self.last_attempt, event.timestamp)
        sender = self._sender(event)
        address = self.by_transport.get(event.label) or self.by_sender.get(sender, "")
        upstream = event.label in self.by_transport
        if event.status != "sent":
            self._count(event.status, f"{address}/{reasons.explain(event.text).id}")
        elif upstream:  # a delivery within the relay, as to the rewriting listener, is not counted as sent
            self._count("sent", f"{address}/")
            self._record_sent(event, address, sender)
        if event.status == "deferred":
            self._record_deferral(event, address, sender, upstream)

    def _record_sent(self, event: Delivery, address: str, sender: str) -> None:
        self.recipients.add(address, event.timestamp)
        activity = self._activity(address)
        activity.last_sent, activity.proxy_error, activity.last_refusal = event.timestamp, "", None
        for stage, seconds in zip(STAGES, event.delays):  # noqa: B905 - Python 3.9 on the relay
            self._count("seconds", f"{address}/{stage}", seconds)
        self.pending.extend(self.breaker.record_success(address, sender))

    def _record_deferral(self, event: Delivery, address: str, sender: str, upstream: bool) -> None:
        reason = reasons.explain(event.text)
        if upstream and address:
            self._activity(address).last_refusal = Refusal(event.timestamp, reason.id, reason.code, reason.reply)
        if upstream and address and reason.queue_policy == "hold" and sender:
            self.pending.extend(self.breaker.record_refusal(address, sender, event.queue_id, reason.id, event.timestamp))
        elif reason.id == "relay-sender-suspended":
            circuit = self.breaker.find_open(address, sender)
            if circuit:
                self.pending.extend(self.breaker.hold(circuit, event.queue_id))

    def _sender(self, event: Delivery) -> str:
        """The sender of a delivery; one recipient of the message has its result."""
        message = self.active.get(event.queue_id)
        if message is None:
            return self.sender_of(event.queue_id) if event.status == "deferred" else ""
        message.remaining -= 1
        if message.remaining <= 0:
            del self.active[event.queue_id]
        return message.sender

    def _activity(self, address: str) -> Activity:
        return self.activity.setdefault(address, Activity())

    def _count(self, name: str, label: str, amount: float = 1) -> None:
        counts = self.counters.setdefault(name, {})
        counts[label] = round(counts.get(label, 0) + amount, 3)

    # -- decisions ------------------------------------------------------------------------------------------------

    def in_flight(self, address: str, now: float) -> int:
        """Recipients of the messages that the server may be receiving: those of the largest ones, as the upper bound."""
        for queue_id in [queue_id for queue_id, message in self.active.items() if message.since + _STALE < now]:
            del self.active[queue_id]
        messages = [message.remaining for message in self.active.values() if self.by_sender.get(message.sender) == address]
        return sum(sorted(messages, reverse=True)[:_CONCURRENCY])

    def update(self, now: float) -> QueueActions:
        """Update every quota and circuit; the queue actions since the last update."""
        for address, mailbox in self.mailboxes.items():
            before = mailbox.quota.reached
            if mailbox.quota.update(self.recipients.total(address, now), self.in_flight(address, now)) and not before:
                resumes = local_time(self.quota_resumes(address, now))
                mailbox.quota_text = daily_quota.quota_text(address, mailbox.quota.limit, resumes)
        self.pending.extend(self.breaker.start_probes(now))
        actions, self.pending = self.pending, QueueActions()
        both = set(actions.hold) & set(actions.release)
        hold, release = ([queue_id for queue_id in ids if queue_id not in both] for ids in (actions.hold, actions.release))
        return QueueActions(hold, release)

    def quota_resumes(self, address: str, now: float) -> float:
        """When a mailbox whose quota is reached sends again, if nothing is sent until then."""
        return self.recipients.time_below(address, now, self.mailboxes[address].quota.resume_count())

    def suspended_senders(self) -> str:
        """Postfix's table of the senders whose mail is deferred (texthash: sender, transport, reason)."""
        rows = {}
        for address, mailbox in self.mailboxes.items():
            for sender in mailbox.config.senders:
                circuit = self.breaker.find_open(address, sender)
                if circuit:
                    cause = reasons.cause_of(circuit.reason)
                    rows[sender] = circuit_breaker.suspension_text(sender, cause, local_time(circuit.next_probe))
                elif mailbox.quota.reached:
                    rows[sender] = mailbox.quota_text
        return "".join(f"{sender} retry:4.2.0 {reason}\n" for sender, reason in sorted(rows.items()))

    def seconds_until_due(self, now: float) -> float:
        """Seconds until something is due without an event; at most 60."""
        circuits = self.breaker.circuits.values()
        due = [circuit.next_probe + (circuit_breaker.PROBE_TIMEOUT if circuit.half_open else 0) for circuit in circuits]
        due += [self.quota_resumes(address, now) for address, mailbox in self.mailboxes.items() if mailbox.quota.reached]
        return max(0.2, min([60.0, *(timestamp - now for timestamp in due)]))

    def release(self, names: Iterable[str]) -> list[str]:
        """Close the circuits of these mailboxes, senders or queue ids (all circuits where none is named); the senders released."""
        selected = {name.lower() for name in names}
        released = []
        for circuit in list(self.breaker.circuits.values()):
            if not selected or selected & {circuit.mailbox, circuit.sender, *(queue_id.lower() for queue_id in circuit.held)}:
                self.pending.extend(self.breaker.close(circuit))
                released.append(circuit.sender or circuit.mailbox)
        return released
