# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access of an application to Exchange management: directory roles in Entra, and role groups in Exchange.

Sources: "App-only authentication for unattended scripts in Exchange Online PowerShell"; Microsoft Graph v1.0,
"unifiedRoleAssignment"; Add-RoleGroupMember.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from .._clients import odata
from .._clients import permissions as required
from .._clients.exchange import Command, is_missing
from .._clients.graph import Call
from .._clients.permissions import DIRECTORY_ROLES, ROLE_NAMES, RequiredPermission
from .._core.errors import ExchangeError, GraphError, InvalidInput
from .._core.json_types import JsonObject
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.required_permissions import refuse_missing as refuse_missing_permissions
from .._engine.resource import Plan
from .._engine.tenant import Tenant
from .._entra.application_lookup import Application, find_application, refuse_missing
from .._entra.application_params import PERMISSION
from .._entra.applications import PermissionParams, is_replication_delay
from .._exchange import consistency, service_principals
from .._identity.credentials import GUID
from .composed import permissions

_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
OPTIONS = Spec(
    {
        "unique_name": {"type": "str"},
        "app_id": {"type": "str"},
        "directory_roles": {"type": "list", "elements": "str"},
        "role_groups": {"type": "list", "elements": "str"},
        "permissions": {"type": "list", "elements": "dict", "options": PERMISSION, "default": []},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    mutually_exclusive=(("unique_name", "app_id"),),
    required_one_of=(("unique_name", "app_id"), ("directory_roles", "role_groups")),
)


@dataclass(frozen=True)
class AutomationAccessParams:
    """The options of the module automation_access."""

    unique_name: str | None
    app_id: str | None
    directory_roles: tuple[str, ...] | None
    role_groups: tuple[str, ...] | None
    exclusive: bool
    state: str
    permissions: tuple[PermissionParams, ...] = nested(PermissionParams)

    @property
    def application(self) -> str:
        return str(self.unique_name or self.app_id)


@dataclass(frozen=True)
class CurrentAccess:
    """The directory roles and role groups of an application.

    `roles`: role assignment ids by role name (or template id). `role_groups`: the groups of the option, in Exchange's spelling;
    `group_guids`: of all role groups, by name.
    """

    application: Application | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    is_registered: bool = False  # in Exchange
    groups: tuple[str, ...] = ()
    role_groups: tuple[str, ...] = ()
    group_guids: Mapping[str, str] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        return self.application.object_id if self.application else ""

    def belongs_to(self, client_id: str) -> bool:
        return bool(self.application and self.application.app_id.lower() == client_id.lower())


@dataclass(frozen=True)
class AccessChanges:
    """Directory roles to assign and remove, and role groups to join and leave; `register`: the service principal in Exchange."""

    current: CurrentAccess
    assign: tuple[str, ...] = ()
    unassign: tuple[str, ...] = ()
    register: bool = False
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.assign or self.unassign or self.register or self.join or self.leave)

    def roles(self) -> set[str]:
        """The directory roles after the changes."""
        return (set(self.current.roles) | set(self.assign)) - set(self.unassign)

    def groups(self) -> set[str]:
        """The role groups after the changes."""
        return (set(self.current.groups) | set(self.join)) - set(self.leave)


class AutomationAccess:
    """Implements the module automation_access."""

    name = "automation_access"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = AutomationAccessParams

    def validate(self, params: AutomationAccessParams) -> list[str]:
        problems = []
        if params.app_id and not GUID.fullmatch(params.app_id):
            problems.append(f"app_id is {params.app_id!r}: give the application's client id, a GUID.")
        for role in params.directory_roles or ():
            if role not in DIRECTORY_ROLES and not GUID.fullmatch(role):
                names = ", ".join(DIRECTORY_ROLES)
                problems.append(f"directory_roles holds {role!r}: use {names}, or the id of a role template (a GUID).")
        if any(not group.strip() for group in params.role_groups or ()):
            problems.append("role_groups holds an empty name: remove it.")
        return problems

    def plan(self, tenant: Tenant, params: AutomationAccessParams, check_mode: bool) -> Plan[AccessChanges]:
        warnings: list[str] = []
        if params.permissions:
            refuse_missing_permissions(tenant, [required.APPLICATIONS_READ], lambda: _of_new_application(params))
        application = find_application(tenant, params.app_id, params.unique_name)
        if not application and params.state == "present":
            refuse_missing_permissions(tenant, _of_new_application(params) if params.permissions else [])
            warnings = [one.note for one in refuse_missing({params.application: None}, check_mode, "module entra_app")]
        current = read(tenant, application, params)
        changes = difference(current, params)
        before = _result(current.roles, current.groups, params)
        after = _result(changes.roles(), changes.groups(), params)
        _refuse_own_removals(tenant, changes, params)
        outcome: JsonObject = {"access": after | {"app_id": application.app_id if application else None}}
        if application and application.app_id.lower() != tenant.client_id.lower() and params.state == "present":
            outcome["attention"] = [_next_step(params.application, application.app_id)]
        return Plan(before, after, changes if changes else None, outcome, warnings)

    def required_permissions(self, changes: AccessChanges, /) -> list[RequiredPermission]:
        return [required.DIRECTORY_ROLES_WRITE] if changes.assign or changes.unassign else []

    def cmdlets(self, changes: AccessChanges, /) -> Iterator[str]:
        """The cmdlets that write the changes."""
        yield from ["New-ServicePrincipal"] if changes.register else []
        yield from ["Add-RoleGroupMember"] if changes.join else []
        yield from ["Remove-RoleGroupMember"] if changes.leave else []

    def apply(self, tenant: Tenant, params: AutomationAccessParams, plan: Plan[AccessChanges]) -> dict[str, object]:
        changes = plan.pending
        current = changes.current
        _assign_roles(tenant, changes)
        _join_groups(tenant, changes)
        # Removals last: the automation app may need what is removed for the other changes.
        removals = [_member("Remove-RoleGroupMember", group, current, "remove the application from") for group in changes.leave]
        for outcome in tenant.exchange.batch(removals) if removals else []:
            if outcome.error and not is_missing(outcome.error) and outcome.error.code != "MemberNotFoundException":
                raise outcome.error
        attempted = f"remove directory roles from {params.application}"
        deletions = [Call("DELETE", f"{_ASSIGNMENTS}/{current.roles[role]}", None, attempted) for role in changes.unassign]
        if deletions:
            tenant.graph.batch(deletions)
        if current.application and (changes.assign or changes.join):
            tenant.tokens.add_grants(current.application.app_id, "exchange")
        if current.belongs_to(tenant.client_id):
            tenant.tokens.forget()
        return plan.outcome


RESOURCE = AutomationAccess()


# -- reading ----------------------------------------------------------------------------------------------------------


def read(tenant: Tenant, application: Application | None, params: AutomationAccessParams) -> CurrentAccess:
    """Directory roles and role groups are read only where an option names them: each requires permissions of its own."""
    roles: dict[str, str] = {}
    if application and params.directory_roles is not None:
        query = f"?$filter={odata.equals('principalId', application.object_id)}"
        for item in tenant.graph.every(_ASSIGNMENTS + query, "read the application's directory roles"):
            if item.get("directoryScopeId") == "/":
                role = str(item["roleDefinitionId"]).lower()
                roles[ROLE_NAMES.get(role, role)] = str(item["id"])
    if params.role_groups is None:
        return CurrentAccess(application, roles)
    return _read_groups(tenant, application, roles, params.role_groups, params.exclusive)


def _read_groups(
    tenant: Tenant, application: Application | None, roles: Mapping[str, str], role_groups: Sequence[str], exclusive: bool
) -> CurrentAccess:
    commands = [
        service_principals.READ,
        Command("Get-RoleGroup", {"ResultSize": "Unlimited"}, ("Name", "Guid"), "read the role groups"),
    ]
    principals, groups = tenant.exchange.batch(commands)
    registered = service_principals.read(principals)
    guids = {str(group["Name"]): str(group.get("Guid") or group["Name"]) for group in groups.checked().values}
    names = {name.lower(): name for name in guids}
    unknown = [group for group in role_groups if group.lower() not in names]
    if unknown:
        raise InvalidInput(f"role_groups: there is no {', '.join(unknown)}; this organization has {', '.join(sorted(names.values()))}.")
    spelled = tuple(names[group.lower()] for group in role_groups)
    own = next((one for one in registered if application and one.object_id.lower() == application.object_id.lower()), None)
    if not own:
        return CurrentAccess(application, roles, False, (), spelled, guids)
    listed = list(names.values()) if exclusive else list(spelled)
    parameters = {name: {"Identity": guids[name], "ResultSize": "Unlimited"} for name in listed}
    reads = [Command("Get-RoleGroupMember", parameters[name], attempted=f"read {name}") for name in listed]
    members = zip(listed, tenant.exchange.batch(reads), strict=True)
    joined = tuple(name for name, outcome in members if any(_ids(member) & own.member_ids for member in outcome.checked().values))
    return CurrentAccess(application, roles, True, joined, spelled, guids)


def _ids(member: JsonObject) -> set[str]:
    """The ids of a role group member; the name of a service principal in Exchange is its object id."""
    return {str(member[name]).lower() for name in ("Name", "Guid", "ExternalDirectoryObjectId", "Sid") if member.get(name)}


# -- comparing --------------------------------------------------------------------------------------------------------


def difference(current: CurrentAccess, params: AutomationAccessParams) -> AccessChanges:
    roles = {ROLE_NAMES.get(role.lower(), role) for role in params.directory_roles or ()}
    groups = set(current.role_groups)
    current_roles, current_groups = set(current.roles), set(current.groups)
    if params.state == "absent":
        return AccessChanges(current, unassign=_sorted(current_roles & roles), leave=_sorted(current_groups & groups))
    join = _sorted(groups - current_groups)
    return AccessChanges(
        current,
        assign=_sorted(roles - current_roles),
        unassign=_sorted(current_roles - roles) if params.exclusive else (),
        register=bool(join) and not current.is_registered,
        join=join,
        leave=_sorted(current_groups - groups) if params.exclusive else (),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _result(roles: Iterable[str], groups: Iterable[str], params: AutomationAccessParams) -> dict[str, list[str]]:
    """The directory roles and role groups, each where its option is set."""
    result = {}
    if params.directory_roles is not None:
        result["directory_roles"] = sorted(roles)
    if params.role_groups is not None:
        result["role_groups"] = sorted(groups)
    return result


def _of_new_application(params: AutomationAccessParams) -> list[RequiredPermission]:
    """The permissions that this sign-in requires to register the application, to consent and to assign its roles."""
    listed = [asdict(item) for item in params.permissions]
    roles, groups = bool(params.directory_roles), bool(params.role_groups)
    return permissions.of_new_automation_app(listed, directory_roles=roles, role_groups=groups)


def _next_step(name: str, app_id: str) -> JsonObject:
    """The client id for the inventory, where the run signs in as somebody else."""
    remedy = f"Set m365_client_id: {app_id} in the inventory, with the credential of this application (m365_certificate_path)."
    return {"kind": "other", "subject": f"Automation app {name}", "problem": f"Its client id is {app_id}.", "remedy": remedy}


def _refuse_own_removals(tenant: Tenant, changes: AccessChanges, params: AutomationAccessParams) -> None:
    """InvalidInput where the automation app would remove its own built-in directory roles or its own last access.

    Entra refuses the first: 400 "Removing self from .. built-in role is not allowed". The second could not be restored by the app itself.
    """
    if not changes.current.belongs_to(tenant.client_id):
        return
    own = f"{params.application} is the application that Ansible signs in as"
    built_in = [role for role in changes.unassign if role in DIRECTORY_ROLES]
    if built_in:
        raise InvalidInput(
            f"{own}, and Entra does not let an application remove its own built-in directory roles ({', '.join(built_in)}): keep them in "
            "directory_roles, sign in as another application, or let a Privileged Role Administrator remove them "
            "(Entra admin center, Roles and administrators). Nothing was changed."
        )
    if (changes.unassign or changes.leave) and not (changes.roles() or changes.groups()):
        raise InvalidInput(
            f"{own}, and would lose its access to Exchange: leave it a directory role or a role group, or sign in as another application."
        )


# -- writing ----------------------------------------------------------------------------------------------------------


def _assign_roles(tenant: Tenant, changes: AccessChanges) -> None:
    for role in changes.assign:
        role_id = DIRECTORY_ROLES.get(role, role)
        body = {"roleDefinitionId": role_id, "principalId": changes.current.object_id, "directoryScopeId": "/"}
        try:
            call = Call("POST", _ASSIGNMENTS, body, f"assign {role}")
            tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
        except GraphError as error:
            if not error.exists:  # the assignment exists, and the list does not show it yet
                raise


def _join_groups(tenant: Tenant, changes: AccessChanges) -> None:
    application = changes.current.application
    if changes.register and application:
        parameters = {"AppId": application.app_id, "ObjectId": application.object_id, "DisplayName": application.display_name}
        attempted = "register the application in Exchange"
        consistency.run_all(tenant, [Command("New-ServicePrincipal", parameters, attempted=attempted)])
    commands = [_member("Add-RoleGroupMember", group, changes.current, "add the application to") for group in changes.join]
    try:
        consistency.run_all(tenant, commands)
    except ExchangeError as error:
        if error.code != "MemberAlreadyExistsException":
            raise


def _member(cmdlet: str, group: str, current: CurrentAccess, attempted: str) -> Command:
    parameters = {"Identity": current.group_guids.get(group, group), "Member": current.object_id, "Confirm": False}
    return Command(cmdlet, parameters, attempted=f"{attempted} {group}")
