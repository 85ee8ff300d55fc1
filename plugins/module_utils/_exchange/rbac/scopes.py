# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for Applications in Exchange: the scopes of an application, and its assignments of SMTP's role.

Sources: "Role Based Access Control for Applications in Exchange Online"; New-ManagementScope,
New-ManagementRoleAssignment, Test-ServicePrincipalAuthorization.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from ..._clients.exchange import Command, Outcome, boolean
from ..._core.bounds import EXCHANGE_REPLICATION
from ..._core.errors import InvalidInput
from ..._core.waiting import Retry
from ..._engine.tenant import Tenant
from .. import consistency
from . import recipient_filter as opath
from .consent import PERMISSION

ROLE = "Application SMTP.SendAsApp"
MAX_FILTER_LENGTH = 8000  # characters; Microsoft publishes no limit, so more mailboxes go into a further scope
MAX_NAME_LENGTH = 45  # with the number of a further scope and the assignment's prefix it stays within 64

Filters = Mapping[str, str]  # by the scope's name
ScopesResult = dict[str, list[str] | str]  # by the scope's name: its mailboxes, or its filter where that is not a list of addresses


@dataclass(frozen=True)
class ManagementScope:
    """A management scope. `name`: in the case that Exchange returns."""

    name: str
    filter: str


@dataclass(frozen=True)
class RoleAssignment:
    """An assignment of ROLE."""

    name: str
    enabled: bool


@dataclass(frozen=True)
class CurrentScopes:
    """The management scopes of this name, and the role assignments of the application.

    `scopes`: by name, in the case that the options use; `assignments`: by the scope's name in lower case; `foreign`: the names of the
    application's other assignments of the role.
    """

    scopes: Mapping[str, ManagementScope] = field(default_factory=dict)
    assignments: Mapping[str, RoleAssignment] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()

    def filters(self) -> dict[str, str]:
        return {name: scope.filter for name, scope in self.scopes.items()}

    def is_granted(self, name: str) -> bool:
        """Whether the application has the role in this scope."""
        assignment = self.assignments.get(name.lower())
        return bool(assignment and assignment.enabled)


@dataclass(frozen=True)
class ScopeChanges:
    """The changes, in the order in which they are applied.

    `assign`: scopes; `enable`: the names of role assignments by scope; `remove_assignments` and `remove_scopes`: their names in Exchange.
    """

    create: Filters = field(default_factory=dict)
    change: Filters = field(default_factory=dict)
    enable: Mapping[str, str] = field(default_factory=dict)
    assign: tuple[str, ...] = ()
    remove_assignments: tuple[str, ...] = ()
    remove_scopes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(vars(self).values())


def reads() -> list[Command]:
    return [
        Command("Get-ManagementScope", {}, attempted="read the management scopes"),
        Command("Get-ManagementRoleAssignment", {"Role": ROLE}, attempted=f"read who has the role {ROLE}"),
    ]


def read_scopes(scopes: Outcome, assignments: Outcome, name: str, object_id: str | None) -> CurrentScopes:
    """The scopes of this name, and the assignments of this application; of any application where `object_id` is None."""
    own = re.compile(re.escape(name) + r"( \d+)?", re.I)
    own_scopes: dict[str, ManagementScope] = {}
    own_assignments: dict[str, RoleAssignment] = {}
    foreign: list[str] = []
    for scope in scopes.checked().values:
        actual = str(scope["Name"])
        if own.fullmatch(actual):
            own_scopes[name + actual[len(name) :]] = ManagementScope(actual, str(scope.get("RecipientFilter") or ""))
    for item in assignments.checked().values:
        scope_name = str(item.get("CustomResourceScope") or "")
        if object_id and str(item.get("RoleAssignee")).lower() != object_id.lower():
            continue
        if own.fullmatch(scope_name):
            own_assignments[scope_name.lower()] = RoleAssignment(str(item["Name"]), bool(boolean(item.get("Enabled"))))
        elif object_id:
            foreign.append(str(item["Name"]))
    return CurrentScopes(own_scopes, own_assignments, tuple(foreign))


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
    undesired = [name for name in have if name not in desired]
    return ScopeChanges(
        create={name: text for name, text in desired.items() if name not in have},
        change={name: text for name, text in desired.items() if name in have and not opath.same(have[name], text)},
        enable={name: assignment.name for name, assignment in assigned.items() if not assignment.enabled},
        assign=tuple(name for name in desired if name not in assigned),
        remove_assignments=tuple(current.assignments[name.lower()].name for name in undesired if name.lower() in current.assignments),
        remove_scopes=tuple(current.scopes[name].name for name in undesired),
    )


def removal(current: CurrentScopes) -> ScopeChanges:
    """The changes that remove all scopes and assignments, also an assignment whose scope does not exist."""
    names = dict.fromkeys([*(name.lower() for name in current.scopes), *current.assignments])
    return ScopeChanges(
        remove_assignments=tuple(current.assignments[name].name for name in names if name in current.assignments),
        remove_scopes=tuple(scope.name for scope in current.scopes.values()),
    )


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


def write(tenant: Tenant, changes: ScopeChanges, object_id: str) -> None:
    """Additions before removals, with retries during the replication delay between Exchange servers."""
    for name, text in changes.create.items():
        parameters = {"Name": name, "RecipientRestrictionFilter": text}
        tenant.exchange.run(Command("New-ManagementScope", parameters, attempted=f"create the management scope {name}"))
    change = [_change(name, text) for name, text in changes.change.items()]
    enable = [_enable(name, assignment) for name, assignment in changes.enable.items()]
    consistency.run_all(tenant, change + enable)
    consistency.run_all(tenant, [_assign(name, object_id) for name in changes.assign])
    remove(tenant, changes)


def remove(tenant: Tenant, changes: ScopeChanges) -> None:
    """Assignments first: a scope that is in use cannot be removed."""
    assignments = [_remove("Remove-ManagementRoleAssignment", name) for name in changes.remove_assignments]
    scopes = [_remove("Remove-ManagementScope", name) for name in changes.remove_scopes]
    for commands in (assignments, scopes):
        for outcome in tenant.exchange.batch(commands):
            outcome.checked()


def _change(name: str, text: str) -> Command:
    parameters = {"Identity": name, "RecipientRestrictionFilter": text, "Confirm": False}
    return Command("Set-ManagementScope", parameters, attempted=f"change the management scope {name}")


def _assign(name: str, object_id: str) -> Command:
    parameters = {"Name": f"{PERMISSION} {name}", "App": object_id, "Role": ROLE, "CustomResourceScope": name, "Confirm": False}
    return Command("New-ManagementRoleAssignment", parameters, attempted=f"assign the role {ROLE} within {name}")


def _enable(name: str, assignment: str) -> Command:
    parameters = {"Identity": assignment, "Enabled": True, "Confirm": False}
    return Command("Set-ManagementRoleAssignment", parameters, attempted=f"enable the role assignment of {name}")


def _remove(cmdlet: str, name: str) -> Command:
    return Command(cmdlet, {"Identity": name, "Confirm": False}, attempted=f"remove {name}")


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
            f"{', '.join(addresses)}: not in the application's scope by Exchange's own test; correct recipient_filter or the "
            "mailboxes. Consent to SMTP.SendAsApp and mailbox permissions were left as they are."
        )


def scopes_result(current: CurrentScopes) -> ScopesResult:
    """The scopes with an enabled assignment."""
    return {name: filter_result(text) for name, text in sorted(current.filters().items()) if current.is_granted(name)}


def filter_result(text: str) -> list[str] | str:
    members = opath.addresses(text)
    return text if members is None else sorted(members)


def predicted(current: CurrentScopes, desired: Filters) -> ScopesResult:
    """The result after the changes; a filter with an unchanged meaning is returned as it was read."""
    have = current.filters()
    return {n: filter_result(have[n] if n in have and opath.same(have[n], text) else text) for n, text in sorted(desired.items())}
