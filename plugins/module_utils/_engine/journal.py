# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: the values that a change replaces are on disk before the change is made.

One JSON Lines file a tenant or host; each change has an entry before it (`phase: before`) and one after it (`done` or `failed`).
It holds the same values as diffs: never a secret.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._core.errors import InvalidInput


def default_directory() -> str:
    """The directory for state in the XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "mailops", "journal")


class Journal:
    """Appends entries to `<directory>/<name>.jsonl`, mode 0600, flushed to disk.

    `name`: of the tenant or host. `configurable`: whether m365_journal_dir names the directory.
    """

    def __init__(self, directory: str, name: str, *, configurable: bool = True) -> None:
        self._path = Path(directory or default_directory()) / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.jsonl"
        self._configurable = configurable

    def before(self, resource: str, before: Any, after: Any) -> str:
        """Write the entry before a change; the id for its end. InvalidInput where the file cannot be written."""
        number = str(uuid.uuid4())
        try:
            self._append({"id": number, "phase": "before", "resource": resource, "before": before, "after": after})
        except OSError as error:
            problem = f"{self._path.parent}, which cannot be written ({error.strerror}): nothing was changed."
            if self._configurable:
                raise InvalidInput(f"m365_journal_dir is {problem} Name a writable directory.") from error
            raise InvalidInput(f"The directory of the journal is {problem} Make it writable, or free space.") from error
        return number

    def end(self, number: str, failure: str = "") -> str:
        """Write the entry after a change, with its failure; a warning where the file cannot be written any more, else an empty text."""
        try:
            self._append({"id": number, "phase": "failed" if failure else "done", **({"failure": failure} if failure else {})})
        except OSError as error:
            return f"The journal {self._path} lacks the end of entry {number}: it cannot be written any more ({error.strerror})."
        return ""

    def _append(self, entry: Mapping[str, object]) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"time": stamp, **entry}, sort_keys=True) + "\n"
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())  # one write: lines of parallel tasks do not mix
            os.fsync(handle)
        finally:
            os.close(handle)
