# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients that each mailbox has sent to in the last 24 hours, and whether its daily quota is reached.

Microsoft counts 10,000 recipients in 24 rolling hours and blocks the mailbox beyond ("Exchange Online limits"); the relay stops before,
and further mail waits in the queue. The rolling counter has slots of five minutes: a recipient is counted until its whole slot is a day
old, so the count is never too low.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

DAY = 86400.0
_SLOTS = 288
# Delivery resumes when this part of the quota is free, so that it does not stop and resume with every message.
_RESERVE_PART = 20


@dataclass
class RollingCounter:
    """Recipients by mailbox and slot. `window` in seconds."""

    window: float = DAY
    slots: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def slot_width(self) -> float:
        return self.window / _SLOTS

    def add(self, mailbox: str, timestamp: float, recipients: int = 1) -> None:
        counts = self.slots.setdefault(mailbox, {})
        slot = math.floor(timestamp / self.slot_width)
        counts[slot] = counts.get(slot, 0) + recipients

    def total(self, mailbox: str, now: float) -> int:
        """Recipients within the window."""
        self._expire(mailbox, now)
        return sum(self.slots.get(mailbox, {}).values())

    def rate(self, mailbox: str, now: float) -> float:
        """Recipients a second in the current slot and the one before, the last five to ten minutes."""
        slot, counts = math.floor(now / self.slot_width), self.slots.get(mailbox, {})
        return (counts.get(slot, 0) + counts.get(slot - 1, 0)) / (now - (slot - 1) * self.slot_width)

    def time_below(self, mailbox: str, now: float, count: int) -> float:
        """When the total is at most `count` if nothing is sent until then; `now` where it already is."""
        total = self.total(mailbox, now)
        for slot, recipients in sorted(self.slots.get(mailbox, {}).items()):
            if total <= count:
                break
            total -= recipients
            now = max(now, (slot + 1) * self.slot_width + self.window)
        return now

    def _expire(self, mailbox: str, now: float) -> None:
        counts = self.slots.get(mailbox, {})
        for slot in [slot for slot in counts if (slot + 1) * self.slot_width + self.window <= now]:
            del counts[slot]

    def as_state(self) -> dict[str, dict[str, int]]:
        return {mailbox: {str(slot): count for slot, count in counts.items()} for mailbox, counts in self.slots.items() if counts}

    @classmethod
    def from_state(cls, state: Mapping[str, Mapping[str, int]], window: float = DAY) -> RollingCounter:
        return cls(window, {mailbox: {int(slot): int(count) for slot, count in counts.items()} for mailbox, counts in state.items()})


@dataclass
class DailyQuota:
    """Whether a mailbox's quota is reached. `limit` 0: no quota. `reserve`: what must be free for delivery to resume."""

    limit: int
    reached: bool = False
    reserve: int = 0

    def update(self, used: int, in_flight: int) -> bool:
        """Whether the quota is reached now. `in_flight`: recipients that are being sent and cannot be stopped.

        A message with more recipients than the whole quota is sent when nothing else was: it would wait forever.
        """
        if not self.limit:
            self.reached = False
        elif self.reached:
            self.reached = used > self.resume_count()
        elif used >= self.limit or (used and used + in_flight > self.limit):
            self.reached, self.reserve = True, max(in_flight, self.limit // _RESERVE_PART, 1)
        return self.reached

    def resume_count(self) -> int:
        """The count at which delivery resumes."""
        return max(0, self.limit - self.reserve)


def quota_text(mailbox: str, limit: int, resumes: str) -> str:
    """The text that deferred mail gets in Postfix; the error catalog matches it (relay-daily-quota-reached)."""
    return f"{mailbox} has reached its daily quota of {limit} recipients; delivery resumes at {resumes}"
