# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP usernames of an Azure Communication Services resource, and the role that their applications need on it.

Private to the collection. Sources: "Azure Communication Services Management API" 2025-09-01 (SmtpUsernames); "Create
credentials for SMTP authentication"; "Assign Azure roles using the REST API" (2022-04-01).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .._core.errors import InvalidInput
from .._core.spec import JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._entra import application_lookup
from .._entra.application_lookup import Application
from .._identity.credentials import GUID

COMMUNICATION, AUTHORIZATION = "2025-09-01", "2022-04-01"
ROLE = "09976791-48a7-449e-bb21-39d1a415f350"  # Communication and Email Service Owner
# Owner, Contributor: they may send as well.
ENOUGH = {ROLE, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"}
PLACE = {
    "subscription_id": {"type": "str", "required": True},
    "resource_group": {"type": "str", "required": True},
    "communication_service": {"type": "str", "required": True},
}
USERNAME = {
    "name": {"type": "str", "required": True},
    "username": {"type": "str"},
    "app": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OPTIONS = Spec(
    PLACE
    | {
        "usernames": {"type": "list", "elements": "dict", "options": USERNAME, "required": True},
        "app": {"type": "str"},
        "assign_role": {"type": "bool", "default": True},
        "exclusive": {"type": "bool", "default": False},
    }
)


@dataclass
class Found:
    """The resource as it is. `usernames`: by name, each with its username and the client id of its application."""

    id: str
    usernames: dict[str, dict[str, str]] = field(default_factory=dict)
    senders: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    apps: dict[str, Application | None] = field(default_factory=dict)  # by the name that the task gives
    held: dict[str, bool] = field(default_factory=dict)  # by the same: whether a role lets it send

    def label(self, app_id: str) -> str:
        return next((name for name, app in self.apps.items() if app and app.app_id.lower() == app_id.lower()), app_id)

    def public(self) -> dict[str, dict[str, str]]:
        return {name: {"username": u["username"], "app": self.label(u["app"])} for name, u in self.usernames.items()}


class AcsSmtpUsername:
    """module acs_smtp_username"""

    name = "acs_smtp_username"
    spec = TENANT | JOURNAL | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = (
            [] if GUID.fullmatch(params["subscription_id"]) else [f"subscription_id is {params['subscription_id']!r}: give its GUID."]
        )
        seen: set[str] = set()
        for wish in params["usernames"]:
            label = f"usernames: {wish['name']}"
            if not re.fullmatch(r"[a-zA-Z0-9-]{1,253}", wish["name"]):
                problems.append(f"{label}: use letters, digits and hyphens for the resource's name.")
            if wish["name"].lower() in seen:
                problems.append(f"{label} is there twice: keep one.")
            seen.add(wish["name"].lower())
            if wish["state"] == "present" and not (wish["app"] or params["app"]):
                problems.append(f"{label}: give the application that signs in with it (app).")
            if wish["state"] == "present" and not wish["username"]:
                problems.append(f"{label}: give its username, free of choice or a mail address.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        present = [w for w in params["usernames"] if w["state"] == "present"]
        found = read(tenant, params)
        found.apps = application_lookup.find(tenant, [w["app"] or params["app"] for w in present])
        notes = application_lookup.refuse_missing(found.apps, check_mode) + found.notes
        have = found.public()
        will = {} if params["exclusive"] else dict(have)
        for wish in params["usernames"]:
            name = next((n for n in have if n.lower() == wish["name"].lower()), wish["name"])
            will.pop(name, None)
            if wish["state"] == "present":
                will[name] = {"username": wish["username"], "app": wish["app"] or params["app"]}
        if params["assign_role"]:
            found.held = roles(tenant, found)
        missing = sorted(name for name, held in found.held.items() if not held)
        before: dict[str, Any] = {"usernames": dict(sorted(have.items())), "may_send": sorted(n for n, held in found.held.items() if held)}
        after: dict[str, Any] = {"usernames": dict(sorted(will.items())), "may_send": sorted(found.held)}
        steps = [have, will, missing, found] if have != will or missing else []
        return Plan(before, after, steps, {"acs": after | {"senders": found.senders}}, notes)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        have, will, missing, found = plan.steps
        for name in have:
            if name not in will:
                tenant.arm.delete(f"{found.id}/smtpUsernames/{name}", COMMUNICATION, f"remove the SMTP username {name}")
        for name, wish in will.items():
            if have.get(name) != wish:
                app = found.apps[wish["app"]]
                properties = {"username": wish["username"], "entraApplicationId": app.app_id, "tenantId": app.home_tenant}
                attempted = f"set the SMTP username {name}"
                tenant.arm.put(f"{found.id}/smtpUsernames/{name}", COMMUNICATION, {"properties": properties}, attempted)
        for name in missing:
            assign(tenant, found, name)
        return plan.outcome


class AcsSmtpUsernameInfo(Reading):
    """module acs_smtp_username_info"""

    name = "acs_smtp_username_info"
    spec = TENANT | Spec(PLACE, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        found = read(tenant, params)
        return Plan(outcome={"acs": {"usernames": dict(sorted(found.public().items())), "senders": found.senders}}, warnings=found.notes)


RESOURCE = AcsSmtpUsername()
INFO = AcsSmtpUsernameInfo()


def read(tenant: Tenant, params: dict[str, Any]) -> Found:
    """The resource's usernames, and which senders its linked domains allow."""
    group = f"/subscriptions/{params['subscription_id']}/resourceGroups/{quote(params['resource_group'], safe='')}"
    found = Found(f"{group}/providers/Microsoft.Communication/communicationServices/{quote(params['communication_service'], safe='')}")
    service = tenant.arm.get(found.id, COMMUNICATION, "read the Communication Services resource")
    if service is None:
        raise InvalidInput(
            f"Azure has no Communication Services resource {params['communication_service']} in the resource group "
            f"{params['resource_group']}: create it with an Email Communication Service, or correct the names."
        )
    for item in tenant.arm.every(f"{found.id}/smtpUsernames", COMMUNICATION, "list the SMTP usernames"):
        properties = item["properties"]
        found.usernames[str(item["name"])] = {"username": properties["username"], "app": str(properties["entraApplicationId"]).lower()}
    linked = service.get("properties", {}).get("linkedDomains") or []
    if not linked:
        found.notes.append("no e-mail domain is linked to the resource, so that nobody can send: verify one and link it.")
    for domain_id in linked:
        _read_domain(tenant, found, str(domain_id))
    return found


def _read_domain(tenant: Tenant, found: Found, domain_id: str) -> None:
    domain = tenant.arm.get(domain_id, COMMUNICATION, "read a linked e-mail domain")
    properties = (domain or {}).get("properties", {})
    name = str(properties.get("fromSenderDomain") or domain_id.rpartition("/")[2])
    states = properties.get("verificationStates") or {}
    pending = sorted(kind for kind in ("Domain", "SPF", "DKIM", "DKIM2") if (states.get(kind) or {}).get("status") != "Verified")
    own = properties.get("domainManagement") != "AzureManaged"
    if pending and own:
        found.notes.append(
            f"{name}: {', '.join(pending)} not verified; publish the DNS records that Azure shows for it and start the verification."
        )
    if "Domain" in pending and own:
        return
    listed = tenant.arm.every(f"{domain_id}/senderUsernames", COMMUNICATION, f"list the senders of {name}")
    found.senders = sorted({*found.senders, *(f"{one['properties']['username']}@{name}".lower() for one in listed)})


def roles(tenant: Tenant, found: Found) -> dict[str, bool]:
    """Whether each application has a role on the resource, its own or from above, that lets it send."""
    held = {}
    for name, app in found.apps.items():
        query = f"&$filter={quote(_of(app))}" if app else ""
        path = f"{found.id}/providers/Microsoft.Authorization/roleAssignments"
        listed = tenant.arm.every(path, AUTHORIZATION, f"read the Azure roles of {name}", query) if app else []
        held[name] = any(str(one["properties"]["roleDefinitionId"]).rpartition("/")[2].lower() in ENOUGH for one in listed)
    return held


def _of(app: Application) -> str:
    return f"principalId eq '{app.object_id}'"


def assign(tenant: Tenant, found: Found, name: str) -> None:
    """The assignment's name is made of what it says, so that a repeated request makes no second one."""
    app = found.apps[name]
    if app is None:
        return
    subscription = "/".join(found.id.split("/")[:3])
    properties = {
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
        "principalId": app.object_id,
        "principalType": "ServicePrincipal",
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{found.id.lower()} {app.object_id.lower()} {ROLE}")
    path = f"{found.id}/providers/Microsoft.Authorization/roleAssignments/{number}"
    tenant.arm.put(path, AUTHORIZATION, {"properties": properties}, f"assign the Azure role to {name}")
