# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared mailboxes that senders send from: made, named, who may send from them, whether they keep copies of that, removed.

Private to the collection. Sources: New-Mailbox, Set-Mailbox, Remove-Mailbox, Add-RecipientPermission.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, Outcome, boolean, is_missing
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._exchange import addresses, consistency
from .._exchange import delegates as mailbox_delegates
from .._exchange.delegates import Change, Holders, User

# option -> property
PROPERTIES = {
    "display_name": "DisplayName",
    "message_copy_for_sent_as": "MessageCopyForSentAsEnabled",
    "message_copy_for_send_on_behalf": "MessageCopyForSendOnBehalfEnabled",
}
COPIES = ("message_copy_for_sent_as", "message_copy_for_send_on_behalf")
_SELECT = ("Guid", "PrimarySmtpAddress", "RecipientTypeDetails", "GrantSendOnBehalfTo", *PROPERTIES.values())
_LOOKED_FOR = 10  # mailboxes in one filter
MAILBOX = {
    "address": {"type": "str", "required": True},
    "display_name": {"type": "str"},
    "message_copy_for_sent_as": {"type": "bool"},
    "message_copy_for_send_on_behalf": {"type": "bool"},
    "send_as": {"type": "list", "elements": "str"},
    "send_on_behalf": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    {
        "mailboxes": {"type": "list", "elements": "dict", "options": MAILBOX, "required": True},
        "exclusive": {"type": "bool", "default": False},
    }
)


@dataclass
class Found:
    """The mailboxes by address (None where there is none), who holds which right on them, and the users by address."""

    items: dict[str, dict | None] = field(default_factory=dict)
    holders: dict[str, Holders] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


@dataclass
class Work:
    """What is to be done, by address: guids to remove, display names to create with, options to set, rights to change."""

    remove: dict[str, str] = field(default_factory=dict)
    create: dict[str, str] = field(default_factory=dict)
    change: dict[str, dict[str, Any]] = field(default_factory=dict)
    delegates: dict[str, Change] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(vars(self).values())


class SharedMailbox:
    """module shared_mailbox"""

    name = "shared_mailbox"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = mail_addresses.problems("mailboxes", [m["address"] for m in params["mailboxes"]])
        empty = [m["address"] for m in params["mailboxes"] if m["display_name"] is not None and not m["display_name"].strip()]
        problems += [f"mailboxes: the display_name of {address} is empty: give one or leave it out." for address in empty]
        for m in params["mailboxes"]:
            for right in mailbox_delegates.RIGHTS:
                users = m[right] or []
                problems += [f"mailboxes: {m['address']}: {problem}" for problem in mail_addresses.problems(right, users)]
                if m["address"].lower() in (user.lower() for user in users):
                    problems.append(f"mailboxes: {m['address']}: {right} holds the mailbox itself: remove it.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        wanted = {m["address"].lower(): m for m in params["mailboxes"]}
        found = read(tenant, list(wanted.values()))
        refuse(tenant, wanted, found)
        work, before, after, now = Work(), {}, {}, {}
        for address, want in wanted.items():
            item, holders = found.items[address], found.holders.get(address, Holders())
            have = public(item) | mailbox_delegates.shown_now(want, holders) if item else None
            will, change = None, Change()
            if want["state"] == "present":
                rights, change = mailbox_delegates.wish(want, found.users, holders, exclusive=params["exclusive"])
                will = expected(address, want, have) | rights
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
                changes = {option: value for option, value in will.items() if option in PROPERTIES and known[option] != value}
                if changes:
                    work.change[address] = changes
                if change:
                    work.delegates[address] = change
        outcome = {"shared_mailboxes": {address: shown for address, shown in sorted(now.items()) if shown}}
        return Plan(before, after, [work, found] if work else [], outcome)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        work, found = plan.steps
        guids = {address: str(item["Guid"]) for address, item in found.items.items() if item}
        _checked(tenant, [_remove(address, guid) for address, guid in work.remove.items()])
        # Each is sent once: an answer that is lost may hide a mailbox that was made, which the next run then finds.
        made = _checked(tenant, [_create(address, title) for address, title in work.create.items()])
        guids |= {address: str(values[0]["Guid"]) for address, values in zip(work.create, made, strict=True)}
        consistency.run_all(tenant, changing(work, guids))
        return plan.outcome


class SharedMailboxInfo(Reading):
    """module shared_mailbox_info"""

    name = "shared_mailbox_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return mail_addresses.problems("mailboxes", params["mailboxes"] or [])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        if params["mailboxes"] is None:
            parameters = {"RecipientTypeDetails": ["SharedMailbox"], "ResultSize": "Unlimited"}
            every = tenant.exchange.run(Command("Get-Mailbox", parameters, _SELECT, "list the shared mailboxes")).values
            found: dict[str, dict | None] = {str(item["PrimarySmtpAddress"]).lower(): item for item in every}
        else:
            found = look(tenant, [address.lower() for address in params["mailboxes"]])
        shared = {a: public(item) for a, item in sorted(found.items()) if item and item["RecipientTypeDetails"] == "SharedMailbox"}
        return Plan(outcome={"shared_mailboxes": shared})


RESOURCE = SharedMailbox()
INFO = SharedMailboxInfo()


def _look_for(address: str, select: tuple[str, ...] = _SELECT) -> Command:
    return Command("Get-Mailbox", {"Identity": address}, select, f"look for the mailbox {address}")


def look(tenant: Tenant, listed: Sequence[str]) -> dict[str, dict | None]:
    """The mailboxes by address, of any kind; None where there is none."""
    outcomes = tenant.exchange.batch([_look_for(address) for address in listed])
    return {a: _one(o) for a, o in zip(listed, outcomes, strict=True)}


def _one(outcome: Outcome) -> dict | None:
    return None if is_missing(outcome.error) else outcome.checked().values[0]


def read(tenant: Tenant, wanted: Sequence[dict[str, Any]]) -> Found:
    """The mailboxes, the users that shall have rights on them, and who has SendAs, in one round of batches."""
    listed, users = [m["address"].lower() for m in wanted], mailbox_delegates.wanted_users(wanted)
    asked = [m["address"].lower() for m in wanted if m["state"] == "present" and m["send_as"] is not None]
    commands = [_look_for(address) for address in listed] + [_look_for(user, mailbox_delegates.SELECT) for user in users]
    commands += [
        Command("Get-RecipientPermission", {"Identity": address}, attempted=f"read who may send as {address}") for address in asked
    ]
    outcomes = tenant.exchange.batch(commands)
    found = Found({a: _one(o) for a, o in zip(listed, outcomes, strict=False)})
    for user, outcome in zip(users, outcomes[len(listed) :], strict=False):
        item = _one(outcome)
        if item:
            found.users[user] = mailbox_delegates.user_of(item)
        else:
            found.unknown.append(user)
    entries = {
        a: [] if is_missing(o.error) else o.checked().values for a, o in zip(asked, outcomes[len(listed) + len(users) :], strict=True)
    }
    for address, present in found.items.items():
        if present:
            found.holders[address] = mailbox_delegates.holders(present, entries.get(address, []), found.users.values())
    return found


def refuse(tenant: Tenant, wanted: dict[str, dict], found: Found) -> None:
    """Raise one InvalidInput with all that stands in the way."""
    sentences: list[str] = []
    by_guid: dict[str, str] = {}
    for address, item in found.items.items():
        if not item:
            continue
        if item["RecipientTypeDetails"] != "SharedMailbox":
            kind = item["RecipientTypeDetails"]
            sentences.append(f"{address} is a {kind}, not a SharedMailbox: it is neither converted nor removed; nothing was changed.")
        other = by_guid.setdefault(str(item["Guid"]), address)
        if other != address:
            sentences.append(f"mailboxes: {other} and {address} are one mailbox: keep one of them.")
    if found.unknown:
        who = ", ".join(found.unknown)
        sentences.append(
            f"{who}: no mailbox of this tenant, so that nobody sends by it; correct send_as or send_on_behalf; nothing was changed."
        )
    new = [address for address, item in found.items.items() if not item and wanted[address]["state"] == "present"]
    domains = addresses.accepted_domains(tenant.exchange) if new else set()
    foreign = [address for address in new if mail_addresses.domain(address) not in domains]
    if foreign:
        accepted = ", ".join(sorted(domains))
        sentences.append(f"{', '.join(foreign)}: not in an accepted domain of this tenant ({accepted}); nothing was changed.")
    taken: dict[str, str] = {}
    for address in new:
        other = taken.setdefault(alias(address).lower(), address)
        if other != address:
            sentences.append(f"{other} and {address} would get one alias, {alias(address)}: give one of them another local part.")
    leaving = {str(item["Guid"]) for address, item in found.items.items() if item and wanted[address]["state"] == "absent"}
    sentences += taken_names(tenant, [address for address in new if address not in foreign], leaving)
    if sentences:
        raise InvalidInput(*sentences)


def taken_names(tenant: Tenant, new: Sequence[str], leaving: set[str]) -> list[str]:
    """What other recipients, such as groups, have already of what the new mailboxes need: one filter for ten of them."""
    commands = []
    for start in range(0, len(new), _LOOKED_FOR):
        tests = [
            f"Alias -eq '{alias(a)}' -or Name -eq '{alias(a)}' -or EmailAddresses -eq 'smtp:{a}'" for a in new[start : start + _LOOKED_FOR]
        ]
        select = ("Guid", "Alias", "Name", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails")
        parameters = {"Filter": " -or ".join(tests), "ResultSize": "Unlimited"}
        commands.append(Command("Get-Recipient", parameters, select, "look for recipients of the same name"))
    rows = [row for outcome in tenant.exchange.batch(commands) for row in outcome.checked().values if str(row.get("Guid")) not in leaving]
    found = []
    for address in new:
        for row in rows:
            who = f"{row.get('PrimarySmtpAddress')} ({row.get('RecipientTypeDetails')})"
            held = {str(entry).lower() for entry in row.get("EmailAddresses") or []}
            if f"smtp:{address}" in held:
                found.append(f"{address} is an address of {who}: choose another one, or take it away there; nothing was changed.")
            elif alias(address).lower() in (str(row.get("Alias")).lower(), str(row.get("Name")).lower()):
                found.append(
                    f"{address} would get the alias {alias(address)}, which {who} has: choose another local part; nothing was changed."
                )
    return found


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


def changing(work: Work, guids: dict[str, str]) -> list[Command]:
    """One Set-Mailbox a mailbox with all that it takes, then who may send as it."""
    commands = []
    for address in dict.fromkeys([*work.change, *work.delegates]):
        properties = {PROPERTIES[option]: value for option, value in work.change.get(address, {}).items()}
        properties |= work.delegates.get(address, Change()).on_behalf()
        if properties:
            parameters = {"Identity": guids[address], **properties}
            commands.append(Command("Set-Mailbox", parameters, attempted=f"set up the shared mailbox {address}"))
    return commands + [one for address, change in work.delegates.items() for one in change.commands(address, guids[address])]


def _remove(address: str, guid: str) -> Command:
    return Command("Remove-Mailbox", {"Identity": guid, "Confirm": False}, attempted=f"remove the shared mailbox {address}")


def _checked(tenant: Tenant, commands: Sequence[Command]) -> list[list[dict]]:
    return [outcome.checked().values for outcome in tenant.exchange.batch(commands)]
