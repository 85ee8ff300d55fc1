"""Counts over the last so many seconds."""

from __future__ import annotations

from collections import deque

DAY = 86400.0


class Rolling:
    """What was counted in the last `seconds`."""

    __slots__ = ("_entries", "_seconds", "_total")

    def __init__(self, seconds: float = DAY) -> None:
        self._seconds = seconds
        self._entries: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, now: float, count: int = 1) -> None:
        self._entries.append((now, count))
        self._total += count

    def count(self, now: float) -> int:
        while self._entries and self._entries[0][0] <= now - self._seconds:
            self._total -= self._entries.popleft()[1]
        return self._total

    def room_in(self, now: float) -> float:
        """The seconds after which the oldest count ends."""
        return max(0.0, self._entries[0][0] + self._seconds - now) if self._entries else 0.0
