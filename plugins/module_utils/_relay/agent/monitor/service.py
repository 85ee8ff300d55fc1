# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service mailops-relay-monitor: follows the journal, saves the state, writes suspended senders and queue actions.

It waits for `journalctl --follow` and wakes up otherwise only for what is due. Postfix does not depend on it: while it is stopped, mail is
accepted and sent, and after its start it reads the journal from where it stopped.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from types import FrameType

from ..config import ConfigError
from ..console import print_error, print_line
from ..postfix import journal, maillog, queue
from .actions import QueueActions
from .store import MonitorStore
from .watchdog import INTERVAL, Watchdog

# Seconds between two writes of a busy relay's state: what is not written yet is read from the journal again after a restart.
_SAVE_INTERVAL = 2.0
# Seconds between two attempts to write to a full disk.
_RETRY_INTERVAL = 10.0


def journal_command(cursor: str, since: float) -> list[str]:
    """journalctl from just after a cursor, else from a time, else from a day ago."""
    start = f"--after-cursor={cursor}" if cursor else f"--since=@{int(since)}" if since else "--since=-24h"
    return ["journalctl", *journal.OPTIONS, "--no-tail", "--follow", start, *journal.MATCHES]


class MonitorService:
    """One run. `skip_until`: events up to this Unix time were counted before, where the journal no longer has the cursor."""

    def __init__(self, store: MonitorStore, watchdog: Watchdog | None = None) -> None:
        self.store, self.watchdog = store, watchdog or Watchdog()
        self.state, self.cursor = store.load()
        self.state.sender_of = self._sender_of
        self.dirty, self.saved, self.stopping, self.skip_until = False, 0.0, False, 0.0
        self._senders: dict[str, str] = {}
        self._failure = ""

    def _sender_of(self, queue_id: str) -> str:
        if queue_id not in self._senders:
            try:
                self._senders = {message.queue_id: message.sender for message in queue.read()}
            except queue.QueueError as error:
                print_line(f"<4>{error}")
            self._senders.setdefault(queue_id, "")
        return self._senders[queue_id]

    def process_line(self, text: str) -> None:
        """Record the event of a journal line. One may take as long as `postqueue` for a large queue."""
        self.watchdog.signal()
        entry = journal.parse_line(text)
        if entry is None:
            return
        self.cursor = entry.cursor or self.cursor
        event = maillog.event_of(entry)
        if event and event.timestamp > self.skip_until:
            self.state.process(event)
            self.dirty = True

    def update(self, now: float, idle: bool = True) -> None:
        """After a batch of lines: decide, apply, and save the state where that is due. Effects come before the state."""
        self.watchdog.signal()
        request = self.store.paths.release_request
        requested = request.exists()
        if requested:
            released = self.state.release(request.read_text("utf-8").split())
            print_line(f"Released on request: {', '.join(released) or 'no suspended sender matches'}.")
        if not self._write(now, requested, idle):
            return
        if requested:  # only now: `mailops-relay release` reads the saved state next
            request.unlink(missing_ok=True)
        self._senders = {}

    def _write(self, now: float, requested: bool, idle: bool) -> bool:
        """Apply what is decided and save the state where that is due. Where the disk is full all is kept in memory and tried again."""
        actions = self.state.update(now)
        try:
            changed = self.store.apply(self.state, actions)
            if changed:
                print_line(self._summary())
                actions = QueueActions()
            if changed or requested or self._failure or (self.dirty and (idle or now - self.saved >= _SAVE_INTERVAL)):
                self.store.save(self.state, self.cursor)
                self.dirty, self.saved = False, now
        except OSError as error:
            self.state.pending.extend(actions)
            self.dirty = True
            self._report_failure(f"Could not write to {self.store.paths.state}: {error.strerror or error}.")
            return False
        self._report_failure("")
        return True

    def _report_failure(self, failure: str) -> None:
        """Log a failure when it begins and when it ends."""
        if failure and failure != self._failure:
            print_line(f"<3>{failure} Quotas and suspensions take effect once it can be written; free space.")
        elif self._failure and not failure:
            print_line(f"{self.store.paths.state} can be written again.")
        self._failure = failure

    def _summary(self) -> str:
        rows = (self.state.table or "").splitlines()
        return "Suspended: " + "; ".join(row.split(" ", 2)[2] for row in rows) + "." if rows else "No sender is suspended."

    def reconcile(self) -> None:
        """Drop held messages that were removed from the queue."""
        self.watchdog.signal()
        if self.state.breaker.circuits:
            try:
                self.state.breaker.retain({message.queue_id for message in queue.read()})
            except queue.QueueError as error:
                print_line(f"<4>{error}")

    def run(self) -> int:
        """Exit status: 0 after a signal, 1 where journalctl ended (systemd restarts the service)."""
        self.update(time.time())
        started = time.monotonic()
        status = self._follow(journal_command(self.cursor, self.state.last_event))
        if not self.stopping and self.cursor and status and time.monotonic() - started < 5:
            print_line("<4>The journal no longer has the entry that was read last; newer entries are read.")
            self.skip_until = self.state.last_event
            status = self._follow(journal_command("", self.state.last_event))
        self.update(time.time())
        return 0 if self.stopping else 1

    def _follow(self, command: list[str]) -> int:
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:  # noqa: S603
            read_end, write_end = os.pipe()
            os.set_blocking(write_end, False)
            signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(number, self._on_signal)
            try:
                self._read(process.stdout.fileno() if process.stdout else -1, read_end)
            finally:
                signal.set_wakeup_fd(-1)
                process.terminate()
                os.close(read_end)
                os.close(write_end)
            return process.wait()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.stopping = self.stopping or number != signal.SIGUSR1

    def _read(self, journal_end: int, signal_end: int) -> None:
        rest, checked = b"", time.time()
        while not self.stopping:
            ready, _writable, _failed = select.select([journal_end, signal_end], [], [], self._timeout())
            if signal_end in ready:
                os.read(signal_end, 512)
            chunk = os.read(journal_end, 1 << 16) if journal_end in ready else None
            if chunk == b"":
                return
            if chunk:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self.process_line(line.decode("utf-8", "replace"))
            now = time.time()
            if now - checked > 60:
                self.reconcile()
                checked = now
            self.update(now, idle=not chunk)

    def _timeout(self) -> float:
        """Seconds until something is due; an unsaved state is due soon."""
        seconds = _RETRY_INTERVAL if self._failure else 0.5 if self.dirty else self.state.seconds_until_due(time.time())
        return min(seconds, INTERVAL) if self.watchdog.enabled else seconds


def main() -> int:
    """Exit status of `mailops-relay monitor`: 2 where the configuration cannot be read."""
    try:
        service = MonitorService(MonitorStore())
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        print_error(f"<3>The delivery monitor cannot start: {error}")
        return 2
    return service.run()
