# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many recipients each mailbox has sent to in the last 24 hours, and whether its day is full.

Private to the collection. Microsoft counts 10,000 recipients in 24 rolling hours and blocks the mailbox beyond ("Exchange Online
limits"); the relay stops before, and what comes meanwhile waits. Kept in slots of five minutes: a recipient is forgotten when its
whole slot is a day old, so the count errs on the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

DAY = 86400.0
_SLOTS = 288
# A full mailbox opens again when this part of its day is free, so that it does not open and close with every message.
_ROOM = 20


@dataclass
class Ledger:
    """Recipients by mailbox and slot. `window` in seconds."""

    window: float = DAY
    slots: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def width(self) -> float:
        return self.window / _SLOTS

    def add(self, mailbox: str, at: float, recipients: int = 1) -> None:
        mine = self.slots.setdefault(mailbox, {})
        slot = math.floor(at / self.width)
        mine[slot] = mine.get(slot, 0) + recipients

    def used(self, mailbox: str, now: float) -> int:
        self._forget(mailbox, now)
        return sum(self.slots.get(mailbox, {}).values())

    def free_at(self, mailbox: str, now: float, wanted: int) -> float:
        """When no more than `wanted` recipients are counted, if nothing is sent until then; `now` where that is so already."""
        left = self.used(mailbox, now)
        for slot, count in sorted(self.slots.get(mailbox, {}).items()):
            if left <= wanted:
                break
            left -= count
            now = max(now, (slot + 1) * self.width + self.window)
        return now

    def _forget(self, mailbox: str, now: float) -> None:
        mine = self.slots.get(mailbox, {})
        for slot in [slot for slot in mine if (slot + 1) * self.width + self.window <= now]:
            del mine[slot]

    def as_state(self) -> dict[str, dict[str, int]]:
        return {mailbox: {str(slot): count for slot, count in mine.items()} for mailbox, mine in self.slots.items() if mine}

    @classmethod
    def from_state(cls, state: Mapping[str, Mapping[str, int]], window: float = DAY) -> Ledger:
        return cls(window, {mailbox: {int(slot): int(count) for slot, count in mine.items()} for mailbox, mine in state.items()})


@dataclass
class Day:
    """Whether a mailbox is closed because its day is full. `limit` 0: never; `room`: how much must be free for it to open again."""

    limit: int
    closed: bool = False
    room: int = 0

    def judge(self, used: int, in_flight: int) -> bool:
        """Whether it is closed now. `in_flight`: recipients that are being sent and cannot be stopped.

        A message with more recipients than the whole day has goes when nothing else was sent: it would wait for ever.
        """
        if not self.limit:
            self.closed = False
        elif self.closed:
            self.closed = used > max(0, self.limit - self.room)
        elif used >= self.limit or (used and used + in_flight > self.limit):
            self.closed, self.room = True, max(in_flight, self.limit // _ROOM, 1)
        return self.closed

    def opens_below(self) -> int:
        """The count at which it opens."""
        return max(0, self.limit - self.room)


def words(mailbox: str, limit: int, until: str) -> str:
    """The reason that waiting mail gets; the error table knows it (relay-daily-quota-reached)."""
    return f"{mailbox} has reached its daily quota of {limit} recipients; delivery resumes at {until}"
