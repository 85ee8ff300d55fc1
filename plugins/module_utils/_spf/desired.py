# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record to publish: the desired terms merged with the current record.

Source: RFC 7208; the order of a new record is that of Microsoft, "Set up SPF to identify valid
email sources for your custom cloud domains".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .record import Network, Record, Term, join, parse, parse_term

POLICIES = {"keep": "", "hardfail": "-", "softfail": "~", "neutral": "?"}
# The first record of a domain ends with softfail: the domain may have senders that the inventory does not list yet.
_DEFAULT_POLICY = "~"


def desired_record(
    current: Sequence[str] = (),
    *,
    ip4: Iterable[str] = (),
    ip6: Iterable[str] = (),
    includes: Iterable[str] = (),
    policy: str = "keep",
    exclusive: bool = False,
    passing_domains: Collection[str] = (),
) -> str:
    """The SPF record that a domain should have, given its current SPF records.

    Other terms are kept, in order, unless `exclusive`. Several current records are merged: the mechanisms of each in their order, and the
    strictest `all`, but never `+all`; the result passes no address that none of them passes.
    `passing_domains` are the domains that the current record includes,
    directly or not: they are not included again. A current record with the same meaning is returned unchanged.
    """
    addresses = [parse_term(f"ip4:{one}") for one in ip4] + [parse_term(f"ip6:{one}") for one in ip6]
    names = [parse_term(f"include:{one}") for one in includes]
    records = [parse(text) for text in current]
    kept = [] if exclusive else _kept(records)
    if not exclusive:
        included = {domain.lower() for domain in passing_domains}
        names = [term for term in names if term.domain not in included or any(term.key == one.key for one in kept)]
    mechanisms = _without_duplicates(_merged(kept, addresses, names))
    end, redirects = _end(records, policy, exclusive)
    if redirects and (end or len(redirects) > 1):  # a redirect is ignored beside `all`: it becomes an include
        mechanisms = _without_duplicates([*mechanisms, *(parse_term(f"include:{redirect.value}") for redirect in redirects)])
        end, redirects = end or parse_term(f"{_DEFAULT_POLICY}all"), []
    others = [] if exclusive else _modifiers(records)
    terms = [*mechanisms, *([end] if end else []), *redirects, *others]
    if len(current) == 1 and _is_equivalent(records[0], terms):
        return current[0]
    return join(terms)


def _kept(records: Sequence[Record]) -> list[Term]:
    return [term for record in records for term in record.effective if term.kind != "all" or term.problem]


def _merged(kept: list[Term], addresses: list[Term], names: list[Term]) -> list[Term]:
    """New addresses go before the first term that requires a DNS lookup or does not pass, new includes to the end."""
    merged = list(kept)
    missing = []
    for term in [*addresses, *names]:
        index = next((i for i, other in enumerate(merged) if other.key == term.key), None)
        if index is not None and _is_overridden(term, merged[:index]):
            del merged[index]  # never evaluated at this position
            index = None
        if index is not None:
            merged[index] = merged[index] if merged[index].qualifier == "+" else merged[index].with_qualifier("+")
        elif not _is_covered(term, merged):
            missing.append(term)
    first = next((i for i, other in enumerate(merged) if other.requires_lookup or other.qualifier != "+"), len(merged))
    new = [term for term in missing if term.network is not None and not _is_covered(term, missing)]
    return [*merged[:first], *new, *merged[first:], *(term for term in missing if term.network is None)]


def _is_overridden(term: Term, before: Iterable[Term]) -> bool:
    """Whether an earlier network that does not pass contains this one."""
    return any(other.qualifier != "+" and _is_subnet(term.network, other.network) for other in before)


def _is_covered(term: Term, others: Iterable[Term]) -> bool:
    """Whether the first wider network that contains this one passes."""
    for other in others:
        if other.network != term.network and _is_subnet(term.network, other.network):
            return other.qualifier == "+"
    return False


def _is_subnet(network: Network | None, wider: Network | None) -> bool:
    if network is None or wider is None or wider.version != network.version:
        return False
    return wider.prefixlen <= network.prefixlen and network.network_address in wider


def _without_duplicates(terms: list[Term]) -> list[Term]:
    """Of equal mechanisms only the first is evaluated."""
    unique: dict[tuple[str, ...], Term] = {}
    for term in terms:
        unique.setdefault(term.key, term)
    return list(unique.values())


def _end(records: Sequence[Record], policy: str, exclusive: bool) -> tuple[Term | None, list[Term]]:
    """The `all` and the redirects of the desired record; the latter are empty where the policy is kept and there is an `all`."""
    current = _strictest([record.all for record in records if record.all], merged=len(records) > 1)
    redirects = [] if exclusive else [record.redirect for record in records if record.redirect]
    if POLICIES[policy]:
        qualifier = POLICIES[policy]
        if current and current.qualifier == qualifier:
            return current, redirects
        return parse_term(f"{qualifier}all"), redirects
    if current:
        return current, redirects
    if redirects or (records and not exclusive):
        return None, redirects  # unchanged: a record without `all` is neutral
    return parse_term(f"{_DEFAULT_POLICY}all"), []


def _strictest(policies: Sequence[Term], *, merged: bool) -> Term | None:
    """The strictest `all`. That of a single record is kept; of several ones `+all` is replaced by the default."""
    if not policies or not merged:
        return policies[0] if policies else None
    strict = [term for term in policies if term.qualifier != "+"]
    return min(strict, key=lambda term: "-~?".index(term.qualifier)) if strict else parse_term(f"{_DEFAULT_POLICY}all")


def _modifiers(records: Sequence[Record]) -> list[Term]:
    """Every modifier except redirect; exp at most once."""
    modifiers: list[Term] = []
    for term in (term for record in records for term in record.terms if term.kind in ("exp", "modifier")):
        if not any(other.key == term.key or (term.kind == other.kind == "exp") for other in modifiers):
            modifiers.append(term)
    return modifiers


def _is_equivalent(record: Record, terms: Sequence[Term]) -> bool:
    """Whether a record has these terms; the position of modifiers does not matter."""

    def canonical(terms: Iterable[Term]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        listed = list(terms)
        mechanisms = [(term.qualifier, *term.key) for term in listed if not term.is_modifier]
        return mechanisms, sorted(term.key for term in listed if term.is_modifier)

    return canonical(record.terms) == canonical(terms)
