# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay delete`: deletes messages from the queue, and reloads Postfix.

The queue manager keeps deleted messages in memory and spends the rate delay of their mailbox on each of them, so that the next message
waits for all of them (300 messages: 10 minutes). A reload ends that. Source: postsuper(1), qmgr(8).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from . import config
from .config import AgentConfig
from .console import print_error, print_line
from .formatting import plural
from .paths import Paths
from .postfix import queue
from .postfix.queue import Message
from .transfer import TransferError, run_command


def select(messages: Sequence[Message], names: Sequence[str], configuration: AgentConfig) -> list[str]:
    """The queue ids of the messages with these queue ids, senders or mailboxes. Raises TransferError where a name matches none."""
    senders = {mailbox.address.lower(): mailbox.senders for mailbox in configuration.mailboxes}
    selected: dict[str, None] = {}
    unmatched = []
    for name in names:
        addresses = {name.lower(), *senders.get(name.lower(), ())}
        matches = [message.queue_id for message in messages if message.queue_id == name or (message.sender and message.sender in addresses)]
        selected.update(dict.fromkeys(matches))
        unmatched += [] if matches else [name]
    if unmatched:
        raise TransferError(f"No message was deleted: none in the queue has the queue id, sender or mailbox {', '.join(unmatched)}.")
    return list(selected)


def main(names: Sequence[str]) -> int:
    """Exit status of `mailops-relay delete QUEUE-ID|SENDER|MAILBOX...`."""
    if os.geteuid():
        print_error("Deleting messages needs root: sudo mailops-relay delete")
        return 1
    try:
        queue_ids = select(queue.read(), names, config.load_or_default(Paths().config_file))
        run_command("/usr/sbin/postsuper", "-d", "-", stdin="".join(f"{queue_id}\n" for queue_id in queue_ids).encode())
        run_command("/usr/sbin/postfix", "reload")
    except (TransferError, queue.QueueError) as error:
        print_error(error)
        return 1
    print_line(f"{plural(len(queue_ids), 'message')} deleted.")
    return 0
