# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of an address for a domain: check_host().

Source: RFC 7208, sections 4, 5 and 7.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Union

from .dns_answer import Answer, Resolver
from .lookups import MAX_LOOKUPS, MAX_VOID_LOOKUPS
from .record import Record, Term, parse

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]  # noqa: UP007 - Python 3.9 on hosts

_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_MACRO = re.compile(r"%(?:\{([slodiphv])(\d*)(r?)([-.+,/_=]*)\}|([%_-]))", re.I)


@dataclass(frozen=True)
class CheckResult:
    """`result` is RFC 7208's; `matched` holds the terms that matched, the outermost first; `reason` is set where none did."""

    result: str
    matched: tuple[str, ...] = ()
    reason: str = ""


class _EvaluationError(Exception):
    """Ends the evaluation with temperror or permerror."""

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result, self.reason = result, reason


def check_host(address: str, domain: str, resolver: Resolver, *, sender: str = "", helo: str = "", record: str = "") -> CheckResult:
    """The result for an address that sends for a domain; `record`, where set, is evaluated instead of the published one."""
    check = _Check(client_address(address), resolver, sender or f"postmaster@{domain}", helo or "unknown")
    try:
        if record:
            return check.record(parse(record), domain)
        return check.domain(domain)
    except _EvaluationError as error:
        return CheckResult(error.result, reason=error.reason)


def client_address(text: str) -> Address:
    """The address of a client; one of IPv6 that stands for one of IPv4 is taken as that (section 5)."""
    address = ipaddress.ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address


def _is_within(name: str, domain: str) -> bool:
    """Whether a name is a domain or a subdomain of it."""
    return f".{name.lower().rstrip('.')}".endswith(f".{domain.lower().rstrip('.')}")


class _Check:
    def __init__(self, address: Address, resolver: Resolver, sender: str, helo: str) -> None:
        self._address, self._resolver, self._sender, self._helo = address, resolver, sender, helo
        self._lookups = self._void_lookups = 0

    def domain(self, domain: str) -> CheckResult:
        answer = self._ask(domain, "TXT")
        if not answer.spf:
            return CheckResult("none", reason=f"{domain} has no SPF record")
        if len(answer.spf) > 1:
            raise _EvaluationError("permerror", f"{domain} has {len(answer.spf)} SPF records")
        return self.record(parse(answer.spf[0]), domain)

    def record(self, record: Record, domain: str) -> CheckResult:
        if record.problems:
            raise _EvaluationError("permerror", f"the record of {domain} is invalid: {record.problems[0]}")
        for term in record.effective:
            inner = self._matches(term, domain)
            if inner is not None:
                return CheckResult(_RESULTS[term.qualifier], (term.text, *inner))
        if record.redirect is None:
            return CheckResult("neutral", reason="no mechanism matches")
        self._count_lookup()
        target = self._expand(record.redirect.value, domain)
        outcome = self.domain(target)
        if outcome.result == "none":
            raise _EvaluationError("permerror", f"{record.redirect.text} refers to a domain without an SPF record")
        return CheckResult(outcome.result, (record.redirect.text, *outcome.matched), outcome.reason)

    def _matches(self, term: Term, domain: str) -> tuple[str, ...] | None:
        """The nested terms that matched, empty where the mechanism itself did; None where it does not match."""
        if term.kind == "all":
            return ()
        if term.network is not None:
            return () if self._address in term.network else None
        self._count_lookup()
        target = self._expand(term.value, domain) if term.value else domain
        if term.kind == "include":
            outcome = self.domain(target)
            if outcome.result == "none":
                raise _EvaluationError("permerror", f"{term.text} refers to a domain without an SPF record")
            return outcome.matched if outcome.result == "pass" else None
        if term.kind == "exists":
            return () if self._ask(target, "A", count=True).values else None
        if term.kind == "ptr":
            return () if any(_is_within(name, target) for name in self._validated_names(count=True)) else None
        return () if self._hosts(term, target) else None

    def _validated_names(self, count: bool = False) -> list[str]:
        """The names of the address in the reverse zone that have the address themselves (section 5.5); a failed query has none."""
        kind = "A" if self._address.version == 4 else "AAAA"
        answer = self._resolver.ask(self._address.reverse_pointer, "PTR")
        if count and answer.void:
            self._count_void_lookup()
        names = answer.values[:MAX_LOOKUPS]
        return [name for name in names if any(self._address == ipaddress.ip_address(one) for one in self._resolver.ask(name, kind).values)]

    def _validated_name(self, domain: str) -> str:
        """The value of the macro p (section 7.3): the domain, else a subdomain of it, else any validated name."""
        names = self._validated_names()
        ordered = sorted(names, key=lambda name: (name.lower() != domain.lower().rstrip("."), not _is_within(name, domain)))
        return ordered[0] if ordered else "unknown"

    def _hosts(self, term: Term, target: str) -> bool:
        kind = "A" if self._address.version == 4 else "AAAA"
        names: tuple[str, ...] = (target,)
        if term.kind == "mx":
            names = self._ask(target, "MX", count=True).values
            if len(names) > MAX_LOOKUPS:
                raise _EvaluationError("permerror", f"{target} has more than {MAX_LOOKUPS} MX hosts")
        prefix = term.prefix4 if self._address.version == 4 else term.prefix6
        for name in names:
            for value in self._ask(name, kind, count=term.kind == "a").values:
                if self._address in ipaddress.ip_network(f"{value}/{prefix}", strict=False):
                    return True
        return False

    def _count_lookup(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _EvaluationError("permerror", f"more than {MAX_LOOKUPS} DNS lookups")

    def _ask(self, name: str, kind: str, count: bool = False) -> Answer:
        answer = self._resolver.ask(name, kind)
        if answer.problem:
            raise _EvaluationError("temperror", answer.problem)
        if count and answer.void:
            self._count_void_lookup()
        return answer

    def _count_void_lookup(self) -> None:
        self._void_lookups += 1
        if self._void_lookups > MAX_VOID_LOOKUPS:
            raise _EvaluationError("permerror", f"more than {MAX_VOID_LOOKUPS} void lookups")

    def _expand(self, text: str, domain: str) -> str:
        """A domain specification with its macros (section 7) expanded."""
        local, _at, sender_domain = self._sender.rpartition("@")
        four = self._address.version == 4
        dotted = str(self._address) if four else ".".join(self._address.exploded.replace(":", ""))
        values = {"s": self._sender, "l": local, "o": sender_domain, "d": domain, "i": dotted,
                  "v": "in-addr" if four else "ip6", "h": self._helo}  # fmt: skip

        def expand(match: re.Match[str]) -> str:
            if match[5]:
                return {"%": "%", "_": " ", "-": "%20"}[match[5]]
            letter = match[1].lower()
            value = self._validated_name(domain) if letter == "p" else values[letter]
            parts = re.split(f"[{re.escape(match[4] or '.')}]", value)
            parts = parts[::-1] if match[3] else parts
            return ".".join(parts[-int(match[2]) :] if match[2] else parts)

        return _MACRO.sub(expand, text)
