# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS lookups of an SPF record: the tree of its includes, with the worst-case counts of a receiver.

Source: RFC 7208, section 4.6.4 (ten lookups, two void lookups, ten hosts of an mx).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypedDict

from .dns_answer import Resolver
from .record import Record, Term, parse

MAX_LOOKUPS = 10
MAX_VOID_LOOKUPS = 2
# Bounds the traversal. A receiver stops much earlier.
_MAX_NODES = 60


class TermResult(TypedDict):
    """One term in a task's result, with the terms of the record that it includes."""

    term: str
    dns_lookups: int
    terms: list[TermResult]


@dataclass
class LookupNode:
    """One term that requires DNS lookups, with the sums of its subtree. The root stands for the record itself."""

    term: str
    domain: str
    lookups: int = 0
    void_lookups: int = 0
    children: list[LookupNode] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)  # (problem name, sentence) of this term alone
    dns_errors: list[str] = field(default_factory=list)  # a sentence for each failed DNS query
    passes: bool = True  # whether a pass of this term is a pass of the whole record

    def walk(self) -> Iterator[LookupNode]:
        """This node and every node below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def passing_domains(self) -> set[str]:
        """The domains whose pass is a pass of this record, through includes and redirects."""
        return {node.domain for node in self.walk() if node.passes and node.term}

    def as_result(self) -> list[TermResult]:
        """The children as plain data."""
        return [{"term": node.term, "dns_lookups": node.lookups, "terms": node.as_result()} for node in self.children]


def count_lookups(domain: str, text: str, resolver: Resolver) -> LookupNode:
    """The lookup tree of a domain's record; the root holds the sums."""
    root = LookupNode("", domain)
    _Counter(resolver).add_children(root, parse(text), (domain.lower().rstrip("."),))
    return root


class _Counter:
    def __init__(self, resolver: Resolver) -> None:
        self._resolver, self._total = resolver, 0

    def add_children(self, node: LookupNode, record: Record, path: tuple[str, ...]) -> None:
        terms = [term for term in record.effective if term.requires_lookup]
        redirect = record.redirect
        for term in [*terms, *([redirect] if redirect and redirect.requires_lookup else [])]:
            if self._total >= _MAX_NODES:
                return
            self._total += 1
            child = self._child(node, term, path)
            node.children.append(child)
            node.lookups += child.lookups
            node.void_lookups += child.void_lookups

    def _child(self, node: LookupNode, term: Term, path: tuple[str, ...]) -> LookupNode:
        child = LookupNode(term.text, term.domain or path[-1], lookups=1, passes=node.passes and term.qualifier == "+")
        if term.kind == "ptr":
            child.problems.append(("ptr", f"{term.text} is slow and unreliable and should not be used (RFC 7208, section 5.5)"))
            child.passes = False
        elif term.has_macros:
            child.passes = False  # depends on the message, so that there is no name to query
        elif term.kind in ("include", "redirect"):
            self._add_record(child, term, path)
        else:
            child.passes = False
            self._query_hosts(child, term)
        return child

    def _add_record(self, child: LookupNode, term: Term, path: tuple[str, ...]) -> None:
        source = f"{term.text} in the record of {path[-1]}"
        if child.domain in path:
            child.problems.append(("include_loop", f"{source} includes {child.domain} in a loop"))
            return
        answer = self._resolver.ask(child.domain, "TXT")
        if answer.problem:
            child.dns_errors.append(answer.problem)
            return
        child.void_lookups += answer.void
        if len(answer.spf) != 1:
            count = "has no SPF record" if not answer.spf else f"has {len(answer.spf)} SPF records"
            child.problems.append(("invalid_include", f"{source} is a permanent error, because {child.domain} {count}"))
            child.passes = False
            return
        record = parse(answer.spf[0])
        for problem in record.problems:
            child.problems.append(("invalid_include", f"the record of {child.domain}, included by {term.text}, is invalid: {problem}"))
        self.add_children(child, record, (*path, child.domain))

    def _query_hosts(self, child: LookupNode, term: Term) -> None:
        kinds = {"a": ("A", "AAAA"), "exists": ("A",), "mx": ("MX",)}[term.kind]
        answers = [self._resolver.ask(child.domain, kind) for kind in kinds]
        child.dns_errors += [answer.problem for answer in answers if answer.problem]
        child.void_lookups += all(answer.void for answer in answers)
        hosts = len(answers[0].values)
        if term.kind == "mx" and hosts > MAX_LOOKUPS:
            child.problems.append(("too_many_hosts", f"{term.text}: {child.domain} has {hosts} MX hosts; the limit is {MAX_LOOKUPS}"))
