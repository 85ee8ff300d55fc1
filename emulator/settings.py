"""Settings of the emulator: limits of the services and replication delays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.clouds import CLOUDS
from emulator.faults import SERVICES
from emulator.state.keys import key

# Kinds of change whose effect may be delayed: the change; the effect.
LAG_KINDS = {
    "application": "creation of an application; reads find it",
    "service_principal": "creation of a service principal; reads find it, roles can be assigned",
    "credential": "a new secret, certificate or federated credential; the token endpoint accepts it",
    "app_role_assignment": "consent; `roles` of new tokens carry it",
    "delegated_grant": "a delegated permission; it is listed",
    "role_assignment": "a directory role or role group, 60 s unless set; `wids` of new tokens carry the role, Exchange uses the group",
    "exchange_directory_role": "a directory role of an application in `wids` of new tokens; Exchange uses it",
    "exchange_service_principal": "New-ServicePrincipal; SMTP accepts the application",
    "mailbox_grant": "Add-MailboxPermission, Add-RecipientPermission; SMTP accepts the sender",
    "rbac": "New-, Set-, Remove-ManagementRoleAssignment, Set-ManagementScope; SMTP uses it",
    "azure_role": "a role assignment in Azure; Resource Manager and smtp.azurecomm.net use it",
    "hve_app_access": "Add-HVEAppAccess; High Volume Email accepts the application",
    "smtp_switch": "SmtpClientAuthenticationDisabled; SMTP uses it",
    "authentication_policy": "authentication policies, their assignment and the default policy; SMTP uses them",
    "direct_send_switch": "RejectDirectSend; the MX uses it",
    "connector": "inbound connectors; the MX uses them",
    "organization_customization": "Enable-OrganizationCustomization; policies and management roles can be created",
    "delegating_role": "the customization of the organization; management roles can be assigned",
    "mailgun_domain": "DELETE of a domain of Mailgun; it is no longer listed",
    "sendgrid_key": "DELETE of an API key of SendGrid; it is no longer accepted",
    "deletion": "DELETE of a directory object; it is no longer listed",
}

# Delays that there are unless a state file sets them.
USUAL_LAG = {"role_assignment": 60.0}


@dataclass
class Settings:
    """Settings of the emulator."""

    cloud: str = field(
        default="",
        metadata=key("the cloud whose audiences are accepted; empty: worldwide, every audience", choices=("", *CLOUDS)),
    )
    lag: dict[str, float] = field(default_factory=dict, metadata=key("replication delay in seconds, by kind of change", keys=LAG_KINDS))
    latency: dict[str, float] = field(default_factory=dict, metadata=key("least seconds of a request, by service", keys=SERVICES))
    token_lifetime: int = field(default=3599, metadata=key("seconds until an access token expires"))
    device_code_lifetime: int = field(default=900, metadata=key("seconds until a device code expires"))
    device_code_interval: int = field(default=5, metadata=key("seconds between two polls"))
    refresh_token_inactivity: int = field(default=90 * 86400, metadata=key("seconds without use after which a refresh token expires"))
    exchange_page_size: int = field(default=1000, metadata=key("rows of a page"))
    pagination_lifetime: int = field(default=1800, metadata=key("seconds until a nextLink of the Exchange admin API expires"))
    exchange_concurrency: int = field(default=0, metadata=key("requests in flight per tenant before 429; 0: no limit"))
    names_of_scopes: bool = field(
        default=False,
        metadata=key("whether names find management scopes and role assignments, as in some clouds; without it only Guids do"),
    )
    conditional_access_pace: float = field(
        default=0.0, metadata=key("seconds between two reads of Conditional Access, else 429; that of the service is 1.0")
    )
    options: dict[str, Any] = field(default_factory=dict, metadata=key("settings of single services: `smtp`"))

    def lag_of(self, kind: str) -> float:
        return self.lag.get(kind, USUAL_LAG.get(kind, 0.0))
