# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that people read, each one line of text that neither begins nor ends with a blank.

Source: Unicode Standard, section 4.5 (general categories: Cc are control characters, Zl and Zp separate lines and paragraphs). Exchange
refuses a Name or DisplayName whose first or last character is white space, with a DataValidationException.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_REFUSED = ("Cc", "Zl", "Zp")
_LONGEST = 80  # characters of a name in a sentence


def line_problems(option: str, name: str | None) -> list[str]:
    """The problem of a name with a control character, such as a line break, or with a blank at an end; None is unset."""
    if any(unicodedata.category(character) in _REFUSED for character in name or ""):
        clause = "which holds a line break or another control character: write it as one line of text."
    elif name and name != name.strip():
        clause = "which begins or ends with a blank: remove the blank."
    else:
        return []
    shown = repr(name)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
    return [f"{option} is {shown}, {clause}"]


def listed(texts: Sequence[str], most: int) -> str:
    """At most so many of the texts, and how many more there are."""
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
