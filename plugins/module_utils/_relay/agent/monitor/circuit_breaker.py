# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Circuit breaker for senders whose mail Microsoft 365 refuses in a way that further attempts make worse.

Such refusals are a missing SendAs right, a lockout, a block for spam: the error catalog's entries whose queue policy is hold. While a
circuit is open, the sender is suspended: its messages go to Postfix's hold queue, where nothing expires, and new ones join them without a
delivery attempt. After a delay the circuit is half-open: one message is released as a probe. If it is sent, the circuit closes and the
other messages are released; if it is refused, the delay doubles. Source: "Email non-delivery reports in Exchange Online"
(550 5.2.252: sender throttled due to continuous send as denied errors).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from .actions import QueueActions

INITIAL_DELAY = 3600.0
LONGEST_DELAY = 8 * 3600.0
# A probe without a result after this many seconds is dropped: its message expired or was removed by an administrator.
PROBE_TIMEOUT = 900.0
# Catalog entries that concern one sender address; all others concern the mailbox that authenticates.
_SENDER_REASONS = ("send-as-denied",)


@dataclass
class Circuit:
    """An open circuit of one sender, or of the whole mailbox where `sender` is "".

    Times are Unix times, `delay` is in seconds. `held`: queue ids on hold. `probe`: the probe's queue id; the circuit is then half-open.
    """

    mailbox: str
    sender: str
    reason: str
    since: float
    delay: float
    next_probe: float
    held: list[str] = field(default_factory=list)
    probe: str = ""

    @property
    def half_open(self) -> bool:
        return bool(self.probe)


class CircuitBreaker:
    """All open and half-open circuits, by mailbox and sender; a closed circuit is not kept."""

    def __init__(self, circuits: Iterable[Circuit] = (), initial_delay: float = INITIAL_DELAY) -> None:
        self.initial_delay = initial_delay
        self.circuits = {(circuit.mailbox, circuit.sender): circuit for circuit in circuits}

    def as_state(self) -> list[dict[str, object]]:
        return [asdict(circuit) for circuit in self.circuits.values()]

    def find(self, mailbox: str, sender: str) -> Circuit | None:
        """The circuit that applies to a sender, open or half-open."""
        return self.circuits.get((mailbox, "")) or self.circuits.get((mailbox, sender))

    def find_open(self, mailbox: str, sender: str) -> Circuit | None:
        """The same, open only: a half-open circuit lets mail pass."""
        circuit = self.find(mailbox, sender)
        return circuit if circuit and not circuit.half_open else None

    def record_refusal(self, mailbox: str, sender: str, queue_id: str, reason: str, now: float) -> QueueActions:
        """Open the sender's circuit; where the refused message was the probe, double the delay."""
        scope = sender if reason in _SENDER_REASONS else ""
        circuit = self.find(mailbox, sender)
        if circuit is None:
            circuit = Circuit(mailbox, scope, reason, now, self.initial_delay, now + self.initial_delay)
            self.circuits[(mailbox, scope)] = circuit
        elif circuit.half_open:
            circuit.delay = min(circuit.delay * 2, max(LONGEST_DELAY, self.initial_delay))
            circuit.next_probe, circuit.probe, circuit.reason = now + circuit.delay, "", reason
        return self.hold(circuit, queue_id)

    def hold(self, circuit: Circuit, queue_id: str) -> QueueActions:
        """Put a message of a suspended sender on hold."""
        if queue_id in circuit.held:
            return QueueActions()
        circuit.held.append(queue_id)
        return QueueActions(hold=[queue_id])

    def record_success(self, mailbox: str, sender: str) -> QueueActions:
        """Close the sender's circuit after one of its messages was sent."""
        circuit = self.find(mailbox, sender)
        return self.close(circuit) if circuit and (circuit.half_open or circuit.sender) else QueueActions()

    def close(self, circuit: Circuit) -> QueueActions:
        """Remove a circuit and release its messages."""
        self.circuits.pop((circuit.mailbox, circuit.sender), None)
        return QueueActions(release=circuit.held)

    def start_probes(self, now: float) -> QueueActions:
        """Release the probes that are due; a probe without a result makes room for the next one."""
        actions = QueueActions()
        for circuit in list(self.circuits.values()):
            if circuit.half_open and now >= circuit.next_probe + PROBE_TIMEOUT:
                circuit.probe, circuit.next_probe = "", now + circuit.delay
            elif not circuit.half_open and now >= circuit.next_probe and circuit.held:
                circuit.probe = circuit.held.pop(0)
                circuit.next_probe = now
                actions.release.append(circuit.probe)
            elif not circuit.half_open and now >= circuit.next_probe:
                # No message is held: the sender's next message is the probe.
                self.circuits.pop((circuit.mailbox, circuit.sender), None)
        return actions

    def retain(self, queued: set[str]) -> None:
        """Drop held messages that are no longer in the queue, as after an administrator removed them."""
        for circuit in self.circuits.values():
            circuit.held = [queue_id for queue_id in circuit.held if queue_id in queued]


def suspension_text(sender: str, cause: str, next_attempt: str) -> str:
    """The text that deferred mail gets in Postfix; the error catalog matches it (relay-sender-suspended)."""
    return f"{sender} is suspended by the relay: {cause}; next attempt at {next_attempt}, or run mailops-relay release"
