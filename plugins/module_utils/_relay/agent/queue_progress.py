# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Postfix moves its queued messages on: a process that hangs, unlike one that ends, leaves no trace in systemd or in the log.

pickup(8) takes messages out of the directory maildrop at once, and qmgr(8) out of incoming as long as the active queue has room. The queue
manager tries each message again after maximal_backoff_time (30 minutes) and queue_run_delay at the latest.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .config import AgentConfig
from .postfix.queue import Message
from .status_document import StalledQueue

# Seconds that a message may stay in maildrop or incoming.
PATIENCE = 600.0
# Without a delivery attempt for so many times as long, the queue manager hangs: 45 minutes. Or so many messages at the slowest pace.
_ATTEMPT_FACTOR = 4.5
_PACES = 3
# Postfix's default of qmgr_message_active_limit.
_ACTIVE_LIMIT = 20000


@dataclass(frozen=True)
class Progress:
    """`spool`: Postfix's queue directory. `started`, `last_attempt`: of Postfix, of a delivery (Unix times; None: not known).

    `patience`: seconds that a message may stay in maildrop or incoming.
    """

    spool: Path
    config: AgentConfig
    started: float | None
    last_attempt: float | None
    patience: float = PATIENCE

    def stalled(self, messages: Sequence[Message], now: float) -> Iterator[StalledQueue]:
        """The programs that do not process their messages."""
        if self.started is None:
            return
        by_queue: dict[str, list[Message]] = {}
        for message in messages:
            by_queue.setdefault(message.queue, []).append(message)
        yield from self._waiting("pickup", "maildrop", by_queue, now)
        full = len(by_queue.get("active", ())) >= (self.config.active_queue_limit or _ACTIVE_LIMIT)
        incoming = [] if full else list(self._waiting("qmgr", "incoming", by_queue, now))
        yield from incoming or self._without_attempt(by_queue, now)

    def _waiting(self, program: str, directory: str, by_queue: dict[str, list[Message]], now: float) -> Iterator[StalledQueue]:
        messages = by_queue.get(directory, ())
        if not any(now - message.arrived >= self.patience for message in messages):
            return
        entered = oldest_entry(self.spool / directory)
        since = max(entered, self.started or 0) if entered else None
        if since is not None and now - since >= self.patience:
            yield StalledQueue(program, directory, since, len(messages))

    def _without_attempt(self, by_queue: dict[str, list[Message]], now: float) -> Iterator[StalledQueue]:
        waiting = [message for name in ("incoming", "active", "deferred") for message in by_queue.get(name, ())]
        if self.last_attempt is None or not waiting:
            return
        since = max(self.last_attempt, self.started or 0, min(message.arrived for message in waiting))
        slowest = max((mailbox.seconds_per_message for mailbox in self.config.mailboxes), default=0)
        if now - since >= max(_ATTEMPT_FACTOR * self.patience, _PACES * slowest):
            yield StalledQueue("qmgr", "", since, len(waiting))


def oldest_entry(directory: Path) -> float | None:
    """When the oldest message of a directory came into it (Unix time); None where there is none.

    Postfix sets the execute permission of a file when it is complete, and renames it into the next directory: both change its ctime.
    """
    try:
        with os.scandir(directory) as entries:
            return min(_entry_times(entries), default=None)
    except OSError:
        return None


def _entry_times(entries: Iterable[os.DirEntry[str]]) -> Iterator[float]:
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IXUSR:
            yield status.st_ctime
