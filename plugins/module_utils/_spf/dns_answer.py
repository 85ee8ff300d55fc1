# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS answers and the resolver interface that the evaluation of SPF needs.

Source: RFC 7208, section 4.6.4 (void lookups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .record import is_spf


@dataclass(frozen=True)
class Answer:
    """The answer to one DNS query. `problem` is a sentence where the query failed; the other fields are then empty.

    `raw` holds the character strings of each TXT value, in the order of `values`: deleting a record requires them. `data` holds the values
    of other types as in a zone file, in the same order: of an MX record with its preference.
    `alias`: the name whose records these are, where `name` is an alias (CNAME).
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    problem: str = ""
    ttl: int = 0
    raw: tuple[tuple[bytes, ...], ...] = ()
    alias: str = ""
    data: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether this is a void lookup: the name does not exist, or has no record of this type."""
        return not self.values and not self.problem

    @property
    def spf(self) -> tuple[str, ...]:
        """The values that are SPF records; more than one is a permanent error (RFC 7208, section 4.5)."""
        return tuple(value for value in self.values if is_spf(value))


class Resolver(Protocol):
    """A DNS resolver."""

    def ask(self, name: str, kind: str) -> Answer:
        """The answer for a record type (TXT, A, AAAA, MX or PTR; MX and PTR values are names). Answers are cached."""
