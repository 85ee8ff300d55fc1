# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegates of a mailbox: users who may send as it (SendAs) or on its behalf (GrantSendOnBehalfTo).

Sources: Add-RecipientPermission, Get-RecipientPermission, Set-Mailbox, Get-Mailbox. Exchange answers a name or a user principal
name for a user that was written by id, so that users are read first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .._clients.exchange import Command, Outcome, names
from .._core.json_types import JsonObject

RIGHTS = ("send_as", "send_on_behalf")
# The names under which Exchange may answer a user.
SELECT = ("Guid", "Name", "PrimarySmtpAddress", "UserPrincipalName", "ExternalDirectoryObjectId")
_SELF = "nt authority\\self"
# The users by right; None where the right stays as it is.
Users = Sequence[str]
Rights: TypeAlias = "Mapping[str, Users | None]"


@dataclass(frozen=True)
class User:
    """A mailbox's user; `known_as` holds the names under which Exchange may answer the user, in lower case."""

    guid: str
    address: str
    known_as: frozenset[str]


@dataclass
class Holders:
    """The current delegates of a mailbox: the name in the diff -> the name in Exchange, which a removal needs."""

    send_as: dict[str, str] = field(default_factory=dict)
    send_on_behalf: dict[str, str] = field(default_factory=dict)

    def of(self, right: str) -> dict[str, str]:
        return self.send_as if right == "send_as" else self.send_on_behalf


@dataclass
class DelegateChange:
    """The rights to grant (to ids of users) and to withdraw (from names in Exchange) on one mailbox."""

    add: dict[str, list[str]] = field(default_factory=dict)  # by right
    remove: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.add.values()) or any(self.remove.values())

    def on_behalf(self) -> dict[str, object]:
        """The parameter of Set-Mailbox; empty where nothing changes."""
        table = {"Add": self.add.get("send_on_behalf"), "Remove": self.remove.get("send_on_behalf")}
        changed = {name: values for name, values in table.items() if values}
        return {"GrantSendOnBehalfTo": {"@odata.type": "#Exchange.GenericHashTable", **changed}} if changed else {}

    def commands(self, address: str, guid: str) -> list[Command]:
        """The commands for SendAs."""
        granted = [_command("Add", "grant", address, guid, user) for user in self.add.get("send_as", [])]
        return granted + [_command("Remove", "withdraw", address, guid, user) for user in self.remove.get("send_as", [])]


def _command(verb: str, doing: str, address: str, guid: str, trustee: str) -> Command:
    parameters = {"Identity": guid, "Trustee": trustee, "AccessRights": ["SendAs"], "Confirm": False}
    return Command(f"{verb}-RecipientPermission", parameters, attempted=f"{doing} SendAs on {address}")


def users_of(mailboxes: Iterable[Rights]) -> list[str]:
    """The users that any of the mailboxes names, in lower case, each once."""
    return list(dict.fromkeys(user.lower() for rights in mailboxes for right in RIGHTS for user in rights[right] or ()))


def user_of(item: JsonObject) -> User:
    known = frozenset(str(item[name]).lower() for name in SELECT if item.get(name))
    return User(str(item["Guid"]), str(item["PrimarySmtpAddress"]).lower(), known)


def who_sends_as(address: str, identity: str) -> Command:
    """Reads who has SendAs on a mailbox. `identity`: its Guid or one of its addresses."""
    return Command("Get-RecipientPermission", {"Identity": identity}, attempted=f"read who may send as {address}")


def trustees(permissions: Outcome) -> list[str]:
    """The names in Exchange of the users with SendAs, from the answer of Get-RecipientPermission. Raises ExchangeError.

    The mailbox itself and SIDs (applications, which other modules manage, and deleted users) are left out.
    """
    allowed = [
        str(entry.get("Trustee") or "")
        for entry in permissions.checked().values
        if entry.get("AccessControlType") != "Deny" and "SendAs" in names(entry.get("AccessRights"))
    ]
    return [name for name in allowed if name.lower() != _SELF and not name.upper().startswith("S-1-")]


def holders(on_behalf: Iterable[str], send_as: Iterable[str], users: Iterable[User]) -> Holders:
    """The current delegates, from their names in Exchange: known users by their address, others by that name."""
    labels = {name: user.address for user in users for name in user.known_as}
    current = Holders()
    for who in send_as:
        current.send_as[labels.get(who.lower(), who)] = who
    for who in on_behalf:
        current.send_on_behalf[labels.get(who.lower(), who)] = who
    return current


def compare(
    desired: Rights, users: Mapping[str, User], current: Holders, *, exclusive: bool
) -> tuple[dict[str, list[str]], DelegateChange]:
    """The desired delegates, by right and sorted, and the change that leads to them. `users` is by address in lower case."""
    after: dict[str, list[str]] = {}
    change = DelegateChange()
    for right in RIGHTS:
        names_of_right = desired[right]
        if names_of_right is None:
            continue
        present = current.of(right)
        delegates = {users[name.lower()].address: users[name.lower()].guid for name in names_of_right}
        change.add[right] = [guid for address, guid in delegates.items() if address not in present]
        change.remove[right] = [who for label, who in present.items() if exclusive and label not in delegates]
        after[right] = sorted({*delegates, *(() if exclusive else present)})
    return after, change


def current_rights(desired: Rights, current: Holders) -> dict[str, list[str]]:
    """The current delegates of the rights that the task sets, by right and sorted."""
    return {right: sorted(current.of(right)) for right in RIGHTS if desired[right] is not None}
