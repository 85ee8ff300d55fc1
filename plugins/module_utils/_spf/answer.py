# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DNS says about a name, as the evaluation of SPF needs it.

Private to the collection. Source: RFC 7208, section 4.6.4 (void look-ups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .record import is_spf


@dataclass(frozen=True)
class Answer:
    """The answer to one question. `problem` is a sentence where DNS could not be asked; then nothing else counts.

    `raw` holds each TXT value's strings as they stand in DNS, in the order of `values`: to delete a record takes them.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    problem: str = ""
    ttl: int = 0
    raw: tuple[tuple[bytes, ...], ...] = ()

    @property
    def void(self) -> bool:
        """Neither an answer nor a failure: no such name, or no such record there."""
        return not self.values and not self.problem

    @property
    def spf(self) -> tuple[str, ...]:
        """The values that are SPF records: one is right, more are a permanent error (RFC 7208, section 4.5)."""
        return tuple(value for value in self.values if is_spf(value))


class Answers(Protocol):
    """Whoever can be asked: DNS, or a table in a test."""

    def ask(self, name: str, kind: str) -> Answer:
        """The answer for TXT, A, AAAA or MX (for MX the names of the hosts); asked once, remembered."""
