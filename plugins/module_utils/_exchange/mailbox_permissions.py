# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions of a service principal on mailboxes: FullAccess and SendAs.

Sources: Add-MailboxPermission, Add-RecipientPermission, Get-MailboxPermission, Get-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .._clients.exchange import Command, Outcome, boolean, names
from .service_principals import ServicePrincipal

FULL_ACCESS, SEND_AS = "FullAccess", "SendAs"


class Permission(NamedTuple):
    """A permission on a mailbox: FullAccess or SendAs, and the address that stands for the mailbox, in lower case."""

    right: str
    address: str


def permission_reads(address: str, identity: str) -> list[Command]:
    """The reads of both kinds of permissions on a mailbox. `identity`: its Guid, else an address."""
    attempted = f"read the permissions on {address}"
    return [
        Command("Get-MailboxPermission", {"Identity": identity}, attempted=attempted),
        Command("Get-RecipientPermission", {"Identity": identity}, attempted=attempted),
    ]


def rights_of(principal: ServicePrincipal | None, mailbox: Outcome, recipient: Outcome) -> set[str]:
    """The rights of a service principal on a mailbox. Exchange returns the trustee as a SID or as one of its ids."""
    if not principal:
        return set()
    own = principal.trustee_ids
    rights = set()
    for entry in mailbox.values:
        trustees = {str(entry.get(name)).lower() for name in ("User", "UserSid")}
        if trustees & own and not boolean(entry.get("Deny")) and FULL_ACCESS in names(entry.get("AccessRights")):
            rights.add(FULL_ACCESS)
    for entry in recipient.values:
        trustees = {str(entry.get(name)).lower() for name in ("Trustee", "TrusteeSidString")}
        if trustees & own and entry.get("AccessControlType") != "Deny" and SEND_AS in names(entry.get("AccessRights")):
            rights.add(SEND_AS)
    return rights


def grant(object_id: str, permission: Permission, guids: Mapping[str, str]) -> Command:
    """The command that grants a permission to a service principal. `guids`: of mailboxes, by address."""
    return _command("Add", f"grant {permission.right} on {permission.address}", object_id, permission, guids)


def revoke(object_id: str, permission: Permission, guids: Mapping[str, str]) -> Command:
    """The command that removes a permission of a service principal. `guids`: of mailboxes, by address."""
    return _command("Remove", f"remove {permission.right} on {permission.address}", object_id, permission, guids)


def _command(verb: str, attempted: str, object_id: str, permission: Permission, guids: Mapping[str, str]) -> Command:
    parameters: dict[str, object] = {
        "Identity": guids.get(permission.address, permission.address),
        "AccessRights": [permission.right],
        "Confirm": False,
    }
    if permission.right == SEND_AS:
        return Command(f"{verb}-RecipientPermission", parameters | {"Trustee": object_id}, attempted=attempted)
    parameters |= {"User": object_id, "InheritanceType": "All"} | ({"AutoMapping": False} if verb == "Add" else {})
    return Command(f"{verb}-MailboxPermission", parameters, attempted=attempted)
