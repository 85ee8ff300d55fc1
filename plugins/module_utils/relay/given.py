# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's variables hold, as they are used.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mailbox:
    """One of relay_mailboxes, complete. Its limits are those of all relays together."""

    address: str
    senders: tuple[str, ...]
    messages_per_minute: int = 30
    connections: int = 2
    recipients_per_day: int = 10000


LIMITS = ("messages_per_minute", "connections", "recipients_per_day")


def is_number(value: object) -> bool:
    """A whole number, or its text, as extra variables give it."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.strip().isdecimal())


def number(value: Any) -> int:
    return int(value)


def mailboxes(given: dict[str, Any]) -> list[Mailbox]:
    """Of checked input."""
    found = []
    for entry in given.get("relay_mailboxes") or []:
        limits = {name: number(entry[name]) for name in LIMITS if entry.get(name) is not None}
        found.append(Mailbox(entry["address"], tuple(entry.get("senders") or [entry["address"]]), **limits))
    return found
