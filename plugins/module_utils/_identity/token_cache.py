# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a run share: tokens, discovery documents and values that were read once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from .._core import atomic_files
from .._core.json_types import JsonObject


class TokenCache:
    """JSON documents by key: in memory, or in a directory with mode 0700, one file with mode 0600 per key.

    The directory is deleted at the end of the run. Every key has a lock, so that parallel tasks and threads fetch a
    token once.
    """

    def __init__(self, directory: str | None = None) -> None:
        self._memory: dict[str, JsonObject] = {}
        self._memory_lock = threading.RLock()  # reentrant: a discovery document is fetched while a token is
        self._directory = Path(directory) if directory else None
        if self._directory:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the key's lock."""
        if not self._directory:
            with self._memory_lock:
                yield
            return
        with open(self._directory / f"{key}.lock", "w", opener=_open_private) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def get(self, key: str) -> JsonObject | None:
        """The document; None where there is none or it is unreadable."""
        if not self._directory:
            return self._memory.get(key)
        try:
            return dict(json.loads((self._directory / f"{key}.json").read_text()))
        except (OSError, ValueError):
            return None

    def put(self, key: str, document: JsonObject) -> None:
        if not self._directory:
            self._memory[key] = document
            return
        atomic_files.replace(self._directory / f"{key}.json", json.dumps(document), durable=False)

    def forget(self, key: str) -> None:
        self._memory.pop(key, None)
        if self._directory:
            (self._directory / f"{key}.json").unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
