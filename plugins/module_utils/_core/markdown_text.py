# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of others in GitHub Flavored Markdown: display names and values of a tenant may hold anything and must stay plain text.

Source: "GitHub Flavored Markdown Spec", 6.3 (code spans), 4.10 (tables), 4.5 (fenced code blocks), 4.6 (HTML blocks).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_INVISIBLE = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")  # Unicode categories: control and bidirectional characters, surrogates, and so on
_LINKED = re.compile(r"[@#$`]|://|\w\.\w")  # becomes a mention, link, reference or formula, even as a character reference
_INTERPRETED = re.compile(r"[\\*_{}\[\]+!|~=]|^-")
_ESCAPED = re.compile(r"[\\|<*`\[\]~]|(?<!\w)_|_(?!\w)")
# Punctuation around a word is no part of a code span. Parentheses of a word itself, as in a URL, are.
_PUNCTUATED = (re.compile(r"([(\"']*)([^()]*?)([.,;:!?)\"']*)"), re.compile(r"()(.*?)([.,;:!?]*)"))
_NUMBERED = re.compile(r"^(\d+)([.)])")


def visible(text: str) -> str:
    """The text on one line. Characters without a glyph, which can hide or reorder what follows, are escape sequences such as `\\u202e`."""
    spaced = re.sub(r"[\t\n\r]+", " ", text)
    return "".join(c if unicodedata.category(c) not in _INVISIBLE else f"\\u{ord(c):04x}" for c in spaced)


def shortened(text: str, most: int) -> str:
    """The text with at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def escaped(text: str) -> str:
    """A phrase, also in a table cell, with backslashes before what Markdown interprets. A URL in it still becomes a link."""
    return _ESCAPED.sub(r"\\\g<0>", visible(text))


def code(text: str, most: int = 120) -> str:
    """A code span that is valid in a table cell, too: no mention, link, image, HTML or emphasis comes of it.

    A pipe after a backslash is an escape sequence: renderers differ in where the cell ends.
    """
    plain = shortened(visible(text).strip(), most)
    return _span(plain.replace("\\|", "\\\\u007c").replace("|", "\\|")) if plain else ""


def _span(plain: str) -> str:
    """The delimiter is longer than any run of backticks in the text."""
    delimiter = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    space = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{delimiter}{space}{plain}{space}{delimiter}"


def summary(text: str, most: int = 120) -> str:
    """The text in the HTML element `summary`, whose content is no Markdown."""
    return f"<code>{html.escape(shortened(visible(text).strip(), most))}</code>"


def prose(text: str, most: int) -> str:
    """A sentence outside a table: words that would become links are code spans, what Markdown would interpret is a character reference."""
    return " ".join(_word(word, first=not number) for number, word in enumerate(shortened(visible(text), most).split()))


def _word(word: str, *, first: bool) -> str:
    if _LINKED.search(word):
        before, linked, after = next(filter(None, (pattern.fullmatch(word) for pattern in _PUNCTUATED))).groups()
        return f"{_plain(before)}{_span(linked)}{_plain(after)}"
    return _plain(word, first=first)


def _plain(word: str, *, first: bool = False) -> str:
    plain = html.escape(word, quote=False)
    plain = _NUMBERED.sub(lambda number: f"{number[1]}&#{ord(number[2])};", plain) if first else plain
    return _INTERPRETED.sub(lambda mark: f"&#{ord(mark.group())};", plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table of cells that are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def fenced(language: str, lines: Sequence[str]) -> Iterator[str]:
    """A code block whose fence is longer than any in it."""
    longest = max((len(run) for line in lines for run in re.findall("`{3,}", line)), default=2)
    fence = "`" * (longest + 1)
    yield from (f"{fence}{language}", *lines, fence)
