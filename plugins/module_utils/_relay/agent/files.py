# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there whole, or not yet: written beside their place, then moved into it; and what is read of such files.

Private to the collection.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def private_directory(path: Path) -> None:
    """Made for its owner alone, where it is not there; one that is there is somebody's, and stays as it is. OSError where it cannot be."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
        path.chmod(0o700)


def write(path: Path, text: str, mode: int) -> None:
    """Replaces a file in one step; its directory exists. OSError where it cannot, and then the old file is as it was."""
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
