# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text tables with coloured lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

Line: TypeAlias = "tuple[str, str | None]"  # text, name of its colour (None: the terminal's own)
HEADING = "bright gray"
_GAP, _INDENT = "  ", "    "
_LEAST_CELL = 20  # characters


@dataclass(frozen=True)
class Column:
    """A column's title and cells. Numbers are aligned to the right."""

    title: str
    cells: Sequence[str]
    right: bool = False

    @property
    def texts(self) -> list[str]:
        """Title and cells, padded to the widest."""
        texts = [self.title, *self.cells]
        width = max(len(text) for text in texts)
        return [text.rjust(width) if self.right else text.ljust(width) for text in texts]


def fitted(line_width: int, *columns: Column) -> list[Column]:
    """The columns with long cells shortened until a row fits: those of the widest column first, which keep 20 characters."""
    result = list(columns)
    for column in sorted(columns, key=lambda one: -len(one.texts[0])):
        excess = width(*result) - len(_GAP) - line_width
        most = max(len(column.texts[0]) - excess, _LEAST_CELL)
        if excess > 0:
            cells = [cell if len(cell) <= most else f"{cell[: most - 1]}\N{HORIZONTAL ELLIPSIS}" for cell in column.cells]
            result[result.index(column)] = replace(column, cells=cells)
    return result


def rows(*columns: Column) -> list[str]:
    """The heading and one text per row, without trailing spaces."""
    return [_GAP.join(cells).rstrip() for cells in zip(*(column.texts for column in columns), strict=True)]


def width(*columns: Column) -> int:
    """The width of these columns with the gap after the last one."""
    return sum(len(column.texts[0]) + len(_GAP) for column in columns)


def details(text: str, line_width: int) -> list[str]:
    """A text below a row, wrapped and indented."""
    return textwrap.wrap(text, line_width, initial_indent=_INDENT, subsequent_indent=_INDENT)
