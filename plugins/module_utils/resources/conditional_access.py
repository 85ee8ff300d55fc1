# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access, read-only: which policy would block which sender.

Sources: Microsoft Graph v1.0, "conditionalAccessPolicy", "List a user's memberships (direct and
transitive)". Conditional Access answers one request a second and tenant, and throttles without Retry-After (measured).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._clients.graph import Call
from .._clients.odata import key
from .._core import mail_addresses
from .._core.errors import GraphError, InvalidInput
from .._core.params import nested
from .._core.spec import TENANT, Option, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import application_lookup, conditional_access
from .._entra.conditional_access import Finding, Sender
from .._entra.graph_objects import ServicePrincipalObject, UserObject
from .._entra.policies import Policy
from .._identity.credentials import GUID

POLICIES = "/identity/conditionalAccess/policies?$select=id,displayName,state,conditions,grantControls,sessionControls"
PACE = 1.0  # seconds between two requests to Conditional Access
METHODS = ("oauth", "basic", "delegated", "hve", "acs", "connector", "direct_send")
SENDER: dict[str, Option] = {
    "name": {"type": "str"},
    "address": {"type": "str", "required": True},
    "method": {"type": "str", "choices": list(METHODS), "default": "oauth"},
    "app_unique_name": {"type": "str"},
    "app_id": {"type": "str"},
}
OPTIONS = Spec({"senders": {"type": "list", "elements": "dict", "required": True, "options": SENDER}}, writes=False)
ADVICE = {
    "basic": "Send with OAuth, or exclude the account from the policy.",
    "delegated": "Exclude the account from the policy, or let an application send.",
    "app": "Exclude the application from the policy.",
}


# What signs in for a method, as Conditional Access sees it; for hve it depends on whether an application is named.
_KINDS = {"oauth": "app", "acs": "app", "basic": "basic", "delegated": "delegated"}


@dataclass(frozen=True)
class SenderParams:
    name: str | None
    address: str
    method: str
    app_unique_name: str | None
    app_id: str | None

    @property
    def label(self) -> str:
        return self.name or self.address

    @property
    def app(self) -> str:
        """The sender's application, by client id or unique name; empty without one."""
        return self.app_id or self.app_unique_name or ""

    @property
    def kind(self) -> str:
        """What signs in: app, basic or delegated; empty for a method without a sign-in."""
        if self.method == "hve":
            return "app" if self.app else "basic"
        return _KINDS.get(self.method, "")


@dataclass(frozen=True)
class Params:
    senders: tuple[SenderParams, ...] = nested(SenderParams)


@dataclass
class Directory:
    """What Entra has of the senders. A missing key: there is none; None: it could not be read."""

    users: dict[str, Sender] | None = field(default_factory=dict)  # by address
    apps: dict[str, Sender] | None = field(default_factory=dict)  # by app id, or by unique name


class ConditionalAccessInfo(ReadOnlyResource[Params]):
    """Module conditional_access_info."""

    name = "conditional_access_info"
    spec = TENANT | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        return [f"senders: {sender.label}: {problem}" for sender in params.senders for problem in _problems(sender)]

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        policies = read(tenant)
        findings, notes = evaluate_all(tenant, policies, params.senders)
        senders = [_result(sender, own) for sender, own in zip(params.senders, findings, strict=True)]
        listed = [{"id": policy.id, "name": policy.display_name, "state": policy.state} for policy in policies]
        return Plan(outcome={"conditional_access": {"policies": listed, "senders": senders}}, warnings=notes)


INFO = ConditionalAccessInfo()


def read(tenant: Tenant) -> list[Policy]:
    """All policies, in one paged read."""
    attempted = "read the Conditional Access policies, which takes the permission Policy.Read.All"
    return [Policy.from_graph(item) for item in tenant.graph.every(POLICIES, attempted, pace=PACE)]


def _problems(sender: SenderParams) -> Iterator[str]:
    yield from mail_addresses.problems("the sender's address", [sender.address])
    if sender.app_unique_name and sender.app_id:
        yield "give app_unique_name or app_id, not both."
    if sender.method in ("oauth", "acs") and not sender.app:
        yield f"method {sender.method} needs app_unique_name or app_id, the application that it signs in as."
    if sender.app_id and not GUID.fullmatch(sender.app_id):
        yield f"app_id is {sender.app_id!r}: give the application's client id, a GUID."


def evaluate_all(tenant: Tenant, policies: list[Policy], senders: Sequence[SenderParams]) -> tuple[list[list[Finding]], list[str]]:
    """Every sender's findings in the senders' order, and the notes for the user about them."""
    live = [policy for policy in policies if not policy.is_off]
    notes: list[str] = []
    directory = look_up(tenant, live, senders, notes) if live else Directory()
    all_findings = []
    for sender in senders:
        findings = conditional_access.evaluate(live, _facts(sender, directory)) if sender.kind else []
        all_findings.append(findings)
        notes += [_note(sender, finding) for finding in findings]
    return all_findings, notes


def _facts(sender: SenderParams, directory: Directory) -> Sender:
    method = sender.kind
    known, name = (directory.apps, sender.app) if method == "app" else (directory.users, sender.address.lower())
    unread = Sender(method, guest=None, own_tenant=None)
    facts = unread if known is None else known.get(name, Sender(method))  # what does not exist yet will be created in this tenant
    # A token of Azure Communication Services is not for Exchange: only a policy for all applications applies to it.
    return replace(facts, method=method, resource="") if sender.method == "acs" else replace(facts, method=method)


def _result(sender: SenderParams, findings: list[Finding]) -> dict[str, object]:
    enabled = [finding.effect for finding in findings if finding.state == "enabled"]
    verdict = "blocked" if "blocks" in enabled else "may be blocked" if enabled else "not blocked"
    listed = [finding.as_result() for finding in findings]
    return {"name": sender.name, "address": sender.address, "method": sender.method, "verdict": verdict, "findings": listed}


def _note(sender: SenderParams, finding: Finding) -> str:
    effect = finding.effect
    if finding.state == "report-only":
        effect = f"is report-only; enabled, it {'would block' if effect == 'blocks' else 'might block'}"
    head = f"{sender.label} ({sender.method}): the Conditional Access policy {finding.policy!r}"
    return f"{head} {effect} it: {finding.reason}. {ADVICE[sender.kind]}"


# -- the directory -------------------------------------------------------------------------------------------------------


def look_up(tenant: Tenant, policies: list[Policy], senders: Sequence[SenderParams], notes: list[str]) -> Directory:
    """The senders' users and applications: as few requests as these policies need.

    What the application is not permitted to read stays unknown.
    """
    addresses = list(dict.fromkeys(sender.address.lower() for sender in senders if sender.kind in ("basic", "delegated")))
    apps = list(dict.fromkeys(sender.app for sender in senders if sender.kind == "app"))
    workloads = any(policy.workloads for policy in policies)
    directory = Directory()
    if addresses:
        directory.users = _users(tenant, policies, addresses, notes)
        _note_missing(notes, "user with the address", addresses, directory.users)
    if apps and workloads:
        directory.apps = _applications(tenant, apps, notes)
        _note_missing(notes, "application", apps, directory.apps)
    return directory


def _note_missing(notes: list[str], kind: str, names: list[str], known: dict[str, Sender] | None) -> None:
    missing = [name for name in names if known is not None and name not in known]
    if missing:
        notes.append(f"Entra has no {kind} {', '.join(missing)}: evaluated as one that no policy names yet.")


def _batch(tenant: Tenant, calls: list[Call], permission: str, notes: list[str]) -> list[Any] | None:
    """The answers; None, and a note, where the application lacks the permission."""
    try:
        return tenant.graph.batch(calls)
    except GraphError as error:
        if error.status != 403:
            raise
        notes.append(f"Could not {calls[0].attempted}: it needs the permission {permission}. What depends on it is reported as unknown.")
        return None


def _users(tenant: Tenant, policies: list[Policy], addresses: list[str], notes: list[str]) -> dict[str, Sender] | None:
    calls = [
        Call("GET", f"/users?$filter=proxyAddresses/any(p:p eq 'smtp:{key(address)}')&$select=id,userPrincipalName,userType",
             attempted="look for the senders' users")
        for address in addresses
    ]  # fmt: skip
    answers = _batch(tenant, calls, "User.Read.All", notes)
    if answers is None:
        return None
    items = {address: answer["value"][0] for address, answer in zip(addresses, answers, strict=True) if answer and answer["value"]}
    several = {address: answer["value"] for address, answer in zip(addresses, answers, strict=True) if answer and len(answer["value"]) > 1}
    if several:
        raise InvalidInput(*(_several(address, users) for address, users in several.items()))
    users = {address: Sender("basic", str(item["id"]), guest=_guest(item)) for address, item in items.items()}
    groups, roles = conditional_access.required_memberships(policies)
    if not (groups or roles) or not users:
        return users
    calls = [
        Call("GET", f"/users/{user.id}/transitiveMemberOf?$select=id&$top=999", attempted="read the senders' groups and roles")
        for user in users.values()
    ]
    memberships = _batch(tenant, calls, "Directory.Read.All", notes)
    if memberships is None:
        return users
    templates = _templates(tenant, notes) if roles else {}
    for (address, user), answer in zip(list(users.items()), memberships, strict=True):
        ids = {str(item["id"]).lower() for item in (answer or {}).get("value", [])}
        own = None if templates is None else frozenset(templates[one] for one in ids if one in templates)
        users[address] = replace(user, groups=frozenset(ids), roles=own)
    return users


def _several(address: str, users: list[UserObject]) -> str:
    named = " and ".join(f"{user.get('userPrincipalName')} ({user['id']})" for user in users)
    return f"senders: {address} is an address of {len(users)} users: {named}. Remove it from all but one of them."


def _templates(tenant: Tenant, notes: list[str]) -> dict[str, str] | None:
    """Policies name roles by their templates, memberships by the roles' own ids."""
    call = Call("GET", "/directoryRoles?$select=id,roleTemplateId", attempted="read the directory roles")
    answers = _batch(tenant, [call], "Directory.Read.All", notes)
    if answers is None:
        return None
    return {str(item["id"]).lower(): str(item["roleTemplateId"]).lower() for item in answers[0]["value"]}


def _guest(user: UserObject) -> str:
    """The kind of guest, as far as the user object has it; empty for a member."""
    external = "#EXT#" in str(user.get("userPrincipalName") or "").upper()
    if user.get("userType") == "Guest":
        return "b2bCollaborationGuest" if external else "internalGuest"
    return "b2bCollaborationMember" if external else ""


def _applications(tenant: Tenant, apps: list[str], notes: list[str]) -> dict[str, Sender] | None:
    """The service principals by the sender's app id or unique name."""
    ids = {app: app.lower() for app in apps if GUID.fullmatch(app)}
    named = [app for app in apps if app not in ids]
    attempted = "look for the senders' applications"
    if named:
        calls = [application_lookup.registration(name, attempted) for name in named]
        answers = _batch(tenant, calls, "Application.Read.All", notes)
        if answers is None:
            return None
        ids |= {name: str(answer["appId"]).lower() for name, answer in zip(named, answers, strict=True) if answer}
    calls = [application_lookup.principal(one, "id,appOwnerOrganizationId", attempted) for one in ids.values()]
    answers = _batch(tenant, calls, "Application.Read.All", notes)
    if answers is None:
        return None
    return {app: _principal(tenant, item) for app, item in zip(ids, answers, strict=True) if item}


def _principal(tenant: Tenant, item: ServicePrincipalObject) -> Sender:
    """A service principal; whether it is the tenant's own application is known where both ids are."""
    owner, here = str(item.get("appOwnerOrganizationId") or "").lower(), _tenant_id(tenant)
    return Sender("app", str(item["id"]), own_tenant=owner == here if owner and GUID.fullmatch(here) else None)


def _tenant_id(tenant: Tenant) -> str:
    named_by_id = GUID.fullmatch(tenant.name)
    return (tenant.name if named_by_id else tenant.tokens.tenant_id(tenant.cloud.scope("graph"))).lower()
