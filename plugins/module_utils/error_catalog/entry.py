# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the error table holds.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """One row. `code` is matched whole (AADSTS number, Graph code, Exchange type, SMTP enhanced code), `text` searched."""

    id: str
    service: str
    code: str
    cause: str
    remedy: str
    text: str = ""
    wait: bool = False
    keep: str = ""
    source: str = ""
