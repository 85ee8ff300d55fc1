# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of a tenant for people: names are chosen by others, and may contain what changes the look of the text around them."""

from __future__ import annotations

import unicodedata

MOST = 400  # characters
_ALLOWED = "\n\t"


def plain(value: object) -> str:
    """The value without control characters and marks of direction, which are shown as U+FFFD, and cut after 400 characters."""
    text = str(value)
    if not text.isprintable():
        text = "".join(_character(character) for character in text)
    return f"{text[:MOST]}…" if len(text) > MOST else text


def _character(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return " " if character in _ALLOWED else "\ufffd"
    return character
