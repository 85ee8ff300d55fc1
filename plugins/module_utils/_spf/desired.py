# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record to publish: what is wanted, merged with what is there.

Private to the collection. Source: RFC 7208; the order of a new record is that of Microsoft, "Set up SPF to identify valid
email sources for your custom cloud domains".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .record import Network, Record, Term, join, parse, parse_term

POLICIES = {"keep": "", "hardfail": "-", "softfail": "~", "neutral": "?"}
# A domain that had no policy may have senders that nobody knows of yet: they are not cut off unasked.
_FIRST_POLICY = "~"


def wanted_record(
    present: Sequence[str] = (),
    *,
    ip4: Iterable[str] = (),
    ip6: Iterable[str] = (),
    includes: Iterable[str] = (),
    policy: str = "keep",
    exclusive: bool = False,
    reached: Collection[str] = (),
) -> str:
    """The one record that a domain should have; `present` are the SPF records that it has.

    Terms of others are kept, in their order, unless `exclusive`. `reached` are domains that the present record's own
    includes lead to: they pass already and cost nothing more. A record that says the same already comes back unchanged.
    """
    addresses = [parse_term(f"ip4:{one}") for one in ip4] + [parse_term(f"ip6:{one}") for one in ip6]
    names = [parse_term(f"include:{one}") for one in includes]
    records = [parse(text) for text in present]
    kept = [] if exclusive else _kept(records)
    if not exclusive:
        known = {one.lower() for one in reached}
        names = [term for term in names if term.domain not in known or any(term.key == one.key for one in kept)]
    mechanisms = _without_dead(_merged(kept, addresses, names))
    end, redirect = _end(records, policy, exclusive)
    if redirect and end:  # `all` would make the redirect void: what it passes is kept as an include
        mechanisms = _without_dead([*mechanisms, parse_term(f"include:{redirect.value}")])
        redirect = None
    others = [] if exclusive else _modifiers(records)
    terms = [*mechanisms, *([end] if end else []), *([redirect] if redirect else []), *others]
    if len(present) == 1 and _same(records[0], terms):
        return present[0]
    return join(terms)


def _kept(records: Sequence[Record]) -> list[Term]:
    return [term for record in records for term in record.effective if term.kind != "all" or term.problem]


def _merged(kept: list[Term], addresses: list[Term], names: list[Term]) -> list[Term]:
    """New addresses stand before the first term that asks DNS or refuses, new includes at the end."""
    found = list(kept)
    missing = []
    for term in [*addresses, *names]:
        place = next((i for i, one in enumerate(found) if one.key == term.key), None)
        if place is not None and _refused(term, found[:place]):
            del found[place]  # it stands where it has no say
            place = None
        if place is not None:
            found[place] = found[place] if found[place].qualifier == "+" else found[place].qualified("+")
        elif not _covered(term, found):
            missing.append(term)
    first = next((i for i, one in enumerate(found) if one.asks or one.qualifier != "+"), len(found))
    new = [term for term in missing if term.network is not None and not _covered(term, missing)]
    return [*found[:first], *new, *found[first:], *(term for term in missing if term.network is None)]


def _refused(term: Term, before: Iterable[Term]) -> bool:
    """Whether a network is inside one that does not pass."""
    return any(one.qualifier != "+" and _inside(term.network, one.network) for one in before)


def _covered(term: Term, others: Iterable[Term]) -> bool:
    """Whether a network is inside another that passes, and that no refusal comes before."""
    for other in others:
        if other.network != term.network and _inside(term.network, other.network):
            return other.qualifier == "+"
    return False


def _inside(network: Network | None, wider: Network | None) -> bool:
    if network is None or wider is None or wider.version != network.version:
        return False
    return wider.prefixlen <= network.prefixlen and network.network_address in wider


def _without_dead(terms: list[Term]) -> list[Term]:
    """Of equal mechanisms only the first is ever looked at."""
    found: list[Term] = []
    for term in terms:
        if not any(one.key == term.key for one in found):
            found.append(term)
    return found


def _end(records: Sequence[Record], policy: str, exclusive: bool) -> tuple[Term | None, Term | None]:
    """The `all` at the end and the redirect, one of them at most where a policy is kept."""
    present = next((record.all for record in records if record.all), None)
    redirect = next((record.redirect for record in records if record.redirect), None)
    redirect = None if exclusive or present else redirect
    if POLICIES[policy]:
        qualifier = POLICIES[policy]
        if present and present.qualifier == qualifier:
            return present, redirect
        return parse_term(f"{qualifier}all"), redirect
    if present:
        return present, None
    if redirect or (records and not exclusive):
        return None, redirect  # as it was: no `all` means neutral
    return parse_term(f"{_FIRST_POLICY}all"), None


def _modifiers(records: Sequence[Record]) -> list[Term]:
    """Everything but redirect; exp once."""
    found: list[Term] = []
    for term in (term for record in records for term in record.terms if term.kind in ("exp", "modifier")):
        if not any(one.key == term.key or (term.kind == one.kind == "exp") for one in found):
            found.append(term)
    return found


def _same(record: Record, terms: Sequence[Term]) -> bool:
    """Whether a record has these terms already; where modifiers stand among them does not matter."""

    def canonical(found: Iterable[Term]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        every = list(found)
        mechanisms = [(term.qualifier, *term.key) for term in every if not term.is_modifier]
        return mechanisms, sorted(term.key for term in every if term.is_modifier)

    return canonical(record.terms) == canonical(terms)
