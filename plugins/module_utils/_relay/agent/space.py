# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free space and files (inodes) of the directories that the relay writes. Source: statvfs(3); postconf(5), queue_minfree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from .status_document import DirectorySpace

QUEUE = Path("/var/spool/postfix")
# What Postfix's main.cf allows beyond the size limit of a message.
_HEADERS = 65536
_STATE_BYTES = 16 << 20
_FILES = 500


def read(state: Path, message_size_limit: int, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> Iterator[DirectorySpace]:
    """Postfix's queue, which accepts no mail with less than 1.5 times the size limit free, and the delivery monitor's state."""
    queue_bytes = (message_size_limit + _HEADERS) * 3 // 2
    for path, effect, required in (
        (QUEUE, "devices get 452 and no mail is accepted", queue_bytes),
        (state, "daily quotas are not enforced and senders are not suspended", _STATE_BYTES),
    ):
        try:
            free = statvfs(path)
        except OSError:
            continue
        files = free.f_favail if free.f_files else None  # btrfs has no fixed number
        yield DirectorySpace(str(path), free.f_bavail * free.f_frsize, required, files, _FILES, effect)
