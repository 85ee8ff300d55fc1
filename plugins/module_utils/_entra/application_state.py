# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of an application as the diff and the result show it: permissions by name, certificates by thumbprint.

Source: Microsoft Graph v1.0, "application", "appRoleAssignment", "oAuth2PermissionGrant", "keyCredential".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .applications import CurrentApplication, offered_permissions
from .certificates import KeyCredential
from .graph_objects import ApplicationObject, AppRoleAssignment, PermissionGrant


class PermissionId(NamedTuple):
    """A permission by ids. `api`: the API's application id, in lower case."""

    api: str
    id: str
    delegated: bool


@dataclass(frozen=True)
class ApplicationState:
    """The state of one application. `consented`: the permissions with admin consent; `redirect_uris`: of the public client.

    `certificate_in_use`: the thumbprint of the managed certificate. `deleted`: when the application was deleted, where it is among the
    deleted items.
    """

    unique_name: str | None
    display_name: str | None
    permissions: tuple[str, ...]
    consented: tuple[str, ...]
    certificates: tuple[str, ...]
    enterprise_application: bool
    public_client: bool
    redirect_uris: tuple[str, ...]
    certificate_in_use: str | None = None
    deleted: str = ""

    def as_result(self) -> dict[str, object]:
        """The state as JSON. Only a public client has public_client and redirect_uris, only a managed certificate is in use.

        Nothing else of a deleted application is in use.
        """
        if self.deleted:
            return {"unique_name": self.unique_name, "display_name": self.display_name, "deleted": self.deleted}
        result: dict[str, object] = {
            "unique_name": self.unique_name,
            "display_name": self.display_name,
            "permissions": list(self.permissions),
            "consented": list(self.consented),
            "certificates": list(self.certificates),
            "enterprise_application": self.enterprise_application,
        }
        result |= {"certificate_in_use": self.certificate_in_use} if self.certificate_in_use else {}
        return result | ({"public_client": True, "redirect_uris": sorted(self.redirect_uris)} if self.public_client else {})


def current_state(current: CurrentApplication) -> ApplicationState | None:
    """The current state; None where the application does not exist."""
    application = current.application
    if not application:
        return None
    consented = [assignment_label(current, assignment) for assignment in current.assignments]
    for grant in tenant_wide_grants(current):
        api_name = current.api_of(grant["resourceId"]).get("displayName", grant["resourceId"])
        consented += [f"{api_name}: {scope} (delegated)" for scope in grant["scope"].split()]
    return ApplicationState(
        unique_name=application.get("uniqueName"),
        display_name=application.get("displayName"),
        permissions=tuple(sorted(label(current, permission) for permission in required_permissions(current))),
        consented=tuple(sorted(consented)),
        certificates=tuple(sorted(thumbprint(credential) for credential in key_credentials(current))),
        enterprise_application=bool(current.principal),
        public_client=bool(application.get("isFallbackPublicClient")),
        redirect_uris=tuple(redirect_uris(application)),
        deleted=current.deleted,
    )


def required_permissions(current: CurrentApplication) -> set[PermissionId]:
    """The required permissions of the application; none where it does not exist."""
    return {
        PermissionId(entry["resourceAppId"].lower(), access["id"], access["type"] == "Scope")
        for entry in (current.application or {}).get("requiredResourceAccess") or []
        for access in entry.get("resourceAccess") or []
    }


def tenant_wide_grants(current: CurrentApplication) -> list[PermissionGrant]:
    """The grants of delegated permissions for all users, which are admin consent."""
    return [grant for grant in current.grants if grant.get("consentType") == "AllPrincipals"]


def granted_scopes(current: CurrentApplication) -> dict[str, frozenset[str]]:
    """The delegated permissions with admin consent, by the id of the API's service principal."""
    return {grant["resourceId"]: frozenset(grant["scope"].split()) for grant in tenant_wide_grants(current)}


def redirect_uris(application: ApplicationObject) -> list[str]:
    """The redirect URIs of the public client."""
    return list((application.get("publicClient") or {}).get("redirectUris") or [])


def key_credentials(current: CurrentApplication) -> list[KeyCredential]:
    """The certificates of the application; none where it does not exist."""
    return (current.application or {}).get("keyCredentials") or []


def thumbprint(credential: KeyCredential) -> str:
    """A keyCredential's SHA-1 thumbprint in upper case: customKeyIdentifier, in hex although it is typed binary."""
    return str(credential.get("customKeyIdentifier") or "").upper()


def label(current: CurrentApplication, permission: PermissionId) -> str:
    """The text for a permission: names where the API was read, ids where it was not."""
    kind = "delegated" if permission.delegated else "application"
    api = current.apis.get(permission.api.lower())
    if not api:
        return f"{permission.api}: {permission.id} ({kind})"
    offered = offered_permissions(api, permission.delegated)
    name = next((one["value"] for one in offered if one["id"] == permission.id), permission.id)
    return f"{api['displayName']}: {name} ({kind})"


def assignment_label(current: CurrentApplication, assignment: AppRoleAssignment) -> str:
    """The text for the application permission that an assignment consents to."""
    api = current.api_of(assignment["resourceId"]).get("appId", assignment["resourceDisplayName"])
    return label(current, PermissionId(api, assignment["appRoleId"], False))
