# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a record, by name: a sentence each, with the way out.

Private to the collection. Source: RFC 7208, sections 3.2 to 3.4, 4.6.4, 5.1 and 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .cost import LOOKUPS, VOIDS, Cost
from .record import parse

# Section 3.4: so that the answer fits into 512 octets together with its frame.
_LONG = 450
# A record that has one of these is an error to receivers, or is not known to be none.
BREAKING = frozenset({"several_records", "syntax", "too_many_lookups", "too_many_voids", "bad_include", "loop", "too_many_hosts", "unread"})


@dataclass(frozen=True)
class Problem:
    name: str
    text: str

    @property
    def breaks(self) -> bool:
        """Whether receivers take the record for a permanent error, or nobody could find out."""
        return self.name in BREAKING

    def as_result(self) -> dict[str, str]:
        return {"name": self.name, "text": self.text}


def judge(domain: str, texts: Sequence[str], cost: Cost | None) -> list[Problem]:
    """The problems of a domain's SPF records; `cost` is the tree of the one that counts."""
    found = []
    if len(texts) > 1:
        text = f"{domain} has {len(texts)} SPF records, which receivers take for an error: there may be only one."
        found.append(Problem("several_records", text))
    for text in texts:
        found += _of_text(domain, text)
    return found + (_of_cost(domain, cost) if cost else [])


def _of_text(domain: str, text: str) -> list[Problem]:
    record = parse(text)
    found = [
        Problem("syntax", f"the record of {domain} is in error: {problem}. Correct it, or set exclusive.") for problem in record.problems
    ]
    behind = [term.text for term in record.terms if not term.is_modifier][len(record.effective) :]
    if behind:
        found.append(Problem("behind_all", f"{domain}: {', '.join(behind)} behind all is never looked at."))
    if record.all and any(term.kind == "redirect" for term in record.terms):
        found.append(Problem("void_redirect", f"{domain}: redirect= counts for nothing in a record with all."))
    if record.all and record.all.qualifier == "+":
        found.append(Problem("passes_all", f"{domain}: +all lets everybody send in this domain's name; set a policy."))
    if not record.all and not record.redirect:
        found.append(Problem("no_policy", f"{domain}: the record ends without all, so that it refuses nobody; set a policy."))
    if len(text) > _LONG:
        found.append(
            Problem("long", f"{domain}: the record has {len(text)} octets; more than {_LONG} may not fit into a DNS answer by UDP.")
        )
    return found


def _of_cost(domain: str, cost: Cost) -> list[Problem]:
    every = list(cost.every())
    found = [Problem(name, f"{domain}: {text}.") for one in every for name, text in one.problems]
    unread = dict.fromkeys(text for one in every for text in one.unasked)
    found += [Problem("unread", f"{domain}: {text}") for text in unread]
    if cost.lookups > LOOKUPS:
        dearest = sorted(cost.children, key=lambda one: -one.lookups)
        listed = ", ".join(f"{one.term} {one.lookups}" for one in dearest)
        text = (
            f"{domain}: the record takes {cost.lookups} DNS look-ups, {LOOKUPS} are allowed, so that receivers take it for an error. "
            f"What each costs: {listed}. Remove an include whose service no longer sends for the domain, or let that service send from "
            "a subdomain with a record of its own."
        )
        found.append(Problem("too_many_lookups", text))
    if cost.voids > VOIDS:
        empty = ", ".join(one.term for one in every if one.voids and not one.children)
        text = f"{domain}: {cost.voids} look-ups find nothing, {VOIDS} are allowed: {empty}. Remove what does not exist."
        found.append(Problem("too_many_voids", text))
    return found
