# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications in Entra: what a tenant has of one, and how a difference is written there.

Private to the collection; the resource entra_app decides what the difference is. Sources: Microsoft Graph v1.0,
"application", "servicePrincipal", "appRoleAssignment", "oAuth2PermissionGrant"; "Upsert applications".
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from .._clients.graph import Call, key
from .._core.errors import GraphError, InvalidInput
from .._engine.tenant import Tenant
from . import certificates

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
GRAPH = "00000003-0000-0000-c000-000000000000"
APIS = {"exchange": EXCHANGE, "graph": GRAPH}
_SELECT = "id,appId,displayName,uniqueName,signInAudience,requiredResourceAccess,keyCredentials,isFallbackPublicClient,publicClient"
_LAG = re.compile(
    r"does not reference a valid application object|backing application of the service principal"
    r"|Not a valid reference update|queried reference-property objects are not present"
)


@dataclass(frozen=True, order=True)
class Permission:
    """A permission by name, with the ids that the tenant's resource service principal gives it."""

    api: str  # the API's application id
    api_name: str
    name: str
    id: str
    delegated: bool
    resource_id: str  # the API's service principal in this tenant

    def __str__(self) -> str:
        return f"{self.api_name}: {self.name} ({'delegated' if self.delegated else 'application'})"


@dataclass
class Found:
    """What the tenant has of the application."""

    application: dict | None = None
    principal: dict | None = None
    assignments: list[dict] = field(default_factory=list)
    grants: list[dict] = field(default_factory=list)
    apis: dict[str, dict] = field(default_factory=dict)  # by application id

    def api_of(self, resource_id: str) -> dict:
        return next((api for api in self.apis.values() if api["id"] == resource_id), {})


@dataclass
class Work:
    """The difference, as what is to be written."""

    create: bool = False
    patch: dict[str, Any] = field(default_factory=dict)
    add_certificates: list[certificates.PublicCertificate] = field(default_factory=list)
    remove_keys: set[str] = field(default_factory=set)  # keyIds
    create_principal: bool = False
    assign: list[Permission] = field(default_factory=list)
    unassign: list[dict] = field(default_factory=list)
    scopes: dict[str, set[str]] = field(default_factory=dict)  # resource id -> the scopes its grant shall have
    delete: bool = False

    def __bool__(self) -> bool:
        return any(vars(self).values())


# -- reading ----------------------------------------------------------------------------------------------------------


def find(tenant: Tenant, params: dict[str, Any]) -> Found:
    """The application and all that belongs to it, in two requests (one where there is none).

    Delegated consent is read only where somebody asks for it: reading it takes a permission of its own.
    """
    name, title = params["unique_name"], params.get("display_name")
    apis = sorted({api_id(p["api"]) for p in params.get("permissions") or []})
    calls = [Call("GET", f"/applications?$filter=uniqueName eq '{key(name)}'&$select={_SELECT}", attempted="look for the application")]
    if title:
        calls.append(
            Call("GET", f"/applications?$filter=displayName eq '{key(title)}'&$select={_SELECT}", attempted="look for the application")
        )
    calls += [
        Call("GET", f"/servicePrincipals(appId='{api}')?$select=id,appId,displayName,appRoles,oauth2PermissionScopes",
             attempted="read the permissions of an API")
        for api in apis
    ]  # fmt: skip
    answers = tenant.graph.batch([_encoded(call) for call in calls])
    found = Found(apis={api: answer for api, answer in zip(apis, answers[len(calls) - len(apis) :], strict=True) if answer})
    by_name = answers[0]["value"]
    by_title = answers[1]["value"] if title else []
    found.application = choose(name, title, by_name, by_title)
    if found.application:
        path = f"/servicePrincipals(appId='{found.application['appId']}')"
        attempted = "read the enterprise application"
        reads = [
            Call("GET", f"{path}?$select=id,appId,displayName,accountEnabled,tags", attempted=attempted),
            Call("GET", f"{path}/appRoleAssignments", attempted=attempted),
        ]
        if params.get("exclusive") or any(p.get("type") == "delegated" for p in params.get("permissions") or []):
            reads.append(Call("GET", f"{path}/oauth2PermissionGrants", attempted="read the delegated consent"))
        found.principal, *lists = tenant.graph.batch(reads)
        found.assignments, found.grants = ((item or {}).get("value", []) for item in (*lists, None)[:2])
    return found


def _encoded(call: Call) -> Call:
    return Call(call.method, call.path.replace(" ", "%20"), call.body, call.attempted, call.headers)


def choose(name: str, title: str | None, by_name: list[dict], by_title: list[dict]) -> dict | None:
    """The application that is meant, or None where one is to be made; never a second one of the same display name."""
    if by_name:
        return by_name[0]
    if len(by_title) > 1:
        ids = ", ".join(app["appId"] for app in by_title)
        raise InvalidInput(
            f"display_name {title!r} fits {len(by_title)} applications ({ids}) and none has the unique name {name!r}: "
            "delete the wrong ones or choose another display_name."
        )
    if by_title and by_title[0].get("uniqueName"):
        raise InvalidInput(
            f"display_name {title!r} belongs to the application with the unique name {by_title[0]['uniqueName']!r}: "
            "use that as unique_name, or choose another display_name."
        )
    return by_title[0] if by_title else None


def api_id(name: str) -> str:
    return APIS.get(name, name).lower()


def permissions(found: Found, params: dict[str, Any]) -> list[Permission]:
    """The wanted permissions with their ids; InvalidInput names every one that its API does not offer."""
    wanted, problems = [], []
    for item in params["permissions"] or []:
        api = found.apis.get(api_id(item["api"]))
        if not api:
            reason = "this tenant has no Exchange Online" if api_id(item["api"]) == EXCHANGE else "this tenant does not have that API"
            problems.append(f"permissions: {item['name']} cannot be given, {reason} ({item['api']}).")
            continue
        delegated = item["type"] == "delegated"
        offered = {o["value"]: o["id"] for o in api["oauth2PermissionScopes" if delegated else "appRoles"] if o.get("value")}
        if item["name"] not in offered:
            problems.append(
                f"permissions: {api['displayName']} offers no {item['type']} permission {item['name']!r}"
                f"{_hint(item['name'], api, delegated)}."
            )
            continue
        wanted.append(Permission(api["appId"], api["displayName"], item["name"], offered[item["name"]], delegated, api["id"]))
    if problems:
        raise InvalidInput(*problems)
    return sorted(set(wanted))


def _hint(name: str, api: dict, delegated: bool) -> str:
    others = api["appRoles" if delegated else "oauth2PermissionScopes"]
    if any(o.get("value") == name for o in others):
        return f"; it is {'an application' if delegated else 'a delegated'} permission"
    close = [o["value"] for o in api["oauth2PermissionScopes" if delegated else "appRoles"] if o.get("value")]
    same = [value for value in close if value.lower().split(".")[0] == name.lower().split(".")[0]]
    return f"; it offers {', '.join(sorted(same)[:5])}" if same else ""


# -- writing ----------------------------------------------------------------------------------------------------------


def is_replication_delay(error: GraphError) -> bool:
    """Whether a refusal is the directory's replication: it passes by itself."""
    return error.code in ("Request_ResourceNotFound", "Directory_ConcurrencyViolation") or bool(_LAG.search(error.service_message))


def _lagging_or_listed_late(error: GraphError) -> bool:
    """As `is_replication_delay`; and a grant that exists already although the list did not show it yet will be listed."""
    return is_replication_delay(error) or error.exists


class Writer:
    """Carries out a Work, waiting where the directory has not replicated what was just made."""

    def __init__(self, tenant: Tenant, name: str, found: Found) -> None:
        self.graph, self.limit, self.tenant = tenant.graph, tenant.wait_timeout, tenant
        self.name, self.found = name, found

    @property
    def application(self) -> dict:
        """The application, which is there once it was found or made."""
        if self.found.application is None:
            raise GraphError(f"change application {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.found.application

    @property
    def principal(self) -> dict:
        """The enterprise application, likewise."""
        if self.found.principal is None:
            raise GraphError(f"change the enterprise application of {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.found.principal

    def write(self, work: Work) -> None:
        if work.create:
            self._create(work)
        else:
            self._update(work)
        if work.create_principal:
            self._create_principal()
        if work.assign:
            self.graph.retry(lambda: self._assign(work.assign), is_replication_delay, self.limit)
        if work.unassign:
            self._unassign(work.unassign)
        for resource, scopes in work.scopes.items():
            self.graph.retry(functools.partial(self._grant, resource, scopes), _lagging_or_listed_late, self.limit)
        if (work.assign or work.scopes) and self.application["appId"].lower() == self.tenant.client_id.lower():
            self.tenant.tokens.forget()

    def _create(self, work: Work) -> None:
        body = {**work.patch, "notes": "Managed by mailops.m365", "tags": ["mailops"]}
        body.pop("uniqueName", None)
        if work.add_certificates:
            body["keyCredentials"] = [leaf.key_credential() for leaf in work.add_certificates]
        attempted = f"create application {self.name}"
        upsert = Call("PATCH", f"/applications(uniqueName='{key(self.name)}')", body, attempted, {"Prefer": "create-if-missing"})
        made = self.graph.write(upsert)
        if not made:  # somebody else made it in this very moment: 204 has no body
            made = self.graph.retry(lambda: self._again(attempted), is_replication_delay, self.limit)
        self.found.application = made

    def _again(self, attempted: str) -> dict:
        found = self.graph.get(f"/applications(uniqueName='{key(self.name)}')?$select={_SELECT}", attempted)
        if not found:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return found

    def _update(self, work: Work) -> None:
        body = dict(work.patch)
        path = f"/applications/{self.application['id']}"
        if work.add_certificates or work.remove_keys:
            # A PATCH replaces the whole list, so the present entries go back with their keys.
            kept = self.graph.get(f"{path}?$select=keyCredentials", f"read the certificates of {self.name}") or {}
            present = [k for k in kept.get("keyCredentials", []) if k["keyId"] not in work.remove_keys]
            body["keyCredentials"] = [_writable(k) for k in present] + [leaf.key_credential() for leaf in work.add_certificates]
        if body:
            self.graph.write(Call("PATCH", path, body, f"change application {self.name}"), retry_on=is_replication_delay, limit=self.limit)

    def _create_principal(self) -> None:
        app_id = self.application["appId"]
        attempted = f"create the enterprise application of {self.name}"
        upsert = Call("PATCH", f"/servicePrincipals(appId='{app_id}')", {"tags": ["mailops"]}, attempted, {"Prefer": "create-if-missing"})
        made = self.graph.write(upsert, retry_on=is_replication_delay, limit=self.limit)
        self.found.principal = made or self.graph.retry(lambda: self._principal(app_id, attempted), is_replication_delay, self.limit)

    def _principal(self, app_id: str, attempted: str) -> dict:
        found = self.graph.get(f"/servicePrincipals(appId='{app_id}')?$select=id,appId,displayName", attempted)
        if not found:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return found

    def _assign(self, wanted: list[Permission]) -> None:
        """Admin consent for application permissions; what a lost answer left behind is found, not repeated."""
        principal = self.principal["id"]
        attempted = f"consent to {', '.join(p.name for p in wanted)} for {self.name}"
        for start in range(0, len(wanted), 20):
            part = wanted[start : start + 20]
            calls = [
                Call(
                    "POST",
                    f"/servicePrincipals/{p.resource_id}/appRoleAssignedTo",
                    {"principalId": principal, "resourceId": p.resource_id, "appRoleId": p.id},
                    attempted,
                )
                for p in part
            ]
            try:
                self.graph.batch(calls)
            except GraphError as error:
                if not error.exists:
                    raise
                self._assign_missing(part, attempted)

    def _assign_missing(self, wanted: list[Permission], attempted: str) -> None:
        principal = self.principal["id"]
        have = {
            (a["resourceId"], a["appRoleId"]) for a in self.graph.every(f"/servicePrincipals/{principal}/appRoleAssignments", attempted)
        }
        for p in wanted:
            if (p.resource_id, p.id) not in have:
                self._assign_one(p, attempted)

    def _assign_one(self, permission: Permission, attempted: str) -> None:
        body = {"principalId": self.principal["id"], "resourceId": permission.resource_id, "appRoleId": permission.id}
        try:
            self.graph.write(Call("POST", f"/servicePrincipals/{permission.resource_id}/appRoleAssignedTo", body, attempted))
        except GraphError as error:
            if not error.exists:  # it is there, the list only shows it later
                raise

    def _unassign(self, assignments: list[dict]) -> None:
        attempted = f"withdraw consent from {self.name}"
        self.graph.batch(
            [Call("DELETE", f"/servicePrincipals/{a['resourceId']}/appRoleAssignedTo/{a['id']}", None, attempted) for a in assignments]
        )

    def _grant(self, resource: str, scopes: set[str]) -> None:
        """Admin consent for delegated permissions: one grant a resource, read again because a lost POST may have worked."""
        principal = self.principal["id"]
        attempted = f"consent to {', '.join(sorted(scopes)) or 'nothing'} for {self.name}"
        grants = self.graph.every(f"/servicePrincipals/{principal}/oauth2PermissionGrants", attempted)
        present = next((g for g in grants if g["resourceId"] == resource and g["consentType"] == "AllPrincipals"), None)
        scope = " ".join(sorted(scopes))
        if present and not scopes:
            self.graph.write(Call("DELETE", f"/oauth2PermissionGrants/{present['id']}", None, attempted))
        elif present and set(present["scope"].split()) != scopes:
            self.graph.write(Call("PATCH", f"/oauth2PermissionGrants/{present['id']}", {"scope": scope}, attempted))
        elif not present and scopes:
            body = {"clientId": principal, "consentType": "AllPrincipals", "resourceId": resource, "scope": scope}
            self.graph.write(Call("POST", "/oauth2PermissionGrants", body, attempted))


def _writable(credential: dict) -> dict:
    """A keyCredential as it may be sent back: customKeyIdentifier is the service's to make."""
    return {name: value for name, value in credential.items() if name != "customKeyIdentifier" and value is not None}
