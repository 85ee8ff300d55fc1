# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of Microsoft Graph."""

from __future__ import annotations

from .entry import ErrorEntry

_GRAPH = "Microsoft Graph error responses"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "graph-forbidden", "graph", "Authorization_RequestDenied", "the automation app lacks a Graph permission for this",
        "Grant it the permissions in docs/setup.md, with admin consent.", source=_GRAPH,
        variables=("automation_access_permissions",),
        sample="Authorization_RequestDenied: Insufficient privileges to complete the operation."),
    ErrorEntry(
        "graph-forbidden", "graph", "AccessDenied", "the automation app lacks a Graph permission for this",
        "Grant it the permissions in docs/setup.md, with admin consent.", source=_GRAPH,
        variables=("automation_access_permissions",),
        sample="AccessDenied: You cannot perform the requested operation, required scopes are missing in the token."),
    ErrorEntry(
        "no-sign-in-logs", "graph", "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "the licences of the tenant do not include sign-in logs (Microsoft Entra ID P1)",
        "Read the report SMTP AUTH clients of the Exchange admin center instead.", source="List signIns",
        sample="Authentication_RequestFromNonPremiumTenantOrB2CTenant: Neither tenant is B2C or tenant doesn't have premium license"),
    ErrorEntry(
        "graph-token", "graph", "InvalidAuthenticationToken", "Graph did not accept the token",
        "Check that m365_cloud names the tenant's own cloud.", source=_GRAPH,
        variables=("m365_cloud",),
        sample="InvalidAuthenticationToken: Access token validation failure. Invalid audience."),
    ErrorEntry(
        "no-secrets-allowed", "graph", "CredentialTypeNotAllowedAsPerAppPolicy", "the tenant's policy forbids this kind of credential",
        "Use a certificate, or change the application management policy.", source="Microsoft Graph: appManagementPolicy",
        variables=("m365_certificate_path", "entra_app_certificates"),
        sample="CredentialTypeNotAllowedAsPerAppPolicy: Credential type not allowed as per assigned policy."),
    ErrorEntry(
        "credential-too-long", "graph", "CredentialInvalidLifetimeAsPerAppPolicy",
        "the tenant's policy forbids a credential with this lifetime",
        "Use a certificate with a shorter lifetime, or change the application management policy.",
        source="Microsoft Graph: appManagementPolicy",
        variables=("entra_app_certificate", "automation_access_certificate"),
        sample="CredentialInvalidLifetimeAsPerAppPolicy: Credential lifetime exceeds the max value allowed as per assigned policy."),
    ErrorEntry(
        "federated-credential-refused", "graph", "InvalidFederatedIdentityCredentialValue",
        "the federated credential is invalid, or another one has the same issuer and subject",
        "Check the limits of name, issuer, subject and audience (module federated_credential); issuer and subject must be unique together.",
        source="Microsoft Graph: federatedIdentityCredential",
        variables=("automation_access_federated_credentials", "entra_app_federated_credentials"),
        sample="InvalidFederatedIdentityCredentialValue: FederatedIdentityCredential issuer and subject must be unique."),
    ErrorEntry(
        "own-directory-role", "graph", "", "Entra does not let an application remove its own built-in directory role",
        "Sign in as another application, or let a Privileged Role Administrator remove the role "
        "(Entra admin center, Roles and administrators).",
        text=r"(?i)removing self from .*built-in role", source=_GRAPH,
        variables=("automation_access_directory_roles",),
        sample="Request_BadRequest: Removing self from Exchange Administrator built-in role is not allowed."),
    ErrorEntry(
        "directory-quota", "graph", "Directory_QuotaExceeded", "the automation app has reached its quota of directory objects",
        "Delete objects that it created (deleted ones count for 30 days), or create this one as an administrator.", source=_GRAPH,
        sample="Directory_QuotaExceeded: The directory object quota limit for the Principal has been exceeded."),
    ErrorEntry(
        "graph-throttled", "graph", "TooManyRequests", "Graph throttles this application in this tenant", "Try again later.",
        transient=True, source="Microsoft Graph throttling guidance",
        sample="TooManyRequests: Too many requests. Please try again later."),
    ErrorEntry(
        "not-replicated", "graph", "Request_ResourceNotFound", "the object does not exist, or the directory has not replicated it yet",
        "Run the task again in a few minutes. If the error persists, check the object's id.", transient=True, source=_GRAPH,
        sample="Request_ResourceNotFound: Resource '<id>' does not exist or one of its queried reference-property objects are not present."),
    ErrorEntry(
        "unique-name-reserved", "graph", "", "another application has this unique name; a deleted one reserves it for 30 days, even purged",
        "Restore the deleted application (Entra admin center, App registrations, Deleted applications), or use another unique name; a run "
        "restores it itself where the automation app may read deleted applications (Application.Read.All).",
        text=r"(?i)same value for property uniqueName already exists", source="Microsoft Graph: application (uniqueName)",
        variables=("entra_app_unique_name", "automation_access_permissions"),
        sample="Request_BadRequest: Another object with the same value for property uniqueName already exists."),
    ErrorEntry(
        "already-exists", "graph", "Request_MultipleObjectsWithSameKeyValue", "an object with this name or id exists already",
        "Run the task again: the module finds the object. An object deleted within the last 30 days keeps its name.", exists=True,
        source=_GRAPH,
        sample="Request_MultipleObjectsWithSameKeyValue: The service principal cannot be created, updated, or restored because the service "
               "principal name <name> is already in use."),
    ErrorEntry(
        "already-assigned", "graph", "", "this permission or role assignment exists already",
        "Run the task again: the module finds the assignment.",
        text=r"(?i)^(?!.*same value for property).*(already exist|conflicting object)", exists=True, source=_GRAPH,
        sample="Request_BadRequest: Permission being assigned already exists on the object"),
)
# fmt: on
