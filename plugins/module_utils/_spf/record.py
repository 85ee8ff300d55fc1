# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terms of an SPF record.

Source: RFC 7208, sections 3, 4.6, 5, 6, 7.1 and 12.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]  # noqa: UP007 - Python 3.9 on hosts

_FLAGS = re.I | re.ASCII
_SPF = re.compile(r"v=spf1(?: |$)", _FLAGS)
# c, r and t belong into explanations only (section 7.2); the number of labels is not 0 (section 7.3).
_MACRO = r"%\{[slodiphv](?:0*[1-9]\d*)?r?[-.+,/_=]*\}"
_MACRO_OF_ANY_TEXT = r"%\{[slodiphcrtv]\d*r?[-.+,/_=]*\}"
# toplabel (section 7.1): it neither begins nor ends with a hyphen and is not a number.
_LABEL = r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])"
_DOMAIN_SPEC = re.compile(rf"(?:{_MACRO}|%%|%_|%-|[!-$&-~])*?(?:\.{_LABEL}\.?|{_MACRO})", _FLAGS)
_MODIFIER = re.compile(rf"([A-Za-z][A-Za-z0-9_.-]*)=((?:{_MACRO_OF_ANY_TEXT}|%%|%_|%-|[!-$&-~])*)", _FLAGS)
_MECHANISM = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9_.-]*)([:/].*)?", re.DOTALL | re.ASCII)
_LENGTHS = re.compile(r"^(.*?)(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?$", re.ASCII)
# An address and the length of its prefix, without leading zeros (section 5.6).
_NETWORK = re.compile(r"[0-9A-Fa-f:.]+(?:/(?:0|[1-9][0-9]{0,2}))?")
# These require a DNS lookup and count towards the limit of ten (section 4.6.4).
LOOKUP_KINDS = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})


@dataclass(frozen=True)
class Term:
    """One mechanism or modifier. `text` is the original spelling; a `problem` makes the whole record invalid."""

    text: str
    kind: str
    qualifier: str = "+"
    value: str = ""
    network: Network | None = None
    prefix4: int = 32
    prefix6: int = 128
    problem: str = ""

    @property
    def requires_lookup(self) -> bool:
        return self.kind in LOOKUP_KINDS and not self.problem

    @property
    def is_modifier(self) -> bool:
        return self.kind in ("redirect", "exp", "modifier")

    @property
    def domain(self) -> str:
        """The domain in lower case, without the trailing dot."""
        return self.value.lower().rstrip(".")

    @property
    def has_macros(self) -> bool:
        return "%" in self.value

    @property
    def key(self) -> tuple[str, ...]:
        """The term in canonical form, without its qualifier: equal keys match the same hosts."""
        if self.problem or self.kind == "modifier":
            return (self.kind, self.text)
        if self.network:
            return (self.kind, str(self.network))
        return (self.kind, self.domain, str(self.prefix4), str(self.prefix6))

    def with_qualifier(self, qualifier: str) -> Term:
        """The same mechanism with another qualifier."""
        bare = self.text[1:] if self.text[:1] in "-+?~" else self.text
        return Term(
            ("" if qualifier == "+" else qualifier) + bare,
            self.kind,
            qualifier,
            self.value,
            self.network,
            self.prefix4,
            self.prefix6,
            self.problem,
        )


@dataclass(frozen=True)
class Record:
    """The terms of a record, in order."""

    terms: tuple[Term, ...]

    @property
    def effective(self) -> tuple[Term, ...]:
        """The mechanisms that are evaluated: none after `all` (section 5.1)."""
        mechanisms: list[Term] = []
        for term in self.terms:
            if not term.is_modifier:
                mechanisms.append(term)
            if term.kind == "all" and not term.problem:
                break
        return tuple(mechanisms)

    @property
    def redirect(self) -> Term | None:
        """The redirect; None where the record has `all`, which makes it ignored (section 6.1)."""
        if any(term.kind == "all" for term in self.terms):
            return None
        return next((term for term in self.terms if term.kind == "redirect"), None)

    @property
    def all(self) -> Term | None:
        return next((term for term in self.terms if term.kind == "all" and not term.problem), None)

    @property
    def problems(self) -> list[str]:
        """The reasons why the record is a permanent error by its syntax."""
        problems = [term.problem for term in self.terms if term.problem]
        for kind in ("redirect", "exp"):
            if sum(term.kind == kind for term in self.terms) > 1:
                problems.append(f"{kind}= is there more than once")
        return problems

    def __str__(self) -> str:
        return " ".join(["v=spf1", *(term.text for term in self.terms)])


def is_spf(text: str) -> bool:
    """Whether a TXT value is an SPF record (section 4.5)."""
    return bool(_SPF.match(text))


def parse(text: str) -> Record:
    """The terms of a record. An invalid term is kept, with its `problem` set."""
    return Record(tuple(parse_term(word) for word in text.split(" ")[1:] if word))


def included_domains(text: str) -> set[str]:
    """The domains, in lower case, whose records this one includes with a pass as the result (section 5.2)."""
    return {term.domain for term in parse(text).terms if term.kind == "include" and term.qualifier == "+"}


def parse_term(word: str) -> Term:
    """One word of a record as a term."""
    modifier = _MODIFIER.fullmatch(word)
    if modifier:
        name = modifier[1].lower()
        if name in ("redirect", "exp"):
            problem = "" if _DOMAIN_SPEC.fullmatch(modifier[2]) else f"{word} has no valid domain"
            return Term(word, name, value=modifier[2], problem=problem)
        return Term(word, "modifier")
    mechanism = _MECHANISM.fullmatch(word)
    parser = _PARSERS.get(mechanism[2].lower()) if mechanism else None
    if not mechanism or not parser:
        return Term(word, "invalid", problem=f"{word!r} is not a mechanism or modifier")
    return parser(word, mechanism[2].lower(), mechanism[1] or "+", mechanism[3] or "")


def _all(word: str, kind: str, qualifier: str, rest: str) -> Term:
    return Term(word, kind, qualifier, problem=f"{word!r}: all takes no value" if rest else "")


def _address(word: str, kind: str, qualifier: str, rest: str) -> Term:
    network_type = ipaddress.IPv4Network if kind == "ip4" else ipaddress.IPv6Network
    try:
        if rest[:1] != ":" or not _NETWORK.fullmatch(rest[1:]):
            raise ValueError(rest)
        return Term(word, kind, qualifier, rest[1:], network=network_type(rest[1:], strict=False))
    except ValueError:
        return Term(word, kind, qualifier, rest[1:], problem=f"{word!r} is not an IPv{kind[2]} address or network")


def _named(word: str, kind: str, qualifier: str, rest: str) -> Term:
    """include and exists require a domain; ptr may have one."""
    if kind == "ptr" and not rest:
        return Term(word, kind, qualifier)
    valid = rest[:1] == ":" and _DOMAIN_SPEC.fullmatch(rest[1:])
    return Term(word, kind, qualifier, rest[1:], problem="" if valid else f"{word!r} has no valid domain")


def _hosts(word: str, kind: str, qualifier: str, rest: str) -> Term:
    """a and mx may have a domain, and prefix lengths for IPv4 and IPv6."""
    match = _LENGTHS.fullmatch(rest)
    domain, four, six = match.groups() if match else (rest, None, None)
    valid = not domain or (domain[:1] == ":" and _DOMAIN_SPEC.fullmatch(domain[1:]))
    prefix4, prefix6 = int(four or 32), int(six or 128)
    problem = "" if valid and prefix4 <= 32 and prefix6 <= 128 else f"{word!r} has no valid domain or prefix length"
    return Term(word, kind, qualifier, (domain or "")[1:], None, prefix4, prefix6, problem)


_PARSERS = {
    "all": _all,
    "ip4": _address,
    "ip6": _address,
    "include": _named,
    "exists": _named,
    "ptr": _named,
    "a": _hosts,
    "mx": _hosts,
}


def chunks(text: str) -> list[bytes]:
    """The character strings of a TXT record, at most 255 octets each; readers join them without spaces (section 3.3)."""
    data = text.encode("ascii", "backslashreplace")
    return [data[i : i + 255] for i in range(0, len(data), 255)]


def join(terms: Iterable[Term]) -> str:
    """The text of a record with these terms."""
    return str(Record(tuple(terms)))
