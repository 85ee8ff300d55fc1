# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML with comments, for files that people go on editing. A text of a service ends neither a comment nor a scalar, and is no template.

Sources: YAML 1.2, sections 6.6 (comments) and 7.3.1 (double-quoted style); Ansible, "Advanced playbook syntax" (`!unsafe`).
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ._@/-]*[A-Za-z0-9])?|\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?")
_OTHER_TYPES = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
_TEMPLATE = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class Noted:
    """A value with a comment behind it."""

    value: object
    note: str


@dataclass(frozen=True)
class Item:
    """A mapping in a list, with comments before it."""

    values: Mapping[str, object]
    comments: Sequence[str] = ()


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """A text as comment lines."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    prefix = " " * indent + "# "
    more = prefix + "  " * clean.startswith("- ")
    yield from textwrap.wrap(clean, WIDTH, initial_indent=prefix, subsequent_indent=more, break_long_words=False, break_on_hyphens=False)


def scalar(value: object) -> str:
    """A text, number or Boolean on one line."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHER_TYPES:
        return text
    quoted = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in json.dumps(text, ensure_ascii=False))
    return f"!unsafe {quoted}" if _TEMPLATE.search(text) else quoted


def items(name: str, listed: Iterable[Item]) -> Iterator[str]:
    """A list of mappings under a key; an empty list is written as one."""
    every = list(listed)
    yield f"{name}:" if every else f"{name}: []"
    for item in every:
        for text in item.comments:
            yield from comment(text, 2)
        for number, (key, value) in enumerate(item.values.items()):
            yield f"  {'- ' if number == 0 else '  '}{key}: {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, Noted):
        return f"{_value(value.value)}  {next(comment(value.note))}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(scalar(one) for one in value)}]"
    return scalar(value)
