# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay export` and `import`: the queue as files, and files as the queue.

Two files a message, NAME.eml (header and body) and NAME.json (the envelope: sender and outstanding recipients), for root only. Postfix is
stopped while its queue is exported, so that no message is both sent and exported. Directory and space are checked before. A message leaves
the queue when all are on disk, and its files are removed when Postfix has accepted it again: an interruption may send a message twice, and
loses none. Sources: postcat(1), postsuper(1), sendmail(1).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..._core.errors import MailopsError
from .console import print_error, print_line
from .files import create_private_directory
from .formatting import plural
from .postfix import queue
from .postfix.journal import POSTFIX_UNITS
from .postfix.queue import Message

# Bytes and files of an export beside the message itself: the envelope, and blocks that are not full.
_OVERHEAD = 16384
_FILES = 2
# Free bytes that an export leaves.
_RESERVE = 16 << 20


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
    try:
        for message in messages:
            run_command("/usr/sbin/postsuper", "-d", message.queue_id)
    except MailopsError as error:
        kept = _remove_files_of_queued(written)
        raise TransferError(
            f"{len(messages) - kept} of {len(messages)} messages were exported to {directory}; the others are still in the queue: {error}"
        ) from error
    return len(messages)


def _remove_files_of_queued(written: Sequence[Path]) -> int:
    """Remove the files of messages that are still in the queue, which would be sent twice; how many messages."""
    queued = {message.queue_id for message in queue.read()}
    files = [path for path in written if path.stem.partition("-")[2] in queued]
    for path in files:
        path.unlink(missing_ok=True)
    return len({path.stem for path in files})


def check_target(directory: Path, messages: Sequence[Message]) -> None:
    """Create the directory where it is missing. Raises TransferError where it cannot hold the messages; nothing is stopped yet."""
    size, files = sum(message.size + _OVERHEAD for message in messages) + _RESERVE, len(messages) * _FILES
    attempt = f"The queue could not be exported to {directory}, so Postfix was not stopped"
    try:
        create_private_directory(directory)
        with tempfile.TemporaryFile(dir=directory):
            free = os.statvfs(directory)
    except OSError as error:
        raise TransferError(f"{attempt}: {error.strerror or error}. Name a writable directory.") from error
    available = free.f_bavail * free.f_frsize
    if available < size or (free.f_files > 0 and free.f_favail < files):
        raise TransferError(
            f"{attempt}: {len(messages)} messages need {size >> 20} MB and {files} files, and {available >> 20} MB and {free.f_favail} "
            "files are free. Free space, or name a directory on another disk."
        )


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
    if not directory.is_dir():
        raise TransferError(f"No message was imported: {directory} is not a directory. Name the directory of an export.")
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


# -- sub-commands -----------------------------------------------------------------------------------------------------


def export_main(directory: Path, stop: bool = False) -> int:
    """Exit status of `mailops-relay export DIRECTORY [--stop]`. Afterwards Postfix is started, unless `stop` is set and all is exported."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_termination)
    try:
        check_target(directory, queue.read())
        exported = False
        try:
            run_command("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
            count = export_queue(directory)
            exported = True
        finally:
            if not (exported and stop):
                run_command("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])
    except MailopsError as error:
        print_error(error)
        return 1
    print_line(f"{plural(count, 'message')} exported to {directory}. To send them, run: mailops-relay import {directory}")
    return 0


def _on_termination(*_: object) -> None:
    raise TransferError("The export was stopped.")


def import_main(directory: Path) -> int:
    """Exit status of `mailops-relay import DIRECTORY`."""
    try:
        print_line(f"{plural(import_queue(directory), 'message')} imported from {directory} into the queue.")
    except MailopsError as error:
        print_error(error)
        return 1
    return 0
