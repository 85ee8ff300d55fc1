# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and durations as text for people."""

from __future__ import annotations

import time


def local_time(timestamp: float) -> str:
    """A Unix time in the relay's time zone: 14:05, with the date where it is not today."""
    moment = time.localtime(timestamp)
    today = time.localtime()
    form = "%H:%M" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M"
    return time.strftime(form, moment)


def duration(seconds: float) -> str:
    """A duration in one unit: 90 s, 5 min, 3 h, 2 d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "d"):
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def offset_text(seconds: float, server: str) -> str:
    """How far the clock is off: 5 min ahead of, or 90 s behind, the server's."""
    return f"{duration(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the clock of {server}"


def plural(count: int, noun: str) -> str:
    """1 message, 2 messages."""
    return f"{count} {noun}{'s' * (count != 1)}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
