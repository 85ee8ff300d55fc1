# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object an address or a name means. Objects are compared by their Guid: a mailbox has several addresses.

Source: Get-Mailbox (Identity takes any address, alias or name; EmailAddresses holds SMTP:primary and smtp:other entries).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._clients.exchange import Command, ExchangeClient, Outcome, is_missing
from .._core.errors import ExchangeError, InvalidInput
from .._core.json_types import JsonObject

# Up to this many mailboxes are looked up by name, ten a request; more by one paged read of all.
BY_NAME = 50
SELECT = ("Guid", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails")
_DESCRIPTION = ("PrimarySmtpAddress", "UserPrincipalName", "WindowsEmailAddress", "DisplayName", "Name")


@dataclass(frozen=True)
class MailboxIdentity:
    """A mailbox: its Guid, its primary address and all its addresses, in lower case. `kind`: RecipientTypeDetails."""

    guid: str
    primary: str
    addresses: frozenset[str]
    kind: str = ""


def only(outcome: Outcome, option: str, name: str) -> JsonObject | None:
    """The object that a read by identity returned; None where there is none, InvalidInput where there are several."""
    if is_missing(outcome.error):
        return None
    values = outcome.checked().values
    if len(values) > 1:
        raise InvalidInput(
            f"{option}: {name} means {len(values)} objects in Exchange: {' and '.join(_described(item) for item in values)}. "
            "Remove this address or name from all but one of them; nothing was changed."
        )
    return values[0] if values else None


def single(outcome: Outcome, attempted: str) -> JsonObject:
    """The object that a command always returns; ExchangeError where the answer has none or several."""
    values = outcome.checked().values
    if len(values) == 1:
        return values[0]
    number = f"{len(values)} objects" if values else "no object"
    raise ExchangeError(attempted, f"an answer with {number} instead of one; run the task again", code="UnexpectedAnswer")


def _described(item: JsonObject) -> str:
    name = next((str(item[key]) for key in _DESCRIPTION if item.get(key)), "an object")
    details = [str(item[key]) for key in ("RecipientTypeDetails", "Guid") if item.get(key)]
    return f"{name} ({', '.join(details)})" if details else name


def smtp_addresses(item: JsonObject) -> frozenset[str]:
    """All SMTP addresses of a recipient, in lower case."""
    entries = [str(entry).lower() for entry in item.get("EmailAddresses") or []]
    primary = str(item.get("PrimarySmtpAddress") or "").lower()
    return frozenset({entry.removeprefix("smtp:") for entry in entries if entry.startswith("smtp:")} | ({primary} - {""}))


def mailbox_identity(item: JsonObject) -> MailboxIdentity:
    primary, kind = str(item["PrimarySmtpAddress"]).lower(), str(item.get("RecipientTypeDetails") or "")
    return MailboxIdentity(str(item["Guid"]), primary, smtp_addresses(item), kind)


def all_mailboxes(exchange: ExchangeClient) -> list[MailboxIdentity]:
    """All mailboxes of the organization, by one paged read."""
    command = Command("Get-Mailbox", {"ResultSize": "Unlimited"}, SELECT, "list the mailboxes")
    return [mailbox_identity(item) for item in exchange.run(command).values]


def by_address(mailboxes: Sequence[MailboxIdentity]) -> dict[str, MailboxIdentity]:
    return {address: mailbox for mailbox in mailboxes for address in mailbox.addresses}


def mailboxes_of(exchange: ExchangeClient, option: str, addresses: Sequence[str]) -> dict[str, MailboxIdentity]:
    """The mailboxes by those of the addresses, in lower case, that belong to one."""
    listed = list(dict.fromkeys(address.lower() for address in addresses))
    if len(listed) > BY_NAME:
        every = by_address(all_mailboxes(exchange))
        return {address: every[address] for address in listed if address in every}
    commands = [Command("Get-Mailbox", {"Identity": a}, SELECT, f"look for the mailbox {a}") for a in listed]
    items = {a: only(outcome, option, a) for a, outcome in zip(listed, exchange.batch(commands), strict=True)}
    return {address: mailbox_identity(item) for address, item in items.items() if item}


def guids_of(exchange: ExchangeClient, option: str, addresses: Sequence[str]) -> dict[str, str]:
    """The Guids of mailboxes by those of the addresses, in lower case, that belong to one."""
    return {address: mailbox.guid for address, mailbox in mailboxes_of(exchange, option, addresses).items()}


def labels(listed: Sequence[str], guids: Mapping[str, str]) -> dict[str, str]:
    """Each address with the first listed address of the same object; one whose object is not there yet stands for itself."""
    first: dict[str, str] = {}
    return {address: first.setdefault(guids.get(address, address), address) for address in listed}
