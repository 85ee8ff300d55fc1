# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as data: what the renderers (markdown.py, html_page.py) write. Titles and links have names of others, which stay plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Text:
    """A sentence or phrase. `recalled`: it was not read in a source, which is marked. `foreign`: it has names of others, which may hold
    anything."""

    text: str
    recalled: bool = False
    foreign: bool = False


@dataclass(frozen=True)
class Value:
    """What is typed as it stands. `recalled`: as of Text."""

    text: str
    recalled: bool = False


@dataclass(frozen=True)
class Link:
    text: str
    target: str


Part: TypeAlias = "Text | Value | Link"
Cell: TypeAlias = "tuple[Part, ...]"


@dataclass(frozen=True)
class Paragraph:
    parts: Cell
    important: bool = False


@dataclass(frozen=True)
class Bullets:
    items: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """`rows`: their first cell is their heading."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Code:
    language: str
    text: str


Block: TypeAlias = "Paragraph | Bullets | Table | Code"


@dataclass(frozen=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """`wide`: it is printed in landscape."""

    title: str
    lead: Cell
    sections: tuple[Section, ...]
    wide: bool = False


def text(words: str) -> Cell:
    return (Text(words),)


def value(words: str) -> Cell:
    """What is typed as it stands; a description of it, which has spaces, is a text."""
    return (Text(words, foreign=True),) if " " in words and " or " not in words else (Value(words),)


def paragraph(words: str, *, important: bool = False, foreign: bool = False) -> Paragraph:
    return Paragraph((Text(words, foreign=foreign),), important)


def bullets(sentences: Iterator[str] | tuple[str, ...] | list[str]) -> Bullets:
    return Bullets(tuple(text(sentence) for sentence in sentences))
