# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of long work: a line with count and rate every few seconds, and none where the work is quick."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .waiting import Clock

INTERVAL = 5.0  # seconds to the first line, and between two lines


class Progress:
    """Shows the progress of a tenant's long work. Without `show` it is silent.

    `show` gets a line of text; `name` is the tenant's.
    """

    def __init__(self, clock: Clock, show: Callable[[str], None] | None = None, name: str = "") -> None:
        self.clock, self._show, self._name = clock, show, name

    def counter(self, operation: str, total: int) -> Counter:
        """A counter of `total` items of this operation, such as a cmdlet."""
        return Counter(self, operation, total)

    def show(self, text: str) -> None:
        if self._show:
            self._show(f"{self._name}: {text}" if self._name else text)


class Counter:
    """Counts the items that are done. Thread-safe."""

    def __init__(self, progress: Progress, operation: str, total: int) -> None:
        self._progress, self._operation, self._total = progress, operation, total
        self._lock = threading.Lock()
        self._started = self._last = progress.clock.now()
        self._done = 0

    def add(self, number: int) -> None:
        """Count these items; show a line where the last one is INTERVAL old and items are left."""
        with self._lock:
            self._done += number
            now = self._progress.clock.now()
            if now - self._last < INTERVAL or self._done >= self._total:
                return
            self._last = now
            rate = self._done / (now - self._started)
        self._progress.show(f"{self._operation}: {self._done:,} of {self._total:,} ({_rate(rate)})")


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f} per second" if per_second >= 2 else f"{per_second * 60:,.0f} per minute"
