# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's queue, as `postqueue -j` prints it.

One JSON object a message and line: queue_name (maildrop, hold, incoming, active, deferred), queue_id,
arrival_time (Unix time), message_size, sender, recipients with address and, where an attempt failed, delay_reason. Source: postqueue(1).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from ...._core.errors import MailopsError

COMMAND = ("/usr/sbin/postqueue", "-j")


class QueueError(MailopsError):
    """`postqueue` failed: Postfix is not running, or the user may not read its queue."""


@dataclass(frozen=True)
class Message:
    """A message. `arrived`: Unix time. `reason`: Postfix's text of the last failed attempt, "" before any."""

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
    """All messages; a line that is not JSON is skipped: postqueue prints warnings among them.

    Only a line feed ends a line: an address may hold other characters that str.splitlines splits at.
    """
    return [message for line in text.split("\n") if (message := _message(line))]


def _message(line: str) -> Message | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict) or "queue_id" not in document:
        return None
    recipients = [entry for entry in document.get("recipients") or [] if isinstance(entry, dict)]
    reasons = [str(entry["delay_reason"]) for entry in recipients if entry.get("delay_reason")]
    sender = str(document.get("sender") or "")
    return Message(
        str(document["queue_id"]),
        str(document.get("queue_name") or ""),
        float(document.get("arrival_time") or 0),
        int(document.get("message_size") or 0),
        "" if sender == "MAILER-DAEMON" else sender.lower(),
        tuple(str(entry.get("address") or "") for entry in recipients),
        reasons[-1] if reasons else "",
    )


def read(command: Iterable[str] = COMMAND) -> list[Message]:
    """All messages in the queue. Raises QueueError."""
    try:
        result = subprocess.run([*command], capture_output=True, text=True, errors="replace", timeout=120, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QueueError(f"Could not read Postfix's queue: {error}. Is Postfix installed and running?") from error
    if result.returncode:
        detail = " ".join(result.stderr.split())[:300] or f"exit status {result.returncode}"
        raise QueueError(f"Could not read Postfix's queue: {detail}. Run systemctl status postfix for details.")
    return parse(result.stdout)
