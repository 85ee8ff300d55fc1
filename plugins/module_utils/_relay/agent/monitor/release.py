# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay release [MAILBOX|SENDER|QUEUE-ID ...]`: held-back senders are sent again, now.

Private to the collection. For the administrator who has removed the cause. The watcher does it, which is started where it does not run:
root writes nothing of the watcher's, whose directory is no place to trust.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from ..console import complain, say
from ..files import read_object, write
from .store import Desk

SERVICE = "mailops-relay-monitor.service"
PATIENCE = 15.0


def main(arguments: list[str]) -> int:
    """0 where something was released; 1 where nothing was held back, or it could not be done."""
    if os.geteuid():
        complain("Only root may release held mail: sudo mailops-relay release")
        return 1
    return release(Desk(), arguments)


def release(desk: Desk, wanted: list[str], run: Callable[..., Any] = subprocess.run, patience: float = PATIENCE) -> int:
    """See main."""
    before = _locks(desk)
    if not before:
        say("Nothing is held back.")
        return 1
    write(desk.asked, "\n".join(wanted), 0o644)
    running = run(["systemctl", "is-active", "--quiet", SERVICE], check=False).returncode == 0
    # The older name of --kill-whom, which all releases know.
    verb = ["kill", "--signal=USR1", "--kill-who=main"] if running else ["start"]
    run(["systemctl", *verb, SERVICE], check=False)
    end = time.monotonic() + patience
    while desk.asked.exists():
        if time.monotonic() > end:
            desk.asked.unlink(missing_ok=True)
            complain(f"The watcher did not answer within {patience:.0f} s: systemctl status {SERVICE}")
            return 1
        time.sleep(0.1)
    after = _locks(desk)
    opened = [sender or mailbox for mailbox, sender in before if (mailbox, sender) not in after]
    say(f"Released: {', '.join(opened)}." if opened else "Nothing of that name is held back; see: mailops-relay status")
    return 0 if opened else 1


def _locks(desk: Desk) -> list[tuple[str, str]]:
    """Mailbox and sender of each; "" in sender for all of the mailbox's."""
    return [(lock["mailbox"], lock["sender"]) for lock in read_object(desk.state).get("locks") or []]
