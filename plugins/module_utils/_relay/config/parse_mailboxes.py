# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable relay_mailboxes as mailboxes.

Source: "Exchange Online limits" (30 messages a minute, 3 connections and 10,000 recipients a day for each mailbox).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..._core import mail_addresses
from .model import DEFAULT_CONCURRENCY, Device, Mailbox
from .reader import Reader, Variables, is_integer

TABLE_SYNTAX = frozenset("{}$=,")  # characters that Postfix's inline tables cannot hold
# Limit -> minimum and maximum for Microsoft's mailboxes.
_LIMITS = {"messages_per_minute": (0, 30), "connections": (1, 3), "recipients_per_day": (0, 10000)}
_UNLIMITED = 1_000_000


def table_problems(address: str) -> list[str]:
    """A sentence where Postfix's tables cannot hold an address: inside of a line, or at its beginning, where # starts a comment."""
    if set(address) & TABLE_SYNTAX:
        return [f"the sender {address} has one of {{}}$=, in it, which Postfix's tables cannot hold; use another address."]
    if address.startswith("#"):
        return [f"the sender {address} begins with #, which starts a comment in Postfix's tables; use another address."]
    return []


def parse_mailboxes(reader: Reader, upstream: str, relay_count: int) -> tuple[Mailbox, ...]:
    entries = reader.value("relay_mailboxes") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and entry.get("address") for entry in entries):
        reader.report("relay_mailboxes holds an entry without an address: use a mapping with address for each mailbox.")
        return ()
    if upstream == "oauth" and not entries:
        reader.report("relay_mailboxes is empty: with relay_upstream oauth all mail is sent from mailboxes; add at least one.")
    strings = [entry for entry in entries if isinstance(entry.get("senders"), str)]
    for entry in strings:
        reader.report(f"senders of {entry['address']} in relay_mailboxes is {entry['senders']!r}: use a list, [{entry['senders']}].")
    mailboxes = tuple(_mailbox(reader, entry, upstream, relay_count) for entry in entries if entry not in strings)
    problems = mail_addresses.problems("relay_mailboxes", [str(entry["address"]) for entry in entries])
    # An invalid address is reported once, although it is also its own sender.
    reader.report(
        *(problems or mail_addresses.problems("senders of relay_mailboxes", [s for mailbox in mailboxes for s in mailbox.senders]))
    )
    listed = {address.lower() for mailbox in mailboxes for address in (mailbox.address, *mailbox.senders)}
    reader.report(*(f"relay_mailboxes: {problem}" for address in sorted(listed) for problem in table_problems(address)))
    return mailboxes


def _mailbox(reader: Reader, entry: Variables, upstream: str, relay_count: int) -> Mailbox:
    address = str(entry["address"])
    limits = {}
    problems = []
    for name, (minimum, maximum) in _LIMITS.items():
        value = entry.get(name)
        maximum = maximum if upstream in ("oauth", "connector") else _UNLIMITED
        if value is None:
            continue
        if is_integer(value) and minimum <= int(value) <= maximum:
            limits[name] = int(value)
        else:
            problems.append(f"{name} of {address} in relay_mailboxes is {value!r}: use a whole number from {minimum} to {maximum}.")
    # Dovecot looks the address up in lower case.
    mailbox = Mailbox(address.lower(), tuple(str(sender) for sender in entry.get("senders") or [address.lower()]), **limits)
    if not problems and mailbox.messages_per_minute == 0 and relay_count > mailbox.connections:
        problems.append(
            f"relay_count is {relay_count}, and {address} has fewer connections: without messages_per_minute every relay needs one; "
            "raise connections, or set messages_per_minute."
        )
    reader.report(*problems)
    return mailbox


def unlimited_mailboxes(mailboxes: Iterable[Mailbox], devices: Iterable[Device]) -> list[Mailbox]:
    """One mailbox without limits for each sender of a device that no mailbox serves, for upstreams that have no mailboxes."""
    served = {sender.lower() for mailbox in mailboxes for sender in mailbox.senders}
    others = dict.fromkeys(sender.lower() for device in devices for sender in device.senders)
    return [Mailbox(sender, (sender,), 0, DEFAULT_CONCURRENCY, 0) for sender in others if sender not in served]
