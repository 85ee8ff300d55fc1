# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay queue-actions`: reloads Postfix, holds and releases messages for the delivery monitor, as root.

It runs for every file in the spool directory (mailops-relay-queue-actions.path). The files belong to the monitor's user and are not
trusted: they can name queue ids and ask for a reload, and have no other effect.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..console import print_error, print_line
from ..paths import Paths
from .actions import QueueActions, parse

_MAXIMUM_SIZE = 1 << 20
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def read(path: Path) -> QueueActions:
    """The actions of a spool file. Raises OSError, also for a symbolic link, or ValueError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return parse(file.read(_MAXIMUM_SIZE))


def execute(actions: QueueActions, run: Run = subprocess.run) -> None:
    """Reload Postfix first, so that its table applies to what is held or released. A command that fails is logged.

    Released messages are queued anew (-r): the time in the hold queue would count, and Postfix return them at the next refusal
    (postsuper(1)).
    """
    commands: list[tuple[list[str], str | None]] = [(["/usr/sbin/postfix", "reload"], None)] if actions.reload else []
    for option, queue_ids in (("-h", actions.hold), ("-r", actions.release)):
        commands += [(["/usr/sbin/postsuper", option, "-"], "\n".join(queue_ids) + "\n")] if queue_ids else []
    # Without it the pickup service scans its queue a minute later.
    commands += [(["/usr/sbin/postkick", "public", "pickup", "W"], None)] if actions.release else []
    for command, text in commands:
        status = run(command, check=False, text=True, input=text).returncode
        if status:
            print_line(f"<3>{' '.join(command)} failed with exit status {status}: a queue action of the delivery monitor is incomplete.")


def process_spool(paths: Paths, run: Run = subprocess.run) -> int:
    """Execute all spool files, the oldest first; how many there were. One that cannot be read is dropped and logged."""
    count = 0
    for path in sorted(path for path in paths.queue_actions.iterdir() if path.is_symlink() or not path.is_dir()):
        try:
            execute(read(path), run)
        except (OSError, ValueError) as error:
            print_line(f"<4>The queue action {path.name} is dropped: {error}")
        path.unlink(missing_ok=True)
        count += 1
    return count


def main() -> int:
    """Exit status of `mailops-relay queue-actions`, which runs until the spool is empty."""
    if os.geteuid():
        print_error("Queue actions need root: sudo mailops-relay queue-actions")
        return 1
    while process_spool(Paths()):
        pass
    return 0
