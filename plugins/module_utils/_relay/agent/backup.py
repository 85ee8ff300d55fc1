# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a relay this relay, as one file: its key, its settings, Postfix's and Dovecot's, and its memory of recipients a day.

Private to the collection. Not the queue: on a lost host it is lost with its disk, and on another it is `mailops-relay export`'s. The file
holds the relay's private key, so it is for root only, as is its directory where it is made here.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from ..._core.errors import MailopsError
from .console import complain, say
from .files import private_directory

KEEP = 14
PARTS = ("etc/mailops-relay", "etc/postfix/main.cf", "etc/postfix/master.cf", "etc/postfix/m365", "var/lib/mailops-relay")
# What the role has written for the Dovecot that this host has, which may be a newer one.
OF_THE_HOST = ("etc/mailops-relay/proxy.conf", "etc/mailops-relay/sasl.conf")
_PATTERN = "relay-*.tar.gz"
UNITS = ("mailops-relay-proxy.service", "mailops-relay-sasl.service", "postfix.service", "postfix@-.service")
_WATCHER = "mailops-relay-monitor.service"


class BackupError(MailopsError):
    """No backup was made, or none was restored."""


def make(directory: Path, now: float, root: Path = Path("/"), keep: int = KEEP) -> Path:
    """A new backup, whole or not at all; all but the newest `keep` go. Raises BackupError."""
    parts = [part for part in PARTS if (root / part).exists()]
    if not parts:
        raise BackupError("There is no relay on this host: nothing to back up.")
    name = directory / f"relay-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}.tar.gz"
    beside = name.with_suffix(".new")
    try:
        private_directory(directory)  # the files are for root alone anyway
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        # 1: the watcher has written meanwhile; each of its files is whole at any moment.
        _tar("--create", "--gzip", f"--file={beside}", f"--directory={root}", *parts, good=(0, 1))
        os.replace(beside, name)
    except OSError as error:
        raise BackupError(f"No backup could be written to {directory}: {error}.") from error
    finally:
        beside.unlink(missing_ok=True)
    for old in sorted(directory.glob(_PATTERN))[:-keep]:
        old.unlink()
    return name


def restore(file: Path, root: Path = Path("/")) -> None:
    """What is in the backup takes its place, with the owners' names. Raises BackupError."""
    if not file.is_file():
        raise BackupError(f"{file} is no file: name a backup, relay-DATE.tar.gz.")
    held = {line.rstrip("/") for line in _tar("--list", "--gzip", f"--file={file}").splitlines()}
    strange = [name for name in sorted(held) if not name.startswith(PARTS) or ".." in name.split("/")]
    if strange:
        raise BackupError(f"{file} is no backup of a relay: it holds {strange[0]}.")
    excluded = [f"--exclude={name}" for name in OF_THE_HOST]
    _tar("--extract", "--gzip", *excluded, "--same-owner", "--same-permissions", f"--file={file}", f"--directory={root}")


def _tar(*arguments: str, good: tuple[int, ...] = (0,)) -> str:
    try:
        done = subprocess.run(["/usr/bin/tar", *arguments], capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupError(f"tar could not be run: {error}.") from error
    if done.returncode not in good:
        raise BackupError(f"tar failed: {' '.join(done.stderr.split())[:300]}.")
    return done.stdout


def main(arguments: list[str]) -> int:
    """`backup DIRECTORY`."""
    if len(arguments) != 1:
        complain("usage: mailops-relay backup DIRECTORY")
        return 2
    try:
        say(make(Path(arguments[0]), time.time()))
    except MailopsError as error:
        complain(error)
        return 1
    return 0


def restore_main(arguments: list[str]) -> int:
    """`restore FILE`, on a host on which the role has run: it is then the relay of the backup."""
    if len(arguments) != 1:
        complain("usage: mailops-relay restore FILE")
        return 2
    _systemctl("stop", _WATCHER)  # it would write what it remembers over what is restored
    try:
        restore(Path(arguments[0]))
    except MailopsError as error:
        complain(error)
        return 1
    finally:
        _systemctl("start", _WATCHER)
    _systemctl("start", "mailops-relay-token.service")
    for unit in UNITS:
        _systemctl("try-restart", unit)  # what this relay does not have is not known to systemd
    dead = [unit for unit in UNITS if _systemctl("is-failed", unit)]
    if dead:
        complain(f"Restored, but {', '.join(dead)} did not start: systemctl status says why; run the role on this host.")
        return 1
    say("Restored.")
    return 0


def _systemctl(verb: str, unit: str) -> bool:
    """Whether it ended well."""
    return not subprocess.run(["/usr/bin/systemctl", verb, unit], capture_output=True, check=False).returncode  # noqa: S603
