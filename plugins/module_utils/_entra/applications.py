# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications in Entra: read the current state of one, and write its changes.

Sources: Microsoft Graph v1.0,
"application", "servicePrincipal", "appRoleAssignment", "oAuth2PermissionGrant"; "Upsert applications".
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any

from .._clients.graph import Call, key
from .._core.errors import GraphError, InvalidInput
from .._core.json_types import JsonObject
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
class CurrentApplication:
    """The application, its enterprise application and their permissions, as Graph returns them."""

    application: JsonObject | None = None
    principal: JsonObject | None = None
    assignments: list[JsonObject] = field(default_factory=list)
    grants: list[JsonObject] = field(default_factory=list)
    apis: dict[str, JsonObject] = field(default_factory=dict)  # by application id

    def api_of(self, resource_id: str) -> JsonObject:
        return next((api for api in self.apis.values() if api["id"] == resource_id), {})


@dataclass
class ApplicationChanges:
    """What has to be written."""

    create: bool = False
    patch: dict[str, Any] = field(default_factory=dict)
    add_certificates: list[certificates.PublicCertificate] = field(default_factory=list)
    remove_keys: set[str] = field(default_factory=set)  # keyIds
    create_principal: bool = False
    assign: list[Permission] = field(default_factory=list)
    unassign: list[JsonObject] = field(default_factory=list)
    scopes: dict[str, set[str]] = field(default_factory=dict)  # resource id -> the scopes its grant shall have
    delete: bool = False

    def __bool__(self) -> bool:
        return any(vars(self).values())


# -- reading ----------------------------------------------------------------------------------------------------------


def find(tenant: Tenant, params: dict[str, Any]) -> CurrentApplication:
    """The application and all that belongs to it, in two requests (one where there is none).

    Delegated consent is read only where it is needed: reading it requires another permission.
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
    current = CurrentApplication(apis={api: answer for api, answer in zip(apis, answers[len(calls) - len(apis) :], strict=True) if answer})
    by_name = answers[0]["value"]
    by_title = answers[1]["value"] if title else []
    current.application = choose(name, title, by_name, by_title)
    if current.application:
        path = f"/servicePrincipals(appId='{current.application['appId']}')"
        attempted = "read the enterprise application"
        reads = [
            Call("GET", f"{path}?$select=id,appId,displayName,accountEnabled,tags", attempted=attempted),
            Call("GET", f"{path}/appRoleAssignments", attempted=attempted),
        ]
        if params.get("exclusive") or any(p.get("type") == "delegated" for p in params.get("permissions") or []):
            reads.append(Call("GET", f"{path}/oauth2PermissionGrants", attempted="read the delegated consent"))
        current.principal, *lists = tenant.graph.batch(reads)
        current.assignments, current.grants = ((item or {}).get("value", []) for item in (*lists, None)[:2])
    return current


def _encoded(call: Call) -> Call:
    return Call(call.method, call.path.replace(" ", "%20"), call.body, call.attempted, call.headers)


def choose(name: str, title: str | None, by_name: list[JsonObject], by_title: list[JsonObject]) -> JsonObject | None:
    """The matching application; None where it has to be created. A second one of the same display name is never created."""
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


def permissions(current: CurrentApplication, params: dict[str, Any]) -> list[Permission]:
    """The desired permissions with their ids; InvalidInput names every one that its API does not offer."""
    desired, problems = [], []
    for item in params["permissions"] or []:
        api = current.apis.get(api_id(item["api"]))
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
        desired.append(Permission(api["appId"], api["displayName"], item["name"], offered[item["name"]], delegated, api["id"]))
    if problems:
        raise InvalidInput(*problems)
    return sorted(set(desired))


def _hint(name: str, api: JsonObject, delegated: bool) -> str:
    others = api["appRoles" if delegated else "oauth2PermissionScopes"]
    if any(o.get("value") == name for o in others):
        return f"; it is {'an application' if delegated else 'a delegated'} permission"
    close = [o["value"] for o in api["oauth2PermissionScopes" if delegated else "appRoles"] if o.get("value")]
    same = [value for value in close if value.lower().split(".")[0] == name.lower().split(".")[0]]
    return f"; it offers {', '.join(sorted(same)[:5])}" if same else ""


# -- writing ----------------------------------------------------------------------------------------------------------


def is_replication_delay(error: GraphError) -> bool:
    """Whether an error is caused by the directory's replication delay, so that a retry succeeds."""
    return error.code in ("Request_ResourceNotFound", "Directory_ConcurrencyViolation") or bool(_LAG.search(error.service_message))


def _is_delayed_or_exists(error: GraphError) -> bool:
    """As `is_replication_delay`; and a grant that exists already although the list did not show it yet will be listed."""
    return is_replication_delay(error) or error.exists


class ApplicationWriter:
    """Writes ApplicationChanges, with retries during the replication delay of the directory."""

    def __init__(self, tenant: Tenant, name: str, current: CurrentApplication) -> None:
        self.graph, self.limit, self.tenant = tenant.graph, tenant.wait_timeout, tenant
        self.name, self.current = name, current

    @property
    def application(self) -> JsonObject:
        """The application, after it was read or created."""
        if self.current.application is None:
            raise GraphError(f"change application {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.current.application

    @property
    def principal(self) -> JsonObject:
        """The enterprise application, after it was read or created."""
        if self.current.principal is None:
            raise GraphError(f"change the enterprise application of {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.current.principal

    def write(self, changes: ApplicationChanges) -> None:
        if changes.create:
            self._create(changes)
        else:
            self._update(changes)
        if changes.create_principal:
            self._create_principal()
        if changes.assign:
            self.graph.retry(lambda: self._assign(changes.assign), is_replication_delay, self.limit)
        if changes.unassign:
            self._unassign(changes.unassign)
        for resource, scopes in changes.scopes.items():
            self.graph.retry(functools.partial(self._grant, resource, scopes), _is_delayed_or_exists, self.limit)
        if (changes.assign or changes.scopes) and self.application["appId"].lower() == self.tenant.client_id.lower():
            self.tenant.tokens.forget()

    def _create(self, changes: ApplicationChanges) -> None:
        body = {**changes.patch, "notes": "Managed by mailops.m365", "tags": ["mailops"]}
        body.pop("uniqueName", None)
        if changes.add_certificates:
            body["keyCredentials"] = [leaf.key_credential() for leaf in changes.add_certificates]
        attempted = f"create application {self.name}"
        upsert = Call("PATCH", f"/applications(uniqueName='{key(self.name)}')", body, attempted, {"Prefer": "create-if-missing"})
        created = self.graph.write(upsert)
        if not created:  # created concurrently by another client: 204 has no body
            created = self.graph.retry(lambda: self._again(attempted), is_replication_delay, self.limit)
        self.current.application = created

    def _again(self, attempted: str) -> JsonObject:
        current = self.graph.get(f"/applications(uniqueName='{key(self.name)}')?$select={_SELECT}", attempted)
        if not current:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return dict(current)

    def _update(self, changes: ApplicationChanges) -> None:
        body = dict(changes.patch)
        path = f"/applications/{self.application['id']}"
        if changes.add_certificates or changes.remove_keys:
            # A PATCH replaces the whole list, so the present entries go back with their keys.
            kept = self.graph.get(f"{path}?$select=keyCredentials", f"read the certificates of {self.name}") or {}
            present = [k for k in kept.get("keyCredentials", []) if k["keyId"] not in changes.remove_keys]
            body["keyCredentials"] = [_writable(k) for k in present] + [leaf.key_credential() for leaf in changes.add_certificates]
        if body:
            self.graph.write(Call("PATCH", path, body, f"change application {self.name}"), retry_on=is_replication_delay, limit=self.limit)

    def _create_principal(self) -> None:
        app_id = self.application["appId"]
        attempted = f"create the enterprise application of {self.name}"
        upsert = Call("PATCH", f"/servicePrincipals(appId='{app_id}')", {"tags": ["mailops"]}, attempted, {"Prefer": "create-if-missing"})
        created = self.graph.write(upsert, retry_on=is_replication_delay, limit=self.limit)
        self.current.principal = created or self.graph.retry(lambda: self._principal(app_id, attempted), is_replication_delay, self.limit)

    def _principal(self, app_id: str, attempted: str) -> JsonObject:
        current = self.graph.get(f"/servicePrincipals(appId='{app_id}')?$select=id,appId,displayName", attempted)
        if not current:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return dict(current)

    def _assign(self, desired: list[Permission]) -> None:
        """Admin consent for application permissions; an assignment that exists after a lost answer is not repeated."""
        principal = self.principal["id"]
        attempted = f"consent to {', '.join(p.name for p in desired)} for {self.name}"
        for start in range(0, len(desired), 20):
            part = desired[start : start + 20]
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

    def _assign_missing(self, desired: list[Permission], attempted: str) -> None:
        principal = self.principal["id"]
        have = {
            (a["resourceId"], a["appRoleId"]) for a in self.graph.every(f"/servicePrincipals/{principal}/appRoleAssignments", attempted)
        }
        for p in desired:
            if (p.resource_id, p.id) not in have:
                self._assign_one(p, attempted)

    def _assign_one(self, permission: Permission, attempted: str) -> None:
        body = {"principalId": self.principal["id"], "resourceId": permission.resource_id, "appRoleId": permission.id}
        try:
            self.graph.write(Call("POST", f"/servicePrincipals/{permission.resource_id}/appRoleAssignedTo", body, attempted))
        except GraphError as error:
            if not error.exists:  # it is there, the list only shows it later
                raise

    def _unassign(self, assignments: list[JsonObject]) -> None:
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


def _writable(credential: JsonObject) -> JsonObject:
    """A keyCredential as it may be sent back: customKeyIdentifier is the service's to make."""
    return {name: value for name, value in credential.items() if name != "customKeyIdentifier" and value is not None}
