# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay drain`: sends the whole queue before a relay is removed.

The listeners are disabled meanwhile. A message that is on hold, or that a further attempt does not send, ends the drain at once: only
temporary failures are waited for. Sources: postqueue(1), postconf(5) (master_service_disable).
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..._core.text_lines import listed
from . import reasons, status
from .config import ConfigError
from .console import print_error, print_line
from .formatting import plural
from .monitor.store import MonitorStore
from .postfix import queue
from .postfix.journal import POSTFIX_UNITS
from .postfix.queue import Message
from .reasons import Reason
from .transfer import TransferError, run_command

_POLL_INTERVAL = 1.0
# Seconds between two flushes of the queue.
_FLUSH_INTERVAL = 60.0
# Seconds after a flush until each deferred message of an idle Postfix has been tried again.
_ATTEMPTED = 10.0
# Queue ids in an error message.
_LISTED = 5
_BUSY_QUEUES = ("maildrop", "incoming", "active")
# Temporary for Postfix; the sender stays suspended until an administrator has removed the cause.
_SUSPENDED = "relay-sender-suspended"


def waiting_helps(message: Message) -> bool:
    """Whether a later attempt may send the message without a change of configuration."""
    if message.held:
        return False
    reason = reasons.explain(message.reason)
    if reason.id == "unknown":
        return not reason.code.startswith("5")
    return reason.transient and reason.id != _SUSPENDED


def drain(
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    started: float | None = None,
) -> int:
    """Send what is queued; how many messages there were.

    Raises TransferError where messages are left `timeout` seconds after `started`, or where waiting does not send them.
    """
    messages = queue.read()
    started, flushed, total = clock() if started is None else started, None, len(messages)
    while messages:
        now = clock()
        attempted = flushed is not None and now - flushed >= _ATTEMPTED and not any(message.queue in _BUSY_QUEUES for message in messages)
        check_sendable([message for message in messages if message.held or attempted])
        if now - started >= timeout:
            raise TransferError(_timeout_text(messages, timeout))
        if flushed is None or now - flushed >= _FLUSH_INTERVAL:
            run_command("/usr/sbin/postqueue", "-f")
            flushed = now
        sleep(_POLL_INTERVAL)
        messages = queue.read()
    return total


def check_sendable(messages: Sequence[Message]) -> None:
    """Raises TransferError, with causes, queue ids and remedies, where waiting does not send some of the messages."""
    stuck = [message for message in messages if not waiting_helps(message)]
    if not stuck:
        return
    explain = _explainer()
    groups: dict[tuple[bool, Reason], list[str]] = {}
    for message in stuck:
        groups.setdefault((message.held, explain(message)), []).append(message.queue_id)
    causes = "; ".join(_group_text(held, reason, queue_ids) for (held, reason), queue_ids in groups.items())
    raise TransferError(
        f"The relay's queue cannot be drained, so nothing was removed. Waiting does not send {plural(len(stuck), 'message')}: {causes}. "
        "Remove the cause and run mailops-relay release (for suspended senders) or postsuper -H QUEUE-ID (for mail that an administrator "
        "put on hold); or delete messages with mailops-relay delete QUEUE-ID; or export the queue with relay_queue_on_removal: export."
    )


def _group_text(held: bool, reason: Reason, queue_ids: Sequence[str]) -> str:
    cause = "put on hold by an administrator" if held and reason.id == "waiting" else reason.cause
    detail = reason.reply if reason.id == "unknown" else reason.remedy.rstrip(".")
    return f"{len(queue_ids)} {'on hold' if held else 'deferred'} ({listed(queue_ids, _LISTED)}): {cause}{f' ({detail})' if detail else ''}"


def _explainer() -> Callable[[Message], Reason]:
    """The reason of a message; for a suspended sender the refusal, where the delivery monitor's state has it."""
    try:
        state, _cursor = MonitorStore().load()
    except (ConfigError, KeyError, TypeError, ValueError):
        return lambda message: reasons.explain(message.reason)
    return lambda message: status.reason_of(message, state.by_sender.get(message.sender, ""), state)


def _timeout_text(messages: Sequence[Message], timeout: float) -> str:
    counts = Counter(reasons.explain(message.reason).cause for message in messages)
    causes = "; ".join(f"{count} x {cause}" for cause, count in counts.most_common(3))
    number = "1 message is" if len(messages) == 1 else f"{len(messages)} messages are"
    return (
        f"{number} still in the relay's queue after {timeout:.0f} s ({causes}), so nothing was removed: remove the cause, raise "
        "relay_drain_timeout, or export the queue with relay_queue_on_removal: export."
    )


def disable_listeners() -> None:
    """Stop accepting mail of devices; rewritten mail returns through a Unix socket."""
    run_command("/usr/sbin/postconf", "-e", "master_service_disable = inet")
    run_command("/usr/sbin/postfix", "reload")


def enable_listeners() -> None:
    """Accept mail again, at the latest from Postfix's next start; a failure here must not hide the one before."""
    for command in (("/usr/sbin/postconf", "-X", "master_service_disable"), ("/usr/sbin/postfix", "reload")):
        with suppress(TransferError):
            run_command(*command)


def _drain_and_stop(timeout: float) -> int:
    """Drain until the queue is empty with Postfix stopped; how many. An open connection may have submitted more meanwhile."""
    started, total, empty = time.monotonic(), 0, False
    while not empty:
        total += drain(timeout, started=started)
        try:
            run_command("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
            empty = not queue.read()
        finally:
            if not empty:
                run_command("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])
    return total


def _on_termination(*_: object) -> None:
    raise TransferError("The drain was stopped, so nothing was removed, and the listeners accept mail again.")


def main(timeout: float) -> int:
    """Exit status of `mailops-relay drain SECONDS`. Postfix is stopped once the queue is empty, and runs after every failure."""
    try:
        check_sendable([message for message in queue.read() if message.held])
    except (TransferError, queue.QueueError) as error:
        print_error(error)
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_termination)
    drained = False
    try:
        disable_listeners()
        count = _drain_and_stop(timeout)
        drained = True
    except (TransferError, queue.QueueError) as error:
        print_error(error)
        return 1
    finally:
        if not drained:
            enable_listeners()
    print_line(f"The queue is empty: {plural(count, 'message')} {'was' if count == 1 else 'were'} sent.")
    return 0
