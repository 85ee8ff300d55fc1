# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders that are held back after a refusal that trying again makes worse: a missing SendAs right, a lock-out, a block for spam.

Private to the collection. The error table says which (`keep` is hold). Their messages go to Postfix's hold queue, where nothing expires,
and newcomers join them without an attempt; after a pause one message is let out as a probe. If it is sent, the rest follows; if it is
refused, the pause doubles. Source: "Email non-delivery reports in Exchange Online" (550 5.2.252: sender throttled due to continuous send
as denied errors).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

FIRST_PAUSE = 3600.0
LONGEST_PAUSE = 8 * 3600.0
# A probe that has no verdict after this long is forgotten: its message expired or was removed by hand.
PATIENCE = 900.0
# These refusals are about one sender's address; all others are about the mailbox that signs in.
OF_A_SENDER = ("send-as-denied",)


@dataclass
class Lock:
    """One held-back sender, or "" in `sender` for all of the mailbox's. Times are Unix times, the pause is in seconds."""

    mailbox: str
    sender: str
    reason: str
    since: float
    pause: float
    next_probe: float
    held: list[str] = field(default_factory=list)
    probing: str = ""


@dataclass
class Orders:
    """What only root can do: messages to hold and to release."""

    hold: list[str] = field(default_factory=list)
    release: list[str] = field(default_factory=list)


class Guard:
    """All locks, by mailbox and sender."""

    def __init__(self, state: list[dict[str, Any]] | None = None, pause: float = FIRST_PAUSE) -> None:
        self.first_pause = pause
        self.locks = {(entry["mailbox"], entry["sender"]): Lock(**entry) for entry in state or []}

    def as_state(self) -> list[dict[str, Any]]:
        return [asdict(lock) for lock in self.locks.values()]

    def of(self, mailbox: str, sender: str) -> Lock | None:
        """The lock that a sender's mail meets."""
        return self.locks.get((mailbox, "")) or self.locks.get((mailbox, sender))

    def closed(self, mailbox: str, sender: str) -> Lock | None:
        """The same, but for a lock whose probe is under way: there the way is open."""
        lock = self.of(mailbox, sender)
        return lock if lock and not lock.probing else None

    def refused(self, mailbox: str, sender: str, queue_id: str, reason: str, now: float) -> Orders:
        """A refusal that is to be held: the sender is held back, or its pause doubled where this was the probe."""
        scope = sender if reason in OF_A_SENDER else ""
        lock = self.of(mailbox, sender)
        if lock is None:
            lock = Lock(mailbox, scope, reason, now, self.first_pause, now + self.first_pause)
            self.locks[(mailbox, scope)] = lock
        elif lock.probing:
            lock.pause = min(lock.pause * 2, max(LONGEST_PAUSE, self.first_pause))
            lock.next_probe, lock.probing, lock.reason = now + lock.pause, "", reason
        return self.keep(lock, queue_id)

    def keep(self, lock: Lock, queue_id: str) -> Orders:
        """A message of a held-back sender joins the others."""
        if queue_id in lock.held:
            return Orders()
        lock.held.append(queue_id)
        return Orders(hold=[queue_id])

    def sent(self, mailbox: str, sender: str) -> Orders:
        """A message of the sender went: whatever held it back is gone."""
        lock = self.of(mailbox, sender)
        return self.open(lock) if lock and (lock.probing or lock.sender) else Orders()

    def open(self, lock: Lock) -> Orders:
        self.locks.pop((lock.mailbox, lock.sender), None)
        return Orders(release=lock.held)

    def tick(self, now: float) -> Orders:
        """Probes that are due; a probe without a verdict gives way to the next one."""
        orders = Orders()
        for lock in list(self.locks.values()):
            if lock.probing and now >= lock.next_probe + PATIENCE:
                lock.probing, lock.next_probe = "", now + lock.pause
            elif not lock.probing and now >= lock.next_probe and lock.held:
                lock.probing = lock.held.pop(0)
                lock.next_probe = now
                orders.release.append(lock.probing)
            elif not lock.probing and now >= lock.next_probe:
                # Nothing is held: the next message of the sender is the probe.
                self.locks.pop((lock.mailbox, lock.sender), None)
        return orders

    def forget(self, queued: set[str]) -> None:
        """Messages that an administrator removed."""
        for lock in self.locks.values():
            lock.held = [queue_id for queue_id in lock.held if queue_id in queued]


def words(sender: str, cause: str, until: str) -> str:
    """The reason that waiting mail gets; the error table knows it (relay-sender-suspended)."""
    return f"{sender} is suspended by the relay: {cause}; next attempt at {until}, or run mailops-relay release"
