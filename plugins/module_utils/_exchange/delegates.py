# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who may send from a mailbox: as it (SendAs) or on its behalf (GrantSendOnBehalfTo).

Private to the collection. Sources: Add-RecipientPermission, Get-RecipientPermission, Set-Mailbox, Get-Mailbox. What is
written with a user's id reads back as a name or a user principal name, so that users are read first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, names

RIGHTS = ("send_as", "send_on_behalf")
# What is read of a user, to know him again however Exchange shows him.
SELECT = ("Guid", "Name", "PrimarySmtpAddress", "UserPrincipalName", "ExternalDirectoryObjectId")
_SELF = "nt authority\\self"


@dataclass(frozen=True)
class User:
    """A mailbox's user; `known_as` is what Exchange may call him, in lower case."""

    guid: str
    address: str
    known_as: frozenset[str]


@dataclass
class Holders:
    """Who has the rights on a mailbox now: as the diff shows them -> as Exchange calls them (in a removal)."""

    send_as: dict[str, str] = field(default_factory=dict)
    send_on_behalf: dict[str, str] = field(default_factory=dict)


@dataclass
class Change:
    """What is to be granted (ids of users) and withdrawn (as Exchange calls them) on one mailbox."""

    add: dict[str, list[str]] = field(default_factory=dict)  # by right
    remove: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.add.values()) or any(self.remove.values())

    def on_behalf(self) -> dict[str, Any]:
        """The parameter of Set-Mailbox; nothing where nothing changes."""
        table = {"Add": self.add.get("send_on_behalf"), "Remove": self.remove.get("send_on_behalf")}
        given = {name: values for name, values in table.items() if values}
        return {"GrantSendOnBehalfTo": {"@odata.type": "#Exchange.GenericHashTable", **given}} if given else {}

    def commands(self, address: str, guid: str) -> list[Command]:
        """Those for SendAs."""
        granted = [_command("Add", "grant", address, guid, user) for user in self.add.get("send_as", [])]
        return granted + [_command("Remove", "withdraw", address, guid, user) for user in self.remove.get("send_as", [])]


def _command(verb: str, doing: str, address: str, guid: str, trustee: str) -> Command:
    parameters = {"Identity": guid, "Trustee": trustee, "AccessRights": ["SendAs"], "Confirm": False}
    return Command(f"{verb}-RecipientPermission", parameters, attempted=f"{doing} SendAs on {address}")


def wanted_users(mailboxes: Iterable[dict[str, Any]]) -> list[str]:
    """The users that any of the mailboxes names, in lower case, each once."""
    found = [user.lower() for m in mailboxes if m["state"] == "present" for right in RIGHTS for user in m[right] or []]
    return list(dict.fromkeys(found))


def user_of(item: dict[str, Any]) -> User:
    known = frozenset(str(item[name]).lower() for name in SELECT if item.get(name))
    return User(str(item["Guid"]), str(item["PrimarySmtpAddress"]).lower(), known)


def holders(item: dict[str, Any], permissions: list[dict[str, Any]], users: Iterable[User]) -> Holders:
    """Who has the rights: known users by their address, others as Exchange calls them.

    The mailbox itself and what is shown by a SID (applications, which are another module's, and deleted users) are left out.
    """
    labels = {name: user.address for user in users for name in user.known_as}
    found = Holders()
    for entry in permissions:
        who = str(entry.get("Trustee") or "")
        foreign = who.lower() == _SELF or who.upper().startswith("S-1-")
        if not foreign and entry.get("AccessControlType") != "Deny" and "SendAs" in names(entry.get("AccessRights")):
            found.send_as[labels.get(who.lower(), who)] = who
    for who in item.get("GrantSendOnBehalfTo") or []:
        found.send_on_behalf[labels.get(str(who).lower(), str(who))] = str(who)
    return found


def wish(want: dict[str, Any], users: dict[str, User], have: Holders, *, exclusive: bool) -> tuple[dict[str, list[str]], Change]:
    """The rights that are asked for, as they will be shown, and the change that brings them about."""
    shown: dict[str, list[str]] = {}
    change = Change()
    for right in RIGHTS:
        if want[right] is None:
            continue
        present: dict[str, str] = getattr(have, right)
        asked = {users[name.lower()].address: users[name.lower()].guid for name in want[right]}
        change.add[right] = [guid for address, guid in asked.items() if address not in present]
        change.remove[right] = [who for label, who in present.items() if exclusive and label not in asked]
        shown[right] = sorted({*asked, *(() if exclusive else present)})
    return shown, change


def shown_now(want: dict[str, Any], have: Holders) -> dict[str, list[str]]:
    """The same rights as they are."""
    return {right: sorted(getattr(have, right)) for right in RIGHTS if want[right] is not None}
