# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell scripts: one file each, for Windows PowerShell 5.1, without decisions; JSON is their output.

A command line of cmd.exe has at most 8,191 characters (Microsoft: "Command prompt line string limitation"), of which -EncodedCommand uses
8 for 3 of the script. A script of at most 3,000 characters fits.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "scripts"


@cache
def script(name: str) -> str:
    """The text of a script, such as host_facts."""
    return (DIRECTORY / f"{name}.ps1").read_text(encoding="ascii")
