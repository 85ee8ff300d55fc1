# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay export`, `import` and `drain`: the queue as files, files as the queue, and sending the queue before a relay is removed.

Two files a message, NAME.eml (header and body) and NAME.json (the envelope: sender and outstanding recipients), for root only. Postfix is
stopped while its queue is exported, so that no message is both sent and exported. A message leaves the queue when all are on disk, and its
files are removed when Postfix has accepted it again: an interruption may send a message twice, and loses none.
Sources: postcat(1), postsuper(1), sendmail(1).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ..._core.errors import MailopsError
from . import reasons
from .console import print_error, print_line
from .files import create_private_directory
from .postfix import queue
from .postfix.journal import POSTFIX_UNITS
from .postfix.queue import Message
from .postfix.rewriting import REINJECT_PORT

_POLL_INTERVAL = 1.0
# Seconds between two flushes of the queue.
_FLUSH_INTERVAL = 60.0


class TransferError(MailopsError):
    """The queue is unchanged; the text says why."""


@dataclass(frozen=True)
class Envelope:
    """`arrived`: Unix time. `reason`: Postfix's text of the last failed attempt. `size`: bytes of the .eml file."""

    sender: str
    recipients: tuple[str, ...]
    arrived: float
    queue_id: str
    reason: str
    size: int


def run_command(*command: str, stdin: bytes | None = None) -> bytes:
    """A command's output. Raises TransferError where it fails."""
    try:
        result = subprocess.run(command, input=stdin, capture_output=True, timeout=600, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TransferError(f"{command[0]} could not be run: {error}.") from error
    if result.returncode:
        detail = " ".join(result.stderr.decode("utf-8", "replace").split())[:300]
        raise TransferError(f"{' '.join(command[:3])} failed: {detail or f'exit status {result.returncode}'}.")
    return result.stdout


# -- export -----------------------------------------------------------------------------------------------------------


def export_queue(directory: Path) -> int:
    """Write every message to the directory and remove it from the queue; how many. Postfix is stopped. Raises TransferError."""
    messages = [message for message in queue.read() if message.recipients]
    written: list[Path] = []
    try:
        create_private_directory(directory)
        for message in messages:
            _export_message(directory, message, written)
        _sync(directory)
        _check_export(messages, written)
    except (MailopsError, OSError) as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise TransferError(f"The queue could not be exported to {directory} and is unchanged: {error}") from error
    for message in messages:
        run_command("/usr/sbin/postsuper", "-d", message.queue_id)
    return len(messages)


def _export_message(directory: Path, message: Message, written: list[Path]) -> None:
    """`written` gets each file that is created, incomplete ones too."""
    name = f"{int(message.arrived)}-{message.queue_id}"
    content = run_command("/usr/sbin/postcat", "-bh", "-q", message.queue_id)
    envelope = Envelope(message.sender, message.recipients, message.arrived, message.queue_id, message.reason, len(content))
    _write(directory / f"{name}.eml", content, written)
    _write(directory / f"{name}.json", json.dumps(asdict(envelope), indent=2).encode() + b"\n", written)


def _write(path: Path, content: bytes, written: list[Path]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    written.append(path)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_envelope(path: Path) -> Envelope:
    """Raises OSError, or ValueError where the file is incomplete."""
    document = json.loads(path.read_text(encoding="utf-8"))
    try:
        return Envelope(**document | {"recipients": tuple(document["recipients"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is incomplete ({error})") from error


def _check_export(messages: list[Message], written: list[Path]) -> None:
    """Raises TransferError unless every message is complete on disk and the queue has not changed."""
    queued = [message for message in queue.read() if message.recipients]
    envelopes = [path for path in written if path.suffix == ".json"]
    complete = [path for path in envelopes if path.with_suffix(".eml").stat().st_size == _read_envelope(path).size]
    if {message.queue_id for message in queued} != {message.queue_id for message in messages} or len(complete) != len(messages):
        raise TransferError(f"{len(queued)} messages in the queue, {len(complete)} on disk: Postfix was not stopped.")


# -- import -----------------------------------------------------------------------------------------------------------


def import_queue(directory: Path, sendmail: str = "/usr/sbin/sendmail") -> int:
    """Submit every exported message to Postfix and remove its files; how many. Raises TransferError."""
    envelopes = sorted(directory.glob("*.json"))
    for path in envelopes:
        try:
            envelope = _read_envelope(path)
            content = path.with_suffix(".eml").read_bytes()
        except (OSError, ValueError) as error:
            raise TransferError(f"{path} cannot be read, and no message after it was sent: {error}.") from error
        if len(content) != envelope.size:
            raise TransferError(f"{path.with_suffix('.eml')} is incomplete: it has {len(content)} of {envelope.size} bytes.")
        run_command(sendmail, "-i", "-B", "8BITMIME", "-f", envelope.sender, "--", *envelope.recipients, stdin=content)
        # The envelope first: without it the message is not sent again.
        path.unlink()
        path.with_suffix(".eml").unlink()
    return len(envelopes)


# -- drain ------------------------------------------------------------------------------------------------------------


def drain(
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    started: float | None = None,
) -> int:
    """Send what is queued; how many messages there were. Raises TransferError where some are left `timeout` seconds after `started`."""
    messages = queue.read()
    started, flushed, total = clock() if started is None else started, None, len(messages)
    while messages:
        now = clock()
        if now - started >= timeout or all(message.held for message in messages):
            raise TransferError(_rest_text(messages, timeout))
        if flushed is None or now - flushed >= _FLUSH_INTERVAL:
            run_command("/usr/sbin/postqueue", "-f")
            flushed = now
        sleep(_POLL_INTERVAL)
        messages = queue.read()
    return total


def _rest_text(messages: list[Message], timeout: float) -> str:
    counts = Counter("on hold" if message.held and not message.reason else reasons.explain(message.reason).cause for message in messages)
    causes = "; ".join(f"{count} x {cause}" for cause, count in counts.most_common(3))
    number = "1 message is" if len(messages) == 1 else f"{len(messages)} messages are"
    return (
        f"{number} still in the relay's queue after {timeout:.0f} s ({causes}), so nothing was removed: remove the cause, raise "
        "relay_drain_timeout, or export the queue with relay_queue_on_removal: export."
    )


def disable_listeners() -> None:
    """Stop accepting mail, except on the loopback listener through which rewritten mail returns."""
    run_command("/usr/sbin/postconf", "-e", f"master_service_disable = !127.0.0.1:{REINJECT_PORT}/inet, inet")
    run_command("/usr/sbin/postfix", "reload")


def enable_listeners() -> None:
    """Accept mail again, at the latest from Postfix's next start; a failure here must not hide the one before."""
    for command in (("/usr/sbin/postconf", "-X", "master_service_disable"), ("/usr/sbin/postfix", "reload")):
        with suppress(TransferError):
            run_command(*command)


def _drain_and_stop(timeout: float) -> int:
    """Drain until the queue is empty with Postfix stopped; how many. An open connection may have submitted more meanwhile."""
    started, total = time.monotonic(), 0
    while True:
        total += drain(timeout, started=started)
        run_command("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
        if not queue.read():
            return total
        run_command("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])


# -- sub-commands -----------------------------------------------------------------------------------------------------


def export_main(directory: Path, stop: bool = False) -> int:
    """Exit status of `mailops-relay export DIRECTORY [--stop]`; Postfix is started again afterwards, unless `stop`."""
    try:
        run_command("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
        exported = False
        try:
            number = export_queue(directory)
            exported = True
        finally:
            if not (exported and stop):
                run_command("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])
    except MailopsError as error:
        print_error(error)
        return 1
    print_line(f"{number} messages exported to {directory}. To send them, run: mailops-relay import {directory}")
    return 0


def import_main(directory: Path) -> int:
    """Exit status of `mailops-relay import DIRECTORY`."""
    try:
        print_line(f"{import_queue(directory)} messages imported from {directory} into the queue.")
    except MailopsError as error:
        print_error(error)
        return 1
    return 0


def _on_termination(*_: object) -> None:
    raise TransferError("The drain was stopped, so nothing was removed, and the listeners accept mail again.")


def drain_main(timeout: float) -> int:
    """Exit status of `mailops-relay drain SECONDS`; the listeners are disabled meanwhile. Postfix is stopped once the queue is empty."""
    signal.signal(signal.SIGTERM, _on_termination)
    drained = False
    try:
        disable_listeners()
        number = _drain_and_stop(timeout)
        drained = True
    except MailopsError as error:
        print_error(error)
        return 1
    finally:
        if not drained:
            enable_listeners()
    print_line(f"The queue is empty: {number} messages were sent.")
    return 0
