# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue as files, and files as the queue again; and a queue that is sent before a relay goes.

Private to the collection. Two files a message, NAME.eml (header and body) and NAME.json (envelope: sender, the recipients that are still to
do), both for root only. Postfix stands still while its queue is exported, so that nothing is sent as well as exported. A message leaves the
queue when all of them are on disk, and its files go when Postfix has taken it again: what is cut short may be sent twice, never lost.
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
from pathlib import Path

from ..._core.errors import MailopsError
from . import reasons
from .console import complain, say
from .files import private_directory
from .paths import REINJECT_PORT
from .postfix import queue
from .postfix.maillog import POSTFIX_UNITS
from .postfix.queue import Message

PAUSE = 1.0
# Mail that has no mailbox, and notices that nobody may send: they leave Postfix by themselves.
FLUSH = 60.0


class NotDone(MailopsError):  # noqa: N818 - reads as what it is
    """The queue is as it was; the text says why."""


def call(*command: str, given: bytes | None = None) -> bytes:
    """What a program says. Raises NotDone where it fails."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=600, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotDone(f"{command[0]} could not be run: {error}.") from error
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        raise NotDone(f"{' '.join(command[:3])} failed: {said or f'status {done.returncode}'}.")
    return done.stdout


# -- export -----------------------------------------------------------------------------------------------------------


def export(directory: Path) -> int:
    """Writes every message to the directory and takes it out of the queue; how many. Postfix has to stand still."""
    messages = [message for message in queue.read() if message.recipients]
    written: list[Path] = []
    try:
        private_directory(directory)  # the files are for root alone anyway
        for message in messages:
            _export(directory, message, written)
        _sync(directory)
        _counted(messages, written)
    except (MailopsError, OSError) as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise NotDone(f"The queue could not be exported to {directory}, and is as it was: {error}") from error
    for message in messages:
        call("/usr/sbin/postsuper", "-d", message.queue_id)
    return len(messages)


def _export(directory: Path, message: Message, written: list[Path]) -> None:
    """`written` gets what it makes, half files too, which the next export would stumble over."""
    name = f"{int(message.arrived)}-{message.queue_id}"
    content = call("/usr/sbin/postcat", "-bh", "-q", message.queue_id)
    envelope = {
        "sender": message.sender,
        "recipients": list(message.recipients),
        "arrived": message.arrived,
        "queue_id": message.queue_id,
        "reason": message.reason,
        "size": len(content),
    }
    body, told = directory / f"{name}.eml", directory / f"{name}.json"
    _write(body, content, written)
    _write(told, json.dumps(envelope, indent=2).encode() + b"\n", written)


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


def _counted(messages: list[Message], written: list[Path]) -> None:
    """As many whole messages on disk as the queue still has."""
    left = [message for message in queue.read() if message.recipients]
    whole = [
        path
        for path in written
        if path.suffix == ".json" and path.with_suffix(".eml").stat().st_size == json.loads(path.read_text())["size"]
    ]
    if {message.queue_id for message in left} != {message.queue_id for message in messages} or len(whole) != len(messages):
        raise NotDone(f"{len(left)} messages in the queue, {len(whole)} on disk: Postfix did not stand still.")


# -- import -----------------------------------------------------------------------------------------------------------


def bring_in(directory: Path, sendmail: str = "/usr/sbin/sendmail") -> int:
    """Hands every exported message to Postfix; how many. A message's files go when Postfix has it."""
    found = sorted(directory.glob("*.json"))
    for path in found:
        try:
            envelope = json.loads(path.read_text(encoding="utf-8"))
            content = path.with_suffix(".eml").read_bytes()
        except (OSError, ValueError) as error:
            raise NotDone(f"{path} cannot be read, nothing after it was sent: {error}.") from error
        if len(content) != envelope["size"]:
            raise NotDone(f"{path.with_suffix('.eml')} is not whole: it has {len(content)} octets and had {envelope['size']}.")
        call(sendmail, "-i", "-B", "8BITMIME", "-f", str(envelope["sender"]), "--", *envelope["recipients"], given=content)
        # The envelope first: without it the rest is not sent again.
        path.unlink()
        path.with_suffix(".eml").unlink()
    return len(found)


# -- drain ------------------------------------------------------------------------------------------------------------


def drain(
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    began: float | None = None,
) -> int:
    """Sends what waits; how many messages there were. Raises NotDone where some are left so many seconds after `began`, which is now."""
    waiting = queue.read()
    began, flushed, total = clock() if began is None else began, None, len(waiting)
    while waiting:
        now = clock()
        if now - began >= timeout or all(message.held for message in waiting):
            raise NotDone(_left(waiting, timeout))
        if flushed is None or now - flushed >= FLUSH:
            call("/usr/sbin/postqueue", "-f")
            flushed = now
        sleep(PAUSE)
        waiting = queue.read()
    return total


def _left(waiting: list[Message], timeout: float) -> str:
    counts = Counter("held back" if message.held and not message.reason else reasons.of(message.reason).cause for message in waiting)
    why = "; ".join(f"{count} x {cause}" for cause, count in counts.most_common(3))
    number = "1 message still waits" if len(waiting) == 1 else f"{len(waiting)} messages still wait"
    return (
        f"{number} in the relay's queue after {timeout:.0f} s ({why}), so nothing was removed: remedy the cause, raise "
        "relay_drain_timeout, or take them along with relay_queue_on_removal: export."
    )


# -- what surrounds both ----------------------------------------------------------------------------------------------


def close() -> None:
    """No listener takes mail any more, but for the one on loopback through which rewritten mail comes back."""
    call("/usr/sbin/postconf", "-e", f"master_service_disable = !127.0.0.1:{REINJECT_PORT}/inet, inet")
    call("/usr/sbin/postfix", "reload")


def reopen() -> None:
    """Postfix takes mail again, or will at its next start: nothing that fails here hides why."""
    for command in (("/usr/sbin/postconf", "-X", "master_service_disable"), ("/usr/sbin/postfix", "reload")):
        with suppress(NotDone):
            call(*command)


def _empty(timeout: float) -> int:
    """Sends what waits until nothing does with Postfix at rest; how many. A connection that was open may have handed in more."""
    began, total = time.monotonic(), 0
    while True:
        total += drain(timeout, began=began)
        call("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
        if not queue.read():
            return total
        call("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])


def export_main(arguments: list[str]) -> int:
    """`export DIRECTORY`: 0, or 1 with the reason; Postfix runs again afterwards, unless `--stop` follows."""
    if len([word for word in arguments if word != "--stop"]) != 1:
        complain("usage: mailops-relay export DIRECTORY [--stop]")
        return 2
    stop = "--stop" in arguments
    try:
        call("/usr/bin/systemctl", "stop", *POSTFIX_UNITS)
        done = False
        try:
            number = export(Path(arguments[0]))
            done = True
        finally:
            if not (done and stop):
                call("/usr/bin/systemctl", "start", POSTFIX_UNITS[0])
    except MailopsError as error:
        complain(error)
        return 1
    say(f"{number} messages exported to {arguments[0]}: mailops-relay import {arguments[0]} sends them.")
    return 0


def import_main(arguments: list[str]) -> int:
    """`import DIRECTORY`."""
    if len(arguments) != 1:
        complain("usage: mailops-relay import DIRECTORY")
        return 2
    try:
        say(f"{bring_in(Path(arguments[0]))} messages taken from {arguments[0]} into the queue.")
    except MailopsError as error:
        complain(error)
        return 1
    return 0


def _stop(*_: object) -> None:
    raise NotDone("It was stopped, so nothing was removed, and the listeners are open again.")


def drain_main(arguments: list[str]) -> int:
    """`drain SECONDS`: the listeners are closed meanwhile. Where the queue became empty, Postfix is stopped."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        complain("usage: mailops-relay drain SECONDS")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    done = False
    try:
        close()
        number = _empty(float(arguments[0]))
        done = True
    except MailopsError as error:
        complain(error)
        return 1
    finally:
        if not done:
            reopen()
    say(f"The queue is empty: {number} messages were sent.")
    return 0
