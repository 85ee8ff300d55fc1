# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's daemon processes that end with an error, as after a wrong main.cf: systemd says that the unit runs.

master(8) waits for service_throttle_time (60 s) before it starts a program again that ended before it served a client ("bad command
startup -- throttling"), and starts another one at once. Postfix logs that a program works only where it serves mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from ...._core.json_types import JsonObject
from ..postfix.maillog import Connected, DaemonEnded, DaemonError, DaemonThrottled, Rejected

# Seconds after the last failure for which a program counts as failing: the queue manager is woken up every 300 s.
_FAILING_SECONDS = 600.0
# So often a program ends with an error before it counts as failing, unless it is throttled.
_FAILURES = 3
# Replies of a listener that cannot decide whether to accept a message: Postfix, smtpd_check.c.
_OWN_FAILURES = {"451 4.3.0": "a table cannot be read", "451 4.3.5": "a parameter is wrong"}
# It starts when a device connects, which may take days.
_LISTENER = "smtpd"


@dataclass
class DaemonFailure:
    """`label`: the listener or transport in the program's name in the log, "" for all. `text`: why it ended. `since`, `last`: Unix times.

    `throttled`: whether it ended before it served a client.
    """

    program: str
    label: str
    text: str
    since: float
    last: float
    count: int = 0
    throttled: bool = False

    def is_failing(self, now: float) -> bool:
        """A listener fails until a client reaches it or Postfix is reloaded, another program while it is started again."""
        if not (self.throttled or self.count >= _FAILURES):
            return False
        waits_for_clients = self.program == _LISTENER and self.throttled and not self.text.startswith("killed by signal")
        return waits_for_clients or now - self.last < _FAILING_SECONDS


class DaemonFailures:
    """By label and program. A failure of all listeners has no label: its program ends before it reads its name in the log."""

    def __init__(self, failures: Iterable[DaemonFailure] = ()) -> None:
        self.failures = {(failure.label, failure.program): failure for failure in failures}
        self._errors: dict[str, tuple[str, str]] = {}  # program -> label and text of an error that ends it

    @classmethod
    def from_state(cls, state: Iterable[JsonObject]) -> DaemonFailures:
        return cls(DaemonFailure(**entry) for entry in state)

    def as_state(self) -> list[dict[str, object]]:
        return [asdict(failure) for failure in self.failures.values()]

    def failing(self, now: float) -> tuple[DaemonFailure, ...]:
        """Those that have to be reported."""
        return tuple(failure for failure in self.failures.values() if failure.is_failing(now))

    def record_error(self, event: DaemonError) -> None:
        """A program logs why it is about to end."""
        self._errors[event.service] = (event.label, event.text)

    def record_end(self, event: DaemonEnded) -> None:
        label, text = self._errors.pop(event.program, ("", event.text))
        self._record(label, event.program, text, event.timestamp).count += 1

    def record_rejection(self, event: Rejected) -> None:
        """A listener replies to a client."""
        reply = event.text[:9]
        if reply in _OWN_FAILURES:
            text = f"it replies {reply} to clients, because {_OWN_FAILURES[reply]}"
            self._record(event.label, event.service, text, event.timestamp).count = _FAILURES
        else:
            self.record_success(event.label, event.service)

    def _record(self, label: str, program: str, text: str, timestamp: float) -> DaemonFailure:
        failure = self.failures.get((label, program))
        if failure is None or timestamp - failure.last >= _FAILING_SECONDS:
            failure = self.failures[label, program] = DaemonFailure(program, label, text, timestamp, timestamp)
        failure.text, failure.last = text, timestamp
        return failure

    def record_throttle(self, event: DaemonThrottled) -> None:
        """The line that follows the one about its end."""
        failures = [failure for failure in self.failures.values() if failure.program == event.program]
        if failures:
            max(failures, key=lambda failure: failure.last).throttled = True

    def record_connection(self, event: Connected) -> None:
        """A listener that could not start has started. Whether it accepts mail, and does not end again, is not known yet."""
        for key in ((event.label, event.service), ("", event.service)):
            failure = self.failures.get(key)
            if failure and failure.throttled:
                del self.failures[key]

    def record_success(self, label: str, program: str) -> None:
        """A program serves mail: nothing else of this name fails, nor all of them."""
        for key in ((label, program), ("", program)):
            self.failures.pop(key, None)

    def clear(self) -> None:
        """Postfix has read its configuration anew, and starts all programs."""
        self.failures.clear()
        self._errors.clear()
