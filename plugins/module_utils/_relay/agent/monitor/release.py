# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay release [MAILBOX|SENDER|QUEUE-ID ...]`: releases suspended senders, for an administrator who removed the cause.

The delivery monitor does it, and is started where it does not run: root writes no file that belongs to the monitor's user, whose
directory is not trusted.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..console import print_error, print_line
from ..files import read_object, write
from ..paths import Paths

MONITOR_UNIT = "mailops-relay-monitor.service"
TIMEOUT = 15.0


def main(names: Sequence[str]) -> int:
    """Exit status: 0 where a sender was released; 1 where none is suspended, or the request failed."""
    if os.geteuid():
        print_error("Releasing suspended senders needs root: sudo mailops-relay release")
        return 1
    return release(Paths(), names)


def release(paths: Paths, names: Sequence[str], run: Callable[..., Any] = subprocess.run, timeout: float = TIMEOUT) -> int:
    """See main."""
    before = _circuits(paths)
    if not before:
        print_line("No sender is suspended.")
        return 1
    write(paths.release_request, "\n".join(names), 0o644)
    running = run(["systemctl", "is-active", "--quiet", MONITOR_UNIT], check=False).returncode == 0
    # The older name of --kill-whom, which all systemd versions accept.
    arguments = ["kill", "--signal=USR1", "--kill-who=main"] if running else ["start"]
    run(["systemctl", *arguments, MONITOR_UNIT], check=False)
    end = time.monotonic() + timeout
    while paths.release_request.exists():
        if time.monotonic() > end:
            paths.release_request.unlink(missing_ok=True)
            print_error(f"The delivery monitor did not answer within {timeout:.0f} s: run systemctl status {MONITOR_UNIT}")
            return 1
        time.sleep(0.1)
    after = _circuits(paths)
    released = [sender or mailbox for mailbox, sender in before if (mailbox, sender) not in after]
    print_line(f"Released: {', '.join(released)}." if released else "No suspended sender matches; run mailops-relay status to list them.")
    return 0 if released else 1


def _circuits(paths: Paths) -> list[tuple[str, str]]:
    """Mailbox and sender of each circuit; the sender is "" for the whole mailbox."""
    return [(circuit["mailbox"], circuit["sender"]) for circuit in read_object(paths.monitor_state).get("circuits") or []]
