# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of a domain's SPF records: a name and a sentence each.

Source: RFC 7208, sections 3.2 to 3.4, 4.6.4, 5.1 and 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .lookups import MAX_LOOKUPS, MAX_VOID_LOOKUPS, LookupNode
from .record import parse

# Section 3.4: the answer has to fit into 512 octets.
_MAX_LENGTH = 450
# With one of these the record is a permanent error to receivers, or DNS could not be read.
_INVALID = frozenset(
    {
        "multiple_records",
        "syntax",
        "too_many_lookups",
        "too_many_void_lookups",
        "invalid_include",
        "include_loop",
        "too_many_hosts",
        "dns_error",
        "alias",
    }
)


@dataclass(frozen=True)
class Problem:
    """`name` is a stable identifier, `message` a sentence that says what to do."""

    name: str
    message: str

    @property
    def invalidates(self) -> bool:
        """Whether the record is a permanent error (permerror) to receivers, or could not be evaluated."""
        return self.name in _INVALID

    def as_result(self) -> dict[str, str]:
        return {"name": self.name, "message": self.message}


def find_problems(domain: str, texts: Sequence[str], lookups: LookupNode | None) -> list[Problem]:
    """The problems of a domain's SPF records; `lookups` is the lookup tree of the record in use."""
    problems = []
    if len(texts) > 1:
        message = f"{domain} has {len(texts)} SPF records, which is a permanent error: publish one record."
        problems.append(Problem("multiple_records", message))
    for text in texts:
        problems += _record_problems(domain, text)
    return problems + (_lookup_problems(domain, lookups) if lookups else [])


def _record_problems(domain: str, text: str) -> list[Problem]:
    record = parse(text)
    problems = [
        Problem("syntax", f"the SPF record of {domain} is invalid: {problem}. Correct it, or set exclusive.") for problem in record.problems
    ]
    ignored = [term.text for term in record.terms if not term.is_modifier][len(record.effective) :]
    if ignored:
        problems.append(Problem("terms_after_all", f"{domain}: {', '.join(ignored)} after all is ignored."))
    if record.all and any(term.kind == "redirect" for term in record.terms):
        problems.append(Problem("redirect_ignored", f"{domain}: redirect= is ignored in a record with all."))
    if record.all and record.all.qualifier == "+":
        problems.append(Problem("passes_all", f"{domain}: +all authorizes every host to send in this domain's name; set a policy."))
    if not record.all and not record.redirect:
        problems.append(Problem("no_policy", f"{domain}: the record ends without all, so that no host fails; set a policy."))
    if len(text) > _MAX_LENGTH:
        message = f"{domain}: the record has {len(text)} octets; more than {_MAX_LENGTH} may not fit into a DNS answer over UDP."
        problems.append(Problem("too_long", message))
    return problems


def _lookup_problems(domain: str, lookups: LookupNode) -> list[Problem]:
    nodes = list(lookups.walk())
    problems = [Problem(name, f"{domain}: {text}.") for node in nodes for name, text in node.problems]
    dns_errors = dict.fromkeys(text for node in nodes for text in node.dns_errors)
    problems += [Problem("dns_error", f"{domain}: {text}") for text in dns_errors]
    if lookups.lookups > MAX_LOOKUPS:
        largest = sorted(lookups.children, key=lambda node: -node.lookups)
        listed = ", ".join(f"{node.term} {node.lookups}" for node in largest)
        message = (
            f"{domain}: the record requires {lookups.lookups} DNS lookups; the limit is {MAX_LOOKUPS}, and more are a permanent error. "
            f"DNS lookups by term: {listed}. Remove an include whose service no longer sends for the domain, or let that service send "
            "from a subdomain with a record of its own."
        )
        problems.append(Problem("too_many_lookups", message))
    if lookups.void_lookups > MAX_VOID_LOOKUPS:
        void = ", ".join(node.term for node in nodes if node.void_lookups and not node.children)
        message = (
            f"{domain}: {lookups.void_lookups} DNS lookups return no record; the limit is {MAX_VOID_LOOKUPS}: {void}. "
            "Remove the terms whose names do not exist."
        )
        problems.append(Problem("too_many_void_lookups", message))
    return problems
