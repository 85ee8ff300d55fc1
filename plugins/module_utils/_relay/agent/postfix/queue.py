# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's queue, as `postqueue -j` tells it.

Private to the collection. One JSON object a message and line: queue_name (maildrop, hold, incoming, active, deferred), queue_id,
arrival_time (Unix time), message_size, sender, recipients with address and, where an attempt failed, delay_reason. Source: postqueue(1).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from ...._core.errors import MailopsError

COMMAND = ("/usr/sbin/postqueue", "-j")


class QueueUnreadable(MailopsError):  # noqa: N818 - reads as what it is
    """`postqueue` failed: Postfix is down, or who asks may not."""


@dataclass(frozen=True)
class Message:
    """One message; `reason` is the text of the last failed attempt of one of its recipients, "" before any."""

    queue_id: str
    queue: str
    arrived: float
    size: int
    sender: str
    recipients: tuple[str, ...]
    reason: str

    @property
    def held(self) -> bool:
        return self.queue == "hold"


def parse(text: str) -> list[Message]:
    """All messages; a line that is not JSON is left out: postqueue prints warnings among them.

    Only a line feed ends a line: what Python takes for one besides may stand in an address.
    """
    return [message for line in text.split("\n") if (message := _message(line))]


def _message(line: str) -> Message | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict) or "queue_id" not in found:
        return None
    recipients = [entry for entry in found.get("recipients") or [] if isinstance(entry, dict)]
    reasons = [str(entry["delay_reason"]) for entry in recipients if entry.get("delay_reason")]
    sender = str(found.get("sender") or "")
    return Message(
        str(found["queue_id"]),
        str(found.get("queue_name") or ""),
        float(found.get("arrival_time") or 0),
        int(found.get("message_size") or 0),
        "" if sender == "MAILER-DAEMON" else sender.lower(),
        tuple(str(entry.get("address") or "") for entry in recipients),
        reasons[-1] if reasons else "",
    )


def read(command: Iterable[str] = COMMAND) -> list[Message]:
    """The queue now. Raises QueueUnreadable."""
    try:
        done = subprocess.run([*command], capture_output=True, text=True, errors="replace", timeout=120, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QueueUnreadable(f"Could not read Postfix's queue: {error}. Is Postfix installed and running?") from error
    if done.returncode:
        said = " ".join(done.stderr.split())[:300] or f"postqueue ended with {done.returncode}"
        raise QueueUnreadable(f"Could not read Postfix's queue: {said}. systemctl status postfix says more.")
    return parse(done.stdout)
