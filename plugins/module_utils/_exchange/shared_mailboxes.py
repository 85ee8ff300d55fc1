# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes as Exchange has them. Sources: Get-Mailbox, Set-Mailbox."""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command, Outcome, boolean
from .._core.json_types import JsonObject
from . import lookup

# option -> property
PROPERTIES = {
    "display_name": "DisplayName",
    "message_copy_for_sent_as": "MessageCopyForSentAsEnabled",
    "message_copy_for_send_on_behalf": "MessageCopyForSendOnBehalfEnabled",
}
SELECT = ("Guid", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails", "GrantSendOnBehalfTo", *PROPERTIES.values())


@dataclass(frozen=True)
class Settings:
    """The settings of a mailbox, by option. The defaults are those of a new one."""

    display_name: str
    message_copy_for_sent_as: bool = False
    message_copy_for_send_on_behalf: bool = False

    def as_result(self) -> dict[str, object]:
        return dict(vars(self))

    def properties(self, current: Settings) -> dict[str, str | bool]:
        """What differs from the current settings, by the properties of Set-Mailbox."""
        return {name: value for option, name in PROPERTIES.items() if (value := getattr(self, option)) != getattr(current, option)}


@dataclass(frozen=True)
class Mailbox:
    guid: str
    kind: str  # RecipientTypeDetails
    settings: Settings
    on_behalf: tuple[str, ...]  # GrantSendOnBehalfTo, by the names in Exchange
    primary: str = ""  # in lower case
    email_addresses: tuple[str, ...] = ()  # EmailAddresses as they are written


def look_up(address: str, select: tuple[str, ...] = SELECT) -> Command:
    return Command("Get-Mailbox", {"Identity": address}, select, f"look for the mailbox {address}")


def mailbox_or_none(outcome: Outcome, address: str) -> Mailbox | None:
    """The mailbox that look_up(address) returned."""
    item = lookup.only(outcome, "mailboxes", address)
    return mailbox(item) if item else None


def mailbox(item: JsonObject) -> Mailbox:
    copies = [bool(boolean(item.get(PROPERTIES[option]))) for option in ("message_copy_for_sent_as", "message_copy_for_send_on_behalf")]
    settings = Settings(str(item["DisplayName"]), *copies)
    on_behalf = tuple(str(who) for who in item.get("GrantSendOnBehalfTo") or [])
    entries = tuple(str(entry) for entry in item.get("EmailAddresses") or [])
    return Mailbox(
        str(item["Guid"]), str(item["RecipientTypeDetails"]), settings, on_behalf, str(item["PrimarySmtpAddress"]).lower(), entries
    )
