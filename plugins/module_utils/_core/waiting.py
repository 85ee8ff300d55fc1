# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retry with back-off and polling: one function for both, on a clock that tests replace. The bounds are in bounds.py."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Time in seconds since the epoch, and sleeping."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The system's clock."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class Cost:
    """What a task cost: HTTP requests sent, those among them that were retries, and seconds spent waiting. Thread-safe.

    `services`: the requests by service, such as graph.
    """

    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    services: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, *, requests: int = 0, retries: int = 0, waited: float = 0.0, service: str = "") -> None:
        with self._lock:
            self.requests += requests
            if requests:
                self.services[service] += requests
            self.retries += retries
            self.waited += waited

    def as_result(self) -> dict[str, float]:
        return {"requests": self.requests, "retries": self.retries, "waited": round(self.waited, 1)}


class Waiter(Protocol):
    """Waits and counts the waiting: a Transport or the local host."""

    @property
    def clock(self) -> Clock: ...

    def pause(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts, in seconds: `first`, doubled up to `longest`, each varied by the share `jitter`.

    `attempts` bounds the attempts, the first one included; `budget` bounds all pauses together. None is no bound.
    """

    first: float
    longest: float
    jitter: float = 0.0
    attempts: int | None = None
    budget: float | None = None

    def pause(self, number: int) -> float:
        """The pause after the attempt with this number, from 1."""
        pause = min(self.longest, self.first * 2.0 ** (number - 1))
        return pause * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - no secret


class RequestWindow:
    """A service's limit of `requests` within `seconds`: waits before the next request only where it would exceed the limit."""

    def __init__(self, requests: int, seconds: float, waiter: Waiter) -> None:
        self._seconds, self._waiter = seconds, waiter
        self._times: deque[float] = deque(maxlen=requests)

    def wait(self) -> None:
        """Call it before each request."""
        if len(self._times) == self._times.maxlen:
            pause = self._times[0] + self._seconds - self._waiter.clock.now()
            if pause > 0:
                self._waiter.pause(pause)
        self._times.append(self._waiter.clock.now())


class Retry:
    """Decides on each further attempt of one operation and waits before it.

    `limit`: seconds from now until the last attempt, as the clock runs, where the operation has a deadline.
    """

    def __init__(self, backoff: Backoff, waiter: Waiter, limit: float | None = None) -> None:
        self._backoff, self._waiter = backoff, waiter
        self._end = None if limit is None else waiter.clock.now() + limit
        self._attempts, self._waited = 1, 0.0

    def again(self, requested: float | None = None) -> bool:
        """Wait and return True where another attempt is allowed; False, without waiting, where a bound is reached.

        `requested` is the pause that the service asks for (Retry-After); it replaces the back-off's own.
        """
        pause = self._backoff.pause(self._attempts) if requested is None else requested
        if self._backoff.attempts is not None and self._attempts >= self._backoff.attempts:
            return False
        if self._backoff.budget is not None and self._waited + pause > self._backoff.budget:
            return False
        if self._end is not None and self._waiter.clock.now() + pause > self._end:
            return False
        self._attempts += 1
        self._waited += pause
        self._waiter.pause(pause)
        return True
