# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipient filters (OPATH): made of addresses, compared by meaning. Exchange reads them back in its own spacing.

Source: "Filterable properties for the RecipientFilter parameter on Exchange cmdlets".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from .. import opath

_TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|(?P<text>'(?:[^']|'')*'|\"[^\"]*\")|(?P<word>[-$]?[A-Za-z0-9_.]+))")
_OPERATORS = ("-eq", "-ne", "-like", "-notlike", "-gt", "-ge", "-lt", "-le")
_ADDRESS = "PrimarySmtpAddress"


@dataclass(frozen=True)
class Comparison:
    """A property, one of _OPERATORS and a value, all in lower case."""

    name: str
    operator: str
    value: str

    @property
    def is_address(self) -> bool:
        return (self.name, self.operator) == (_ADDRESS.lower(), "-eq")


@dataclass(frozen=True)
class Negation:
    operand: Node


@dataclass(frozen=True)
class Combination:
    """Two or more operands that `-and` or `-or` joins. Their order and repetitions have no meaning."""

    operator: str
    operands: frozenset[Node]


Node: TypeAlias = "Comparison | Negation | Combination"


def of_addresses(addresses: Iterable[str]) -> str:
    """The filter that is true for mailboxes with one of these primary addresses."""
    return opath.any_of(opath.equals(_ADDRESS, address) for address in sorted(address.lower() for address in addresses))


def canonical(text: str) -> Node:
    """The meaning of a filter, without its spacing, parentheses and case; ValueError says what is wrong with it."""
    parser = _Parser(text)
    node = parser.either()
    if parser.tokens:
        raise ValueError(f"{parser.tokens[0]} is not expected there")
    return node


def same(one: str, other: str) -> bool:
    """Whether two filters mean the same. Where one cannot be parsed, their words are compared."""
    try:
        return canonical(one) == canonical(other)
    except ValueError:
        return one.split() == other.split()


def addresses(text: str) -> set[str] | None:
    """The addresses, where a filter is one that `of_addresses` makes; else None."""
    try:
        node = canonical(text)
    except ValueError:
        return None
    operands = node.operands if isinstance(node, Combination) and node.operator == "-or" else frozenset({node})
    values = {operand.value for operand in operands if isinstance(operand, Comparison) and operand.is_address}
    return values if len(values) == len(operands) else None


def _join(operator: str, parts: list[Node]) -> Node:
    flat: set[Node] = set()
    for part in parts:
        flat |= part.operands if isinstance(part, Combination) and part.operator == operator else {part}
    return next(iter(flat)) if len(flat) == 1 else Combination(operator, frozenset(flat))


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if not match:
                raise ValueError(f"{text[position:].strip()[:20]!r} cannot be read")
            self.tokens.append(match[0].strip())
            position = match.end()

    def _next(self) -> str:
        if not self.tokens:
            raise ValueError("it ends too early")
        return self.tokens.pop(0)

    def _takes(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def either(self) -> Node:
        parts = [self._both()]
        while self._takes("-or"):
            parts.append(self._both())
        return _join("-or", parts)

    def _both(self) -> Node:
        parts = [self._one()]
        while self._takes("-and"):
            parts.append(self._one())
        return _join("-and", parts)

    def _one(self) -> Node:
        if self._takes("-not"):
            return Negation(self._one())
        if self._takes("("):
            inner = self.either()
            if not self._takes(")"):
                raise ValueError("a parenthesis is not closed")
            return inner
        name, operator, value = self._next(), self._next().lower(), self._next()
        if not name[0].isalpha():
            raise ValueError(f"{name} is no property")
        if operator not in _OPERATORS:
            raise ValueError(f"{operator} is no comparison ({', '.join(_OPERATORS)})")
        if value in "()" or value.startswith("-"):
            raise ValueError(f"{name} {operator} lacks its value")
        quoted = value[0] in "'\""
        return Comparison(name.lower(), operator, (value[1:-1].replace("''", "'") if quoted else value).lower())
