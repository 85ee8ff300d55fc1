# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the changes to an application in Entra.

Sources: Microsoft Graph v1.0, "Upsert applications", "appRoleAssignment", "oAuth2PermissionGrant".
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from .._clients.graph import Call, GraphClient
from .._clients.odata import key
from .._core.errors import GraphError
from .._engine.tenant import Tenant
from .application_state import thumbprint
from .applications import EXCHANGE, GRAPH, SELECT, ApplicationChanges, CurrentApplication, Permission, is_replication_delay
from .certificates import KeyCredential, PublicCertificate
from .graph_objects import ApplicationObject, AppRoleAssignment, ServicePrincipalObject

_SERVICES = {"graph": GRAPH, "exchange": EXCHANGE}  # the APIs by the names of their tokens


def _is_delayed_or_exists(error: GraphError) -> bool:
    """As `is_replication_delay`; and a grant that exists already although the list did not show it yet will be listed."""
    return is_replication_delay(error) or error.exists


class ApplicationWriter:
    """Writes ApplicationChanges, with retries during the replication delay of the directory."""

    def __init__(self, tenant: Tenant, name: str, current: CurrentApplication) -> None:
        self.graph, self.limit, self.tenant = tenant.graph, tenant.wait_timeout, tenant
        self.name, self.current = name, current

    @property
    def application(self) -> ApplicationObject:
        """The application, after it was read or created."""
        if self.current.application is None:
            raise GraphError(f"change application {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.current.application

    @property
    def principal(self) -> ServicePrincipalObject:
        """The enterprise application, after it was read or created."""
        if self.current.principal is None:
            raise GraphError(f"change the enterprise application of {self.name}", "it is gone", code="Request_ResourceNotFound")
        return self.current.principal

    def write(self, changes: ApplicationChanges) -> CurrentApplication:
        """Apply the changes. Returns the current application with the objects that were created; the other parts are not updated."""
        if changes.create:
            self.current = replace(self.current, application=self._create(changes))
        else:
            self._update(changes)
        if changes.create_principal:
            self.current = replace(self.current, principal=self._create_principal())
        if changes.assign:
            self.graph.retry(lambda: self._assign(changes.assign), is_replication_delay, self.limit)
        if changes.unassign:
            self._unassign(changes.unassign)
        for resource, scopes in changes.scopes.items():
            self.graph.retry(functools.partial(self._grant, resource, scopes), _is_delayed_or_exists, self.limit)
        app_id = self.application["appId"]
        for service, api in _SERVICES.items():
            names = {p.name for p in changes.assign if p.api.lower() == api}
            if names:
                self.tenant.tokens.add_grants(app_id, service, names)
        if (changes.assign or changes.scopes) and app_id.lower() == self.tenant.client_id.lower():
            self.tenant.tokens.forget()
        return self.current

    def _create(self, changes: ApplicationChanges) -> ApplicationObject:
        body: dict[str, object] = {**changes.patch, "notes": "Managed by mailops.m365", "tags": ["mailops"]}
        body.pop("uniqueName", None)
        if changes.add_certificates:
            body["keyCredentials"] = [leaf.key_credential() for leaf in changes.add_certificates]
        attempted = f"create application {self.name}"
        upsert = Call("PATCH", f"/applications(uniqueName='{key(self.name)}')", body, attempted, {"Prefer": "create-if-missing"})
        created: ApplicationObject | None = self.graph.write(upsert)
        # Where another client creates it at the same time, the answer is 204 without a body.
        return created or self.graph.retry(lambda: self._read_application(attempted), is_replication_delay, self.limit)

    def _read_application(self, attempted: str) -> ApplicationObject:
        path = f"/applications(uniqueName='{key(self.name)}')?$select={SELECT}"
        application: ApplicationObject | None = self.graph.get(path, attempted)
        if not application:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return application

    def _update(self, changes: ApplicationChanges) -> None:
        body: dict[str, object] = {**changes.patch}
        path = f"/applications/{self.application['id']}"
        if changes.add_certificates or changes.remove_keys:
            body["keyCredentials"] = key_credentials_after(self.graph, path, self.name, changes.add_certificates, changes.remove_keys)
        if body:
            self.graph.write(Call("PATCH", path, body, f"change application {self.name}"), retry_on=is_replication_delay, limit=self.limit)

    def _create_principal(self) -> ServicePrincipalObject:
        app_id = self.application["appId"]
        attempted = f"create the enterprise application of {self.name}"
        upsert = Call(
            "PATCH", f"/servicePrincipals(appId='{key(app_id)}')", {"tags": ["mailops"]}, attempted, {"Prefer": "create-if-missing"}
        )
        created: ServicePrincipalObject | None = self.graph.write(upsert, retry_on=is_replication_delay, limit=self.limit)
        return created or self.graph.retry(lambda: self._read_principal(app_id, attempted), is_replication_delay, self.limit)

    def _read_principal(self, app_id: str, attempted: str) -> ServicePrincipalObject:
        path = f"/servicePrincipals(appId='{key(app_id)}')?$select=id,appId,displayName"
        principal: ServicePrincipalObject | None = self.graph.get(path, attempted)
        if not principal:
            raise GraphError(attempted, "not there yet", code="Request_ResourceNotFound", status=404)
        return principal

    def _assign(self, desired: Sequence[Permission]) -> None:
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

    def _assign_missing(self, desired: Iterable[Permission], attempted: str) -> None:
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

    def _unassign(self, assignments: Iterable[AppRoleAssignment]) -> None:
        attempted = f"withdraw consent from {self.name}"
        self.graph.batch(
            [Call("DELETE", f"/servicePrincipals/{a['resourceId']}/appRoleAssignedTo/{a['id']}", None, attempted) for a in assignments]
        )

    def _grant(self, resource: str, scopes: Collection[str]) -> None:
        """Admin consent for delegated permissions: one grant a resource, read again because a lost POST may have worked."""
        principal = self.principal["id"]
        attempted = f"consent to {', '.join(sorted(scopes)) or 'nothing'} for {self.name}"
        grants = self.graph.every(f"/servicePrincipals/{principal}/oauth2PermissionGrants", attempted)
        present = next((g for g in grants if g["resourceId"] == resource and g["consentType"] == "AllPrincipals"), None)
        scope = " ".join(sorted(scopes))
        if present and not scopes:
            self.graph.write(Call("DELETE", f"/oauth2PermissionGrants/{present['id']}", None, attempted))
        elif present and set(present["scope"].split()) != set(scopes):
            self.graph.write(Call("PATCH", f"/oauth2PermissionGrants/{present['id']}", {"scope": scope}, attempted))
        elif not present and scopes:
            body = {"clientId": principal, "consentType": "AllPrincipals", "resourceId": resource, "scope": scope}
            self.graph.write(Call("POST", "/oauth2PermissionGrants", body, attempted))


def key_credentials_after(
    graph: GraphClient, path: str, name: str, added: Iterable[PublicCertificate], removed: Collection[str]
) -> list[KeyCredential]:
    """The application's keyCredentials to write. `path`: of the application; `removed`: keyIds.

    A PATCH replaces the whole list. Entries that stay are written back exactly as they are read: Graph refuses an entry that differs
    ("Update to existing credential with KeyId '..' is not allowed").
    """
    current = graph.get(f"{path}?$select=keyCredentials", f"read the certificates of {name}") or {}
    present: list[KeyCredential] = list(current.get("keyCredentials") or [])
    thumbprints = {thumbprint(credential) for credential in present}
    new = [leaf.key_credential() for leaf in added if leaf.thumbprint not in thumbprints]
    return [credential for credential in present if credential["keyId"] not in removed] + new
