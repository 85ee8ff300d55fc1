# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record costs: the look-ups of its whole tree of includes, counted as a receiver counts them at worst.

Private to the collection. Source: RFC 7208, section 4.6.4 (ten look-ups, two void ones, ten hosts of an mx).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .answer import Answers
from .record import Record, Term, parse

LOOKUPS = 10
VOIDS = 2
# A receiver has given up long before; a tree that grows without end is not followed without end.
_ENOUGH = 60


@dataclass
class Cost:
    """One term that asks, and what it costs with all below it. The root stands for the record itself."""

    term: str
    domain: str
    lookups: int = 0
    voids: int = 0
    children: list[Cost] = field(default_factory=list)
    # (name of the problem, sentence) of this term alone
    problems: list[tuple[str, str]] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)  # sentences: DNS did not say
    passes: bool = True  # what passes here passes the whole record

    def every(self) -> Iterator[Cost]:
        yield self
        for child in self.children:
            yield from child.every()

    def reached(self) -> set[str]:
        """The domains whose pass is already this record's pass, through includes and redirects."""
        return {one.domain for one in self.every() if one.passes and one.term}

    def as_result(self) -> list[dict]:
        """The tree, as plain data: each term with its cost."""
        return [{"term": one.term, "lookups": one.lookups, "terms": one.as_result()} for one in self.children]


def cost_of(domain: str, text: str, answers: Answers) -> Cost:
    """The tree of a domain's record, with the sums at its root."""
    counter = _Counter(answers)
    root = Cost("", domain)
    counter.follow(root, parse(text), (domain.lower().rstrip("."),))
    return root


class _Counter:
    def __init__(self, answers: Answers) -> None:
        self._answers, self._total = answers, 0

    def follow(self, node: Cost, record: Record, path: tuple[str, ...]) -> None:
        terms = [term for term in record.effective if term.asks]
        redirect = record.redirect
        for term in [*terms, *([redirect] if redirect and redirect.asks else [])]:
            if self._total >= _ENOUGH:
                return
            self._total += 1
            child = self._term(node, term, path)
            node.children.append(child)
            node.lookups += child.lookups
            node.voids += child.voids

    def _term(self, node: Cost, term: Term, path: tuple[str, ...]) -> Cost:
        child = Cost(term.text, term.domain or path[-1], lookups=1, passes=node.passes and term.qualifier == "+")
        if term.kind == "ptr":
            child.problems.append(("ptr", f"{term.text} is slow and unreliable and should not be used (RFC 7208, section 5.5)"))
            child.passes = False
        elif term.macros:
            child.passes = False  # depends on the message: nothing to ask
        elif term.kind in ("include", "redirect"):
            self._nested(child, term, path)
        else:
            child.passes = False
            self._hosts(child, term)
        return child

    def _nested(self, child: Cost, term: Term, path: tuple[str, ...]) -> None:
        where = f"{term.text} in the record of {path[-1]}"
        if child.domain in path:
            child.problems.append(("loop", f"{where} leads back to {child.domain}, without end"))
            return
        answer = self._answers.ask(child.domain, "TXT")
        if answer.problem:
            child.unasked.append(answer.problem)
            return
        child.voids += answer.void
        if len(answer.spf) != 1:
            has = "has no SPF record" if not answer.spf else f"has {len(answer.spf)} SPF records"
            child.problems.append(("bad_include", f"{where} is an error, because {child.domain} {has}"))
            child.passes = False
            return
        record = parse(answer.spf[0])
        for problem in record.problems:
            child.problems.append(("bad_include", f"the record of {child.domain}, which {term.text} names, is in error: {problem}"))
        self.follow(child, record, (*path, child.domain))

    def _hosts(self, child: Cost, term: Term) -> None:
        kinds = {"a": ("A", "AAAA"), "exists": ("A",), "mx": ("MX",)}[term.kind]
        found = [self._answers.ask(child.domain, kind) for kind in kinds]
        child.unasked += [answer.problem for answer in found if answer.problem]
        child.voids += all(answer.void for answer in found)
        if term.kind == "mx" and len(found[0].values) > LOOKUPS:
            child.problems.append(("too_many_hosts", f"{term.text}: {child.domain} has {len(found[0].values)} MX hosts, ten are allowed"))
