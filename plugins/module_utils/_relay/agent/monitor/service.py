# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service mailops-relay-monitor: follows the journal, keeps the state, writes what is closed and what root is to do.

Private to the collection. It waits for `journalctl --follow` and wakes up for nothing else but what is due. Postfix needs it for nothing:
while it is dead, mail is taken and sent, and when it is back it reads on where it stopped.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from typing import Any

from ..console import complain, say
from ..postfix import maillog, queue
from . import store as desks
from .store import Desk

# A busy relay's state is written no more often than this, in seconds: what is not yet written is read again from the journal.
SAVE_EVERY = 2.0


def command(cursor: str, since: float) -> list[str]:
    """journalctl from just after a cursor, else from a time, else from a day ago."""
    start = f"--after-cursor={cursor}" if cursor else f"--since=@{int(since)}" if since else "--since=-24h"
    return ["journalctl", *maillog.JOURNAL, "--no-tail", "--follow", start, *maillog.MATCHES]


class Watch:
    """One run. `skip_until`: events up to this time were counted before, where the cursor itself is no longer in the journal."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.keeper, self.cursor = desks.keeper(desk)
        self.keeper.sender_of = self._sender_of
        self.dirty, self.saved, self.stopping, self.skip_until = False, 0.0, False, 0.0
        self._senders: dict[str, str] = {}

    def _sender_of(self, queue_id: str) -> str:
        if queue_id not in self._senders:
            try:
                self._senders = {message.queue_id: message.sender for message in queue.read()}
            except queue.QueueUnreadable as error:
                say(f"<4>{error}")
            self._senders.setdefault(queue_id, "")
        return self._senders[queue_id]

    def line(self, text: str) -> None:
        cursor, event = maillog.parse(text)
        self.cursor = cursor or self.cursor
        if event and event.at > self.skip_until:
            self.keeper.feed(event)
            self.dirty = True

    def settle(self, now: float, idle: bool = True) -> None:
        """After a batch of lines: decide, carry out, and write the state where that is due. Effects come before the state."""
        asked = self.desk.asked.exists()
        if asked:
            opened = self.keeper.release(self.desk.asked.read_text("utf-8").split())
            self._say(f"Released by hand: {', '.join(opened) or 'nothing of that name was held back'}.")
        acted = desks.carry_out(self.desk, self.keeper, self.keeper.tick(now))
        if acted:
            closed = (self.keeper.written or "").splitlines()
            self._say("Closed: " + "; ".join(line.split(" ", 2)[2] for line in closed) + "." if closed else "All senders are open.")
        if acted or asked or (self.dirty and (idle or now - self.saved >= SAVE_EVERY)):
            desks.save(self.desk, self.keeper, self.cursor)
            self.dirty, self.saved = False, now
        if asked:  # now that whoever asked can read what came of it
            self.desk.asked.unlink(missing_ok=True)
        self._senders = {}

    def _say(self, text: str) -> None:
        say(text)

    def reconcile(self) -> None:
        """What was removed from the queue while nobody watched is held no longer."""
        if self.keeper.guard.locks:
            try:
                self.keeper.guard.forget({message.queue_id for message in queue.read()})
            except queue.QueueUnreadable as error:
                say(f"<4>{error}")

    def run(self) -> int:
        """Until a signal ends it (0), or the journal does (1: systemd starts it again)."""
        self.settle(time.time())
        started = time.monotonic()
        status = self._follow(command(self.cursor, self.keeper.at))
        if not self.stopping and self.cursor and status and time.monotonic() - started < 5:
            say("<4>The journal no longer has the line that was read last; what is newer is read.")
            self.skip_until = self.keeper.at
            status = self._follow(command("", self.keeper.at))
        self.settle(time.time())
        return 0 if self.stopping else 1

    def _follow(self, arguments: list[str]) -> int:
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, bufsize=0) as journal:  # noqa: S603
            wake, mine = os.pipe()
            os.set_blocking(mine, False)
            signal.set_wakeup_fd(mine, warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(number, self._signalled)
            try:
                self._read(journal.stdout.fileno() if journal.stdout else -1, wake)
            finally:
                signal.set_wakeup_fd(-1)
                journal.terminate()
                os.close(wake)
                os.close(mine)
            return journal.wait()

    def _signalled(self, number: int, _frame: Any) -> None:
        self.stopping = self.stopping or number != signal.SIGUSR1

    def _read(self, journal: int, wake: int) -> None:
        rest, checked = b"", time.time()
        while not self.stopping:
            ready, _writable, _failed = select.select([journal, wake], [], [], self._patience())
            if wake in ready:
                os.read(wake, 512)
            chunk = os.read(journal, 1 << 16) if journal in ready else None
            if chunk == b"":
                return
            if chunk:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self.line(line.decode("utf-8", "replace"))
            now = time.time()
            if now - checked > 60:
                self.reconcile()
                checked = now
            self.settle(now, idle=not chunk)

    def _patience(self) -> float:
        """Until something is due; a state that is not written yet is, after a moment."""
        return 0.5 if self.dirty else self.keeper.wake(time.time())


def main(arguments: list[str]) -> int:
    """`mailops-relay monitor`: 2 where the relay's settings cannot be read."""
    try:
        watch = Watch(Desk())
    except (OSError, ValueError, KeyError) as error:
        complain(f"<3>The relay's settings cannot be read: {error}. Run the role relay_host.")
        return 2
    return watch.run()
