# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watcher knows and decides: the ledger, the held-back senders, what each mailbox last did. No file and no process here.

Private to the collection. Events of the journal go in; `tick` says which senders are closed, and which messages root is to hold or to
release. All of it is a state that survives a restart together with the journal's cursor, so nothing is counted twice and nothing is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .... import error_catalog
from .. import reasons
from ..postfix.maillog import Accepted, Active, BridgeTrouble, Delivery, Ended, Event, Rejected
from . import circuit_breaker, daily_quota
from .circuit_breaker import Guard, Orders
from .daily_quota import Day, Ledger

# Messages that Postfix sends at once through one transport; what they hold of recipients is in flight.
AT_ONCE = 3
# A message that is being sent has a verdict after this long; after that it is no longer counted as in flight.
STALE = 3600.0
STAGES = ("before", "queue", "connect", "send")


@dataclass
class Box:
    """A mailbox as relay.json describes it, and its day."""

    address: str
    transport: str
    senders: tuple[str, ...]
    day: Day
    reason: str = ""


@dataclass
class InFlight:
    """A message that Postfix has taken up: `left` recipients have no verdict yet."""

    sender: str
    left: int
    at: float


@dataclass
class Keeper:
    """`settings` is relay.json, `sender_of` finds the sender of a queued message that was taken up before the watcher began."""

    settings: dict[str, Any]
    window: float = daily_quota.DAY
    pause: float = circuit_breaker.FIRST_PAUSE
    sender_of: Callable[[str], str] = lambda _queue_id: ""
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)
    active: dict[str, InFlight] = field(default_factory=dict)
    at: float = 0.0
    written: str | None = None  # Postfix's table as it is on disk

    def __post_init__(self) -> None:
        self.ledger, self.guard, self.orders = Ledger(self.window), Guard(pause=self.pause), Orders()
        self.boxes = {
            entry["address"]: Box(
                entry["address"],
                entry["transport"],
                tuple(sender.lower() for sender in entry["senders"]),
                Day(int(entry.get("recipients_per_day", 10000))),
            )
            for entry in self.settings.get("mailboxes") or []
        }
        self.by_transport = {box.transport: box.address for box in self.boxes.values()}
        if self.boxes:  # the relay's own notices leave in the name of the first
            self.by_transport.setdefault("m365-notices", next(iter(self.boxes)))
        self.by_sender = {sender: box.address for box in self.boxes.values() for sender in box.senders}

    # -- a restart ------------------------------------------------------------------------------------------------

    def as_state(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "ledger": self.ledger.as_state(),
            "days": {box.address: {"closed": box.day.closed, "room": box.day.room, "reason": box.reason} for box in self.boxes.values()},
            "locks": self.guard.as_state(),
            "mailboxes": self.told,
            "counts": self.counts,
            "active": {queue_id: vars(found) for queue_id, found in self.active.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on from `as_state`."""
        self.at = float(state.get("at") or 0)
        self.ledger = Ledger.from_state(state.get("ledger") or {}, self.window)
        self.guard = Guard(state.get("locks"), self.pause)
        for lock in list(self.guard.locks.values()):
            if not self._holds(lock.mailbox, lock.sender):
                self._order(self.guard.open(lock))  # the inventory has changed: whoever sends for it now is to try
        self.told, self.counts = state.get("mailboxes") or {}, state.get("counts") or {}
        self.active = {queue_id: InFlight(**found) for queue_id, found in (state.get("active") or {}).items()}
        for address, day in (state.get("days") or {}).items():
            if address in self.boxes:
                box = self.boxes[address]
                box.day.closed, box.day.room, box.reason = bool(day["closed"]), int(day["room"]), str(day["reason"])

    def _holds(self, mailbox: str, sender: str) -> bool:
        """Whether a lock of this mailbox and sender ("" for all of them) still stands before anything."""
        box = self.boxes.get(mailbox)
        own = sender.endswith(f"@{self.settings.get('hostname')}")  # the relay's own notices
        return bool(box and (not sender or own or sender in box.senders))

    # -- what happens ---------------------------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        self.at = max(self.at, event.at)
        if isinstance(event, Active):
            self.active[event.queue_id] = InFlight(event.sender, event.recipients, event.at)
        elif isinstance(event, Delivery):
            self._delivery(event)
        elif isinstance(event, Ended):
            self.active.pop(event.queue_id, None)
            self._count("expired" if event.how == "expired" else "done", "")
        elif isinstance(event, Accepted):
            self._count("accepted", event.label)
        elif isinstance(event, Rejected):
            self._count("rejected", f"{event.label}/{event.stage}")
        elif isinstance(event, BridgeTrouble):
            for mailbox in [event.mailbox] if event.mailbox else self.boxes:
                self._tell(mailbox, bridge={"at": event.at, "text": event.text[:500]})

    def _delivery(self, event: Delivery) -> None:
        sender = self._take(event)
        mailbox = self.by_transport.get(event.label) or self.by_sender.get(sender, "")
        upstream = event.label in self.by_transport
        if event.status != "sent":
            self._count(event.status, f"{mailbox}/{reasons.of(event.text).id}")
        elif upstream or not self.boxes:  # what is handed over on the relay itself, as to the rewriter, is not sent yet
            self._count("sent", f"{mailbox}/")
            self._sent(event, mailbox, sender)
        if event.status == "deferred":
            self._deferred(event, mailbox, sender, upstream)

    def _sent(self, event: Delivery, mailbox: str, sender: str) -> None:
        self.ledger.add(mailbox, event.at)
        self._tell(mailbox, last_sent=event.at, bridge=None, refused=None)
        for stage, seconds in zip(STAGES, event.delays):  # noqa: B905 - Python 3.9 on the relay
            self._count("seconds", f"{mailbox}/{stage}", seconds)
        self._order(self.guard.sent(mailbox, sender))

    def _deferred(self, event: Delivery, mailbox: str, sender: str, upstream: bool) -> None:
        reason = reasons.of(event.text)
        if upstream and mailbox:
            self._tell(mailbox, refused={"at": event.at, "id": reason.id, "code": reason.code, "said": reason.said})
        if upstream and reason.keep == "hold" and sender:
            self._order(self.guard.refused(mailbox, sender, event.queue_id, reason.id, event.at))
        elif reason.id == "relay-sender-suspended":
            lock = self.guard.closed(mailbox, sender)
            if lock:
                self._order(self.guard.keep(lock, event.queue_id))

    def _take(self, event: Delivery) -> str:
        """The sender of a delivery; the message has one recipient less to do."""
        found = self.active.get(event.queue_id)
        if found is None:
            return self.sender_of(event.queue_id) if event.status == "deferred" else ""
        found.left -= 1
        if found.left <= 0:
            del self.active[event.queue_id]
        return found.sender

    def _tell(self, mailbox: str, **facts: Any) -> None:
        self.told.setdefault(mailbox, {}).update(facts)

    def _count(self, name: str, label: str, amount: float = 1) -> None:
        mine = self.counts.setdefault(name, {})
        mine[label] = round(mine.get(label, 0) + amount, 3)

    def _order(self, orders: Orders) -> None:
        self.orders.hold += orders.hold
        self.orders.release += orders.release

    # -- what is to be done ---------------------------------------------------------------------------------------

    def in_flight(self, mailbox: str, now: float) -> int:
        """Recipients of the messages that may be with the server at this moment: the largest ones, to be safe."""
        for queue_id in [queue_id for queue_id, found in self.active.items() if found.at + STALE < now]:
            del self.active[queue_id]
        mine = sorted((found.left for found in self.active.values() if self.by_sender.get(found.sender) == mailbox), reverse=True)
        return sum(mine[:AT_ONCE])

    def tick(self, now: float) -> Orders:
        """Judges every mailbox's day and every lock; the orders since the last tick."""
        for box in self.boxes.values():
            was = box.day.closed
            if box.day.judge(self.ledger.used(box.address, now), self.in_flight(box.address, now)) and not was:
                box.reason = daily_quota.words(box.address, box.day.limit, clock(self.opens(box.address, now)))
        self._order(self.guard.tick(now))
        orders, self.orders = self.orders, Orders()
        both = set(orders.hold) & set(orders.release)
        return Orders([one for one in orders.hold if one not in both], [one for one in orders.release if one not in both])

    def opens(self, mailbox: str, now: float) -> float:
        """When a full mailbox opens again, if nothing is sent until then."""
        return self.ledger.free_at(mailbox, now, self.boxes[mailbox].day.opens_below())

    def closed(self) -> str:
        """Postfix's table of the senders that are not sent now (texthash: sender, transport, reason)."""
        rows = {}
        for box in self.boxes.values():
            for sender in box.senders:
                lock = self.guard.closed(box.address, sender)
                if lock:
                    rows[sender] = circuit_breaker.words(sender, cause_of(lock.reason), clock(lock.next_probe))
                elif box.day.closed:
                    rows[sender] = box.reason
        return "".join(f"{sender} retry:4.2.0 {reason}\n" for sender, reason in sorted(rows.items()))

    def wake(self, now: float) -> float:
        """Seconds until something is due without any event; at most a minute."""
        due = [lock.next_probe + (circuit_breaker.PATIENCE if lock.probing else 0) for lock in self.guard.locks.values()]
        due += [self.opens(box.address, now) for box in self.boxes.values() if box.day.closed]
        return max(0.2, min([60.0, *(at - now for at in due)]))

    def release(self, wanted: Iterable[str]) -> list[str]:
        """Opens the locks of these mailboxes, senders or queue ids (all of them for none given); the senders that were opened."""
        names = {name.lower() for name in wanted}
        opened = []
        for lock in list(self.guard.locks.values()):
            if not names or names & {lock.mailbox, lock.sender, *(queue_id.lower() for queue_id in lock.held)}:
                self._order(self.guard.open(lock))
                opened.append(lock.sender or lock.mailbox)
        return opened


def cause_of(reason: str) -> str:
    """A row's cause by its id."""
    return next((row.cause for row in error_catalog.ROWS if row.id == reason), reason)


def clock(at: float) -> str:
    """A time for people, in the relay's own zone; with the date where it is not today."""
    moment = time.localtime(at)
    today = time.localtime()
    form = "%H:%M" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M"
    return time.strftime(form, moment)
