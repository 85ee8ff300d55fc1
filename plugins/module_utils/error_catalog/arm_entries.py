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
        "a new role assignment takes effect after some minutes.", transient=True, source=_ARM),
    ErrorEntry(
        "arm-token", "arm", r"InvalidAuthenticationToken|InvalidAuthenticationTokenTenant", "Azure Resource Manager did not accept the token",
        "Check that m365_cloud names the cloud of the subscription, and that the subscription belongs to this tenant.", source=_ARM),
    ErrorEntry(
        "arm-not-found", "arm", r"ResourceNotFound|ResourceGroupNotFound|SubscriptionNotFound|NotFound",
        "Azure has no such resource, group or subscription", "Check subscription_id, resource_group and communication_service.", source=_ARM),
    ErrorEntry(
        "arm-username-taken", "arm", "Conflict", "another resource uses this SMTP username", "Choose another username.",
        source="Azure Communication Services Management API"),
    ErrorEntry(
        "arm-principal-missing", "arm", "PrincipalNotFound", "Azure has not replicated the application yet",
        "Run the task again in a few minutes. If the error persists, register the application in this tenant.", transient=True,
        source="Troubleshoot Azure RBAC"),
    ErrorEntry(
        "arm-busy", "arm", "TooManyRequests|OperationNotAllowed", "Azure throttles this subscription or application", "Try again later.",
        transient=True, source="Understand how Azure Resource Manager throttles requests"),
)
# fmt: on
