# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail addresses in lists: what is malformed or named twice, and what an organization does not have.

Private to the collection. Source: RFC 5321 (a mailbox is local-part@domain).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .._clients.exchange import Command, ExchangeClient, Outcome, is_missing
from .._core.errors import InvalidInput

# The local part in ASCII: Exchange Online gives its mailboxes no other addresses.
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


def problems(option: str, addresses: Iterable[str]) -> list[str]:
    """One sentence a malformed, empty or repeated address."""
    found, seen = [], set()
    for address in addresses:
        if not address or not address.strip():
            found.append(f"{option} holds an empty address: remove it.")
        elif not _ADDRESS.fullmatch(address):
            found.append(f"{option} holds {address!r}, which is no mail address (name@domain).")
        elif address.lower() in seen:
            found.append(f"{option} holds {address} twice: keep one.")
        seen.add((address or "").lower())
    return found


ACCEPTED_DOMAINS = Command("Get-AcceptedDomain", {"ResultSize": "Unlimited"}, ("DomainName",), "read the accepted domains")


def domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def accepted_domains(exchange: ExchangeClient) -> set[str]:
    """The organization's accepted domains, in lower case; asked once a run."""
    known = exchange.facts.get("accepted domains")
    return set(known) if known else learn_domains(exchange, exchange.run(ACCEPTED_DOMAINS))


def learn_domains(exchange: ExchangeClient, outcome: Outcome) -> set[str]:
    """The domains that ACCEPTED_DOMAINS told, kept for the run's later tasks."""
    found = {str(item["DomainName"]).lower() for item in outcome.checked().values}
    exchange.facts.put("accepted domains", sorted(found))
    return found


def refuse_unknown_mailboxes(exchange: ExchangeClient, wanted: Sequence[str], expected: Collection[str] = ()) -> None:
    """Raise one InvalidInput that names every address among these that is no mailbox of the organization, nor expected to be."""
    primary(exchange, [address for address in wanted if address.lower() not in expected])


def look_up(address: str, *properties: str) -> Command:
    """Reads these properties of the mailbox that has this address."""
    return Command("Get-Mailbox", {"Identity": address}, properties, f"look for the mailbox {address}")


def primary(exchange: ExchangeClient, wanted: Sequence[str]) -> dict[str, str]:
    """Each address with its mailbox's primary one; one InvalidInput names all that are no mailbox of the organization."""
    listed = list(dict.fromkeys(wanted))
    outcomes = exchange.batch([look_up(address, "Guid", "PrimarySmtpAddress") for address in listed])
    refuse_missing(exchange, [address for address, outcome in zip(listed, outcomes, strict=True) if is_missing(outcome.error)])
    found = [outcome.checked().values for outcome in outcomes]
    shown = [str(values[0].get("PrimarySmtpAddress") or "") if values else "" for values in found]
    return {address: own or address for address, own in zip(listed, shown, strict=True)}


def expected(params: dict[str, Any], check_mode: bool) -> frozenset[str]:
    """The mailboxes that a check run does not miss: an earlier task of the real run makes them."""
    return frozenset(address.lower() for address in params["expected_mailboxes"]) if check_mode else frozenset()


def refuse_missing(exchange: ExchangeClient, missing: Sequence[str], what: str = "mailbox") -> None:
    """Raise one InvalidInput that names every address that Exchange does not have, and why, where a domain tells."""
    if not missing:
        return
    domains = accepted_domains(exchange)
    foreign = [a for a in missing if domain(a) not in domains]
    unknown = [a for a in missing if domain(a) in domains]
    sentences = []
    if unknown:
        plural = what + ("" if len(unknown) == 1 else "es" if what.endswith("x") else "s")
        sentences.append(
            f"Exchange has no {plural} {', '.join(unknown)}: create {'it' if len(unknown) == 1 else 'them'} or correct the "
            "address; nothing was changed."
        )
    if foreign:
        sentences.append(
            f"{', '.join(foreign)}: not in an accepted domain of this tenant ({', '.join(sorted(domains))}); nothing was changed."
        )
    raise InvalidInput(*sentences)
