# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay release [MAILBOX|SENDER|QUEUE-ID ...]`: held-back senders are sent again, now.

Private to the collection. For the administrator who has removed the cause. The running watcher is asked; where none runs, this does it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from . import desk as desks
from . import orders
from .desk import Desk
from .files import write

SERVICE = "mailops-relay-watch.service"
_PATIENCE = 10.0


def main(arguments: list[str]) -> int:
    """0 where something was released; 1 where nothing was held back, or it could not be done."""
    if os.geteuid():
        print("Only root may release held mail: sudo mailops-relay release", file=sys.stderr)
        return 1
    desk = Desk()
    before = desks.read(desk.state).get("locks") or []
    if not before:
        print("Nothing is held back.")
        return 1
    if _asked(desk, arguments):
        after = desks.read(desk.state).get("locks") or []
        opened = [lock["sender"] or lock["mailbox"] for lock in before if lock not in after]
    else:
        opened = _by_hand(desk, arguments)
    print(f"Released: {', '.join(opened)}." if opened else "Nothing of that name is held back; see: mailops-relay status")
    return 0 if opened else 1


def _asked(desk: Desk, arguments: list[str]) -> bool:
    """Whether the watcher took it up."""
    running = subprocess.run(["systemctl", "is-active", "--quiet", SERVICE], check=False).returncode == 0  # noqa: S603, S607
    if not running:
        return False
    write(desk.asked, "\n".join(arguments), 0o644)
    subprocess.run(["systemctl", "kill", "--signal=USR1", "--kill-whom=main", SERVICE], check=False)  # noqa: S603, S607
    end = time.monotonic() + _PATIENCE
    while desk.asked.exists() and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.3)
    if not desk.asked.exists():
        return True
    desk.asked.unlink(missing_ok=True)
    return False


def _by_hand(desk: Desk, arguments: list[str]) -> list[str]:
    keeper, cursor = desks.keeper(desk)
    opened = keeper.release(arguments)
    desks.carry_out(desk, keeper, keeper.tick(time.time()))
    owner = desk.state.stat()
    desks.save(desk, keeper, cursor)
    for path in (desk.state, desk.closed):
        os.chown(path, owner.st_uid, owner.st_gid)
    orders.work_off(desk)
    return opened
