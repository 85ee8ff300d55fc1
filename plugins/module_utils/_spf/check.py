# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address may send for a domain: check_host().

Private to the collection. Source: RFC 7208, sections 4, 5 and 7.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias

from .answer import Answer, Answers
from .cost import LOOKUPS, VOIDS
from .record import Record, Term, parse

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_MACRO = re.compile(r"%(?:\{([slodiphv])(\d*)(r?)([-.+,/_=]*)\}|([%_-]))", re.I)


@dataclass(frozen=True)
class Verdict:
    """`result` is RFC 7208's word; `by` the terms that decided, from the outermost in."""

    result: str
    by: tuple[str, ...] = ()
    why: str = ""


class _Wrong(Exception):  # noqa: N818 - ends the evaluation, with a result
    def __init__(self, result: str, why: str) -> None:
        super().__init__(why)
        self.result, self.why = result, why


def check_host(address: str, domain: str, answers: Answers, *, sender: str = "", helo: str = "", record: str = "") -> Verdict:
    """The verdict on an address that sends for a domain; `record` is judged in place of what DNS holds."""
    check = _Check(ipaddress.ip_address(address), answers, sender or f"postmaster@{domain}", helo or "unknown")
    try:
        if record:
            return check.record(parse(record), domain)
        return check.domain(domain)
    except _Wrong as wrong:
        return Verdict(wrong.result, why=wrong.why)


class _Check:
    def __init__(self, address: Address, answers: Answers, sender: str, helo: str) -> None:
        self._address, self._answers, self._sender, self._helo = address, answers, sender, helo
        self._lookups = self._voids = 0

    def domain(self, domain: str) -> Verdict:
        answer = self._ask(domain, "TXT")
        if not answer.spf:
            return Verdict("none", why=f"{domain} has no SPF record")
        if len(answer.spf) > 1:
            raise _Wrong("permerror", f"{domain} has {len(answer.spf)} SPF records")
        return self.record(parse(answer.spf[0]), domain)

    def record(self, record: Record, domain: str) -> Verdict:
        if record.problems:
            raise _Wrong("permerror", f"the record of {domain} is in error: {record.problems[0]}")
        for term in record.effective:
            inner = self._matches(term, domain)
            if inner is not None:
                return Verdict(_RESULTS[term.qualifier], (term.text, *inner))
        if record.redirect is None:
            return Verdict("neutral", why="no mechanism fits")
        self._count()
        target = self._expand(record.redirect.value, domain)
        verdict = self.domain(target)
        if verdict.result == "none":
            raise _Wrong("permerror", f"{record.redirect.text} leads to no SPF record")
        return Verdict(verdict.result, (record.redirect.text, *verdict.by), verdict.why)

    def _matches(self, term: Term, domain: str) -> tuple[str, ...] | None:
        """The terms inside that decided, where the mechanism matches."""
        if term.kind == "all":
            return ()
        if term.network is not None:
            return () if self._address in term.network else None
        self._count()
        target = self._expand(term.value, domain) if term.value else domain
        if term.kind == "include":
            verdict = self.domain(target)
            if verdict.result == "none":
                raise _Wrong("permerror", f"{term.text} leads to no SPF record")
            return verdict.by if verdict.result == "pass" else None
        if term.kind == "exists":
            return () if self._ask(target, "A", count=True).values else None
        if term.kind == "ptr":
            return None  # would take the reverse zone, which is not asked: counts as no match (section 5.5 allows failure)
        return () if self._hosts(term, target) else None

    def _hosts(self, term: Term, target: str) -> bool:
        kind = "A" if self._address.version == 4 else "AAAA"
        names: tuple[str, ...] = (target,)
        if term.kind == "mx":
            names = self._ask(target, "MX", count=True).values
            if len(names) > LOOKUPS:
                raise _Wrong("permerror", f"{target} has more than {LOOKUPS} MX hosts")
        prefix = term.prefix4 if self._address.version == 4 else term.prefix6
        for name in names:
            for value in self._ask(name, kind, count=term.kind == "a").values:
                if self._address in ipaddress.ip_network(f"{value}/{prefix}", strict=False):
                    return True
        return False

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > LOOKUPS:
            raise _Wrong("permerror", f"more than {LOOKUPS} look-ups")

    def _ask(self, name: str, kind: str, count: bool = False) -> Answer:
        answer = self._answers.ask(name, kind)
        if answer.problem:
            raise _Wrong("temperror", answer.problem)
        if count and answer.void:
            self._voids += 1
            if self._voids > VOIDS:
                raise _Wrong("permerror", f"more than {VOIDS} void look-ups")
        return answer

    def _expand(self, text: str, domain: str) -> str:
        """Macros (section 7): what a term's domain is for this message."""
        local, _at, sender_domain = self._sender.rpartition("@")
        four = self._address.version == 4
        dotted = str(self._address) if four else ".".join(self._address.exploded.replace(":", ""))
        values = {"s": self._sender, "l": local, "o": sender_domain, "d": domain, "i": dotted, "p": "unknown",
                  "v": "in-addr" if four else "ip6", "h": self._helo}  # fmt: skip

        def one(found: re.Match[str]) -> str:
            if found[5]:
                return {"%": "%", "_": " ", "-": "%20"}[found[5]]
            parts = re.split(f"[{re.escape(found[4] or '.')}]", values[found[1].lower()])
            parts = parts[::-1] if found[3] else parts
            return ".".join(parts[-int(found[2]) :] if found[2] else parts)

        return _MACRO.sub(one, text)
