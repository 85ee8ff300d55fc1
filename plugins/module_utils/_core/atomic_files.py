# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced at once, by default with a mode that only their owner can read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace(path: Path, text: str, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace a file's content at once. Its directory exists. Raises OSError, and then the old file is unchanged.

    Line breaks are written as they are. `durable`: the content is on the disk before this returns.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
