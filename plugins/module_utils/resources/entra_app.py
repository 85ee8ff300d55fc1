# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra application that senders sign in as: registration, certificates, enterprise application, admin consent.

Source: "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

import re
from typing import Any

from .._clients.graph import Call
from .._core import mail_addresses
from .._core.json_types import JsonObject
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant
from .._entra import application_lookup, certificates
from .._entra.applications import APIS, ApplicationChanges, ApplicationWriter, CurrentApplication, Permission, find, permissions
from .._exchange import addresses
from .._exchange.rbac import migration
from .._identity.credentials import GUID

LOOPBACK = "http://localhost"
SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"  # SMTP.SendAsApp of Exchange Online, the same in every tenant
PERMISSION = {
    "name": {"type": "str", "required": True},
    "api": {"type": "str", "default": "exchange"},
    "type": {"type": "str", "choices": ["application", "delegated"], "default": "application"},
}
OPTIONS = Spec(
    {
        "unique_name": {"type": "str", "required": True},
        "display_name": {"type": "str"},
        "permissions": {"type": "list", "elements": "dict", "options": PERMISSION},
        "certificates": {"type": "list", "elements": "str"},
        "retired_certificates": {"type": "list", "elements": "str"},
        "mailboxes": {"type": "list", "elements": "str"},
        "public_client": {"type": "bool"},
        "consent": {"type": "bool", "default": True},
        "authorization": {"type": "str", "choices": ["mailbox_permissions", "rbac"], "default": "mailbox_permissions"},
        "exclusive": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
)


class EntraApp:
    """module entra_app"""

    name = "entra_app"
    spec = TENANT | JOURNAL | EXPECTED | OPTIONS

    def check(self, params: dict[str, Any]) -> list[str]:
        problems = mail_addresses.problems("mailboxes", params["mailboxes"] or [])
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", params["unique_name"]):
            problems.append(
                f"unique_name is {params['unique_name']!r}: use 1 to 128 letters, digits, dots, underscores and hyphens; "
                "it can never be changed."
            )
        for permission in params["permissions"] or []:
            if permission["api"] not in APIS and not GUID.fullmatch(permission["api"]):
                problems.append(
                    f"permissions: the api of {permission['name']} is {permission['api']!r}: use exchange, graph or the API's "
                    "application id (a GUID)."
                )
        for text in params["certificates"] or []:
            problems += certificates.problems(text)
        for text in params["retired_certificates"] or []:
            problems += certificates.problems(text, allow_expired=True)
        return problems + ([] if problems else _listed_and_retired(params))

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan[Any]:
        current = find(tenant, params)
        before = current_result(current)
        if params["state"] == "absent":
            if not current.application:
                return Plan(before, before, outcome={"app": None})
            return Plan(before, {}, [ApplicationChanges(delete=True), current], {"app": None})
        desired = permissions(current, params)
        leaves = [certificates.read(text) for text in params["certificates"] or []]
        if params["authorization"] == "rbac":
            desired = [permission for permission in desired if permission.id != SEND_AS_APP]
        changes = difference(current, desired, leaves, params)
        if changes and params["mailboxes"]:
            addresses.refuse_unknown_mailboxes(
                tenant.exchange, params["mailboxes"], addresses.expected(params["expected_mailboxes"], check_mode)
            )
        after = predicted(current, desired, leaves, params)
        if not changes:
            remember(tenant, params["unique_name"], current, after)
        outcome = {"app": describe(current, after)}
        return Plan(before, after, [changes, current] if changes else [], outcome)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan[Any]) -> dict[str, Any]:
        changes, current = plan.steps
        if changes.delete:
            call = Call(
                "DELETE", f"/applications/{(current.application or {})['id']}", attempted=f"delete application {params['unique_name']}"
            )
            tenant.graph.write(call)
            application_lookup.uncache_application(tenant, params["unique_name"])
            return {"app": None}
        writer = ApplicationWriter(tenant, params["unique_name"], current)
        writer.write(changes)
        remember(tenant, params["unique_name"], current, plan.after)
        return {"app": describe(current, plan.after)}


def remember(tenant: Tenant, name: str, current: CurrentApplication, result: dict[str, Any]) -> None:
    """Store the application for later tasks of the run."""
    if current.application and current.principal:
        known = application_lookup.Application(current.application["appId"], current.principal["id"], result["display_name"])
        application_lookup.cache_application(tenant, name, known)


class EntraAppInfo(Reading):
    """module entra_app_info"""

    name = "entra_app_info"
    spec = TENANT | Spec({"unique_name": {"type": "str", "required": True}}, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan[Any]:
        desired = {"permissions": [{"api": "exchange"}, {"api": "graph", "type": "delegated"}], "display_name": None}
        current = find(tenant, {**params, **desired})
        return Plan(outcome={"app": describe(current, current_result(current)) if current.application else None})


RESOURCE = EntraApp()
INFO = EntraAppInfo()


# -- comparing --------------------------------------------------------------------------------------------------------


def required(current: CurrentApplication) -> set[tuple[str, str, bool]]:
    """The required permissions of the application: (API, permission id, delegated)."""
    return {
        (entry["resourceAppId"].lower(), access["id"], access["type"] == "Scope")
        for entry in (current.application or {}).get("requiredResourceAccess") or []
        for access in entry.get("resourceAccess") or []
    }


def difference(
    current: CurrentApplication, desired: list[Permission], leaves: list[certificates.PublicCertificate], params: dict[str, Any]
) -> ApplicationChanges:
    changes = ApplicationChanges(create=not current.application, create_principal=not current.principal)
    exclusive, application = params["exclusive"], current.application or {}
    title = params["display_name"] or (params["unique_name"] if changes.create else None)
    if title and application.get("displayName") != title:
        changes.patch["displayName"] = title
    if application.get("uniqueName") != params["unique_name"]:
        changes.patch["uniqueName"] = params["unique_name"]
    if application.get("signInAudience") != "AzureADMyOrg" and changes.create:
        changes.patch["signInAudience"] = "AzureADMyOrg"
    changes.patch |= _client_kind(application, params["public_client"])
    if params["permissions"] is not None:
        have = required(current)
        want = {(p.api.lower(), p.id, p.delegated) for p in desired} | (set() if exclusive else have)
        if params["authorization"] == "rbac":
            want = {entry for entry in want if entry[1] != SEND_AS_APP}
        if want != have:
            changes.patch["requiredResourceAccess"] = _required_access(want)
        if params["consent"]:
            _consent(changes, current, desired, exclusive, excluded_permission(current, params))
    keys = application.get("keyCredentials") or []
    changes.remove_keys = {k["keyId"] for k in keys if thumbprint(k) in _retired(params)}
    if params["certificates"] is not None:
        present = {thumbprint(k) for k in keys}
        changes.add_certificates = [leaf for leaf in leaves if leaf.thumbprint not in present]
        if exclusive:
            kept = {leaf.thumbprint for leaf in leaves}
            changes.remove_keys |= {k["keyId"] for k in keys if thumbprint(k) not in kept}
    return changes


def _retired(params: dict[str, Any]) -> set[str]:
    """Thumbprints of the certificates to remove."""
    return {certificates.read(text, allow_expired=True).thumbprint for text in params["retired_certificates"] or []}


def _listed_and_retired(params: dict[str, Any]) -> list[str]:
    """One sentence for each certificate that is listed and retired at once."""
    listed = {leaf.thumbprint: leaf.subject for leaf in map(certificates.read, params["certificates"] or [])}
    return [
        f"retired_certificates holds {listed[name]} ({name}), which certificates lists too: keep it in one of them."
        for name in sorted(_retired(params) & set(listed))
    ]


def _client_kind(application: dict[str, Any], public_client: bool | None) -> dict[str, Any]:
    """A public client has no credential: users sign in to it by device code, or in a browser with a redirect to localhost."""
    patch: dict[str, Any] = {}
    if public_client is not None and bool(application.get("isFallbackPublicClient")) != public_client:
        patch["isFallbackPublicClient"] = public_client
    uris = redirect_uris(application)
    if public_client and LOOPBACK not in uris:
        patch["publicClient"] = {"redirectUris": [*uris, LOOPBACK]}
    return patch


def redirect_uris(application: dict[str, Any]) -> list[str]:
    return list((application.get("publicClient") or {}).get("redirectUris") or [])


def _required_access(entries: set[tuple[str, str, bool]]) -> list[JsonObject]:
    apis = sorted({api for api, _id, _delegated in entries})
    return [
        {
            "resourceAppId": api,
            "resourceAccess": [
                {"id": identifier, "type": "Scope" if delegated else "Role"}
                for owner, identifier, delegated in sorted(entries)
                if owner == api
            ],
        }
        for api in apis
    ]


def excluded_permission(current: CurrentApplication, params: dict[str, Any]) -> str:
    """The id of SMTP.SendAsApp where the module rbac_for_applications manages its consent."""
    moved = migration.read_phase((current.principal or {}).get("tags") or [])
    return SEND_AS_APP if moved or params["authorization"] == "rbac" else ""


def _consent(changes: ApplicationChanges, current: CurrentApplication, desired: list[Permission], exclusive: bool, excluded: str) -> None:
    have = {(a["resourceId"], a["appRoleId"]) for a in current.assignments}
    roles = [p for p in desired if not p.delegated and p.id != excluded]
    changes.assign = [p for p in roles if (p.resource_id, p.id) not in have]
    if exclusive:
        kept = {(p.resource_id, p.id) for p in roles}
        changes.unassign = [a for a in current.assignments if (a["resourceId"], a["appRoleId"]) not in kept and a["appRoleId"] != excluded]
    granted = {g["resourceId"]: set(g["scope"].split()) for g in tenant_wide(current)}
    for resource in sorted({p.resource_id for p in desired if p.delegated} | (set(granted) if exclusive else set())):
        want = {p.name for p in desired if p.delegated and p.resource_id == resource}
        have_scopes = granted.get(resource, set())
        target = want if exclusive else want | have_scopes
        if target != have_scopes:
            changes.scopes[resource] = target


def tenant_wide(current: CurrentApplication) -> list[JsonObject]:
    return [g for g in current.grants if g.get("consentType") == "AllPrincipals"]


def thumbprint(credential: JsonObject) -> str:
    """A keyCredential's SHA-1 thumbprint: customKeyIdentifier, in hex although it is typed binary."""
    return str(credential.get("customKeyIdentifier") or "").upper()


# -- showing ----------------------------------------------------------------------------------------------------------


def _label(current: CurrentApplication, api: str, identifier: str, delegated: bool) -> str:
    known = current.apis.get(api.lower())
    if not known:
        return f"{api}: {identifier} ({'delegated' if delegated else 'application'})"
    offered = known["oauth2PermissionScopes" if delegated else "appRoles"]
    name = next((o["value"] for o in offered if o["id"] == identifier), identifier)
    return f"{known['displayName']}: {name} ({'delegated' if delegated else 'application'})"


def _assigned_label(current: CurrentApplication, assignment: JsonObject) -> str:
    api = str(current.api_of(assignment["resourceId"]).get("appId", assignment["resourceDisplayName"]))
    return _label(current, api, assignment["appRoleId"], False)


def current_result(current: CurrentApplication) -> dict[str, Any]:
    """The current application in the form of the diff; empty where it does not exist."""
    if not current.application:
        return {}
    consented = [_assigned_label(current, a) for a in current.assignments]
    for grant in tenant_wide(current):
        api = current.api_of(grant["resourceId"])
        consented += [f"{api.get('displayName', grant['resourceId'])}: {scope} (delegated)" for scope in grant["scope"].split()]
    return {
        "unique_name": current.application.get("uniqueName"),
        "display_name": current.application.get("displayName"),
        "permissions": sorted(_label(current, *entry) for entry in required(current)),
        "consented": sorted(consented),
        "certificates": sorted(thumbprint(k) for k in current.application.get("keyCredentials") or []),
        "enterprise_application": bool(current.principal),
    } | _public_client(bool(current.application.get("isFallbackPublicClient")), redirect_uris(current.application))


def _public_client(public_client: bool, uris: list[str]) -> dict[str, Any]:
    """The part of the result that only public clients have."""
    return {"public_client": True, "redirect_uris": sorted(uris)} if public_client else {}


def _consents(current: CurrentApplication, desired: list[Permission], params: dict[str, Any], before: list[str]) -> set[str]:
    """The consents after the changes. The excluded permission is kept as it is."""
    excluded = excluded_permission(current, params)
    mine = {str(p) for p in desired if p.id != excluded}
    held = {label for label in before if not params["exclusive"] or label == _excluded_label(current, excluded)}
    return mine | held


def _excluded_label(current: CurrentApplication, excluded: str) -> str:
    assigned = [a for a in current.assignments if a["appRoleId"] == excluded]
    return _assigned_label(current, assigned[0]) if assigned else ""


def predicted(
    current: CurrentApplication, desired: list[Permission], leaves: list[certificates.PublicCertificate], params: dict[str, Any]
) -> dict[str, Any]:
    """The result after the changes, in the form of `current_result`."""
    before = current_result(current)
    exclusive = params["exclusive"]
    labels = {str(p) for p in desired}
    after = {
        "unique_name": params["unique_name"],
        "display_name": params["display_name"] or before.get("display_name") or params["unique_name"],
        "permissions": sorted(before.get("permissions", [])),
        "consented": sorted(before.get("consented", [])),
        "certificates": [name for name in before.get("certificates", []) if name not in _retired(params)],
        "enterprise_application": True,
    }
    if params["permissions"] is not None:
        kept = set() if exclusive else set(after["permissions"])
        if params["authorization"] == "rbac":
            kept -= {_label(current, *entry) for entry in required(current) if entry[1] == SEND_AS_APP}
        after["permissions"] = sorted(labels | kept)
        if params["consent"]:
            after["consented"] = sorted(_consents(current, desired, params, after["consented"]))
    if params["certificates"] is not None:
        prints = {leaf.thumbprint for leaf in leaves}
        after["certificates"] = sorted(prints | (set() if exclusive else set(after["certificates"])))
    application = current.application or {}
    asked = params["public_client"]
    uris = {*redirect_uris(application), *([LOOPBACK] if asked else [])}
    return after | _public_client(bool(application.get("isFallbackPublicClient")) if asked is None else asked, list(uris))


def describe(current: CurrentApplication, result: dict[str, Any]) -> dict[str, Any]:
    """The task's result: the application with its three ids, which are None in check mode before it is created."""
    return {
        "object_id": (current.application or {}).get("id"),
        "app_id": (current.application or {}).get("appId"),
        "service_principal_id": (current.principal or {}).get("id"),
        "authorization": "rbac" if migration.read_phase((current.principal or {}).get("tags") or []) else "mailbox_permissions",
        **result,
    }
