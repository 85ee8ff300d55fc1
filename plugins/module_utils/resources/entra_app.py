# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra application that senders sign in as: registration, certificates, enterprise application, admin consent.

Private to the collection. Source: "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

import re
from typing import Any

from .._clients.graph import Call
from .._core import mail_addresses
from .._core.spec import EXPECTED, JOURNAL, TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import GUID, Tenant
from .._entra import application_lookup, certificates
from .._entra.applications import APIS, Found, Permission, Work, Writer, find, permissions
from .._exchange import addresses
from .._exchange.rbac import migration

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
        return problems + ([] if problems else _both(params))

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        found = find(tenant, params)
        before = public(found)
        if params["state"] == "absent":
            if not found.application:
                return Plan(before, before, outcome={"app": None})
            return Plan(before, {}, [Work(delete=True), found], {"app": None})
        wanted = permissions(found, params)
        leaves = [certificates.read(text) for text in params["certificates"] or []]
        if params["authorization"] == "rbac":
            wanted = [permission for permission in wanted if permission.id != SEND_AS_APP]
        work = difference(found, wanted, leaves, params)
        if work and params["mailboxes"]:
            addresses.refuse_unknown_mailboxes(
                tenant.exchange, params["mailboxes"], addresses.expected(params["expected_mailboxes"], check_mode)
            )
        after = predicted(found, wanted, leaves, params)
        if not work:
            remember(tenant, params["unique_name"], found, after)
        outcome = {"app": describe(found, after)}
        return Plan(before, after, [work, found] if work else [], outcome)

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        work, found = plan.steps
        if work.delete:
            call = Call(
                "DELETE", f"/applications/{(found.application or {})['id']}", attempted=f"delete application {params['unique_name']}"
            )
            tenant.graph.write(call)
            application_lookup.uncache_application(tenant, params["unique_name"])
            return {"app": None}
        writer = Writer(tenant, params["unique_name"], found)
        writer.write(work)
        remember(tenant, params["unique_name"], found, plan.after)
        return {"app": describe(found, plan.after)}


def remember(tenant: Tenant, name: str, found: Found, shown: dict[str, Any]) -> None:
    """Later tasks of the run need not look for the application again."""
    if found.application and found.principal:
        known = application_lookup.Application(found.application["appId"], found.principal["id"], shown["display_name"])
        application_lookup.cache_application(tenant, name, known)


class EntraAppInfo(Reading):
    """module entra_app_info"""

    name = "entra_app_info"
    spec = TENANT | Spec({"unique_name": {"type": "str", "required": True}}, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        wanted = {"permissions": [{"api": "exchange"}, {"api": "graph", "type": "delegated"}], "display_name": None}
        found = find(tenant, {**params, **wanted})
        return Plan(outcome={"app": describe(found, public(found)) if found.application else None})


RESOURCE = EntraApp()
INFO = EntraAppInfo()


# -- comparing --------------------------------------------------------------------------------------------------------


def required(found: Found) -> set[tuple[str, str, bool]]:
    """The application's wish list: (API, permission id, delegated)."""
    return {
        (entry["resourceAppId"].lower(), access["id"], access["type"] == "Scope")
        for entry in (found.application or {}).get("requiredResourceAccess") or []
        for access in entry.get("resourceAccess") or []
    }


def difference(found: Found, wanted: list[Permission], leaves: list[certificates.PublicCertificate], params: dict[str, Any]) -> Work:
    work = Work(create=not found.application, create_principal=not found.principal)
    exclusive, application = params["exclusive"], found.application or {}
    title = params["display_name"] or (params["unique_name"] if work.create else None)
    if title and application.get("displayName") != title:
        work.patch["displayName"] = title
    if application.get("uniqueName") != params["unique_name"]:
        work.patch["uniqueName"] = params["unique_name"]
    if application.get("signInAudience") != "AzureADMyOrg" and work.create:
        work.patch["signInAudience"] = "AzureADMyOrg"
    work.patch |= _client_kind(application, params["public_client"])
    if params["permissions"] is not None:
        have = required(found)
        want = {(p.api.lower(), p.id, p.delegated) for p in wanted} | (set() if exclusive else have)
        if params["authorization"] == "rbac":
            want = {entry for entry in want if entry[1] != SEND_AS_APP}
        if want != have:
            work.patch["requiredResourceAccess"] = _wish_list(want)
        if params["consent"]:
            _consent(work, found, wanted, exclusive, left_alone(found, params))
    keys = application.get("keyCredentials") or []
    work.remove_keys = {k["keyId"] for k in keys if thumbprint(k) in _retired(params)}
    if params["certificates"] is not None:
        present = {thumbprint(k) for k in keys}
        work.add_certificates = [leaf for leaf in leaves if leaf.thumbprint not in present]
        if exclusive:
            kept = {leaf.thumbprint for leaf in leaves}
            work.remove_keys |= {k["keyId"] for k in keys if thumbprint(k) not in kept}
    return work


def _retired(params: dict[str, Any]) -> set[str]:
    """Thumbprints of the certificates that are to go."""
    return {certificates.read(text, allow_expired=True).thumbprint for text in params["retired_certificates"] or []}


def _both(params: dict[str, Any]) -> list[str]:
    """One sentence for each certificate that is listed and retired at once."""
    listed = {leaf.thumbprint: leaf.subject for leaf in map(certificates.read, params["certificates"] or [])}
    return [
        f"retired_certificates holds {listed[name]} ({name}), which certificates lists too: keep it in one of them."
        for name in sorted(_retired(params) & set(listed))
    ]


def _client_kind(application: dict[str, Any], public_client: bool | None) -> dict[str, Any]:
    """A public client proves nothing but its id: users sign in to it (device code, or a browser that returns to localhost)."""
    patch: dict[str, Any] = {}
    if public_client is not None and bool(application.get("isFallbackPublicClient")) != public_client:
        patch["isFallbackPublicClient"] = public_client
    uris = redirect_uris(application)
    if public_client and LOOPBACK not in uris:
        patch["publicClient"] = {"redirectUris": [*uris, LOOPBACK]}
    return patch


def redirect_uris(application: dict[str, Any]) -> list[str]:
    return list((application.get("publicClient") or {}).get("redirectUris") or [])


def _wish_list(entries: set[tuple[str, str, bool]]) -> list[dict]:
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


def left_alone(found: Found, params: dict[str, Any]) -> str:
    """The id of SMTP.SendAsApp where rbac_for_applications decides when consent to it comes and goes."""
    moved = migration.phase_of((found.principal or {}).get("tags") or [])
    return SEND_AS_APP if moved or params["authorization"] == "rbac" else ""


def _consent(work: Work, found: Found, wanted: list[Permission], exclusive: bool, left: str) -> None:
    have = {(a["resourceId"], a["appRoleId"]) for a in found.assignments}
    roles = [p for p in wanted if not p.delegated and p.id != left]
    work.assign = [p for p in roles if (p.resource_id, p.id) not in have]
    if exclusive:
        kept = {(p.resource_id, p.id) for p in roles}
        work.unassign = [a for a in found.assignments if (a["resourceId"], a["appRoleId"]) not in kept and a["appRoleId"] != left]
    granted = {g["resourceId"]: set(g["scope"].split()) for g in tenant_wide(found)}
    for resource in sorted({p.resource_id for p in wanted if p.delegated} | (set(granted) if exclusive else set())):
        want = {p.name for p in wanted if p.delegated and p.resource_id == resource}
        have_scopes = granted.get(resource, set())
        target = want if exclusive else want | have_scopes
        if target != have_scopes:
            work.scopes[resource] = target


def tenant_wide(found: Found) -> list[dict]:
    return [g for g in found.grants if g.get("consentType") == "AllPrincipals"]


def thumbprint(credential: dict) -> str:
    """A keyCredential's SHA-1 thumbprint: customKeyIdentifier, in hex although it is typed binary."""
    return str(credential.get("customKeyIdentifier") or "").upper()


# -- showing ----------------------------------------------------------------------------------------------------------


def _label(found: Found, api: str, identifier: str, delegated: bool) -> str:
    known = found.apis.get(api.lower())
    if not known:
        return f"{api}: {identifier} ({'delegated' if delegated else 'application'})"
    offered = known["oauth2PermissionScopes" if delegated else "appRoles"]
    name = next((o["value"] for o in offered if o["id"] == identifier), identifier)
    return f"{known['displayName']}: {name} ({'delegated' if delegated else 'application'})"


def _assigned_label(found: Found, assignment: dict) -> str:
    api = found.api_of(assignment["resourceId"]).get("appId", assignment["resourceDisplayName"])
    return _label(found, api, assignment["appRoleId"], False)


def public(found: Found) -> dict[str, Any]:
    """The application as the diff shows it; empty where there is none."""
    if not found.application:
        return {}
    consented = [_assigned_label(found, a) for a in found.assignments]
    for grant in tenant_wide(found):
        api = found.api_of(grant["resourceId"])
        consented += [f"{api.get('displayName', grant['resourceId'])}: {scope} (delegated)" for scope in grant["scope"].split()]
    return {
        "unique_name": found.application.get("uniqueName"),
        "display_name": found.application.get("displayName"),
        "permissions": sorted(_label(found, *entry) for entry in required(found)),
        "consented": sorted(consented),
        "certificates": sorted(thumbprint(k) for k in found.application.get("keyCredentials") or []),
        "enterprise_application": bool(found.principal),
    } | _public_client(bool(found.application.get("isFallbackPublicClient")), redirect_uris(found.application))


def _public_client(public_client: bool, uris: list[str]) -> dict[str, Any]:
    """Shown of public clients only."""
    return {"public_client": True, "redirect_uris": sorted(uris)} if public_client else {}


def _consents(found: Found, wanted: list[Permission], params: dict[str, Any], before: list[str]) -> set[str]:
    """The consents as they will be: those wanted, those that stay, and the one that is left alone as it is."""
    left = left_alone(found, params)
    mine = {str(p) for p in wanted if p.id != left}
    held = {label for label in before if not params["exclusive"] or label == _left_label(found, left)}
    return mine | held


def _left_label(found: Found, left: str) -> str:
    assigned = [a for a in found.assignments if a["appRoleId"] == left]
    return _assigned_label(found, assigned[0]) if assigned else ""


def predicted(
    found: Found, wanted: list[Permission], leaves: list[certificates.PublicCertificate], params: dict[str, Any]
) -> dict[str, Any]:
    """The application as it will be: the same form as `public`."""
    before = public(found)
    exclusive = params["exclusive"]
    labels = {str(p) for p in wanted}
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
            kept -= {_label(found, *entry) for entry in required(found) if entry[1] == SEND_AS_APP}
        after["permissions"] = sorted(labels | kept)
        if params["consent"]:
            after["consented"] = sorted(_consents(found, wanted, params, after["consented"]))
    if params["certificates"] is not None:
        prints = {leaf.thumbprint for leaf in leaves}
        after["certificates"] = sorted(prints | (set() if exclusive else set(after["certificates"])))
    application = found.application or {}
    asked = params["public_client"]
    uris = {*redirect_uris(application), *([LOOPBACK] if asked else [])}
    return after | _public_client(bool(application.get("isFallbackPublicClient")) if asked is None else asked, list(uris))


def describe(found: Found, shown: dict[str, Any]) -> dict[str, Any]:
    """The result: what is shown, with the three ids (None in check mode, where the service has not given them yet)."""
    return {
        "object_id": (found.application or {}).get("id"),
        "app_id": (found.application or {}).get("appId"),
        "service_principal_id": (found.principal or {}).get("id"),
        "authorization": "rbac" if migration.phase_of((found.principal or {}).get("tags") or []) else "mailbox_permissions",
        **shown,
    }
