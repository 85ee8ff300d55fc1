# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared mailboxes that senders send from: their names, delegates and copies of sent messages.

Sources: New-Mailbox, Set-Mailbox, Remove-Mailbox, Add-RecipientPermission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._clients.exchange import Command, is_missing
from .._core import mail_addresses
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Option, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses, consistency, delegates, lookup, renames, shared_mailboxes
from .._exchange.aliases import new_names
from .._exchange.delegates import Holders, User
from .._exchange.mailbox_changes import MailboxChanges
from .._exchange.shared_mailboxes import PROPERTIES, Mailbox, Settings

MAILBOX: dict[str, Option] = {
    "address": {"type": "str", "required": True},
    "was": {"type": "str"},
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


@dataclass(frozen=True)
class MailboxParams:
    """The options of a mailbox; one that is None stays as it is."""

    address: str
    was: str | None
    state: str
    display_name: str | None
    message_copy_for_sent_as: bool | None
    message_copy_for_send_on_behalf: bool | None
    send_as: tuple[str, ...] | None
    send_on_behalf: tuple[str, ...] | None

    @property
    def present(self) -> bool:
        return self.state == "present"

    @property
    def former(self) -> str:
        """The former address in lower case; empty where the mailbox is not renamed."""
        return (self.was or "").lower() if self.present else ""

    def rights(self) -> delegates.Rights:
        return {"send_as": self.send_as, "send_on_behalf": self.send_on_behalf}


@dataclass(frozen=True)
class Params:
    exclusive: bool
    mailboxes: tuple[MailboxParams, ...] = nested(MailboxParams)


@dataclass(frozen=True)
class InfoParams:
    mailboxes: tuple[str, ...] | None


@dataclass
class Current:
    """By address in lower case: the mailboxes (None where there is none), their delegates, and the users that are to become some."""

    mailboxes: dict[str, Mailbox | None]
    holders: dict[str, Holders] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    unknown_users: list[str] = field(default_factory=list)
    former: dict[str, Mailbox] = field(default_factory=dict)  # by the former address
    renamed: dict[str, Mailbox] = field(default_factory=dict)  # those to rename, by the new address


class SharedMailbox:
    """Module shared_mailbox."""

    name = "shared_mailbox"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = mail_addresses.problems("mailboxes", [mailbox.address for mailbox in params.mailboxes])
        empty = [one.address for one in params.mailboxes if one.display_name is not None and not one.display_name.strip()]
        problems += [f"mailboxes: the display_name of {address} is empty: give one or leave it out." for address in empty]
        titles = ((one.address, one.display_name) for one in params.mailboxes if one.address not in empty)
        problems += [f"mailboxes: {text}" for address, title in titles for text in line_problems(f"the display_name of {address}", title)]
        problems += renames.problems("mailboxes", {mailbox.address.lower(): mailbox.former for mailbox in params.mailboxes})
        for mailbox in params.mailboxes:
            for right, users in mailbox.rights().items():
                problems += [f"mailboxes: {mailbox.address}: {problem}" for problem in mail_addresses.problems(right, users or ())]
                if mailbox.address.lower() in (user.lower() for user in users or ()):
                    problems.append(f"mailboxes: {mailbox.address}: {right} holds the mailbox itself: remove it.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[MailboxChanges]:
        desired = {mailbox.address.lower(): mailbox for mailbox in params.mailboxes}
        current = read(tenant, desired)
        names = refuse(tenant, desired, current)
        renamed = {mailbox.guid: address for address, mailbox in current.renamed.items()}
        changes = MailboxChanges({a: mailbox.guid for a, mailbox in current.mailboxes.items() if mailbox}, names=names, renamed=renamed)
        before: dict[str, dict[str, object] | None] = {}
        after: dict[str, dict[str, object] | None] = {}
        outcome: dict[str, dict[str, object]] = {}
        labels = lookup.labels(list(desired), changes.guids)
        for address in dict.fromkeys(labels.values()):  # each mailbox once
            options = desired[address]
            was, will = _compare(address, options, current, changes, exclusive=params.exclusive)
            if will:
                outcome[address] = {name: value for name, value in will.items() if name != "address"}
            if was != will:
                before[address], after[address] = was, will
        return Plan(before, after, changes or None, {"shared_mailboxes": dict(sorted(outcome.items()))})

    def cmdlets(self, changes: MailboxChanges, /) -> Iterator[str]:
        return changes.cmdlets()

    def apply(self, tenant: Tenant, params: Params, plan: Plan[MailboxChanges]) -> dict[str, object]:
        changes = plan.pending
        for outcome in tenant.exchange.batch(changes.removals()):
            outcome.checked()
        # New-Mailbox is sent once: a lost answer may hide a mailbox that was created, which the next run then reads.
        commands = changes.creations()
        created = zip(changes.create, commands, tenant.exchange.batch(commands), strict=True)
        new_guids = {address: str(lookup.single(outcome, one.attempted)["Guid"]) for address, one, outcome in created}
        consistency.run_all(tenant, changes.updates(changes.guids | new_guids))
        return plan.outcome


class SharedMailboxInfo(ReadOnlyResource[InfoParams]):
    """Module shared_mailbox_info."""

    name = "shared_mailbox_info"
    spec = TENANT | Spec({"mailboxes": {"type": "list", "elements": "str"}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return mail_addresses.problems("mailboxes", params.mailboxes or ())

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        mailboxes: dict[str, Mailbox | None]
        if params.mailboxes is None:
            parameters = {"RecipientTypeDetails": ["SharedMailbox"], "ResultSize": "Unlimited"}
            items = tenant.exchange.run(Command("Get-Mailbox", parameters, shared_mailboxes.SELECT, "list the shared mailboxes")).values
            mailboxes = {str(item["PrimarySmtpAddress"]).lower(): shared_mailboxes.mailbox(item) for item in items}
        else:
            listed = [address.lower() for address in params.mailboxes]
            outcomes = tenant.exchange.batch([shared_mailboxes.look_up(address) for address in listed])
            mailboxes = {a: shared_mailboxes.mailbox_or_none(outcome, a) for a, outcome in zip(listed, outcomes, strict=True)}
        shared = {a: one.settings.as_result() for a, one in sorted(mailboxes.items()) if one and one.kind == "SharedMailbox"}
        return Plan(outcome={"shared_mailboxes": shared})


RESOURCE = SharedMailbox()
INFO = SharedMailboxInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, desired: Mapping[str, MailboxParams]) -> Current:
    """The mailboxes, the users that are to become delegates, and who has SendAs, in one round of batches."""
    present = {address: options for address, options in desired.items() if options.present}
    users = delegates.users_of(options.rights() for options in present.values())
    with_send_as = [address for address, options in present.items() if options.send_as is not None]
    former = [options.former for options in present.values() if options.former]
    commands = [shared_mailboxes.look_up(address) for address in [*desired, *former]] + [
        shared_mailboxes.look_up(user, delegates.SELECT) for user in users
    ]
    commands += [delegates.who_sends_as(address, address) for address in with_send_as]
    outcomes = tenant.exchange.batch(commands)
    current = Current({a: shared_mailboxes.mailbox_or_none(outcome, a) for a, outcome in zip(desired, outcomes, strict=False)})
    del outcomes[: len(desired)]
    for address, outcome in zip(former, outcomes, strict=False):
        if mailbox := shared_mailboxes.mailbox_or_none(outcome, address):
            current.former[address] = mailbox
    for user, outcome in zip(users, outcomes[len(former) :], strict=False):
        if item := lookup.only(outcome, "mailboxes: send_as or send_on_behalf", user):
            current.users[user] = delegates.user_of(item)
        else:
            current.unknown_users.append(user)
    permissions = outcomes[len(former) + len(users) :]
    entries = {a: [] if is_missing(o.error) else delegates.trustees(o) for a, o in zip(with_send_as, permissions, strict=True)}
    for address, options in present.items():
        mailbox, old = current.mailboxes[address], current.former.get(options.former)
        if old and old.primary != address and (not mailbox or mailbox.guid == old.guid):
            current.renamed[address] = current.mailboxes[address] = old
    renamed = [address for address in with_send_as if address in current.renamed]
    reads = [delegates.who_sends_as(address, current.renamed[address].guid) for address in renamed]
    entries |= {address: delegates.trustees(o) for address, o in zip(renamed, tenant.exchange.batch(reads), strict=True)}
    for address, mailbox in current.mailboxes.items():
        if mailbox:
            current.holders[address] = delegates.holders(mailbox.on_behalf, entries.get(address, []), current.users.values())
    return current


# -- comparing --------------------------------------------------------------------------------------------------------


def refuse(tenant: Tenant, desired: Mapping[str, MailboxParams], current: Current) -> dict[str, str]:
    """The names of the new mailboxes, by address; one InvalidInput with everything that the current state does not allow."""
    sentences = list(_conflicts(desired, current))
    new = [a for a, mailbox in current.mailboxes.items() if desired[a].present and (not mailbox or a in current.renamed)]
    domains = addresses.accepted_domains(tenant.exchange) if new else set()
    foreign = [address for address in new if mail_addresses.domain(address) not in domains]
    if foreign:
        sentences.append(f"mailboxes: {addresses.foreign_problem(foreign, domains)}")
    leaving = {mailbox.guid for address, mailbox in current.mailboxes.items() if mailbox and not desired[address].present}
    available = new_names(tenant, [address for address in new if address not in foreign], leaving)
    available.unnamed = [address for address in available.unnamed if address not in current.renamed]
    for address, holder in available.holders.items():
        if address in current.renamed and holder.primary.lower() == current.renamed[address].primary:
            continue
        who = f"{holder.primary} ({holder.kind})"
        sentences.append(f"mailboxes: {address} is an address of {who}: choose another one, or remove it there; nothing was changed.")
    sentences += available.problems("mailboxes")
    if sentences:
        raise InvalidInput(*sentences)
    return available.names


def _conflicts(desired: Mapping[str, MailboxParams], current: Current) -> Iterator[str]:
    by_guid: dict[str, str] = {}
    for address, mailbox in current.mailboxes.items():
        if not mailbox:
            continue
        former = current.former.get(desired[address].former)
        if former and former.guid != mailbox.guid:
            yield renames.two_objects("mailboxes", address, desired[address].former)
        if mailbox.kind != "SharedMailbox":
            yield (
                f"mailboxes: {address} is a {mailbox.kind}, not a SharedMailbox, and is neither converted nor removed: convert it to a "
                "shared mailbox, or remove it from the list; nothing was changed."
            )
        other = by_guid.setdefault(mailbox.guid, address)
        if other != address and {other, address} <= current.renamed.keys():
            yield renames.one_object("mailboxes", other, address, mailbox.primary)
        if replace(desired[other], address="", was=None) != replace(desired[address], address="", was=None):
            yield f"mailboxes: {other} and {address} are one mailbox, with different options: keep one of them."
        for right, users in desired[address].rights().items():
            own = [user for user in users or () if user.lower() in current.users and current.users[user.lower()].guid == mailbox.guid]
            for user in own:
                yield f"mailboxes: {address}: {right} holds {user}, which is the mailbox itself: remove it."
    if current.unknown_users:
        users = ", ".join(current.unknown_users)
        yield f"mailboxes: {users}: no mailbox of this tenant, so it cannot send: correct send_as or send_on_behalf; nothing was changed."


def _compare(
    address: str, options: MailboxParams, current: Current, changes: MailboxChanges, *, exclusive: bool
) -> tuple[dict[str, object] | None, dict[str, object] | None]:
    """The mailbox before and after, None where there is none; what differs is added to the changes."""
    mailbox, holders = current.mailboxes[address], current.holders.get(address, Holders())
    rights = options.rights()
    renamed = current.renamed.get(address)
    primary: dict[str, object] = {"address": renamed.primary} if renamed else {}
    before = {**primary, **mailbox.settings.as_result(), **delegates.current_rights(rights, holders)} if mailbox else None
    if not options.present:
        if mailbox:
            changes.remove[address] = mailbox.guid
        return before, None
    settings = expected(address, options, mailbox)
    after_rights, delegate_change = delegates.compare(rights, current.users, holders, exclusive=exclusive)
    if not mailbox:
        changes.create[address] = settings.display_name
    properties: dict[str, str | bool | list[str]] = {
        **settings.properties(mailbox.settings if mailbox else Settings(settings.display_name))
    }
    if renamed:
        primary["address"] = address
        properties["EmailAddresses"] = renames.with_primary(renamed.email_addresses, address)
    if properties:
        changes.update[address] = properties
    if delegate_change:
        changes.delegates[address] = delegate_change
    return before, {**primary, **settings.as_result(), **after_rights}


def expected(address: str, options: MailboxParams, mailbox: Mailbox | None) -> Settings:
    """The settings as they will be: the task's, else the current ones, else those of a new mailbox."""
    current = mailbox.settings if mailbox else Settings(address.partition("@")[0])
    values: Any = {option: value for option in PROPERTIES if (value := getattr(options, option)) is not None}
    return replace(current, **values)
