"""How the played service behaves: its limits and how long each kind of change takes to arrive."""

from __future__ import annotations

from dataclasses import dataclass, field

# Seconds from a change to the moment at which other parts of the service see it, by kind of change.
LAG_KINDS = (
    "application",  # POST/PATCH-create of an application -> GET, PATCH, servicePrincipals see it
    "service_principal",  # creation of a service principal -> GET and assignments see it
    "credential",  # addPassword, keyCredentials -> the token endpoint accepts it
    "app_role_assignment",  # consent -> `roles` of new tokens
    "delegated_grant",  # oauth2PermissionGrants -> listed
    "role_assignment",  # directory role -> `wids` of new tokens
    "exchange_service_principal",  # New-ServicePrincipal -> SMTP
    "mailbox_grant",  # Add-MailboxPermission, Add-RecipientPermission -> SMTP
    "rbac",  # New-/Set-/Remove-ManagementRoleAssignment, Set-ManagementScope -> SMTP
    "azure_role",  # role assignments in Azure -> Resource Manager, smtp.azurecomm.net
    "hve_app_access",  # Add-HVEAppAccess -> High Volume Email
    "smtp_switch",  # SmtpClientAuthenticationDisabled -> SMTP
    "authentication_policy",  # authentication policies, their assignment and the organization's default -> SMTP
    "direct_send_switch",  # RejectDirectSend -> MX
    "connector",  # inbound connectors -> MX
    "deletion",  # DELETE of a directory object -> no longer listed
)


@dataclass
class Settings:
    """The emulator's settings; `lag` has the kinds of LAG_KINDS; absent means at once."""

    cloud: str = ""  # global, gcc-high, dod, china: that one's audiences only; left out: those of every cloud, as the worldwide one
    lag: dict[str, float] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)  # seconds per request, by service
    token_lifetime: int = 3599
    device_code_lifetime: int = 900
    device_code_interval: int = 5  # seconds between two polls
    refresh_token_inactivity: int = 90 * 86400  # seconds without use that end one
    exchange_page_size: int = 1000
    pagination_lifetime: int = 1800  # seconds a nextLink of the Exchange admin API lives
    exchange_concurrency: int = 0  # requests in flight per tenant before 429; 0: no limit
    conditional_access_pace: float = 0.0  # seconds between two reads of Conditional Access, else 429; the service's is 1.0
    options: dict[str, object] = field(default_factory=dict)  # what other services (SMTP, MX) read for themselves

    def lag_of(self, kind: str) -> float:
        return self.lag.get(kind, 0.0)
