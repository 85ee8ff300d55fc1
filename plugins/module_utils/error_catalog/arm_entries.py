# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors of Azure Resource Manager."""

from __future__ import annotations

from .entry import ErrorEntry

_ARM = "Troubleshoot common Azure deployment errors"

# fmt: off
ENTRIES: tuple[ErrorEntry, ...] = (
    ErrorEntry(
        "arm-forbidden", "arm", "AuthorizationFailed", "the automation app has no Azure role that allows this",
        "Assign it Contributor on the Communication Services resource and, to assign roles, Role Based Access Control Administrator; "
        "a new role assignment takes effect after some minutes.", transient=True, source=_ARM,
        sample="AuthorizationFailed: The client '<client>' with object id '<id>' does not have authorization to perform action '<action>' "
               "over scope '<scope>' or the scope is invalid."),
    ErrorEntry(
        "arm-token", "arm", r"InvalidAuthenticationToken|InvalidAuthenticationTokenTenant", "Azure Resource Manager did not accept the token",
        "Check that m365_cloud names the cloud of the subscription, and that the subscription belongs to this tenant.", source=_ARM,
        variables=("m365_tenant", "m365_cloud"),
        sample="InvalidAuthenticationTokenTenant: The access token is from the wrong issuer '<issuer>'. It must match the tenant '<tenant>' "
               "associated with this subscription."),
    ErrorEntry(
        "arm-not-found", "arm", r"ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|NotFound",
        "Azure has no such resource, group or subscription", "Check subscription_id, resource_group and communication_service.", source=_ARM,
        variables=("acs_smtp_username_subscription_id", "acs_smtp_username_resource_group", "acs_smtp_username_communication_service"),
        sample="ResourceGroupNotFound: Resource group '<group>' could not be found."),
    ErrorEntry(
        "arm-username-taken", "arm", "Conflict", "another resource uses this SMTP username", "Choose another username.",
        source="Azure Communication Services Management API",
        variables=("acs_smtp_username_usernames",),
        sample="Conflict: The SMTP username '<username>' is already in use."),
    ErrorEntry(
        "arm-principal-missing", "arm", "PrincipalNotFound", "Azure has not replicated the application yet",
        "Run the task again in a few minutes. If the error persists, register the application in this tenant.", transient=True,
        source="Troubleshoot Azure RBAC",
        variables=("acs_smtp_username_app",),
        sample="PrincipalNotFound: Principal <id> does not exist in the directory <tenant>."),
    ErrorEntry(
        "arm-busy", "arm", "TooManyRequests|OperationNotAllowed", "Azure throttles this subscription or application", "Try again later.",
        transient=True, source="Understand how Azure Resource Manager throttles requests",
        sample="OperationNotAllowed: The server rejected the request because too many requests have been received for this subscription."),
)
# fmt: on
