# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that people read, each one line of text.

Source: Unicode Standard, section 4.5 (general categories: Cc are control characters, Zl and Zp separate lines and paragraphs).
"""

from __future__ import annotations

import unicodedata

_REFUSED = ("Cc", "Zl", "Zp")
_LONGEST = 80  # characters of a name in a sentence


def line_problems(option: str, name: str | None) -> list[str]:
    """The problem of a name with a line break or another control character; None is unset."""
    if not any(unicodedata.category(character) in _REFUSED for character in name or ""):
        return []
    shown = repr(name)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
    return [f"{option} is {shown}, which holds a line break or another control character: write it as one line of text."]
