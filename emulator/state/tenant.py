"""A tenant: its directory and its Exchange organization."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from emulator.state.azure import Azure
from emulator.state.directory import Application, AppRoleAssignment, DelegatedGrant, DeletedItem, EnterpriseApplication
from emulator.state.dkim import DkimSigning
from emulator.state.dns import Zones
from emulator.state.exchange import ExchangeServicePrincipal, InboundConnector, Mailbox
from emulator.state.hve import VALID, BillingPolicy, HveAccount
from emulator.state.keys import Lower, Moment, Replicating, key
from emulator.state.licences import Licence, external_recipients_a_day, usual_licences
from emulator.state.policies import Policies
from emulator.state.rbac import Rbac
from emulator.state.replicated import Replicated
from emulator.state.rolling import Rolling
from emulator.state.sign_in import DeviceCode, RefreshToken
from emulator.state.sign_in_log import KEPT, SignIn
from emulator.well_known import derived_id


@dataclass
class Tenant(Replicated):
    """A tenant: its directory and its Exchange organization."""

    id: Lower = field(
        metadata=key("the tenant id", derive=lambda at: derived_id("tenant", at["initial_domain"]), default="derived from initial_domain")
    )
    display_name: str = field(
        metadata=key("the name", derive=lambda at: at["initial_domain"].split(".")[0].capitalize(), default="first label of initial_domain")
    )
    initial_domain: Lower = field(metadata=key("the initial domain, such as contoso.onmicrosoft.com"))
    domains: list[Lower] = field(default_factory=list, metadata=key("further accepted domains"))
    security_defaults: bool = field(default=False, metadata=key("Security Defaults"))
    security_defaults_due: Moment = field(
        default=0.0, metadata=key("when Microsoft enables Security Defaults, as securityDefaultsUpsell says (beta); 0: never")
    )
    smtp_client_authentication_disabled: bool = field(default=True, metadata=key("SmtpClientAuthenticationDisabled of Set-TransportConfig"))
    reject_direct_send: bool = field(default=False, metadata=key("RejectDirectSend of Set-OrganizationConfig"))
    connectors_disabled_by_offer: bool = field(default=False, metadata=key("whether new connectors are disabled (trial tenants)"))
    dehydrated: bool = field(
        default=True, metadata=key("whether Enable-OrganizationCustomization has not run; without effect where there are policies or roles")
    )
    customized_from: Moment = field(default=0.0, metadata=key("when the customization of the organization takes effect (replication)"))
    delegating_from: Moment = field(default=0.0, metadata=key("when management roles can be assigned (replication)"))
    concealed_names: bool = field(default=False, metadata=key("whether usage reports have a hash instead of each name"))
    trial: bool = field(default=False, metadata=key("whether the daily limit of external recipients is that of a trial"))
    external_limit: int | None = field(
        default=None, metadata=key("external recipients a day; null: 5,000 in a trial, else by the licences")
    )
    external_limit_enforced: bool = field(
        default=True, metadata=key("whether mail beyond the daily limit of external recipients is refused")
    )
    reject_spf_hard_fail: bool = field(default=False, metadata=key("whether the MX refuses mail whose SPF fails (550 5.7.23)"))
    transport_config: dict[str, Any] = field(default_factory=dict, metadata=key("further properties of Set-TransportConfig"))
    blocked_spoofs: list[str] = field(
        default_factory=list, metadata=key("addresses and sending infrastructures whose mail spoof intelligence blocks")
    )
    organization_config: dict[str, Any] = field(default_factory=dict, metadata=key("further properties of Set-OrganizationConfig"))
    created: Moment = field(default=0.0, metadata=key("when the tenant was created"))
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))
    dns: Zones = field(default_factory=dict, metadata=key("zones of its domains", late=True))
    dkim: dict[str, DkimSigning] = field(
        default_factory=dict, metadata=key("DKIM signing of its domains; the initial domain signs always", index="domain", late=True)
    )
    policies: Policies = field(default_factory=Policies, metadata=key("policies for sign-ins", late=True))
    applications: dict[str, Application] = field(default_factory=dict, metadata=key("app registrations", late=True))  # by object id
    enterprise_applications: dict[str, EnterpriseApplication] = field(
        default_factory=dict, metadata=key("service principals of applications of other tenants", late=True)
    )  # by id
    app_role_assignments: dict[str, AppRoleAssignment] = field(default_factory=dict)  # by id
    delegated_grants: dict[str, DelegatedGrant] = field(default_factory=dict, metadata=key("delegated permissions", index="id", late=True))
    deleted_items: dict[str, DeletedItem] = field(default_factory=dict, metadata=key("soft-deleted objects", late=True))  # by object id
    purged_unique_names: dict[str, float] = field(
        default_factory=dict,
        metadata=key("unique names of applications that are gone for ever; `effective_from`: when each is free again", entry="name"),
    )
    exchange_service_principals: dict[str, ExchangeServicePrincipal] = field(
        default_factory=dict, metadata=key("applications registered in Exchange", index="object_id", late=True)
    )
    mailboxes: dict[str, Mailbox] = field(default_factory=dict, metadata=key("mailboxes", index="address", late=True))
    licences: list[Licence] = field(
        default_factory=list, metadata=key("subscriptions", derive=usual_licences, default="Microsoft 365 Business Standard", late=True)
    )
    sign_ins: deque[SignIn] = field(
        default_factory=lambda: deque(maxlen=KEPT),
        metadata=key("the sign-in log", convert=lambda items, at: deque(items, maxlen=KEPT), late=True),
    )  # oldest first
    azure: Azure = field(default_factory=Azure, metadata=key("Azure resources", late=True))
    billing_policies: dict[str, BillingPolicy] = field(
        default_factory=dict, metadata=key("billing policies of High Volume Email", index="id", late=True)
    )
    hve_accounts: dict[str, HveAccount] = field(
        default_factory=dict, metadata=key("High Volume Email accounts", index="address", late=True)
    )
    inbound_connectors: dict[str, InboundConnector] = field(
        default_factory=dict, metadata=key("inbound connectors", index="name", fold=True, late=True)
    )
    refresh_tokens: dict[str, RefreshToken] = field(
        default_factory=dict, metadata=key("refresh tokens of users", index="digest", late=True)
    )
    device_codes: dict[str, DeviceCode] = field(default_factory=dict, compare=False)  # by digest; they live minutes
    rbac: Rbac = field(default_factory=Rbac, metadata=key("RBAC for Applications", inline=True, late=True))
    role_groups: dict[str, dict[str, float]] = field(
        default_factory=dict,
        metadata=key("role group -> Exchange service principals by id: a list, or a mapping to when each takes effect", late=True),
    )  # name -> object ids of members -> when it takes effect
    external_recipients: Rolling = field(default_factory=Rolling, compare=False, repr=False)  # of the last day
    external_from_initial: Rolling = field(default_factory=Rolling, compare=False, repr=False)  # those from *.onmicrosoft.com
    _mailbox_index: dict[str, Mailbox] = field(default_factory=dict, compare=False, repr=False)
    _indexed: int = field(default=-1, compare=False, repr=False)
    _principal_index: dict[str, EnterpriseApplication] = field(default_factory=dict, compare=False, repr=False)
    _application_index: dict[str, Application] = field(default_factory=dict, compare=False, repr=False)

    @property
    def external_recipients_a_day(self) -> int:
        """The tenant external recipient rate limit: its own, else that of its subscription."""
        limit = self.external_limit
        return external_recipients_a_day(self.licences, trial=self.trial) if limit is None else limit

    @property
    def accepted_domains(self) -> list[str]:
        return [self.initial_domain, *self.domains]

    @property
    def default_domain(self) -> str:
        return self.domains[0] if self.domains else self.initial_domain

    def lingering(self, oldest: float) -> list[Application | EnterpriseApplication]:
        """What was deleted after `oldest`: lists that lag behind still show it."""
        return [deleted.item for deleted in self.deleted_items.values() if deleted.deleted > oldest]

    def reserved_unique_names(self, now: float) -> set[str]:
        """The unique names of deleted applications, also of those that are gone for ever."""
        items = {deleted.item.unique_name for deleted in self.deleted_items.values() if isinstance(deleted.item, Application)}
        return {name for name in items if name} | {name for name, free in self.purged_unique_names.items() if free > now}

    def enterprise_application(self, app_id: str) -> EnterpriseApplication | None:
        """The service principal of an application in this tenant."""
        match = self._principal_index.get(app_id)
        if match is None or self.enterprise_applications.get(match.id) is not match:
            self._principal_index = {one.app_id: one for one in reversed(self.enterprise_applications.values())}
            match = self._principal_index.get(app_id)
        return match

    def application(self, app_id: str) -> Application | None:
        """The app registration with this client id, where it is this tenant's."""
        match = self._application_index.get(app_id)
        if match is None or self.applications.get(match.object_id) is not match:
            self._application_index = {one.app_id: one for one in reversed(self.applications.values())}
            match = self._application_index.get(app_id)
        return match

    def billing_status(self, account: HveAccount) -> str:
        """Whether a High Volume Email account may send, in the words of Get-HVEAccountBillingPolicy."""
        if not account.billing_policy:
            return "NoProperBillingPolicyStored"
        policy = self.billing_policies.get(account.billing_policy)
        return policy.status if policy else "BillingPolicyNotFound"

    def may_bill(self, account: HveAccount) -> bool:
        return self.billing_status(account) == VALID

    def trustee_sid(self, name: str) -> str | None:
        """The SID of a trustee named by SID, an Exchange service principal's ids or name, or a mailbox's names."""
        requested = name.lower()
        for principal in self.exchange_service_principals.values():
            names = (principal.sid, principal.object_id, principal.app_id, principal.display_name, principal.guid)
            if requested in (one.lower() for one in names if one):
                return principal.sid
        mailbox = self.mailbox(name)
        return mailbox.sid if mailbox else None

    def mailbox(self, name: str) -> Mailbox | None:
        """A mailbox by any of its addresses, its name, GUID, SID or Entra object id, in any case of letters."""
        requested = name.lower()
        match = self.mailboxes.get(requested)
        if match:
            return match
        if self._indexed != len(self.mailboxes):
            self._index_mailboxes()
        match = self._mailbox_index.get(requested)
        if match and (self.mailboxes.get(match.address) is not match or requested not in _names(match)):
            self._index_mailboxes()
            match = self._mailbox_index.get(requested)
        return match

    def _index_mailboxes(self) -> None:
        self._mailbox_index = {n: m for m in reversed(self.mailboxes.values()) for n in _names(m)}
        self._indexed = len(self.mailboxes)

    def add_mailbox(self, mailbox: Mailbox) -> None:
        """Put a mailbox in its place, or make its changed names known: without reading all others again."""
        known = self._indexed == len(self.mailboxes)
        self.mailboxes[mailbox.address] = mailbox
        if known:
            self._indexed = len(self.mailboxes)
            for name in _names(mailbox):
                self._mailbox_index.setdefault(name, mailbox)

    def reindex(self) -> None:
        """To be called when a mailbox was removed."""
        self._indexed = -1


def _names(mailbox: Mailbox) -> tuple[str, ...]:
    names = (mailbox.guid, mailbox.sid, mailbox.name, mailbox.display_name, mailbox.user_id, *mailbox.aliases)
    return tuple(name.lower() for name in names)
