# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared mailboxes that senders send from: made, named, whether they keep copies of what is sent in their name, removed.

Private to the collection. Sources: New-Mailbox, Set-Mailbox, Remove-Mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import addresses, replication
from ..engine import Plan, Reading
from ..errors import InvalidInput
from ..exchange import Command, boolean, is_missing
from ..spec import JOURNAL, TENANT, Spec
from ..tenant import Tenant

# option -> property
PROPERTIES = {
    "display_name": "DisplayName",
    "message_copy_for_sent_as": "MessageCopyForSentAsEnabled",
    "message_copy_for_send_on_behalf": "MessageCopyForSendOnBehalfEnabled",
}
COPIES = ("message_copy_for_sent_as", "message_copy_for_send_on_behalf")
_SELECT = ("Guid", "PrimarySmtpAddress", "RecipientTypeDetails", *PROPERTIES.values())
MAILBOX = {
    "address": {"type": "str", "required": True},
    "display_name": {"type": "str"},
    "message_copy_for_sent_as": {"type": "bool"},
    "message_copy_for_send_on_behalf": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec({"mailboxes": {"type": "list", "elements": "dict", "options": MAILBOX, "required": True}})


@dataclass
class Work:
    """What is to be done, by address: guids to remove, display names to create with, options to set."""

    remove: dict[str, str] = field(default_factory=dict)
    create: dict[str, str] = field(default_factory=dict)
    change: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(vars(self).values())


class SharedMailbox:
    """module shared_mailbox"""

    name = "shared_mailbox"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = addresses.problems("mailboxes", [m["address"] for m in params["mailboxes"]])
        empty = [m["address"] for m in params["mailboxes"] if m["display_name"] is not None and not m["display_name"].strip()]
        return problems + [f"mailboxes: the display_name of {address} is empty: give one or leave it out." for address in empty]

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        wanted = {m["address"].lower(): m for m in params["mailboxes"]}
        found = read(tenant, list(wanted))
        refuse(tenant, wanted, found)
        work, before, after, now = Work(), {}, {}, {}
        for address, want in wanted.items():
            item = found[address]
            have = public(item) if item else None
            will = None if want["state"] == "absent" else expected(address, want, have)
            now[address] = will
            if have == will:
                continue
            before[address], after[address] = have, will
            if item and not will:
                work.remove[address] = str(item["Guid"])
            elif will:
                known = have or {"display_name": will["display_name"]} | dict.fromkeys(COPIES, False)
                if not have:
                    work.create[address] = will["display_name"]
                changes = {option: value for option, value in will.items() if known[option] != value}
                if changes:
                    work.change[address] = changes
        outcome = {"shared_mailboxes": {address: shown for address, shown in sorted(now.items()) if shown}}
        return Plan(before, after, [work, found] if work else [], outcome)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        work, found = plan.steps
        guids = {address: str(item["Guid"]) for address, item in found.items() if item}
        _checked(tenant, [_remove(address, guid) for address, guid in work.remove.items()])
        # Each is sent once: an answer that is lost may hide a mailbox that was made, which the next run then finds.
        made = _checked(tenant, [_create(address, title) for address, title in work.create.items()])
        guids |= {address: str(values[0]["Guid"]) for address, values in zip(work.create, made, strict=True)}
        replication.run_all(tenant, [_change(address, guids[address], changes) for address, changes in work.change.items()])
        return plan.outcome


class SharedMailboxInfo(Reading):
    """module shared_mailbox_info"""

    name = "shared_mailbox_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return addresses.problems("mailboxes", params["mailboxes"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        if params["mailboxes"] is None:
            parameters = {"RecipientTypeDetails": ["SharedMailbox"], "ResultSize": "Unlimited"}
            every = tenant.exchange.run(Command("Get-Mailbox", parameters, _SELECT, "list the shared mailboxes")).values
            found: dict[str, dict | None] = {str(item["PrimarySmtpAddress"]).lower(): item for item in every}
        else:
            found = read(tenant, [address.lower() for address in params["mailboxes"]])
        shared = {a: public(item) for a, item in sorted(found.items()) if item and item["RecipientTypeDetails"] == "SharedMailbox"}
        return Plan(outcome={"shared_mailboxes": shared})


RESOURCE = SharedMailbox()
INFO = SharedMailboxInfo()


def read(tenant: Tenant, listed: Sequence[str]) -> dict[str, dict | None]:
    """The mailboxes by address, of any kind; None where there is none."""
    commands = [Command("Get-Mailbox", {"Identity": address}, _SELECT, f"look for the mailbox {address}") for address in listed]
    outcomes = tenant.exchange.batch(commands)
    return {a: None if is_missing(o.error) else o.checked().values[0] for a, o in zip(listed, outcomes, strict=True)}


def refuse(tenant: Tenant, wanted: dict[str, dict], found: dict[str, dict | None]) -> None:
    """Raise one InvalidInput with all that stands in the way."""
    sentences: list[str] = []
    by_guid: dict[str, str] = {}
    for address, item in found.items():
        if not item:
            continue
        if item["RecipientTypeDetails"] != "SharedMailbox":
            kind = item["RecipientTypeDetails"]
            sentences.append(f"{address} is a {kind}, not a SharedMailbox: it is neither converted nor removed; nothing was changed.")
        other = by_guid.setdefault(str(item["Guid"]), address)
        if other != address:
            sentences.append(f"mailboxes: {other} and {address} are one mailbox: keep one of them.")
    new = [address for address, item in found.items() if not item and wanted[address]["state"] == "present"]
    domains = addresses.accepted_domains(tenant.exchange) if new else set()
    foreign = [address for address in new if addresses.domain(address) not in domains]
    if foreign:
        accepted = ", ".join(sorted(domains))
        sentences.append(f"{', '.join(foreign)}: not in an accepted domain of this tenant ({accepted}); nothing was changed.")
    taken: dict[str, str] = {}
    for address in new:
        other = taken.setdefault(alias(address).lower(), address)
        if other != address:
            sentences.append(f"{other} and {address} would get one alias, {alias(address)}: give one of them another local part.")
    if sentences:
        raise InvalidInput(*sentences)


def public(item: dict) -> dict[str, Any]:
    shown: dict[str, Any] = {"display_name": str(item["DisplayName"])}
    return shown | {option: bool(boolean(item.get(PROPERTIES[option]))) for option in COPIES}


def expected(address: str, want: dict[str, Any], have: dict[str, Any] | None) -> dict[str, Any]:
    """The mailbox as it will be: what is asked for, else what is, else what a new one has."""
    new = {"display_name": address.partition("@")[0]} | dict.fromkeys(COPIES, False)
    return (have or new) | {option: want[option] for option in PROPERTIES if want[option] is not None}


def alias(address: str) -> str:
    """Name and alias: the local part with a hyphen for each run of what is no letter, digit, hyphen, underscore or inner dot."""
    local = re.sub(r"[^A-Za-z0-9._-]+|\.{2,}", "-", address.partition("@")[0])
    return re.sub(r"^\.|\.$", "-", local)


def _create(address: str, title: str) -> Command:
    name = alias(address)
    parameters = {"Name": name, "Alias": name, "DisplayName": title, "PrimarySmtpAddress": address, "Shared": True}
    return Command("New-Mailbox", parameters, attempted=f"create the shared mailbox {address}")


def _change(address: str, guid: str, changes: dict[str, Any]) -> Command:
    parameters = {"Identity": guid} | {PROPERTIES[option]: value for option, value in changes.items()}
    return Command("Set-Mailbox", parameters, attempted=f"set up the shared mailbox {address}")


def _remove(address: str, guid: str) -> Command:
    return Command("Remove-Mailbox", {"Identity": guid, "Confirm": False}, attempted=f"remove the shared mailbox {address}")


def _checked(tenant: Tenant, commands: Sequence[Command]) -> list[list[dict]]:
    return [outcome.checked().values for outcome in tenant.exchange.batch(commands)]
