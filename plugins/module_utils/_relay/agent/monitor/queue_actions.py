# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only root may do for the watcher: reload Postfix, hold messages and let them go.

`mailops-relay queue-actions` runs as root for every order of the watcher (mailops-relay-queue-actions.path). An order
is a file of the watcher's own user, so it is doubted: it can name queue ids and ask for a reload, and nothing else comes of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..console import complain, say
from .store import Desk

_ID = re.compile(r"[0-9A-Za-z]{6,20}")
_LARGEST = 1 << 20
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def read(path: Path) -> tuple[bool, list[str], list[str]]:
    """Whether to reload, and the queue ids to hold and to release. ValueError where it is no order."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        found = json.loads(file.read(_LARGEST))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return bool(found.get("reload")), _ids(found.get("hold")), _ids(found.get("release"))


def _ids(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str) and _ID.fullmatch(one)] if isinstance(value, list) else []


def carry_out(reload: bool, hold: list[str], release: list[str], run: Run = subprocess.run) -> None:
    """The way is opened or closed before messages are let go or held. A command that fails is told in the journal.

    What is let go is queued anew: its time in the hold queue would count, and Postfix return it at the next refusal (postsuper(1)).
    """
    commands: list[tuple[list[str], str | None]] = [(["/usr/sbin/postfix", "reload"], None)] if reload else []
    for option, ids in (("-h", hold), ("-r", release)):
        commands += [(["/usr/sbin/postsuper", option, "-"], "\n".join(ids) + "\n")] if ids else []
    # Or it would be noticed a minute later.
    commands += [(["/usr/sbin/postkick", "public", "pickup", "W"], None)] if release else []
    for command, text in commands:
        status = run(command, check=False, text=True, input=text).returncode
        if status:
            say(f"<3>{' '.join(command)} ended with {status}: what the watcher decided has not all taken effect.")


def work_off(desk: Desk, run: Run = subprocess.run) -> int:
    """All orders, the oldest first; how many there were. One that cannot be read is dropped, with a line in the journal."""
    done = 0
    for path in sorted(path for path in desk.orders.iterdir() if path.is_symlink() or not path.is_dir()):
        try:
            carry_out(*read(path), run)
        except (OSError, ValueError) as error:
            say(f"<4>The order {path.name} is dropped: {error}")
        path.unlink(missing_ok=True)
        done += 1
    return done


def main(arguments: list[str]) -> int:
    """`mailops-relay queue-actions`: until there are none left."""
    if os.geteuid():
        complain("Only root may carry out orders.")
        return 1
    while work_off(Desk()):
        pass
    return 0
