# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's variables hold, as they are used.

Private to the collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

DOMAIN = re.compile(r"(?=.{4,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")


@dataclass(frozen=True)
class Mailbox:
    """One of relay_mailboxes, complete. Its limits are those of all relays together."""

    address: str
    senders: tuple[str, ...]
    messages_per_minute: int = 30
    connections: int = 2
    recipients_per_day: int = 10000


UNPACED = 20  # Postfix's own default_destination_concurrency_limit
LIMITS = ("messages_per_minute", "connections", "recipients_per_day")


def is_number(value: object) -> bool:
    """A whole number, or its text, as extra variables give it."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.strip().isdecimal())


def number(value: Any) -> int:
    return int(value)


def hostname(given: dict[str, Any]) -> str:
    """The relay's full name, in lower case: the given one, else the inventory's, else the host's own, else one in the tenant's domain."""
    told = [str(given.get(name) or "") for name in ("relay_hostname", "inventory_hostname", "fqdn")]
    whole = [name for name in told if "." in name.strip(".") and not name.replace(".", "").isdigit()]
    domain = str(given.get("m365_tenant") or "")
    name = whole[0] if whole else f"{next(filter(None, told), 'relay')}.{domain if DOMAIN.fullmatch(domain) else 'localdomain'}"
    return name.lower().rstrip(".")


def mailboxes(given: dict[str, Any]) -> list[Mailbox]:
    """Of checked input. Where the upstream knows no mailboxes, a device's sender that none serves is one of its own, without a pace."""
    found = []
    for entry in given.get("relay_mailboxes") or []:
        limits = {name: number(entry[name]) for name in LIMITS if entry.get(name) is not None}
        address = entry["address"].lower()  # as Dovecot looks it up
        found.append(Mailbox(address, tuple(entry.get("senders") or [address]), **limits))
    if given.get("relay_upstream") == "oauth":
        return found
    served = {sender.lower() for box in found for sender in box.senders}
    alone = (sender.lower() for device in given.get("relay_devices") or [] for sender in device["senders"])
    return found + [Mailbox(sender, (sender,), 0, UNPACED, 0) for sender in dict.fromkeys(alone) if sender not in served]
