# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of Microsoft Graph, with the properties that the collection reads or writes.

Source: Microsoft Graph v1.0, the resource types that the classes name. A property is absent where it was not selected.
"""

from __future__ import annotations

from typing import TypedDict

from .certificates import KeyCredential


class ResourceAccess(TypedDict):
    """Resource type resourceAccess. `type`: Scope (delegated) or Role (application)."""

    id: str
    type: str


class RequiredResourceAccess(TypedDict, total=False):
    """Resource type requiredResourceAccess: the required permissions of one API."""

    resourceAppId: str
    resourceAccess: list[ResourceAccess]


class PublicClientApplication(TypedDict, total=False):
    """Resource type publicClientApplication."""

    redirectUris: list[str]


class PasswordCredential(TypedDict, total=False):
    """Resource type passwordCredential: a client secret, without its value. `hint`: its first characters."""

    keyId: str
    displayName: str | None
    hint: str | None
    endDateTime: str | None


class ApplicationObject(TypedDict, total=False):
    """Resource type application."""

    id: str
    appId: str
    displayName: str | None
    uniqueName: str | None
    signInAudience: str
    requiredResourceAccess: list[RequiredResourceAccess]
    keyCredentials: list[KeyCredential]
    passwordCredentials: list[PasswordCredential]
    isFallbackPublicClient: bool | None
    publicClient: PublicClientApplication | None
    tags: list[str]
    deletedDateTime: str | None


class OfferedPermission(TypedDict):
    """Resource types appRole and permissionScope. `value`: the permission's name; null of a role without one."""

    id: str
    value: str | None


class ServicePrincipalObject(TypedDict, total=False):
    """Resource type servicePrincipal: an enterprise application, or an API with the permissions that it offers."""

    id: str
    appId: str
    displayName: str
    tags: list[str]
    appOwnerOrganizationId: str | None
    appRoles: list[OfferedPermission]
    oauth2PermissionScopes: list[OfferedPermission]


class AppRoleAssignment(TypedDict, total=False):
    """Resource type appRoleAssignment: admin consent to an application permission."""

    id: str
    resourceId: str
    resourceDisplayName: str
    appRoleId: str


class PermissionGrant(TypedDict, total=False):
    """Resource type oAuth2PermissionGrant: consent to delegated permissions. `scope`: their names, separated by spaces."""

    id: str
    consentType: str
    resourceId: str
    scope: str


class SecurityDefaultsUpsell(TypedDict, total=False):
    """Version beta, complex type securityDefaultsUpsell. `action`: none, autoEnable or autoEnabledNotify."""

    action: str
    dueDateTime: str | None


class SecurityDefaultsPolicy(TypedDict, total=False):
    """Resource type identitySecurityDefaultsEnforcementPolicy; only version beta has `securityDefaultsUpsell`."""

    isEnabled: bool
    securityDefaultsUpsell: SecurityDefaultsUpsell | None


class DomainDnsRecord(TypedDict, total=False):
    """Resource types domainDnsRecord and domainDnsMxRecord; only an MX record has `mailExchange`."""

    mailExchange: str | None


class DomainDnsRecords(TypedDict, total=False):
    """A collection of domainDnsRecord."""

    value: list[DomainDnsRecord]


class LicenseUnits(TypedDict, total=False):
    """Resource type licenseUnitsDetail."""

    enabled: int | None


class ServicePlan(TypedDict, total=False):
    """Resource type servicePlanInfo."""

    servicePlanName: str | None


class SubscribedSku(TypedDict, total=False):
    """Resource type subscribedSku."""

    capabilityStatus: str | None
    prepaidUnits: LicenseUnits
    servicePlans: list[ServicePlan] | None


class UserObject(TypedDict, total=False):
    """Resource type user."""

    id: str
    userPrincipalName: str | None
    userType: str | None


class FederatedIdentityCredential(TypedDict, total=False):
    """Resource type federatedIdentityCredential."""

    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str | None
