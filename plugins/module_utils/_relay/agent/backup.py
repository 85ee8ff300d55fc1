# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay backup` and `restore`: one file with the relay's private key, its configuration, Postfix's and Dovecot's, and its state.

The queue is not part of it: on a lost host it is lost with the disk, and `mailops-relay export` moves it to another host. The file holds
the private key, so that root alone can read it and the directory that is created for it.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from ..._core.errors import MailopsError
from .console import print_error, print_line
from .files import create_private_directory

KEEP = 14
PARTS = ("etc/mailops-relay", "etc/postfix/main.cf", "etc/postfix/master.cf", "etc/postfix/m365", "var/lib/mailops-relay")
# Written by the role for the Dovecot of this host, which may be a newer one than the backup's.
HOST_SPECIFIC = ("etc/mailops-relay/proxy.conf", "etc/mailops-relay/sasl.conf")
_PATTERN = "relay-*.tar.gz"
UNITS = (
    "mailops-relay-proxy.service",
    "mailops-relay-sasl.service",
    "mailops-relay-connection-limits.service",
    "postfix.service",
    "postfix@-.service",
)
_MONITOR = "mailops-relay-monitor.service"


class BackupError(MailopsError):
    """No backup was created, or none was restored."""


def create(directory: Path, now: float, root: Path = Path("/"), keep: int = KEEP) -> Path:
    """Create a backup, complete or not at all, and remove all but the newest `keep`; its path. Raises BackupError."""
    parts = [part for part in PARTS if (root / part).exists()]
    if not parts:
        raise BackupError("There is no relay on this host: nothing to back up.")
    backup = directory / f"relay-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}.tar.gz"
    temporary = backup.with_suffix(".new")
    try:
        create_private_directory(directory)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        # Exit status 1: the monitor has written meanwhile; it replaces its files atomically.
        _tar("--create", "--gzip", f"--file={temporary}", f"--directory={root}", *parts, accepted=(0, 1))
        os.replace(temporary, backup)
    except OSError as error:
        raise BackupError(f"No backup could be written to {directory}: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    for old in sorted(directory.glob(_PATTERN))[:-keep]:
        old.unlink()
    return backup


def check(file: Path) -> None:
    """Raises BackupError unless the file is a backup of a relay."""
    if not file.is_file():
        raise BackupError(f"{file} is not a file: name a backup, relay-DATE.tar.gz.")
    names = {line.rstrip("/") for line in _tar("--list", "--gzip", f"--file={file}").splitlines()}
    foreign = [name for name in sorted(names) if not name.startswith(PARTS) or ".." in name.split("/")]
    if foreign:
        raise BackupError(f"{file} is not a backup of a relay: it holds {foreign[0]}.")


def restore(file: Path, root: Path = Path("/")) -> None:
    """Extract a backup, with its owners' names. Raises BackupError."""
    check(file)
    excluded = [f"--exclude={name}" for name in HOST_SPECIFIC]
    _tar("--extract", "--gzip", *excluded, "--same-owner", "--same-permissions", f"--file={file}", f"--directory={root}")


def _tar(*arguments: str, accepted: tuple[int, ...] = (0,)) -> str:
    try:
        result = subprocess.run(["/usr/bin/tar", *arguments], capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupError(f"tar could not be run: {error}.") from error
    if result.returncode not in accepted:
        raise BackupError(f"tar failed: {' '.join(result.stderr.split())[:300]}.")
    return result.stdout


def backup_main(directory: Path) -> int:
    """Exit status of `mailops-relay backup DIRECTORY`."""
    try:
        print_line(create(directory, time.time()))
    except MailopsError as error:
        print_error(error)
        return 1
    return 0


def restore_main(file: Path) -> int:
    """Exit status of `mailops-relay restore FILE`, on a host on which the role has run: it becomes the relay of the backup."""
    try:
        check(file)
    except MailopsError as error:
        print_error(error)
        return 1
    _systemctl("stop", _MONITOR)  # it would overwrite the restored state
    try:
        restore(file)
    except MailopsError as error:
        print_error(error)
        return 1
    finally:
        _systemctl("start", _MONITOR)
    _systemctl("start", "mailops-relay-token.service")
    for unit in UNITS:
        _systemctl("try-restart", unit)  # fails without effect for a unit that this relay does not have
    failed = [unit for unit in UNITS if _systemctl("is-failed", unit)]
    if failed:
        reasons = "run systemctl status to see why, then the role relay_host on this host"
        print_error(f"The backup is restored, but {', '.join(failed)} did not start: {reasons}.")
        return 1
    print_line("Restored.")
    return 0


def _systemctl(verb: str, unit: str) -> bool:
    """Whether it succeeded."""
    return not subprocess.run(["/usr/bin/systemctl", verb, unit], capture_output=True, check=False).returncode  # noqa: S603
