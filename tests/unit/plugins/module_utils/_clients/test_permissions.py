# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients import permissions
from ansible_collections.mailops.m365.plugins.module_utils._clients.permissions import RequiredPermission
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_permissions import TokenPermissions

DEFAULT_ROLE = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
TABLE = [value for value in vars(permissions).values() if isinstance(value, RequiredPermission)]


def app(*names: str, roles: tuple[str, ...] | None = ()) -> TokenPermissions:
    return TokenPermissions(frozenset(names), False, None if roles is None else frozenset(roles))


def user(*scopes: str) -> TokenPermissions:
    return TokenPermissions(frozenset(scopes), True, frozenset([GLOBAL_READER]))


@pytest.mark.parametrize("required", TABLE, ids=lambda required: required.purpose)
def test_each_permission_that_suffices_is_accepted(required: RequiredPermission) -> None:
    assert permissions.lacks(app(), required)
    for name in (required.name, *required.others):
        assert not permissions.lacks(app(name), required)
        assert not permissions.lacks(user(name), required)
    assert permissions.lacks(user("User.Read"), required)


@pytest.mark.parametrize(
    ("token", "required", "expected"),
    [
        (None, permissions.CONSENTS_WRITE, False),
        (app("Application.Read.All"), permissions.APPLICATIONS_WRITE, True),
        (app("Application.ReadWrite.All"), permissions.CONSENTS_WRITE, True),
        (app("Application.ReadWrite.OwnedBy"), permissions.APPLICATIONS_WRITE, False),
        (app(roles=(DEFAULT_ROLE, EXCHANGE_ADMINISTRATOR)), permissions.SECURITY_DEFAULTS_READ, True),
        (app(roles=None), permissions.SECURITY_DEFAULTS_READ, False),
        (app(roles=(GLOBAL_READER,)), permissions.SECURITY_DEFAULTS_READ, False),
        (app(roles=(GLOBAL_READER,)), permissions.CONSENTS_WRITE, True),
        (app(roles=(APPLICATION_ADMINISTRATOR,)), permissions.CONSENTS_WRITE, False),
        (app(roles=("6b942400-691f-4bf0-9d12-d8a254a2baf5",)), permissions.APPLICATIONS_WRITE, False),
        (app(roles=(EXCHANGE_ADMINISTRATOR,)), permissions.EXCHANGE, True),
        (app(roles=None), permissions.EXCHANGE, True),
        (user("Exchange.Manage"), permissions.EXCHANGE, False),
        (user("Directory.AccessAsUser.All"), permissions.CONSENTS_WRITE, False),
    ],
)
def test_only_what_is_certainly_missing_is_reported(token: TokenPermissions | None, required: RequiredPermission, expected: bool) -> None:
    assert permissions.lacks(token, required) is expected


def test_a_missing_permission_that_another_one_includes_is_left_out() -> None:
    required = [
        permissions.APPLICATIONS_READ,
        permissions.CONSENTS_READ,
        permissions.APPLICATIONS_WRITE,
        permissions.CONSENTS_WRITE,
        permissions.DOMAINS_READ,
        permissions.DOMAINS_READ,
    ]
    names = [one.name for one in permissions.missing(app(), required)]
    assert names == ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Domain.Read.All"]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/applications?$filter=uniqueName eq 'x'", "Application.Read.All"),
        ("GET", "/applications(uniqueName='x')?$select=id,tags", "Application.Read.All"),
        ("PATCH", "/applications(uniqueName='x')", "Application.ReadWrite.All"),
        ("GET", "/applications(uniqueName='x')/federatedIdentityCredentials", "Application.Read.All"),
        ("POST", "/applications/1/federatedIdentityCredentials", "Application.ReadWrite.All"),
        ("PATCH", "/servicePrincipals(appId='x')", "Application.ReadWrite.All"),
        ("POST", "/directory/deletedItems/1/restore", "Application.ReadWrite.All"),
        ("GET", "/servicePrincipals/1/appRoleAssignments", "Application.Read.All"),
        ("POST", "/servicePrincipals/1/appRoleAssignedTo", "AppRoleAssignment.ReadWrite.All"),
        ("DELETE", "/servicePrincipals/1/appRoleAssignedTo/2", "AppRoleAssignment.ReadWrite.All"),
        ("GET", "/servicePrincipals/1/oauth2PermissionGrants", "DelegatedPermissionGrant.Read.All"),
        ("POST", "/oauth2PermissionGrants", "DelegatedPermissionGrant.ReadWrite.All"),
        ("GET", "/policies/identitySecurityDefaultsEnforcementPolicy", "Policy.Read.All"),
        ("GET", "/identity/conditionalAccess/policies?$select=id", "Policy.Read.All"),
        ("GET", "/domains/contoso.com/serviceConfigurationRecords", "Domain.Read.All"),
        ("GET", "/subscribedSkus?$select=skuPartNumber", "Organization.Read.All"),
        ("GET", "/users?$filter=x", "Directory.Read.All"),
        ("GET", "/roleManagement/directory/roleAssignments?$filter=x", "RoleManagement.Read.Directory"),
        ("POST", "/roleManagement/directory/roleAssignments", "RoleManagement.ReadWrite.Directory"),
        ("POST", "/$batch", ""),
        ("GET", "/something/else", ""),
    ],
)
def test_a_request_requires_a_permission(method: str, path: str, name: str) -> None:
    required = permissions.of_request(method, path)
    assert (required.name if required else "") == name


def test_the_instruction_says_who_grants_it_and_where() -> None:
    assert permissions.grant_instruction(["A.B", "C.D"], "graph") == (
        "Let a Global Administrator or Privileged Role Administrator add the application permissions A.B, C.D of Microsoft Graph and grant "
        "admin consent (Entra admin center: App registrations, API permissions)."
    )
    assert "the delegated permission E of Office 365 Exchange Online" in permissions.grant_instruction(["E"], "exchange", delegated=True)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, False),
        (app("Exchange.ManageAsApp"), False),
        (app("Exchange.ManageAsApp", roles=None), False),
        (app("Exchange.ManageAsApp", roles=(DEFAULT_ROLE, "31392ffb-586c-42d1-9346-e59415a2cc4e")), False),
        (app("Exchange.ManageAsApp", roles=(DEFAULT_ROLE, EXCHANGE_ADMINISTRATOR)), True),
        (app("Exchange.ManageAsApp", roles=("62e90394-69f5-4237-9190-012177145e10",)), True),
        (app("Mail.Send", roles=(EXCHANGE_ADMINISTRATOR,)), False),
        (user("Exchange.Manage"), False),
        (TokenPermissions(frozenset({"Exchange.Manage"}), True, frozenset({EXCHANGE_ADMINISTRATOR})), True),
    ],
)
def test_exchange_requires_a_permission_and_a_directory_role(token: TokenPermissions | None, expected: bool) -> None:
    assert permissions.allows_exchange(token) is expected
