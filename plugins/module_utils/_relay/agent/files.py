# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Atomic writes, and JSON objects from files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from ..._core.json_types import JsonObject


def read_object(path: Path) -> JsonObject:
    """The JSON object in a file; empty where the file is missing, unreadable or holds anything else."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def create_private_directory(path: Path) -> None:
    """Create a directory with mode 0700; an existing one is not changed. Raises OSError."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
        path.chmod(0o700)


def write(path: Path, text: str, mode: int) -> None:
    """Replace a file atomically; its directory exists. Raises OSError, and then the old file is unchanged."""
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def write_if_changed(path: Path, text: str, mode: int) -> None:
    """The same, where the file's text differs. Raises OSError."""
    try:
        unchanged = path.read_text(encoding="utf-8") == text
    except OSError:
        unchanged = False
    if not unchanged:
        write(path, text, mode)
