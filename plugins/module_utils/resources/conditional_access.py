# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access: which policy would block which sender. Read and judged, never changed.

Private to the collection. Sources: Microsoft Graph v1.0, "conditionalAccessPolicy", "List a user's memberships (direct and
transitive)". Conditional Access answers one request a second and tenant, and throttles without Retry-After (measured).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .._clients.graph import Call, key
from .._core import mail_addresses
from .._core.errors import GraphError
from .._core.spec import TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import GUID, Tenant
from .._entra import application_lookup, conditional_access
from .._entra.conditional_access import Finding, Sender
from .._entra.policies import Policy

POLICIES = "/identity/conditionalAccess/policies?$select=id,displayName,state,conditions,grantControls,sessionControls"
PACE = 1.0  # seconds between two requests to Conditional Access
METHODS = ("oauth", "basic", "delegated", "hve", "acs", "connector", "direct_send")
SENDER = {
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


@dataclass
class Directory:
    """What Entra knows of the senders; a key that is missing was not found, None could not be read."""

    users: dict[str, Sender] | None = field(default_factory=dict)  # by address
    apps: dict[str, Sender] | None = field(default_factory=dict)  # by app id, or by unique name


class ConditionalAccessInfo(Reading):
    """module conditional_access_info"""

    name = "conditional_access_info"
    spec = TENANT | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = []
        for sender in params["senders"]:
            label = _label(sender)
            problems += [f"senders: {label}: {problem}" for problem in mail_addresses.problems("the sender's address", [sender["address"]])]
            if sender["app_unique_name"] and sender["app_id"]:
                problems.append(f"senders: {label}: give app_unique_name or app_id, not both.")
            if sender["method"] in ("oauth", "acs") and not _app(sender):
                needed = "app_unique_name or app_id, the application that it signs in as"
                problems.append(f"senders: {label}: method {sender['method']} needs {needed}.")
            if sender["app_id"] and not GUID.fullmatch(sender["app_id"]):
                problems.append(f"senders: {label}: app_id is {sender['app_id']!r}: give the application's client id, a GUID.")
        return problems

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        policies = read(tenant)
        found, notes = judge_all(tenant, policies, params["senders"])
        shown = [_shown(sender, findings) for sender, findings in zip(params["senders"], found, strict=True)]
        listed = [{"id": policy.id, "name": policy.display_name, "state": policy.state} for policy in policies]
        return Plan(outcome={"conditional_access": {"policies": listed, "senders": shown}}, warnings=notes)


INFO = ConditionalAccessInfo()


def read(tenant: Tenant) -> list[Policy]:
    """All policies, in one paged read."""
    attempted = "read the Conditional Access policies, which takes the permission Policy.Read.All"
    return [Policy.from_graph(item) for item in tenant.graph.every(POLICIES, attempted, pace=PACE)]


def judge_all(tenant: Tenant, policies: list[Policy], senders: list[dict[str, Any]]) -> tuple[list[list[Finding]], list[str]]:
    """Every sender's findings in the senders' order, and what to tell the user about them."""
    live = [policy for policy in policies if not policy.is_off]
    notes: list[str] = []
    directory = look_up(tenant, live, senders, notes) if live else Directory()
    found = []
    for sender in senders:
        method = _kind(sender)
        findings = conditional_access.evaluate(live, _facts(sender, directory)) if method else []
        found.append(findings)
        notes += [_note(sender, method, finding) for finding in findings]
    return found, notes


def _kind(sender: dict[str, Any]) -> str:
    """What signs in, as Conditional Access sees it; "" where nobody does."""
    kinds = {"oauth": "app", "acs": "app", "basic": "basic", "delegated": "delegated", "hve": "app" if _app(sender) else "basic"}
    return kinds.get(sender["method"], "")


def _app(sender: dict[str, Any]) -> str:
    return str(sender["app_id"] or sender["app_unique_name"] or "")


def _label(sender: dict[str, Any]) -> str:
    return str(sender["name"] or sender["address"])


def _facts(sender: dict[str, Any], directory: Directory) -> Sender:
    method = _kind(sender)
    known, name = (directory.apps, _app(sender)) if method == "app" else (directory.users, sender["address"].lower())
    unread = Sender(method, guest=None, own_tenant=None)
    found = unread if known is None else known.get(name, Sender(method))  # what is not there yet will be the tenant's own
    # A token of Azure Communication Services is not for Exchange: only a policy for all applications meets it.
    return replace(found, method=method, resource="") if sender["method"] == "acs" else replace(found, method=method)


def _shown(sender: dict[str, Any], findings: list[Finding]) -> dict[str, Any]:
    enabled = [finding.effect for finding in findings if finding.state == "enabled"]
    verdict = "blocked" if "blocks" in enabled else "may be blocked" if enabled else "not blocked"
    listed = [finding.as_result() for finding in findings]
    return {"name": sender["name"], "address": sender["address"], "method": sender["method"], "verdict": verdict, "findings": listed}


def _note(sender: dict[str, Any], method: str, finding: Finding) -> str:
    effect = finding.effect
    if finding.state == "report-only":
        effect = f"is report-only; enabled, it {'would block' if effect == 'blocks' else 'might block'}"
    head = f"{_label(sender)} ({sender['method']}): the Conditional Access policy {finding.policy!r}"
    return f"{head} {effect} it: {finding.reason}. {ADVICE[method]}"


# -- the directory -------------------------------------------------------------------------------------------------------


def look_up(tenant: Tenant, policies: list[Policy], senders: list[dict[str, Any]], notes: list[str]) -> Directory:
    """The senders' users and applications: as few requests as these policies need. What may not be read is left unknown."""
    wanted = list(dict.fromkeys(s["address"].lower() for s in senders if _kind(s) in ("basic", "delegated")))
    apps = list(dict.fromkeys(_app(s) for s in senders if _kind(s) == "app"))
    workloads = any(policy.workloads for policy in policies)
    directory = Directory()
    if wanted:
        directory.users = _users(tenant, policies, wanted, notes)
        _tell_missing(notes, "user with the address", wanted, directory.users)
    if apps and workloads:
        directory.apps = _applications(tenant, apps, notes)
        _tell_missing(notes, "application", apps, directory.apps)
    return directory


def _tell_missing(notes: list[str], what: str, wanted: list[str], found: dict[str, Sender] | None) -> None:
    missing = [name for name in wanted if found is not None and name not in found]
    if missing:
        notes.append(f"Entra has no {what} {', '.join(missing)}: judged as one that no policy names yet.")


def _batch(tenant: Tenant, calls: list[Call], permission: str, notes: list[str]) -> list[Any] | None:
    """The answers; None, and a note, where the application may not ask."""
    try:
        return tenant.graph.batch(calls)
    except GraphError as error:
        if error.status != 403:
            raise
        notes.append(f"Could not {calls[0].attempted}: that takes the permission {permission}. Policies that turn on it are told as such.")
        return None


def _users(tenant: Tenant, policies: list[Policy], wanted: list[str], notes: list[str]) -> dict[str, Sender] | None:
    calls = [
        Call("GET", f"/users?$filter=proxyAddresses/any(p:p eq 'smtp:{key(address)}')&$select=id,userPrincipalName,userType",
             attempted="look for the senders' users")
        for address in wanted
    ]  # fmt: skip
    answers = _batch(tenant, calls, "User.Read.All", notes)
    if answers is None:
        return None
    items = {address: answer["value"][0] for address, answer in zip(wanted, answers, strict=True) if answer and answer["value"]}
    found = {address: Sender("basic", str(item["id"]), guest=_guest(item)) for address, item in items.items()}
    groups, roles = conditional_access.required_memberships(policies)
    if not (groups or roles) or not found:
        return found
    calls = [
        Call("GET", f"/users/{user.id}/transitiveMemberOf?$select=id&$top=999", attempted="read the senders' groups and roles")
        for user in found.values()
    ]
    memberships = _batch(tenant, calls, "Directory.Read.All", notes)
    if memberships is None:
        return found
    templates = _templates(tenant, notes) if roles else {}
    for (address, user), answer in zip(list(found.items()), memberships, strict=True):
        ids = {str(item["id"]).lower() for item in (answer or {}).get("value", [])}
        own = None if templates is None else frozenset(templates[one] for one in ids if one in templates)
        found[address] = replace(user, groups=frozenset(ids), roles=own)
    return found


def _templates(tenant: Tenant, notes: list[str]) -> dict[str, str] | None:
    """Policies name roles by their templates, memberships by the roles' own ids."""
    call = Call("GET", "/directoryRoles?$select=id,roleTemplateId", attempted="read the directory roles")
    answers = _batch(tenant, [call], "Directory.Read.All", notes)
    if answers is None:
        return None
    return {str(item["id"]).lower(): str(item["roleTemplateId"]).lower() for item in answers[0]["value"]}


def _guest(user: dict[str, Any]) -> str:
    """The kind of guest, as far as the user itself tells it; "" of a member."""
    external = "#EXT#" in str(user.get("userPrincipalName") or "").upper()
    if user.get("userType") == "Guest":
        return "b2bCollaborationGuest" if external else "internalGuest"
    return "b2bCollaborationMember" if external else ""


def _applications(tenant: Tenant, apps: list[str], notes: list[str]) -> dict[str, Sender] | None:
    """The service principals by the name that the sender gave: an app id, or a unique name."""
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


def _principal(tenant: Tenant, item: dict[str, Any]) -> Sender:
    """Whether it is the tenant's own application shows where both ids are known."""
    owner, here = str(item.get("appOwnerOrganizationId") or "").lower(), _tenant_id(tenant)
    return Sender("app", str(item["id"]), own_tenant=owner == here if owner and GUID.fullmatch(here) else None)


def _tenant_id(tenant: Tenant) -> str:
    named_by_id = GUID.fullmatch(tenant.name)
    return (tenant.name if named_by_id else tenant.tokens.tenant_id(tenant.cloud.scope("graph"))).lower()
