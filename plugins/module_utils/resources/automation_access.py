# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application needs beside its permissions to manage Exchange: a directory role, or a role group of Exchange's.

Private to the collection. Sources: "App-only authentication for unattended scripts in Exchange Online PowerShell";
Microsoft Graph v1.0, "unifiedRoleAssignment"; Add-RoleGroupMember.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._clients.exchange import Command, is_missing
from .._clients.graph import Call
from .._core.errors import ExchangeError, GraphError, InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan
from .._engine.tenant import GUID, Tenant
from .._entra.applications import lagging
from .._exchange import consistency
from .exchange_service_principal import Application, find_application

# "Microsoft Entra built-in roles": the ids are those of the templates, the same in every tenant.
DIRECTORY_ROLES = {
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Exchange Recipient Administrator": "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}
_ROLE_NAMES = {role_id: name for name, role_id in DIRECTORY_ROLES.items()}
_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
OPTIONS = Spec(
    {
        "unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "directory_roles": {"type": "list", "elements": "str"},
        "role_groups": {"type": "list", "elements": "str"},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"), ("directory_roles", "role_groups")),
)


@dataclass
class Found:
    """What the application has: assignments of directory roles (id by role), and the role groups that it is in."""

    application: Application | None = None
    roles: dict[str, str] = field(default_factory=dict)  # role's name (or id) -> the assignment's id
    registered: bool = False  # in Exchange
    groups: list[str] = field(default_factory=list)


@dataclass
class Work:
    grant: list[str] = field(default_factory=list)  # directory roles
    revoke: list[str] = field(default_factory=list)
    register: bool = False
    join: list[str] = field(default_factory=list)  # role groups
    leave: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


class AutomationAccess:
    """module automation_access"""

    name = "automation_access"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        app_id = params["app_id"]
        found = [f"app_id is {app_id!r}: give the application's client id, a GUID."] if app_id and not GUID.fullmatch(app_id) else []
        for role in params["directory_roles"] or []:
            if role not in DIRECTORY_ROLES and not GUID.fullmatch(role):
                known = ", ".join(DIRECTORY_ROLES)
                found.append(f"directory_roles holds {role!r}: use {known}, or the id of a role's template (a GUID).")
        if any(not group.strip() for group in params["role_groups"] or []):
            found.append("role_groups holds an empty name: remove it.")
        return found

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        plan = Plan()
        application = find_application(tenant, params)
        if not application and params["state"] == "present":
            sentence = f"Entra has no enterprise application for {named(params)}"
            if not check_mode:
                raise InvalidInput(f"{sentence}: register it first (module entra_app).")
            plan.warnings.append(f"{sentence} yet; the prediction assumes that an earlier task of the real run makes it.")
        found = read(tenant, application, params)
        work = difference(found, params)
        plan.before, plan.after = shown(found.roles, found.groups, params), shown(*afterwards(found, work), params)
        _refuse_lockout(tenant, found, work, params)
        plan.steps = [work, found] if work else []
        plan.outcome = {"access": plan.after | {"app_id": application.app_id if application else None}}
        return plan

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        work, found = plan.steps
        _grant(tenant, work, found)
        _join(tenant, work, found)
        # Last: what is taken away may be what the rest was done with.
        _checked(tenant, [_member("Remove-RoleGroupMember", group, found, "take the application out of") for group in work.leave])
        attempted = f"withdraw directory roles from {named(params)}"
        revoked = [Call("DELETE", f"{_ASSIGNMENTS}/{found.roles[role]}", None, attempted) for role in work.revoke]
        if revoked:
            tenant.graph.batch(revoked)
        if found.application and found.application.app_id.lower() == tenant.client_id.lower():
            tenant.tokens.forget()
        return plan.outcome


RESOURCE = AutomationAccess()


def named(params: dict[str, Any]) -> str:
    return str(params["unique_name"] or params["app_id"])


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, application: Application | None, params: dict[str, Any]) -> Found:
    """Directory roles and role groups are read only where they are asked for: each takes rights of its own."""
    found = Found(application)
    if application and params["directory_roles"] is not None:
        query = f"?$filter=principalId%20eq%20'{application.object_id}'"
        for item in tenant.graph.every(_ASSIGNMENTS + query, "read the application's directory roles"):
            if item.get("directoryScopeId") == "/":
                role = str(item["roleDefinitionId"]).lower()
                found.roles[_ROLE_NAMES.get(role, role)] = str(item["id"])
    if params["role_groups"] is not None:
        _read_groups(tenant, found, params)
    return found


def _read_groups(tenant: Tenant, found: Found, params: dict[str, Any]) -> None:
    commands = [
        Command("Get-ServicePrincipal", {}, attempted="read the service principals in Exchange"),
        Command("Get-RoleGroup", {"ResultSize": "Unlimited"}, ("Name",), "read the role groups"),
    ]
    principals, groups = (outcome.checked().values for outcome in tenant.exchange.batch(commands))
    names = {str(group["Name"]).lower(): str(group["Name"]) for group in groups}
    unknown = [group for group in params["role_groups"] if group.lower() not in names]
    if unknown:
        raise InvalidInput(f"role_groups: there is no {', '.join(unknown)}; this organization has {', '.join(sorted(names.values()))}.")
    params["role_groups"] = [names[group.lower()] for group in params["role_groups"]]
    own = next((item for item in principals if found.application and _is(item, found.application)), None)
    found.registered = own is not None
    if not own:
        return
    listed = list(names.values()) if params["exclusive"] else params["role_groups"]
    reads = [Command("Get-RoleGroupMember", {"Identity": name, "ResultSize": "Unlimited"}, attempted=f"read {name}") for name in listed]
    ids = {str(own[name]).lower() for name in ("ObjectId", "AppId", "Guid", "Sid") if own.get(name)}
    for name, outcome in zip(listed, tenant.exchange.batch(reads), strict=True):
        if any(_names(member) & ids for member in outcome.checked().values):
            found.groups.append(name)


def _is(item: dict[str, Any], application: Application) -> bool:
    return str(item.get("ObjectId", "")).lower() == application.object_id.lower()


def _names(member: dict[str, Any]) -> set[str]:
    """A member's ids: a service principal's name in Exchange is its object id."""
    return {str(member[name]).lower() for name in ("Name", "Guid", "ExternalDirectoryObjectId", "Sid") if member.get(name)}


# -- comparing and showing --------------------------------------------------------------------------------------------


def difference(found: Found, params: dict[str, Any]) -> Work:
    roles = {_ROLE_NAMES.get(role.lower(), role) for role in params["directory_roles"] or []}
    groups = set(params["role_groups"] or [])
    have_roles, have_groups = set(found.roles), set(found.groups)
    if params["state"] == "absent":
        return Work(revoke=sorted(have_roles & roles), leave=sorted(have_groups & groups))
    work = Work(grant=sorted(roles - have_roles), join=sorted(groups - have_groups))
    work.register = bool(work.join) and not found.registered
    if params["exclusive"]:
        work.revoke, work.leave = sorted(have_roles - roles), sorted(have_groups - groups)
    return work


def afterwards(found: Found, work: Work) -> tuple[set[str], set[str]]:
    return (set(found.roles) | set(work.grant)) - set(work.revoke), (set(found.groups) | set(work.join)) - set(work.leave)


def shown(roles: Any, groups: Any, params: dict[str, Any]) -> dict[str, list[str]]:
    """What was asked about, and nothing else."""
    told = {"directory_roles": sorted(roles), "role_groups": sorted(groups)}
    return {name: value for name, value in told.items() if params[name] is not None}


def _refuse_lockout(tenant: Tenant, found: Found, work: Work, params: dict[str, Any]) -> None:
    """Whoever takes its own last access away can neither go on nor give it back."""
    own = found.application and found.application.app_id.lower() == tenant.client_id.lower()
    if own and (work.revoke or work.leave) and not any(afterwards(found, work)):
        raise InvalidInput(
            f"{named(params)} is the application that Ansible signs in as, and would lose its access to Exchange: "
            "leave it a directory role or a role group, or sign in as another."
        )


# -- writing ----------------------------------------------------------------------------------------------------------


def _grant(tenant: Tenant, work: Work, found: Found) -> None:
    for role in work.grant:
        object_id = found.application.object_id if found.application else ""
        body = {"roleDefinitionId": DIRECTORY_ROLES.get(role, role), "principalId": object_id, "directoryScopeId": "/"}
        try:
            tenant.graph.write(Call("POST", _ASSIGNMENTS, body, f"assign {role}"), retry_on=lagging, limit=tenant.wait_timeout)
        except GraphError as error:
            if not error.exists:  # it is there, the list only shows it later
                raise


def _join(tenant: Tenant, work: Work, found: Found) -> None:
    application = found.application
    if work.register and application:
        parameters = {"AppId": application.app_id, "ObjectId": application.object_id, "DisplayName": application.display_name}
        attempted = "register the application in Exchange"
        consistency.run_all(tenant, [Command("New-ServicePrincipal", parameters, attempted=attempted)])
    commands = [_member("Add-RoleGroupMember", group, found, "put the application into") for group in work.join]
    try:
        consistency.run_all(tenant, commands)
    except ExchangeError as error:
        if error.code != "MemberAlreadyExistsException":
            raise


def _member(cmdlet: str, group: str, found: Found, attempted: str) -> Command:
    member = found.application.object_id if found.application else ""
    return Command(cmdlet, {"Identity": group, "Member": member, "Confirm": False}, attempted=f"{attempted} {group}")


def _checked(tenant: Tenant, commands: list[Command]) -> None:
    for outcome in tenant.exchange.batch(commands) if commands else []:
        if outcome.error and not is_missing(outcome.error) and outcome.error.code != "MemberNotFoundException":
            raise outcome.error
