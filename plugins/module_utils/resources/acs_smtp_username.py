# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP usernames of an Azure Communication Services resource, and the Azure role that their applications need on it.

Sources: "Azure Communication Services Management API" 2025-09-01 (SmtpUsernames); "Create credentials for SMTP authentication";
"Assign Azure roles using the REST API" (2022-04-01).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import quote

from .._clients import odata
from .._core.errors import InvalidInput
from .._core.params import nested
from .._core.spec import JOURNAL, TENANT, Option, Spec
from .._core.text_lines import line_problems
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra.application_lookup import Application
from .._identity.credentials import GUID

COMMUNICATION, AUTHORIZATION = "2025-09-01", "2022-04-01"
ROLE = "09976791-48a7-449e-bb21-39d1a415f350"  # Communication and Email Service Owner
# The roles that allow sending: that one, Owner and Contributor.
SENDING_ROLES = {ROLE, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"}
SERVICE: dict[str, Option] = {
    "subscription_id": {"type": "str", "required": True},
    "resource_group": {"type": "str", "required": True},
    "communication_service": {"type": "str", "required": True},
}
USERNAME: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "username": {"type": "str"},
    "app": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    SERVICE
    | {
        "usernames": {"type": "list", "elements": "dict", "options": USERNAME, "required": True},
        "app": {"type": "str"},
        "assign_role": {"type": "bool", "default": True},
        "revoked_apps": {"type": "list", "elements": "str", "default": []},
        "exclusive": {"type": "bool", "default": False},
    }
)


@dataclass(frozen=True)
class ServiceParams:
    """The options that name the Communication Services resource."""

    subscription_id: str
    resource_group: str
    communication_service: str

    @property
    def id(self) -> str:
        group = f"/subscriptions/{self.subscription_id}/resourceGroups/{quote(self.resource_group, safe='')}"
        return f"{group}/providers/Microsoft.Communication/communicationServices/{quote(self.communication_service, safe='')}"


@dataclass(frozen=True)
class UsernameParams:
    """One item of the option usernames."""

    name: str
    username: str | None
    app: str | None
    state: str


@dataclass(frozen=True)
class AcsParams(ServiceParams):
    """The options of the module acs_smtp_username."""

    app: str | None
    assign_role: bool
    revoked_apps: tuple[str, ...]
    exclusive: bool
    usernames: tuple[UsernameParams, ...] = nested(UsernameParams)

    def app_of(self, item: UsernameParams) -> str:
        return item.app or self.app or ""


@dataclass(frozen=True)
class SmtpUsername:
    """An SMTP username and its application: the name of the task, or the client id."""

    username: str
    app: str


@dataclass(frozen=True)
class CurrentService:
    """The resource in Azure. `usernames`: by resource name, with client ids; `senders`: the addresses that it may send from."""

    id: str
    usernames: Mapping[str, SmtpUsername]
    senders: tuple[str, ...]
    notes: tuple[str, ...]

    def named(self, apps: Mapping[str, Application | None]) -> dict[str, SmtpUsername]:
        """The usernames with the applications' names instead of client ids, where the task names them."""
        names = {app.app_id.lower(): name for name, app in reversed(list(apps.items())) if app}
        return {name: SmtpUsername(item.username, names.get(item.app.lower(), item.app)) for name, item in self.usernames.items()}


@dataclass(frozen=True)
class AcsChanges:
    """SMTP usernames to remove and to write, and the names of the applications that need the Azure role, or lose it."""

    service_id: str
    apps: Mapping[str, Application | None]
    remove: tuple[str, ...]
    write: Mapping[str, SmtpUsername]
    assign: tuple[str, ...]
    revoke: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.remove or self.write or self.assign or self.revoke)


class AcsSmtpUsername:
    """Implements the module acs_smtp_username."""

    name = "acs_smtp_username"
    spec = TENANT | JOURNAL | OPTIONS
    params_type = AcsParams

    def validate(self, params: AcsParams) -> list[str]:
        problems = []
        if not GUID.fullmatch(params.subscription_id):
            problems.append(f"subscription_id is {params.subscription_id!r}: give its GUID.")
        names: set[str] = set()
        for item in params.usernames:
            label = f"usernames: {item.name}"
            if not re.fullmatch(r"[a-zA-Z0-9-]{1,253}", item.name):
                problems.append(f"{label}: use letters, digits and hyphens for the name of the resource.")
            if item.name.lower() in names:
                problems.append(f"{label} is there twice: keep one.")
            names.add(item.name.lower())
            if item.state == "present" and not params.app_of(item):
                problems.append(f"{label}: give the application that signs in with it (app).")
            if item.state == "present" and not item.username:
                problems.append(f"{label}: give its username, any text or a mail address.")
            problems += [f"{label}: {text}" for text in line_problems("username", item.username)]
        return problems

    def plan(self, tenant: Tenant, params: AcsParams, check_mode: bool) -> Plan[AcsChanges]:
        service = read(tenant, params)
        present = [item for item in params.usernames if item.state == "present"]
        apps = application_lookup.find(tenant, [params.app_of(item) for item in present])
        assumptions = application_lookup.refuse_missing(apps, check_mode, named_by={app: _naming(params, present, app) for app in apps})
        revoked = application_lookup.find(tenant, [name for name in params.revoked_apps if name not in apps])
        revoke = tuple(sorted(name for name, app in revoked.items() if app and _own_assignment(tenant, service.id, name, app)))
        current = service.named(apps)
        desired = desired_usernames(params, current)
        if problems := list(_taken(desired, current)):
            raise InvalidInput(*problems)
        has_role = {name: _has_sending_role(tenant, service.id, name, app) for name, app in apps.items()} if params.assign_role else {}
        changes = AcsChanges(
            service.id,
            {**apps, **revoked},
            remove=tuple(name for name in current if name not in desired),
            write={name: item for name, item in desired.items() if current.get(name) != item},
            assign=tuple(sorted(name for name, held in has_role.items() if not held)),
            revoke=revoke,
        )
        before = _result(current) | {"may_send": sorted([name for name, held in has_role.items() if held] + list(revoke))}
        after = _result(desired) | {"may_send": sorted(has_role)}
        outcome = {"acs": after | {"senders": list(service.senders)}}
        return Plan(before, after, changes if changes else None, outcome, list(service.notes), assumptions)

    def apply(self, tenant: Tenant, params: AcsParams, plan: Plan[AcsChanges]) -> dict[str, object]:
        changes = plan.pending
        for name in changes.remove:
            tenant.arm.delete(f"{changes.service_id}/smtpUsernames/{name}", COMMUNICATION, f"remove the SMTP username {name}")
        for name, item in changes.write.items():
            app = changes.apps[item.app]
            if app:
                properties = {"username": item.username, "entraApplicationId": app.app_id, "tenantId": app.home_tenant}
                path = f"{changes.service_id}/smtpUsernames/{name}"
                tenant.arm.put(path, COMMUNICATION, {"properties": properties}, f"set the SMTP username {name}")
        for name in changes.assign:
            app = changes.apps[name]
            if app:
                _assign_role(tenant, changes.service_id, name, app)
        for name in changes.revoke:
            app = changes.apps[name]
            if app:
                path = _assignment(changes.service_id, app)
                tenant.arm.delete(path, AUTHORIZATION, f"remove the Azure role of {name}")
        return plan.outcome


class AcsSmtpUsernameInfo(ReadOnlyResource[ServiceParams]):
    """Implements the module acs_smtp_username_info."""

    name = "acs_smtp_username_info"
    spec = TENANT | Spec(SERVICE, writes=False)
    params_type = ServiceParams

    def plan(self, tenant: Tenant, params: ServiceParams, check_mode: bool) -> Plan[None]:
        service = read(tenant, params)
        outcome = {"acs": _result(service.usernames) | {"senders": list(service.senders)}}
        return Plan(outcome=outcome, warnings=list(service.notes))


RESOURCE = AcsSmtpUsername()
INFO = AcsSmtpUsernameInfo()


def _result(usernames: Mapping[str, SmtpUsername]) -> dict[str, object]:
    return {"usernames": {name: asdict(item) for name, item in sorted(usernames.items())}}


def _naming(params: AcsParams, present: Sequence[UsernameParams], app: str) -> str:
    """The option that names an application: that of all usernames, else those that name it themselves."""
    users = [item for item in present if params.app_of(item) == app]
    return f"usernames: {', '.join(item.name for item in users)}" if all(item.app for item in users) else "app"


def desired_usernames(params: AcsParams, current: Mapping[str, SmtpUsername]) -> dict[str, SmtpUsername]:
    desired = {} if params.exclusive else dict(current)
    for item in params.usernames:
        name = next((existing for existing in current if existing.lower() == item.name.lower()), item.name)
        desired.pop(name, None)
        if item.state == "present":
            desired[name] = SmtpUsername(item.username or "", params.app_of(item))
    return desired


def _taken(desired: Mapping[str, SmtpUsername], current: Mapping[str, SmtpUsername]) -> Iterator[str]:
    """One sentence for each new or changed username whose text another one has: Azure refuses it (Conflict)."""
    names: dict[str, list[str]] = {}
    for name, item in desired.items():
        names.setdefault(item.username.lower(), []).append(name)
    for listed in names.values():
        new = [name for name in listed if name not in current or current[name].username.lower() != desired[name].username.lower()]
        if len(listed) > 1 and new:
            others = ", ".join(name for name in listed if name != new[0])
            yield (
                f"usernames: {new[0]}: {desired[new[0]].username} is the text of the SMTP username {others}, too, and Azure takes a text "
                f"once: remove {others}, or list the sender in the inventory that has created it."
            )


# -- reading ----------------------------------------------------------------------------------------------------------


def exists(tenant: Tenant, options: Mapping[str, str]) -> bool:
    """Whether Azure has the Communication Services resource that the options of SERVICE name."""
    path = ServiceParams(**options).id
    return tenant.arm.get(path, COMMUNICATION, "look for the Communication Services resource") is not None


def read(tenant: Tenant, params: ServiceParams) -> CurrentService:
    """The usernames of the resource, and the senders of its linked domains."""
    service = tenant.arm.get(params.id, COMMUNICATION, "read the Communication Services resource")
    if service is None:
        raise InvalidInput(
            f"communication_service is {params.communication_service}, and Azure has no such Communication Services resource in the "
            f"resource group {params.resource_group}: create it with an Email Communication Service, or correct the names."
        )
    usernames = {}
    for item in tenant.arm.every(f"{params.id}/smtpUsernames", COMMUNICATION, "list the SMTP usernames"):
        properties = item["properties"]
        usernames[str(item["name"])] = SmtpUsername(properties["username"], str(properties["entraApplicationId"]).lower())
    linked = service.get("properties", {}).get("linkedDomains") or []
    notes = [] if linked else ["no e-mail domain is linked to the resource, so that it cannot send: verify a domain and link it."]
    senders: set[str] = set()
    for domain_id in linked:
        domain_senders, domain_notes = _read_domain(tenant, str(domain_id))
        senders.update(domain_senders)
        notes += domain_notes
    return CurrentService(params.id, usernames, tuple(sorted(senders)), tuple(notes))


def _read_domain(tenant: Tenant, domain_id: str) -> tuple[Iterable[str], list[str]]:
    """The sender addresses of a linked domain, and notes about its verification."""
    domain = tenant.arm.get(domain_id, COMMUNICATION, "read a linked e-mail domain")
    properties = (domain or {}).get("properties", {})
    name = str(properties.get("fromSenderDomain") or domain_id.rpartition("/")[2])
    states = properties.get("verificationStates") or {}
    pending = sorted(kind for kind in ("Domain", "SPF", "DKIM", "DKIM2") if (states.get(kind) or {}).get("status") != "Verified")
    if properties.get("domainManagement") == "AzureManaged":
        pending = []
    notes = []
    if pending:
        notes.append(
            f"{name}: {', '.join(pending)} not verified; publish the DNS records that Azure shows for it and start the verification."
        )
    if "Domain" in pending:
        return [], notes
    listed = tenant.arm.every(f"{domain_id}/senderUsernames", COMMUNICATION, f"list the senders of {name}")
    return [f"{item['properties']['username']}@{name}".lower() for item in listed], notes


def _has_sending_role(tenant: Tenant, service_id: str, name: str, app: Application | None) -> bool:
    """Whether an application has a role that allows sending, on the resource or inherited."""
    if app is None:
        return False
    query = f"&$filter={odata.equals('principalId', app.object_id)}"
    path = f"{service_id}/providers/Microsoft.Authorization/roleAssignments"
    listed = tenant.arm.every(path, AUTHORIZATION, f"read the Azure roles of {name}", query)
    return any(str(item["properties"]["roleDefinitionId"]).rpartition("/")[2].lower() in SENDING_ROLES for item in listed)


# -- writing ----------------------------------------------------------------------------------------------------------


def _assign_role(tenant: Tenant, service_id: str, name: str, app: Application) -> None:
    """The assignment's id is derived from its content, so that a repeated request creates no second assignment."""
    subscription = "/".join(service_id.split("/")[:3])
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
        "principalId": app.object_id,
        "principalType": "ServicePrincipal",
    }
    tenant.arm.put(_assignment(service_id, app), AUTHORIZATION, {"properties": properties}, f"assign the Azure role to {name}")


def _assignment(service_id: str, app: Application) -> str:
    """The path of the role assignment that this module creates for an application."""
    assignment_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{service_id.lower()} {app.object_id.lower()} {ROLE}")
    return f"{service_id}/providers/Microsoft.Authorization/roleAssignments/{assignment_id}"


def _own_assignment(tenant: Tenant, service_id: str, name: str, app: Application) -> bool:
    """Whether the application has the role by an assignment of this module."""
    return tenant.arm.get(_assignment(service_id, app), AUTHORIZATION, f"read the Azure role of {name}") is not None
