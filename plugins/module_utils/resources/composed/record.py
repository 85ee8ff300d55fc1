# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what this collection made for senders: tags of the sender app. What is recorded and no longer needed is an orphan.

Source: Microsoft Graph v1.0, "application resource type" (tags: custom strings).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._clients.graph import Call
from ..._clients.odata import key
from ..._composition.step import PlannedStep
from ..._core.errors import GraphError
from ..._core.json_types import JsonObject
from ..._core.params import NoParams
from ..._core.spec import JOURNAL, TENANT, Spec
from ..._engine.resource import Plan
from ..._engine.tenant import Tenant
from ..._entra.applications import is_replication_delay
from ..._exchange import addresses, lookup

_DENIED = ("Authorization_RequestDenied", "AccessDenied")
# Kinds of entries: a mailbox with permissions of the sender app; a mailbox whose SMTP AUTH was enabled; a mailbox that was created.
ACCESS, SMTP_AUTH, MAILBOX = "access", "smtp_auth", "mailbox"
OWN_TAG = "mailops"  # of every application that this collection registers


@dataclass(frozen=True)
class Record:
    """The entries of one owner. `smtp_auth`: address -> the setting before. `others`: all other tags of the application, in order."""

    access: frozenset[str] = frozenset()
    smtp_auth: Mapping[str, str] = field(default_factory=dict)
    mailboxes: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()

    def tags(self, owner: str) -> list[str]:
        """The application's tags with these entries."""
        entries = [(ACCESS, address) for address in sorted(self.access)]
        entries += [(SMTP_AUTH, f"{address}:{before}") for address, before in sorted(self.smtp_auth.items())]
        entries += [(MAILBOX, address) for address in sorted(self.mailboxes)]
        return [*self.others, *(f"{_prefix(owner)}{kind}:{value}" for kind, value in entries)]

    def of_others(self, kind: str) -> set[str]:
        """The addresses of an entry's kind that other owners have."""
        parts = [tag.split(":") for tag in self.others if tag.startswith("mailops:")]
        return {part[3] for part in parts if len(part) > 3 and part[2] == kind}


def _prefix(owner: str) -> str:
    return f"mailops:{owner}:"


def call_of(unique_name: str) -> Call:
    """The request for the record."""
    path = f"/applications(uniqueName='{key(unique_name)}')?$select=id,tags"
    return Call("GET", path, attempted="read the record of the sender app")


def read(tenant: Tenant, unique_name: str, owner: str) -> Record | None:
    """The record; None where there is no application, or where it may not be read."""
    try:
        application = tenant.graph.read(call_of(unique_name))
    except GraphError as error:
        if error.code in _DENIED:
            return None
        raise
    return parse(application.get("tags") or [], owner) if application else None


def parse(tags: Iterable[str], owner: str) -> Record:
    """The record in an application's tags."""
    listed = list(tags)
    own = [tag.removeprefix(_prefix(owner)).split(":") for tag in listed if tag.startswith(_prefix(owner))]
    return Record(
        frozenset(part[1] for part in own if part[0] == ACCESS),
        {part[1]: part[2] for part in own if part[0] == SMTP_AUTH and len(part) > 2},
        frozenset(part[1] for part in own if part[0] == MAILBOX),
        tuple(tag for tag in listed if not tag.startswith(_prefix(owner))),
    )


# -- orphans ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Needed:
    """What the senders and the inventory need, by address in lower case."""

    access: frozenset[str]
    smtp_auth: frozenset[str]
    mailboxes: frozenset[str]

    @classmethod
    def of(cls, variables: Mapping[str, Any], primary: Callable[[str], str]) -> Needed:
        """From role variables. `primary`: the primary address of an address, where it is known."""

        def listed(*names: str) -> frozenset[str]:
            items = [item for name in names for item in variables.get(name) or ()]
            return frozenset(primary(str(item["address"] if isinstance(item, Mapping) else item).lower()) for item in items)

        access = listed("entra_app_full_access", "entra_app_send_as")
        return cls(access, listed("smtp_auth_mailboxes"), listed("shared_mailbox_mailboxes"))


@dataclass(frozen=True)
class Orphans:
    """Recorded mailboxes that nothing needs any more and that exist. `smtp_auth`: address -> the setting to restore."""

    access: tuple[str, ...] = ()
    smtp_auth: Mapping[str, str] = field(default_factory=dict)
    mailboxes: tuple[str, ...] = ()

    def attention(self) -> list[JsonObject]:
        """The mailboxes as entries that need attention: they hold data and are removed on request only."""
        remedy = "Remove it with m365_remove_orphans: true, or list it in shared_mailbox_mailboxes."
        problem = "This mailbox was created for a sender that is no longer listed."
        return [{"kind": "orphan", "subject": address, "problem": problem, "remedy": remedy} for address in self.mailboxes]


def orphans_of(tenant: Tenant, record: Record, needed: Needed) -> Orphans:
    """The orphans. Only where there may be some, the mailboxes are looked up: an address may be another one of a needed mailbox."""
    access = record.access - needed.access - record.of_others(ACCESS)
    smtp_auth = record.smtp_auth.keys() - needed.smtp_auth - record.of_others(SMTP_AUTH)
    mailboxes = record.mailboxes - needed.mailboxes - record.of_others(MAILBOX)
    candidates = access | smtp_auth | mailboxes
    if not candidates:
        return Orphans()
    every = sorted(candidates | needed.access | needed.smtp_auth | needed.mailboxes)
    outcomes = tenant.exchange.batch([addresses.look_up(address, "Guid") for address in every])
    items = {address: lookup.only(outcome, "m365_senders", address) for address, outcome in zip(every, outcomes, strict=True)}
    guids = {address: str(item["Guid"]) for address, item in items.items() if item}

    def left(orphaned: Iterable[str], kept: Iterable[str]) -> list[str]:
        of_kept = {guids[address] for address in kept if address in guids}
        return [address for address in sorted(orphaned) if address in guids and guids[address] not in of_kept]

    switches = {address: record.smtp_auth[address] for address in left(smtp_auth, needed.smtp_auth)}
    return Orphans(tuple(left(access, needed.access)), switches, tuple(left(mailboxes, needed.mailboxes)))


# -- writing ----------------------------------------------------------------------------------------------------------


@dataclass
class RecordTags:
    """Writes the application's tags: a resource without a module, which is a step of the tenant's plan."""

    unique_name: str
    tags: Sequence[str]
    name = "record"
    spec = TENANT | JOURNAL | Spec({})
    params_type = NoParams

    def validate(self, params: NoParams) -> list[str]:
        return []

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[Sequence[str]]:
        return Plan({}, {"tags": list(self.tags)}, self.tags)

    def apply(self, tenant: Tenant, params: NoParams, plan: Plan[Sequence[str]]) -> dict[str, object]:
        path = f"/applications(uniqueName='{key(self.unique_name)}')"
        call = Call("PATCH", path, {"tags": list(plan.pending)}, f"record what was made in the tags of {self.unique_name}")
        tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
        return plan.outcome


def after(
    record: Record | None, needed: Needed, kept: Iterable[str], planned: Sequence[PlannedStep], primary: Callable[[str], str]
) -> Record:
    """The record after the plan: what is needed and was recorded or is made now. `kept`: mailboxes that are orphans and stay."""
    old = record or Record(others=(OWN_TAG,))
    made = {one.name: one.plan for one in planned if one.plan.changed}
    switches = {address: before for address, before in old.smtp_auth.items() if address in needed.smtp_auth}
    if "smtp_auth" in made:
        before, will = made["smtp_auth"].before.get("mailboxes") or {}, made["smtp_auth"].after.get("mailboxes") or {}
        enabled = {primary(a): before[a] for a, value in will.items() if primary(a) in needed.smtp_auth and value == "enabled"}
        switches = enabled | switches
    created: set[str] = set()
    if "shared_mailbox" in made:
        was, will = made["shared_mailbox"].before, made["shared_mailbox"].after
        created = {address for address, values in will.items() if values and not was.get(address)}
    mailboxes = (old.mailboxes & needed.mailboxes) | created | set(kept)
    return Record(needed.access, switches, frozenset(mailboxes), old.others)


def together(one: Record, other: Record) -> Record:
    """The entries of both."""
    return Record(one.access | other.access, {**one.smtp_auth, **other.smtp_auth}, one.mailboxes | other.mailboxes, other.others)
