# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text in which errors are located, and the parts of it that are taken."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ..error_catalog import ErrorEntry

LINE_LIMIT = 2000  # characters of a line that are matched


@dataclass(frozen=True)
class Match:
    """An error of a service from `start` to `end`.

    `code`: as the service writes it, "" where it has none; `entry`: None if the catalog has none; `text`: to show instead of this part.
    """

    start: int
    end: int
    code: str
    entry: ErrorEntry | None
    text: str = ""


@dataclass
class Scan:
    """`service`: the one that the text is from, as far as the user names it."""

    text: str
    service: str = ""
    matches: list[Match] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)

    def add(self, matches: Iterator[Match]) -> None:
        """Take the matches of one finder, except where an earlier finder has one; a match ends where one of an earlier finder begins."""
        self.matches += [self._shortened(match) for match in matches if self.is_free(match.start, match.start + 1)]
        ordered = sorted(self.matches, key=lambda match: match.start)
        self._starts = [match.start for match in ordered]
        self._ends = [0]
        for match in ordered:
            self._ends.append(max(self._ends[-1], match.end))

    def _shortened(self, match: Match) -> Match:
        following = bisect.bisect_left(self._starts, match.start)
        return replace(match, end=min([match.end, *self._starts[following : following + 1]]))

    def is_free(self, start: int, end: int) -> bool:
        """Whether no match of an earlier finder overlaps."""
        before = bisect.bisect_left(self._starts, end)
        return not self._starts or self._ends[before] <= start

    def lines(self) -> Iterator[tuple[int, str]]:
        """Every line that is free, with its position."""
        for match in re.finditer(r"[^\n]+", self.text):
            if self.is_free(match.start(), match.end()):
                yield match.start(), match.group()[:LINE_LIMIT]

    def line_around(self, position: int) -> tuple[int, int]:
        """Start and end of the line around a position, shortened."""
        start = self.text.rfind("\n", 0, position) + 1
        end = self.text.find("\n", position)
        return max(start, position - LINE_LIMIT), min(len(self.text) if end < 0 else end, position + LINE_LIMIT)
