# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as one HTML file for the printer: it requests nothing and has no script. Recalled labels are in italics.

No template engine: where a module runs on another host than the controller, there may be none.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from .._core.markdown_text import visible
from .document import Block, Bullets, Cell, Code, Document, Link, Paragraph, Part, Text
from .style import STYLE

_POLICY = "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"


def render(document: Document) -> str:
    title = _plain(document.title)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="en"{" class=wide" if document.wide else ""}>',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{title}</h1>",
        f'<p class="lead">{_cell(document.lead)}</p>',
    ]
    for section in document.sections:
        lines += ["<section>", f"<h2>{_plain(section.title)}</h2>"]
        for block in section.blocks:
            lines += _block(block)
        lines.append("</section>")
    return "\n".join([*lines, "</main>", "</body>", "</html>"]) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p{' class=important' if block.important else ''}>{_cell(block.parts)}</p>"
    elif isinstance(block, Bullets):
        yield from ("<ul>", *(f"<li>{_cell(item)}</li>" for item in block.items), "</ul>")
    elif isinstance(block, Code):
        # A region that scrolls must be reachable with the keyboard.
        yield f'<pre tabindex="0"><code>{escape(_lines(block.text))}</code></pre>'
    else:
        yield '<div class="scroll" tabindex="0"><table>'
        yield f"<thead><tr>{''.join(f'<th scope=col>{_plain(name)}</th>' for name in block.head)}</tr></thead>"
        yield "<tbody>"
        for first, *rest in block.rows:
            cells = "".join(_data(name, cell) for name, cell in zip(block.head[1:], rest, strict=True))
            yield f"<tr><th scope=row>{_cell(first)}</th>{cells}</tr>"
        yield "</tbody></table></div>"


def _data(name: str, cell: Cell) -> str:
    """A cell with the name of its column, which a narrow screen shows beside it."""
    return f'<td data-label="{_plain(name)}">{_cell(cell)}</td>'


def _cell(parts: Cell) -> str:
    return " ".join(filter(None, (_part(part) for part in parts)))


def _part(part: Part) -> str:
    written = _plain(part.text)
    if isinstance(part, Link):
        return f'<a href="{escape(part.target)}">{written}</a>'
    if not isinstance(part, Text):
        written = f"<code>{written}</code>"
    return f"<i>{written}</i>" if part.recalled else written


def _plain(text: str) -> str:
    return escape(visible(text))


def _lines(text: str) -> str:
    """Several lines, each without characters that hide or reorder what follows."""
    return "\n".join("\t".join(visible(word) for word in line.split("\t")) for line in text.rstrip("\n").split("\n"))
