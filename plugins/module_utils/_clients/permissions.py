# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that requests to Microsoft Graph and Exchange Online require, as data, and whether a token has them.

Sources: "Microsoft Graph permissions reference" and the permission table of each method; "App-only authentication for unattended scripts
in Exchange Online PowerShell"; "Microsoft Entra built-in roles".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._identity.token_permissions import TokenPermissions

APIS = {"graph": "Microsoft Graph", "exchange": "Office 365 Exchange Online"}


@dataclass(frozen=True)
class RequiredPermission:
    """A permission that a kind of request requires. `service`: a key of APIS.

    `name`: the permission to grant; `others`: those that allow the same, or may allow it. `purpose`: what it is for, as in "to ...".
    `reads`: a directory role that reads the directory may allow it, too. `delegated`: the delegated permission, where its name differs.
    """

    service: str
    name: str
    purpose: str
    others: tuple[str, ...] = ()
    reads: bool = False
    delegated: str = ""

    def name_for(self, permissions: TokenPermissions) -> str:
        return self.delegated or self.name if permissions.delegated else self.name


def _graph(name: str, purpose: str, *others: str, reads: bool = False) -> RequiredPermission:
    return RequiredPermission("graph", name, purpose, others, reads)


_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
_APPLICATIONS = ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All")
EXCHANGE = RequiredPermission(
    "exchange",
    "Exchange.ManageAsApp",
    "manage Exchange Online",
    ("Exchange.ManageAsAppV2", "Exchange.ManageV2", "AdminApi.AccessAsUser.All"),
    delegated="Exchange.Manage",
)
APPLICATIONS_READ = _graph("Application.Read.All", "read applications", *_APPLICATIONS, *_DIRECTORY, reads=True)
APPLICATIONS_WRITE = _graph(
    "Application.ReadWrite.All", "register and change applications", *_APPLICATIONS, "Application.ReadUpdate.All", "Directory.ReadWrite.All"
)
CONSENTS_READ = _graph(
    "Application.Read.All", "read application permissions", *_APPLICATIONS, "AppRoleAssignment.ReadWrite.All", *_DIRECTORY, reads=True
)
CONSENTS_WRITE = _graph("AppRoleAssignment.ReadWrite.All", "consent to application permissions")
GRANTS_READ = _graph(
    "DelegatedPermissionGrant.Read.All", "read delegated permissions", "DelegatedPermissionGrant.ReadWrite.All", *_DIRECTORY, reads=True
)
GRANTS_WRITE = _graph("DelegatedPermissionGrant.ReadWrite.All", "consent to delegated permissions", "Directory.ReadWrite.All")
SECURITY_DEFAULTS_READ = _graph(
    "Policy.Read.All", "read Security Defaults", "Policy.Read.SecurityDefaults", "Policy.ReadWrite.SecurityDefaults", reads=True
)
CONDITIONAL_ACCESS_READ = _graph(
    "Policy.Read.All", "read Conditional Access", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess", reads=True
)
DOMAINS_READ = _graph("Domain.Read.All", "read the MX host of the tenant", "Domain.ReadWrite.All", *_DIRECTORY, reads=True)
LICENCES_READ = _graph(
    "Organization.Read.All", "read the licences", "LicenseAssignment.Read.All", "Organization.ReadWrite.All", *_DIRECTORY, reads=True
)
SIGN_INS_READ = _graph("AuditLog.Read.All", "read the sign-in log")
USAGE_REPORTS_READ = _graph("Reports.Read.All", "read the usage reports")
MEMBERS_READ = _graph(
    "Directory.Read.All", "read users, groups and directory roles", "Directory.ReadWrite.All", "User.Read.All", reads=True
)
DIRECTORY_ROLES_READ = _graph(
    "RoleManagement.Read.Directory",
    "read directory role assignments",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    *_DIRECTORY,
    reads=True,
)
DIRECTORY_ROLES_WRITE = _graph("RoleManagement.ReadWrite.Directory", "assign directory roles")

# The first row that matches a request's method and path.
_ANY = "GET|POST|PATCH|PUT|DELETE"
_REQUESTS: tuple[tuple[str, str, RequiredPermission], ...] = (
    ("GET", r"/servicePrincipals.*/appRoleAssign", CONSENTS_READ),
    (_ANY, r"/servicePrincipals.*/appRoleAssign", CONSENTS_WRITE),
    ("GET", r".*/?oauth2PermissionGrants", GRANTS_READ),
    (_ANY, r".*/?oauth2PermissionGrants", GRANTS_WRITE),
    ("GET", r"/(applications|servicePrincipals|directory/deletedItems)\b", APPLICATIONS_READ),
    (_ANY, r"/(applications|servicePrincipals|directory/deletedItems)\b", APPLICATIONS_WRITE),
    ("GET", r"/policies/identitySecurityDefaultsEnforcementPolicy", SECURITY_DEFAULTS_READ),
    ("GET", r"/identity/conditionalAccess/", CONDITIONAL_ACCESS_READ),
    ("GET", r"/domains\b", DOMAINS_READ),
    ("GET", r"/subscribedSkus\b", LICENCES_READ),
    ("GET", r"/auditLogs/signIns\b", SIGN_INS_READ),
    ("GET", r"/reports/", USAGE_REPORTS_READ),
    ("GET", r"/roleManagement/directory/", DIRECTORY_ROLES_READ),
    (_ANY, r"/roleManagement/directory/", DIRECTORY_ROLES_WRITE),
    ("GET", r"/(users|groups|directoryRoles)\b", MEMBERS_READ),
)
# Directory roles by name, with the ids of their role templates ("Microsoft Entra built-in roles").
DIRECTORY_ROLES = {
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Exchange Recipient Administrator": "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
}
ROLE_NAMES = {role_id: name for name, role_id in DIRECTORY_ROLES.items()}
# Claim wids of an application and of a user without any directory role.
_DEFAULT_ROLES = {"0997a1d0-0d1d-4acb-b408-d5ca73121e90", "b79fbf4d-3ef9-4689-8143-76b194e85509"}
# Role templates that grant nothing of the above. Another role may.
_NO_DIRECTORY_ACCESS = _DEFAULT_ROLES | {DIRECTORY_ROLES["Exchange Administrator"], DIRECTORY_ROLES["Exchange Recipient Administrator"]}
# Directory roles that allow all cmdlets used here. Others allow a part: whether a refusal is final is not to be seen in their tokens.
EXCHANGE_ROLES = {DIRECTORY_ROLES["Exchange Administrator"], DIRECTORY_ROLES["Global Administrator"]}
_READING_ROLES = {
    DIRECTORY_ROLES["Global Reader"],
    DIRECTORY_ROLES["Security Reader"],
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",  # Directory Readers
}


def of_request(method: str, path: str) -> RequiredPermission | None:
    """The permission that a request to Microsoft Graph requires; None where the table does not have it. `path` starts after the version."""
    rows = (required for methods, pattern, required in _REQUESTS if method in methods.split("|") and re.match(pattern, path))
    return next(rows, None)


def lacks(permissions: TokenPermissions | None, required: RequiredPermission) -> bool:
    """Whether the token certainly lacks the permission. False where the claims do not say: a directory role may allow it."""
    if permissions is None:
        return False
    sufficient = {required.name, *required.others, required.delegated}
    if permissions.delegated:
        return not permissions.names & (sufficient | {"Directory.AccessAsUser.All"})
    if permissions.names & sufficient:
        return False
    if required.service == "exchange":
        return True
    harmless = _NO_DIRECTORY_ACCESS | (set() if required.reads else _READING_ROLES)
    return permissions.directory_roles is not None and permissions.directory_roles <= harmless


def allows_exchange(permissions: TokenPermissions | None) -> bool:
    """Whether the token contains all that Exchange requires: Exchange.ManageAsApp (a user's: Exchange.Manage) and one of EXCHANGE_ROLES."""
    if permissions is None or EXCHANGE.name_for(permissions) not in permissions.names:
        return False
    return bool((permissions.directory_roles or frozenset()) & EXCHANGE_ROLES)


def role_names(permissions: TokenPermissions | None) -> list[str] | None:
    """The directory roles in a token, sorted, by name or by the id of the role template; None where it does not say."""
    if permissions is None or permissions.directory_roles is None:
        return None
    return sorted(ROLE_NAMES.get(role, role) for role in permissions.directory_roles - _DEFAULT_ROLES)


def missing(permissions: TokenPermissions | None, required: Iterable[RequiredPermission]) -> list[RequiredPermission]:
    """The permissions that the token lacks, each once; one that another missing one includes is left out."""
    lacking = [one for one in dict.fromkeys(required) if lacks(permissions, one)]
    included = [one for one in lacking for other in lacking if other.name != one.name and other.name in one.others]
    return [one for one in lacking if one not in included]


def grant_instruction(names: Sequence[str], service: str, *, delegated: bool = False) -> str:
    """Who grants permissions, and where."""
    kind = "delegated" if delegated else "application"
    permission = f"the {kind} permission{'s' if len(names) > 1 else ''} {', '.join(names)} of {APIS[service]}"
    return (
        f"Let a Global Administrator or Privileged Role Administrator add {permission} and grant admin consent "
        "(Entra admin center: App registrations, API permissions)."
    )
