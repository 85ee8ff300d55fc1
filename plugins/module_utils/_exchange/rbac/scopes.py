# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for Applications in Exchange: the scopes of an application, and its assignments of SMTP's role.

Sources: "Role Based Access Control for Applications in Exchange Online"; New-ManagementScope,
New-ManagementRoleAssignment, Test-ServicePrincipalAuthorization.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from ..._clients.exchange import Command, Outcome, boolean
from ..._core.bounds import EXCHANGE_REPLICATION
from ..._core.errors import InvalidInput
from ..._core.json_types import JsonObject
from ..._core.waiting import Retry
from ..._engine.tenant import Tenant
from .. import consistency, customization, lookup
from . import recipient_filter as opath
from .consent import PERMISSION

ROLE = "Application SMTP.SendAsApp"
MAX_FILTER_LENGTH = 8000  # characters; Microsoft publishes no limit, so more mailboxes go into a further scope
MAX_NAME_LENGTH = 45  # with the number of a further scope and the assignment's prefix it stays within 64

Filters = Mapping[str, str]  # by the scope's name
_ASSIGNMENT = f"{PERMISSION} "  # before the scope's name, in the names of assignments
ScopesResult: TypeAlias = "dict[str, list[str] | str]"  # by scope: mailboxes, or a filter that is no list of addresses


@dataclass(frozen=True)
class ManagementScope:
    """A management scope. `name`: in the case that Exchange returns."""

    name: str
    filter: str
    guid: str


@dataclass(frozen=True)
class RoleAssignment:
    """An assignment of ROLE. `scope`: the scope's name, empty for the whole organization."""

    name: str
    enabled: bool
    guid: str
    scope: str


@dataclass(frozen=True)
class CurrentScopes:
    """The management scopes of this name, and the role assignments of the application.

    `scopes`: by name, in the case that the options use; `others`: scopes of other names; `assignments`: by the scope's name in lower
    case; `foreign`: the application's other assignments of the role; `adopted`: the name of an adopted scope -> the name that the
    options give it; `names`: of all assignments of the role, in lower case.
    """

    scopes: Mapping[str, ManagementScope] = field(default_factory=dict)
    assignments: Mapping[str, RoleAssignment] = field(default_factory=dict)
    foreign: tuple[RoleAssignment, ...] = ()
    others: tuple[ManagementScope, ...] = ()
    adopted: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def filters(self) -> dict[str, str]:
        return {name: scope.filter for name, scope in self.scopes.items()}

    def is_granted(self, name: str) -> bool:
        """Whether the application has the role in this scope."""
        assignment = self.assignments.get(name.lower())
        return bool(assignment and assignment.enabled)


@dataclass(frozen=True)
class ScopeChanges:
    """The changes, in the order in which they are applied.

    `assign`: the names of new role assignments by scope; `enable`: role assignments by scope; `guids`: of existing scopes.
    """

    create: Filters = field(default_factory=dict)
    change: Filters = field(default_factory=dict)
    enable: Mapping[str, RoleAssignment] = field(default_factory=dict)
    assign: Mapping[str, str] = field(default_factory=dict)
    remove_assignments: tuple[RoleAssignment, ...] = ()
    remove_scopes: tuple[ManagementScope, ...] = ()
    guids: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.create, self.change, self.enable, self.assign, self.remove_assignments, self.remove_scopes))

    def cmdlets(self) -> Iterator[str]:
        """The cmdlets of `write` and `remove`, without that which enables the customization."""
        yield from ["New-ManagementScope"] if self.create else []
        yield from ["Set-ManagementScope"] if self.change else []
        yield from ["Set-ManagementRoleAssignment"] if self.enable else []
        yield from ["New-ManagementRoleAssignment"] if self.assign else []
        yield from ["Remove-ManagementRoleAssignment"] if self.remove_assignments else []
        yield from ["Remove-ManagementScope"] if self.remove_scopes else []


def reads() -> list[Command]:
    return [
        Command("Get-ManagementScope", {}, attempted="read the management scopes"),
        Command("Get-ManagementRoleAssignment", {"Role": ROLE}, attempted=f"read who has the role {ROLE}"),
    ]


def read_scopes(scopes: Outcome, assignments: Outcome, name: str, object_id: str | None) -> CurrentScopes:
    """The scopes of this name, and the assignments of this application; of any application where `object_id` is None.

    An assignment within a scope of another name is the collection's own where it has the name that the collection gives.
    """
    own = re.compile(re.escape(name) + r"( \d+)?", re.I)
    own_scopes: dict[str, ManagementScope] = {}
    others: list[ManagementScope] = []
    for item in scopes.checked().values:
        scope = ManagementScope(str(item["Name"]), str(item.get("RecipientFilter") or ""), str(item.get("Guid") or item["Name"]))
        if own.fullmatch(scope.name):
            own_scopes[name + scope.name[len(name) :]] = scope
        else:
            others.append(scope)
    own_assignments: dict[str, RoleAssignment] = {}
    foreign: list[RoleAssignment] = []
    for item in assignments.checked().values:
        if object_id and str(item.get("RoleAssignee")).lower() != object_id.lower():
            continue
        assignment = _assignment(item)
        named = bool(object_id and assignment.scope and assignment.name.startswith(_ASSIGNMENT))
        if own.fullmatch(assignment.scope) or (named and own.fullmatch(assignment.name.removeprefix(_ASSIGNMENT))):
            own_assignments[assignment.scope.lower()] = assignment
        elif object_id:
            foreign.append(assignment)
    names = frozenset(str(item["Name"]).lower() for item in assignments.values)
    return CurrentScopes(own_scopes, own_assignments, tuple(foreign), tuple(others), names=names)


def _assignment(item: JsonObject) -> RoleAssignment:
    guid = str(item.get("Guid") or item["Name"])
    return RoleAssignment(str(item["Name"]), bool(boolean(item.get("Enabled"))), guid, str(item.get("CustomResourceScope") or ""))


def adopt(current: CurrentScopes, desired: Filters) -> tuple[CurrentScopes, Filters]:
    """The state and the filters with existing scopes of the same filter in place of those to create or change.

    Exchange refuses a second scope with the same filter. An adopted scope is never changed or removed.
    """
    scopes, assignments, adopted = dict(current.scopes), dict(current.assignments), {}
    foreign, filters = list(current.foreign), {}
    for name, text in desired.items():
        own = current.scopes.get(name)
        other = next((scope for scope in current.others if opath.same(scope.filter, text)), None)
        if (own and opath.same(own.filter, text)) or not other:
            filters[name] = text
            continue
        filters[other.name], scopes[other.name], adopted[other.name] = text, other, name
        for assignment in [one for one in foreign if one.scope.lower() == other.name.lower()]:
            assignments.setdefault(other.name.lower(), assignment)
            foreign.remove(assignment)
    return replace(current, scopes=scopes, assignments=assignments, foreign=tuple(foreign), adopted=adopted), filters


def desired_filters(name: str, mailboxes: Iterable[str], recipient_filter: str | None, current: CurrentScopes) -> Filters:
    """The filters by scope. A mailbox stays in its current scope: moving it would be a removal and an addition."""
    if recipient_filter:
        return {name: recipient_filter}
    rest = {address.lower() for address in mailboxes}
    parts: dict[str, set[str]] = {}
    for number in count(1):
        scope = name if number == 1 else f"{name} {number}"
        have = opath.addresses(current.filters().get(scope, "")) or set()
        parts[scope] = have & rest
        rest -= parts[scope]
        if number > len(current.scopes):
            break
    for scope in parts:
        _fill(parts[scope], rest)
    while rest:
        parts[f"{name} {len(parts) + 1}"] = set()
        _fill(parts[f"{name} {len(parts)}"], rest)
    return {scope: opath.of_addresses(members) for scope, members in parts.items() if members}


def _fill(members: set[str], rest: set[str]) -> None:
    length = len(opath.of_addresses(members))
    for address in sorted(rest):
        length += len(opath.of_addresses([address])) + len(" -or ")
        if length > MAX_FILTER_LENGTH:
            return
        members.add(address)
        rest.discard(address)


def difference(current: CurrentScopes, desired: Filters) -> ScopeChanges:
    have = current.filters()
    assigned = {name: current.assignments[name.lower()] for name in desired if name.lower() in current.assignments}
    lower = {name.lower() for name in desired}
    return ScopeChanges(
        create={name: text for name, text in desired.items() if name not in have},
        change={name: text for name, text in desired.items() if name in have and not opath.same(have[name], text)},
        enable={name: assignment for name, assignment in assigned.items() if not assignment.enabled},
        assign={name: _free_name(current, name) for name in desired if name not in assigned},
        remove_assignments=tuple(assignment for scope, assignment in current.assignments.items() if scope not in lower),
        remove_scopes=tuple(scope for name, scope in current.scopes.items() if name not in {*desired, *current.adopted}),
        guids={name: scope.guid for name, scope in current.scopes.items()},
    )


def _free_name(current: CurrentScopes, scope: str) -> str:
    """The name of a new assignment within a scope: names are unique in an organization."""
    stem = f"{_ASSIGNMENT}{current.adopted.get(scope, scope)}"
    numbered = (f"{stem} {number}" for number in count(2))
    return stem if stem.lower() not in current.names else next(name for name in numbered if name.lower() not in current.names)


def removal(current: CurrentScopes) -> ScopeChanges:
    """The changes that remove all scopes and assignments, also an assignment whose scope does not exist."""
    return ScopeChanges(remove_assignments=tuple(current.assignments.values()), remove_scopes=tuple(current.scopes.values()))


def newly_covered(current: CurrentScopes, desired: Filters) -> set[str] | None:
    """The addresses that a write brings into scope; None where a filter is not a list of addresses."""
    after: set[str] = set()
    for name, text in desired.items():
        members = opath.addresses(text)
        if members is None:
            return None
        before = opath.addresses(current.filters().get(name, "")) if current.is_granted(name) else None
        after |= members - (before or set())
    return after


# -- writing ----------------------------------------------------------------------------------------------------------


def write(tenant: Tenant, changes: ScopeChanges, object_id: str, *, customize: bool) -> None:
    """Additions before removals, with retries during the replication delay between Exchange servers.

    `customize`: enable the organization's customization first.
    """
    if customize:
        customization.enable(tenant)
    guids = dict(changes.guids)
    for name, text in changes.create.items():
        parameters = {"Name": name, "RecipientRestrictionFilter": text}
        create = Command("New-ManagementScope", parameters, attempted=f"create the management scope {name}")
        guids[name] = str(lookup.single(consistency.run_all(tenant, [create])[0], create.attempted)["Guid"])
    change = [_change(name, guids[name], text) for name, text in changes.change.items()]
    enable = [_enable(name, assignment) for name, assignment in changes.enable.items()]
    consistency.run_all(tenant, change + enable)
    consistency.run_all(tenant, [_assign(name, guids[scope], scope, object_id) for scope, name in changes.assign.items()])
    remove(tenant, changes)


def remove(tenant: Tenant, changes: ScopeChanges) -> None:
    """Assignments first: a scope that is in use cannot be removed."""
    assignments = [_remove("Remove-ManagementRoleAssignment", item) for item in changes.remove_assignments]
    scopes = [_remove("Remove-ManagementScope", item) for item in changes.remove_scopes]
    for commands in (assignments, scopes):
        for outcome in tenant.exchange.batch(commands):
            outcome.checked()


def _change(name: str, guid: str, text: str) -> Command:
    parameters = {"Identity": guid, "RecipientRestrictionFilter": text, "Confirm": False}
    return Command("Set-ManagementScope", parameters, attempted=f"change the management scope {name}")


def _assign(name: str, guid: str, scope: str, object_id: str) -> Command:
    parameters = {"Name": name, "App": object_id, "Role": ROLE, "CustomResourceScope": guid, "Confirm": False}
    return Command("New-ManagementRoleAssignment", parameters, attempted=f"assign the role {ROLE} within {scope}")


def _enable(name: str, assignment: RoleAssignment) -> Command:
    parameters = {"Identity": assignment.guid, "Enabled": True, "Confirm": False}
    return Command("Set-ManagementRoleAssignment", parameters, attempted=f"enable the role assignment of {name}")


def _remove(cmdlet: str, item: ManagementScope | RoleAssignment) -> Command:
    return Command(cmdlet, {"Identity": item.guid, "Confirm": False}, attempted=f"remove {item.name}")


# -- verification -----------------------------------------------------------------------------------------------------


def uncovered(tenant: Tenant, object_id: str, addresses: Iterable[str]) -> list[str]:
    """The mailboxes that are not in the application's scope by Exchange's own test, in order. The test reads the latest writes."""
    listed = sorted(addresses)
    attempted = "test the application's authorization"
    commands = [
        Command("Test-ServicePrincipalAuthorization", {"Identity": object_id, "Resource": address}, attempted=attempted)
        for address in listed
    ]
    return [a for a, outcome in zip(listed, tenant.exchange.batch(commands), strict=True) if not _covers(outcome)]


def _covers(outcome: Outcome) -> bool:
    return any(row.get("RoleName") == ROLE and boolean(row.get("InScope")) is True for row in outcome.checked().values)


def verify_scope(tenant: Tenant, object_id: str, addresses: Iterable[str], seconds: float) -> None:
    """Wait until all mailboxes are in scope; InvalidInput names those that are not after `seconds`."""
    retry = Retry(EXCHANGE_REPLICATION, tenant.transport, seconds)
    left = uncovered(tenant, object_id, addresses)
    while left and retry.again():
        tenant.cost.count(retries=1)
        left = uncovered(tenant, object_id, left)
    refuse_uncovered(left)


def refuse_uncovered(addresses: list[str]) -> None:
    if addresses:
        raise InvalidInput(
            f"mailboxes: {', '.join(addresses)}: not in the application's scope by Exchange's own test; correct recipient_filter or the "
            "mailboxes. Consent to SMTP.SendAsApp and mailbox permissions were left as they are."
        )


def scopes_result(current: CurrentScopes) -> ScopesResult:
    """The scopes with an enabled assignment."""
    filters = current.filters() | {scope.name: scope.filter for scope in current.others}
    return {name: filter_result(text) for name, text in sorted(filters.items()) if current.is_granted(name)}


def filter_result(text: str) -> list[str] | str:
    members = opath.addresses(text)
    return text if members is None else sorted(members)


def predicted(current: CurrentScopes, desired: Filters) -> ScopesResult:
    """The result after the changes; a filter with an unchanged meaning is returned as it was read."""
    have = current.filters()
    return {n: filter_result(have[n] if n in have and opath.same(have[n], text) else text) for n, text in sorted(desired.items())}
