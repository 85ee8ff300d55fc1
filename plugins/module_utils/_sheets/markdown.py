# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as GitHub Flavored Markdown. Recalled labels are in italics."""

from __future__ import annotations

from collections.abc import Iterator

from .._core import markdown_text
from .document import Block, Bullets, Cell, Code, Document, Link, Paragraph, Part, Text

_MOST = 400  # characters of a text or value


def render(document: Document) -> str:
    lines = [f"# {markdown_text.prose(document.title, _MOST)}", "", _cell(document.lead)]
    for section in document.sections:
        lines += ["", f"## {markdown_text.prose(section.title, _MOST)}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"**{_cell(block.parts)}**" if block.important and len(block.parts) == 1 else _cell(block.parts)
    elif isinstance(block, Bullets):
        yield from (f"- {_cell(item)}" for item in block.items)
    elif isinstance(block, Code):
        yield from markdown_text.fenced(block.language, block.text.rstrip("\n").split("\n"))
    else:
        yield from markdown_text.table(block.head, [[_cell(cell) for cell in row] for row in block.rows])


def _cell(parts: Cell) -> str:
    return " ".join(filter(None, (_part(part) for part in parts)))


def _part(part: Part) -> str:
    if isinstance(part, Link):
        return f"[{markdown_text.prose(part.text, _MOST)}]({part.target})"
    if isinstance(part, Text):
        written = markdown_text.prose(part.text, _MOST * 4) if part.foreign else markdown_text.escaped(part.text)
    else:
        written = markdown_text.code(part.text, _MOST)
    return f"*{written}*" if part.recalled and written else written
