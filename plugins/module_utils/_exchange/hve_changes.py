# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of High Volume Email accounts, and the commands that carry them out.

Sources: New-MailUser -HVEAccount, Set-HVEAccountSettings, Add-HVEAppAccess, Set-HVEAccountBillingPolicy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .._clients.exchange import Command
from . import renames
from .hve_accounts import Settings


@dataclass(frozen=True)
class AccountChange:
    """One account to create (without `before`), update, or remove (without `after`). Applications are object ids, the policy is an id."""

    address: str
    guid: str
    before: Settings | None
    after: Settings | None
    withdrawn_apps: tuple[str, ...] = ()
    added_apps: tuple[str, ...] = ()
    policy_id: str | None = None
    name: str = ""  # Name and Alias of a new account
    email_addresses: tuple[str, ...] = ()  # of the existing account


def cmdlets(change: AccountChange) -> Iterator[str]:
    """The cmdlets that write a change."""
    if not change.after:
        yield "Remove-MailUser"
        return
    yield from [] if change.before else ["New-MailUser"]
    known = replace(change, guid=change.guid or "new")
    yield from (command.cmdlet for command in (*withdrawals(known, change.after), *updates(known, change.after)))


def remove(address: str, guid: str) -> Command:
    return Command("Remove-MailUser", {"Identity": guid, "Confirm": False}, attempted=f"remove the account {address}")


def create(address: str, name: str, title: str, password: str) -> Command:
    """Sent once: a lost answer may hide an account that was created, which the next run then reads."""
    parameters = {"Name": name, "Alias": name, "DisplayName": title, "PrimarySmtpAddress": address, "Password": password}
    return Command("New-MailUser", parameters | {"HVEAccount": True}, attempted=f"create the account {address}")


def withdrawals(change: AccountChange, after: Settings) -> list[Command]:
    parameters = {"Identity": change.guid, "AppIds": list(change.withdrawn_apps)}
    command = Command("Remove-HVEAppAccess", parameters, attempted=f"withdraw applications from {change.address}")
    return [command] if change.withdrawn_apps else []


def updates(change: AccountChange, after: Settings) -> list[Command]:
    """What differs once the account exists: commands that do not depend on each other."""
    before = change.before or Settings(after.display_name)
    updates: list[tuple[str, dict[str, object], str]] = []
    if after.address != before.address:
        entries = renames.with_primary(change.email_addresses, change.address)
        updates.append(("Set-MailUser", {"HVEAccount": True, "EmailAddresses": entries}, "set the address of"))
    if after.display_name != before.display_name:
        updates.append(("Set-MailUser", {"HVEAccount": True, "DisplayName": after.display_name}, "rename the account"))
    if after.reply_to != before.reply_to:
        updates.append(("Set-HVEAccountSettings", {"ReplyTo": after.reply_to or ""}, "set the address for replies of"))
    if after.billing_policy != before.billing_policy:
        updates.append(("Set-HVEAccountBillingPolicy", {"BillingPolicyId": change.policy_id or ""}, "set the billing policy of"))
    if change.added_apps:
        updates.append(("Add-HVEAppAccess", {"AppIds": list(change.added_apps)}, "allow applications to send with"))
    return [
        Command(name, {"Identity": change.guid, **parameters}, attempted=f"{verb} {change.address}") for name, parameters, verb in updates
    ]
