# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications in Entra: the current state of one, and the changes to it.

Sources: Microsoft Graph v1.0, "application", "servicePrincipal", "appRoleAssignment", "oAuth2PermissionGrant".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._clients.graph import Call
from .._clients.odata import equals, key
from .._core.errors import GraphError, InvalidInput
from .._engine.tenant import Tenant
from .certificates import PublicCertificate
from .graph_objects import ApplicationObject, AppRoleAssignment, OfferedPermission, PermissionGrant, ServicePrincipalObject
from .renewal import Renewal

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
GRAPH = "00000003-0000-0000-c000-000000000000"
APIS = {"exchange": EXCHANGE, "graph": GRAPH}
SELECT = (
    "id,appId,displayName,uniqueName,signInAudience,requiredResourceAccess,keyCredentials,passwordCredentials,isFallbackPublicClient,"
    "publicClient"
)
_LAG = re.compile(
    r"does not reference a valid application object|backing application of the service principal"
    r"|Not a valid reference update|queried reference-property objects are not present"
)


@dataclass(frozen=True)
class PermissionParams:
    """The suboptions of permissions and revoked_permissions. `api`: a key of APIS or the API's application id; `type`: application or
    delegated.
    """

    name: str
    api: str
    type: str

    @property
    def api_id(self) -> str:
        return APIS.get(self.api, self.api).lower()

    @property
    def delegated(self) -> bool:
        return self.type == "delegated"


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


@dataclass(frozen=True)
class CurrentApplication:
    """The application, its enterprise application and their permissions, as Graph returns them."""

    application: ApplicationObject | None = None
    principal: ServicePrincipalObject | None = None
    assignments: tuple[AppRoleAssignment, ...] = ()
    grants: tuple[PermissionGrant, ...] = ()
    apis: Mapping[str, ServicePrincipalObject] = field(default_factory=dict)  # by application id
    deleted: str = ""  # when the application was deleted; empty where it was not

    def api_of(self, resource_id: str) -> ServicePrincipalObject:
        empty: ServicePrincipalObject = {}
        return next((api for api in self.apis.values() if api["id"] == resource_id), empty)


@dataclass(frozen=True)
class ApplicationChanges:
    """The changes to an application. `current`: the application that they are applied to."""

    current: CurrentApplication
    create: bool = False
    restore: bool = False  # from the deleted items; the other changes are planned again then
    patch: ApplicationObject = field(default_factory=ApplicationObject)
    add_certificates: tuple[PublicCertificate, ...] = ()
    remove_keys: frozenset[str] = frozenset()  # keyIds
    create_principal: bool = False
    assign: tuple[Permission, ...] = ()
    unassign: tuple[AppRoleAssignment, ...] = ()
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)  # resource id -> the scopes of its grant
    delete: bool = False
    renewal: Renewal | None = None

    def __bool__(self) -> bool:
        application = self.create or self.restore or self.patch or self.add_certificates or self.remove_keys or self.delete
        renewed = self.renewal is not None and self.renewal.switches
        return bool(application or renewed or self.create_principal or self.assign or self.unassign or self.scopes)


# -- reading ----------------------------------------------------------------------------------------------------------


def find(tenant: Tenant, unique_name: str, display_name: str | None, api_ids: Iterable[str], *, read_grants: bool) -> CurrentApplication:
    """The application and all that belongs to it, in two requests (one where there is none).

    `api_ids`: the application ids of the APIs whose permissions are read. `read_grants`: read delegated consent, which requires
    another permission.
    """
    apis = sorted(set(api_ids))
    attempted = "look for the application"
    calls = [Call("GET", f"/applications(uniqueName='{key(unique_name)}')?$select={SELECT}", attempted=attempted)]
    if display_name:
        calls.append(Call("GET", f"/applications?$filter={equals('displayName', display_name)}&$select={SELECT}", attempted=attempted))
    calls += [
        Call("GET", f"/servicePrincipals(appId='{key(api)}')?$select=id,appId,displayName,appRoles,oauth2PermissionScopes",
             attempted="read the permissions of an API")
        for api in apis
    ]  # fmt: skip
    answers = tenant.graph.batch(calls)
    offered = {api: answer for api, answer in zip(apis, answers[len(calls) - len(apis) :], strict=True) if answer}
    application = choose(unique_name, display_name, answers[0], answers[1]["value"] if display_name else [])
    if not application:
        return CurrentApplication(apis=offered)
    path = f"/servicePrincipals(appId='{key(application['appId'])}')"
    attempted = "read the enterprise application"
    reads = [
        Call("GET", f"{path}?$select=id,appId,displayName,accountEnabled,tags", attempted=attempted),
        Call("GET", f"{path}/appRoleAssignments", attempted=attempted),
    ]
    if read_grants:
        reads.append(Call("GET", f"{path}/oauth2PermissionGrants", attempted="read the delegated consent"))
    principal, *lists = tenant.graph.batch(reads)
    assignments, grants = (tuple((item or {}).get("value", [])) for item in (*lists, None)[:2])
    return CurrentApplication(application, principal, assignments, grants, offered)


def choose(
    name: str, title: str | None, by_name: ApplicationObject | None, by_title: Sequence[ApplicationObject]
) -> ApplicationObject | None:
    """The matching application; None where it has to be created. A second one of the same display name is never created."""
    if by_name:
        return by_name
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


def offered_permissions(api: ServicePrincipalObject, delegated: bool) -> list[OfferedPermission]:
    """The delegated or the application permissions that an API offers."""
    return api["oauth2PermissionScopes"] if delegated else api["appRoles"]


def permissions(current: CurrentApplication, listed: Iterable[PermissionParams]) -> list[Permission]:
    """The desired permissions with their ids, sorted; InvalidInput names every one that its API does not offer."""
    desired, problems = [], []
    for item in listed:
        api = current.apis.get(item.api_id)
        if not api:
            reason = "this tenant has no Exchange Online" if item.api_id == EXCHANGE else "this tenant does not have that API"
            problems.append(f"permissions: {item.name} cannot be given, {reason} ({item.api}).")
            continue
        ids = {offered["value"]: offered["id"] for offered in offered_permissions(api, item.delegated) if offered.get("value")}
        if item.name not in ids:
            problems.append(
                f"permissions: {api['displayName']} offers no {item.type} permission {item.name!r}{_hint(item.name, api, item.delegated)}."
            )
            continue
        desired.append(Permission(api["appId"], api["displayName"], item.name, ids[item.name], item.delegated, api["id"]))
    if problems:
        raise InvalidInput(*problems)
    return sorted(set(desired))


def revoked(current: CurrentApplication, listed: Iterable[PermissionParams]) -> list[Permission]:
    """The permissions to revoke, with their ids, without those that no API offers any more: they are not in effect."""
    result = []
    for item in listed:
        api = current.apis.get(item.api_id)
        ids = [offered["id"] for offered in offered_permissions(api, item.delegated) if offered.get("value") == item.name] if api else []
        result += [Permission(api["appId"], api["displayName"], item.name, ids[0], item.delegated, api["id"])] if api and ids else []
    return result


def _hint(name: str, api: ServicePrincipalObject, delegated: bool) -> str:
    if any(offered.get("value") == name for offered in offered_permissions(api, not delegated)):
        return f"; it is {'an application' if delegated else 'a delegated'} permission"
    values = [offered.get("value") for offered in offered_permissions(api, delegated)]
    same = [value for value in values if value and value.lower().split(".")[0] == name.lower().split(".")[0]]
    return f"; it offers {', '.join(sorted(same)[:5])}" if same else ""


# -- errors -----------------------------------------------------------------------------------------------------------


def is_replication_delay(error: GraphError) -> bool:
    """Whether an error is caused by the directory's replication delay, so that a retry succeeds."""
    return error.code in ("Request_ResourceNotFound", "Directory_ConcurrencyViolation") or bool(_LAG.search(error.service_message))
