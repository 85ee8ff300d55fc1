"""The customization of a new organization: Enable-OrganizationCustomization, and what is refused until it is effective.

An organization is dehydrated until the cmdlet has run. IsDehydrated is false at once; the refusals last for the lag of kind
organization_customization. Then New-ManagementRoleAssignment is refused for the lag of kind delegating_role: the role group has no
delegating role assignments yet. Sources: the cmdlet's reference; both delays are observed by public clients (PIM4EntraPS, CIPP).
"""

from __future__ import annotations

from emulator.exchange.command import Command, Result, cmdlet
from emulator.exchange.errors import TASKS, ExchangeError
from emulator.state import Tenant

CUSTOMIZED = ("New-AuthenticationPolicy", "Set-AuthenticationPolicy", "New-ManagementScope", "New-ManagementRoleAssignment")
REMOVING = ("Remove-AuthenticationPolicy", "Remove-ManagementScope", "Remove-ManagementRoleAssignment")
DELEGATED = ("New-ManagementRoleAssignment",)
DEHYDRATED = (
    "The command you tried to run isn't currently allowed in your organization. To run this command, you first need to run the command:"
)
DELEGATING = (
    "You must be assigned a delegating role assignment to the management role or its parent in the hierarchy without a scope restriction."
)


def is_dehydrated(tenant: Tenant) -> bool:
    """Whether the organization has Microsoft's default configuration. One that has policies or roles of its own was customized."""
    return tenant.dehydrated and not (tenant.policies.authentication or tenant.rbac.assignments or tenant.rbac.scopes)


def refuse(command: Command) -> None:
    """Refuse what the organization does not allow yet."""
    tenant, now = command.tenant, command.platform.now
    if command.name in REMOVING and not is_dehydrated(tenant):
        tenant.dehydrated = False  # also after the last policy or role is gone
    if command.name in CUSTOMIZED and (is_dehydrated(tenant) or tenant.customized_from > now):
        kind = f"{TASKS}.InvalidOperationInDehydratedContextException"
        raise ExchangeError(400, kind, f"{DEHYDRATED} Enable-OrganizationCustomization.")
    if command.name in DELEGATED and tenant.delegating_from > now:
        raise ExchangeError(400, "System.InvalidOperationException", DELEGATING)


@cmdlet("Enable-OrganizationCustomization")
def enable_organization_customization(command: Command) -> Result:
    tenant, platform = command.tenant, command.platform
    if not is_dehydrated(tenant):
        text = "This operation is not required. Organization is already enabled for customization."
        raise ExchangeError(400, "System.InvalidOperationException", text)
    tenant.dehydrated = False
    tenant.customized_from = platform.after("organization_customization")
    tenant.delegating_from = max(tenant.customized_from, platform.now) + platform.settings.lag_of("delegating_role")
    return Result()
