# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that an organization has to have: its accepted domains and its mailboxes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from .._clients.exchange import Command, ExchangeClient, Outcome
from .._core.errors import InvalidInput
from .._core.mail_addresses import domain
from . import lookup

ACCEPTED_DOMAINS = Command("Get-AcceptedDomain", {"ResultSize": "Unlimited"}, ("DomainName",), "read the accepted domains")


def accepted_domains(exchange: ExchangeClient) -> set[str]:
    """The organization's accepted domains, in lower case; read once a run."""
    cached = exchange.run_cache.get("accepted domains")
    return set(cached) if cached else learn_domains(exchange, exchange.run(ACCEPTED_DOMAINS))


def learn_domains(exchange: ExchangeClient, outcome: Outcome) -> set[str]:
    """The domains that ACCEPTED_DOMAINS answered, kept for the run's later tasks."""
    domains = {str(item["DomainName"]).lower() for item in outcome.checked().values}
    exchange.run_cache.put("accepted domains", sorted(domains))
    return domains


def refuse_unknown_mailboxes(exchange: ExchangeClient, addresses: Sequence[str], expected: Collection[str] = ()) -> None:
    """InvalidInput that names every address that is neither a mailbox of the organization nor expected to become one."""
    primary(exchange, [address for address in addresses if address.lower() not in expected])


def look_up(address: str, *properties: str) -> Command:
    """Reads these properties of the mailbox that has this address."""
    return Command("Get-Mailbox", {"Identity": address}, properties, f"look for the mailbox {address}")


def primary(exchange: ExchangeClient, addresses: Sequence[str]) -> dict[str, str]:
    """Each address with the primary address of its mailbox; one InvalidInput names all that are no mailbox of the organization."""
    listed = list(dict.fromkeys(addresses))
    outcomes = exchange.batch([look_up(address, "Guid", "PrimarySmtpAddress") for address in listed])
    items = {address: lookup.only(outcome, "mailboxes", address) for address, outcome in zip(listed, outcomes, strict=True)}
    refuse_missing(exchange, {"mailboxes": [address for address, item in items.items() if not item]})
    return {address: str(item.get("PrimarySmtpAddress") or address) for address, item in items.items() if item}


def expected(expected_mailboxes: Iterable[str], check_mode: bool) -> frozenset[str]:
    """The mailboxes that may be missing in check mode, in lower case: an earlier task of the real run creates them."""
    return frozenset(address.lower() for address in expected_mailboxes) if check_mode else frozenset()


def refuse_missing(exchange: ExchangeClient, missing: Mapping[str, Sequence[str]], what: str = "mailbox") -> None:
    """InvalidInput that names every address that Exchange does not have. `missing`: addresses by the option that lists them."""
    if sentences := missing_problems(exchange, missing, what):
        raise InvalidInput(*sentences)


def missing_problems(exchange: ExchangeClient, missing: Mapping[str, Sequence[str]], what: str = "mailbox") -> list[str]:
    """One or two sentences an option for addresses that Exchange does not have: it may have the domain, or not."""
    domains = accepted_domains(exchange) if any(missing.values()) else set()
    sentences = []
    for option, listed in missing.items():
        foreign = [address for address in listed if domain(address) not in domains]
        unknown = [address for address in listed if domain(address) in domains]
        if unknown:
            plural = what + ("" if len(unknown) == 1 else "es" if what.endswith("x") else "s")
            sentences.append(
                f"{option}: Exchange has no {plural} {', '.join(unknown)}: create {'it' if len(unknown) == 1 else 'them'} or correct the "
                "address; nothing was changed."
            )
        if foreign:
            sentences.append(f"{option}: {foreign_problem(foreign, domains)}")
    return sentences


def foreign_problem(foreign: Sequence[str], domains: Collection[str]) -> str:
    """The clause for addresses that are in none of the tenant's accepted domains."""
    accepted = ", ".join(sorted(domains))
    return f"{', '.join(foreign)}: not in an accepted domain of this tenant ({accepted}): correct the address; nothing was changed."
