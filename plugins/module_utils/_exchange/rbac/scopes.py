# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC for Applications in Exchange: the scopes of an application, and its assignments of SMTP's role.

Sources: "Role Based Access Control for Applications in Exchange Online"; New-ManagementScope,
New-ManagementRoleAssignment, Test-ServicePrincipalAuthorization.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..._clients.exchange import Command, Outcome, boolean
from ..._clients.graph import Call
from ..._core.bounds import EXCHANGE_REPLICATION
from ..._core.errors import GraphError, InvalidInput
from ..._core.json_types import JsonObject
from ..._core.waiting import Retry
from ..._engine.tenant import Tenant
from ..._entra.applications import is_replication_delay
from .. import consistency
from . import recipient_filter as opath

ROLE = "Application SMTP.SendAsApp"
MAX_FILTER_LENGTH = 8000  # characters; Microsoft publishes no limit, so more mailboxes go into a further scope
MAX_NAME_LENGTH = 45  # with the number of a further scope and the assignment's prefix it stays within 64
PERMISSION = "SMTP.SendAsApp"


@dataclass
class CurrentScopes:
    """The management scopes of this name, and the role assignments of the application."""

    scopes: dict[str, JsonObject] = field(default_factory=dict)  # by name as it was asked for
    assignments: dict[str, JsonObject] = field(default_factory=dict)  # by the scope's name, in lower case
    foreign: list[str] = field(default_factory=list)  # names of the application's other assignments of the role

    def filters(self) -> dict[str, str]:
        return {name: str(scope.get("RecipientFilter") or "") for name, scope in self.scopes.items()}

    def granted(self, name: str) -> bool:
        return bool(boolean(self.assignments.get(name.lower(), {}).get("Enabled")))


@dataclass
class ScopeChanges:
    create: dict[str, str] = field(default_factory=dict)  # scope -> filter
    change: dict[str, str] = field(default_factory=dict)
    assign: list[str] = field(default_factory=list)  # scopes
    enable: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)  # scopes, with their assignments

    def __bool__(self) -> bool:
        return any(vars(self).values())


def reads() -> list[Command]:
    return [
        Command("Get-ManagementScope", {}, attempted="read the management scopes"),
        Command("Get-ManagementRoleAssignment", {"Role": ROLE}, attempted=f"read who has the role {ROLE}"),
    ]


def read_scopes(scopes: Outcome, assignments: Outcome, name: str, object_id: str | None) -> CurrentScopes:
    """The parts that belong to a scope's name and to an application (any, where it is gone from Entra)."""
    current = CurrentScopes()
    ours = re.compile(re.escape(name) + r"( \d+)?", re.I)
    for scope in scopes.checked().values:
        given = str(scope["Name"])
        if ours.fullmatch(given):
            current.scopes[name + given[len(name) :]] = scope
    for item in assignments.checked().values:
        scope_name = str(item.get("CustomResourceScope") or "")
        if object_id and str(item.get("RoleAssignee")).lower() != object_id.lower():
            continue
        if ours.fullmatch(scope_name):
            current.assignments[scope_name.lower()] = item
        elif object_id:
            current.foreign.append(str(item["Name"]))
    return current


def desired_filters(name: str, mailboxes: Iterable[str], recipient_filter: str | None, current: CurrentScopes) -> dict[str, str]:
    """Scope -> filter. A mailbox stays in the scope that it is in: moving it would be a removal and an addition."""
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


def difference(current: CurrentScopes, desired: dict[str, str]) -> ScopeChanges:
    changes, have = ScopeChanges(), current.filters()
    for name, text in desired.items():
        if name not in have:
            changes.create[name] = text
        elif not opath.same(have[name], text):
            changes.change[name] = text
        if name.lower() not in current.assignments:
            changes.assign.append(name)
        elif not current.granted(name):
            changes.enable.append(name)
    changes.remove = [name for name in have if name not in desired]
    return changes


def newly_covered(current: CurrentScopes, desired: dict[str, str]) -> set[str] | None:
    """The addresses that a write brings into scope; None where a filter does not tell them."""
    after: set[str] = set()
    for name, text in desired.items():
        members = opath.addresses(text)
        if members is None:
            return None
        before = opath.addresses(current.filters().get(name, "")) if current.granted(name) else None
        after |= members - (before or set())
    return after


# -- writing ----------------------------------------------------------------------------------------------------------


def write(tenant: Tenant, changes: ScopeChanges, current: CurrentScopes, object_id: str) -> None:
    """Additions before removals, with retries during the replication delay between Exchange servers."""
    for name, text in changes.create.items():
        parameters = {"Name": name, "RecipientRestrictionFilter": text}
        tenant.exchange.run(Command("New-ManagementScope", parameters, attempted=f"create the management scope {name}"))
    change = [_change(name, text) for name, text in changes.change.items()]
    assign = [_assign(name, object_id) for name in changes.assign]
    enable = [_enable(name, current) for name in changes.enable]
    consistency.run_all(tenant, change + enable)
    consistency.run_all(tenant, assign)
    remove(tenant, changes.remove, current)


def remove(tenant: Tenant, names: list[str], current: CurrentScopes) -> None:
    """Assignments first: a scope that is in use cannot be removed."""
    held = [current.assignments[name.lower()] for name in names if name.lower() in current.assignments]
    gone = [_remove("Remove-ManagementRoleAssignment", str(item["Name"])) for item in held]
    gone_scopes = [_remove("Remove-ManagementScope", str(current.scopes[name]["Name"])) for name in names if name in current.scopes]
    for commands in (gone, gone_scopes):
        for outcome in tenant.exchange.batch(commands):
            outcome.checked()


def _change(name: str, text: str) -> Command:
    parameters = {"Identity": name, "RecipientRestrictionFilter": text, "Confirm": False}
    return Command("Set-ManagementScope", parameters, attempted=f"change the management scope {name}")


def _assign(name: str, object_id: str) -> Command:
    parameters = {"Name": f"{PERMISSION} {name}", "App": object_id, "Role": ROLE, "CustomResourceScope": name, "Confirm": False}
    return Command("New-ManagementRoleAssignment", parameters, attempted=f"assign the role {ROLE} within {name}")


def _enable(name: str, current: CurrentScopes) -> Command:
    parameters = {"Identity": str(current.assignments[name.lower()]["Name"]), "Enabled": True, "Confirm": False}
    return Command("Set-ManagementRoleAssignment", parameters, attempted=f"enable the role assignment of {name}")


def _remove(cmdlet: str, name: str) -> Command:
    return Command(cmdlet, {"Identity": name, "Confirm": False}, attempted=f"remove {name}")


def withdraw(tenant: Tenant, consents: list[JsonObject]) -> None:
    """Withdraw consent in Entra; tokens that were issued before keep their role until they end."""
    attempted = f"withdraw consent to {PERMISSION}"
    tenant.graph.batch(
        [Call("DELETE", f"/servicePrincipals/{a['resourceId']}/appRoleAssignedTo/{a['id']}", None, attempted) for a in consents]
    )


def consent(tenant: Tenant, principal_id: str, resource_id: str, role_id: str) -> None:
    body = {"principalId": principal_id, "resourceId": resource_id, "appRoleId": role_id}
    call = Call("POST", f"/servicePrincipals/{resource_id}/appRoleAssignedTo", body, f"consent to {PERMISSION}")
    try:
        tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
    except GraphError as error:
        if not error.exists:  # an answer was lost, the consent was not
            raise


# -- verification -----------------------------------------------------------------------------------------------------


def uncovered(tenant: Tenant, object_id: str, addresses: Iterable[str]) -> list[str]:
    """The mailboxes that the application may not use, by Exchange's own test, which sees what was just written."""
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
    """Wait until every one of the mailboxes is in scope; InvalidInput names those that are not when the time is over."""
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


def scopes_result(current: CurrentScopes) -> dict[str, Any]:
    """Scope -> its mailboxes, or its filter where that is not a list of addresses; only scopes with an enabled assignment."""
    return {name: filter_result(text) for name, text in sorted(current.filters().items()) if current.granted(name)}


def filter_result(text: str) -> list[str] | str:
    members = opath.addresses(text)
    return text if members is None else sorted(members)


def predicted(current: CurrentScopes, desired: dict[str, str]) -> dict[str, Any]:
    """The result after the changes; a filter with an unchanged meaning is returned as it was read."""
    have = current.filters()
    return {n: filter_result(have[n] if n in have and opath.same(have[n], text) else text) for n, text in sorted(desired.items())}
