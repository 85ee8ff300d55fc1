# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of an audit: every file is written under a temporary name with mode 0600, and then renamed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..._core import atomic_files

FIRST = "report.html"  # the file that a reader opens first


def prepare(directory: Path) -> None:
    """Create the directory with mode 0700, if it does not exist, and check that a file can be written. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=directory):
        pass


def write(directory: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write files, each a name and its text. Raises OSError."""
    prepare(directory)
    for name, text in files:
        atomic_files.replace(directory / name, text, durable=False)
