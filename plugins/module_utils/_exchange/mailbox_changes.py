# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of shared mailboxes, and the commands that carry them out.

Sources: New-Mailbox, Set-Mailbox, Remove-Mailbox, Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .._clients.exchange import Command
from .delegates import DelegateChange


@dataclass
class MailboxChanges:
    """By address: guids to remove, display names to create with, properties to set, delegates to change. `guids` of those that exist."""

    guids: dict[str, str]
    remove: dict[str, str] = field(default_factory=dict)
    create: dict[str, str] = field(default_factory=dict)
    update: dict[str, dict[str, str | bool | list[str]]] = field(default_factory=dict)
    delegates: dict[str, DelegateChange] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # Name and Alias of new mailboxes
    renamed: dict[str, str] = field(default_factory=dict)  # the new primary addresses, by Guid

    def __bool__(self) -> bool:
        return any((self.remove, self.create, self.update, self.delegates))

    def cmdlets(self) -> Iterator[str]:
        """The cmdlets of all commands."""
        updates = self.updates(dict.fromkeys([*self.update, *self.delegates], "new"))
        yield from (command.cmdlet for command in (*self.removals(), *self.creations(), *updates))

    def removals(self) -> list[Command]:
        return [
            Command("Remove-Mailbox", {"Identity": guid, "Confirm": False}, attempted=f"remove the shared mailbox {address}")
            for address, guid in self.remove.items()
        ]

    def creations(self) -> list[Command]:
        """By the order of `create`."""
        return [_create(address, title, self.names.get(address, "")) for address, title in self.create.items()]

    def updates(self, guids: Mapping[str, str]) -> list[Command]:
        """One Set-Mailbox a mailbox with everything that it can set, then the commands for SendAs. `guids`: also of new mailboxes."""
        commands = []
        for address in dict.fromkeys([*self.update, *self.delegates]):
            properties = self.update.get(address, {}) | self.delegates.get(address, DelegateChange()).on_behalf()
            if properties:
                parameters = {"Identity": guids[address], **properties}
                commands.append(Command("Set-Mailbox", parameters, attempted=f"set up the shared mailbox {address}"))
        return commands + [one for address, change in self.delegates.items() for one in change.commands(address, guids[address])]


def _create(address: str, title: str, name: str) -> Command:
    parameters = {"Name": name, "Alias": name, "DisplayName": title, "PrimarySmtpAddress": address, "Shared": True}
    return Command("New-Mailbox", parameters, attempted=f"create the shared mailbox {address}")
