"""A tenant: its directory and its Exchange organization."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from emulator.state.azure import Azure
from emulator.state.directory import Application, AppRoleAssignment, DelegatedGrant, DeletedItem, EnterpriseApplication
from emulator.state.dns import Zones
from emulator.state.exchange import ExchangeServicePrincipal, InboundConnector, Mailbox
from emulator.state.hve import VALID, BillingPolicy, HveAccount
from emulator.state.licences import Licence
from emulator.state.policies import Policies
from emulator.state.rbac import Rbac
from emulator.state.replicated import Replicated
from emulator.state.rolling import Rolling
from emulator.state.sign_in import DeviceCode, RefreshToken
from emulator.state.sign_in_log import KEPT, SignIn


@dataclass
class Tenant(Replicated):
    id: str
    display_name: str
    initial_domain: str
    domains: list[str] = field(default_factory=list)  # further accepted domains
    security_defaults: bool = False
    smtp_client_authentication_disabled: bool = True  # Set-TransportConfig
    reject_direct_send: bool = False
    connectors_disabled_by_offer: bool = False  # trial tenants: connectors are created disabled, with a warning
    trial: bool = False  # fewer external recipients a day
    licences: list[Licence] = field(default_factory=list)
    applications: dict[str, Application] = field(default_factory=dict)  # by object id
    enterprise_applications: dict[str, EnterpriseApplication] = field(default_factory=dict)  # by id
    app_role_assignments: dict[str, AppRoleAssignment] = field(default_factory=dict)
    delegated_grants: dict[str, DelegatedGrant] = field(default_factory=dict)
    exchange_service_principals: dict[str, ExchangeServicePrincipal] = field(default_factory=dict)  # by object id
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)  # by primary address
    inbound_connectors: dict[str, InboundConnector] = field(default_factory=dict)  # by lower-case name
    rbac: Rbac = field(default_factory=Rbac)
    azure: Azure = field(default_factory=Azure)
    hve_accounts: dict[str, HveAccount] = field(default_factory=dict)  # by primary address
    billing_policies: dict[str, BillingPolicy] = field(default_factory=dict)  # by id
    role_groups: dict[str, dict[str, float]] = field(default_factory=dict)  # name -> its members' object ids -> since when it counts
    deleted_items: dict[str, DeletedItem] = field(default_factory=dict)  # by object id
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)  # by digest
    device_codes: dict[str, DeviceCode] = field(default_factory=dict, compare=False)  # by digest; they live minutes
    transport_config: dict[str, Any] = field(default_factory=dict)  # what Set-TransportConfig changed beside SMTP AUTH
    organization_config: dict[str, Any] = field(default_factory=dict)  # the same of Set-OrganizationConfig
    policies: Policies = field(default_factory=Policies)
    dns: Zones = field(default_factory=dict)  # the zones of its domains
    reject_spf_hard_fail: bool = False  # 550 5.7.23 for mail whose SPF fails
    created: float = 0.0
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)
    sign_ins: deque[SignIn] = field(default_factory=lambda: deque(maxlen=KEPT))  # oldest first
    external_recipients: Rolling = field(default_factory=Rolling, compare=False, repr=False)  # of its mail to outside, the last day
    external_from_initial: Rolling = field(default_factory=Rolling, compare=False, repr=False)  # those from *.onmicrosoft.com
    _mailbox_index: dict[str, Mailbox] = field(default_factory=dict, compare=False, repr=False)
    _indexed: int = field(default=-1, compare=False, repr=False)
    _principal_index: dict[str, EnterpriseApplication] = field(default_factory=dict, compare=False, repr=False)
    _application_index: dict[str, Application] = field(default_factory=dict, compare=False, repr=False)

    @property
    def accepted_domains(self) -> list[str]:
        return [self.initial_domain, *self.domains]

    @property
    def default_domain(self) -> str:
        return self.domains[0] if self.domains else self.initial_domain

    def lingering(self, oldest: float) -> list[Application | EnterpriseApplication]:
        """What was deleted after `oldest`: lists that lag behind still show it."""
        return [deleted.item for deleted in self.deleted_items.values() if deleted.deleted > oldest]

    def enterprise_application(self, app_id: str) -> EnterpriseApplication | None:
        """The service principal of an application in this tenant."""
        found = self._principal_index.get(app_id)
        if found is None or self.enterprise_applications.get(found.id) is not found:
            self._principal_index = {one.app_id: one for one in reversed(self.enterprise_applications.values())}
            found = self._principal_index.get(app_id)
        return found

    def application(self, app_id: str) -> Application | None:
        """The app registration with this client id, where it is this tenant's."""
        found = self._application_index.get(app_id)
        if found is None or self.applications.get(found.object_id) is not found:
            self._application_index = {one.app_id: one for one in reversed(self.applications.values())}
            found = self._application_index.get(app_id)
        return found

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
        wanted = name.lower()
        for principal in self.exchange_service_principals.values():
            names = (principal.sid, principal.object_id, principal.app_id, principal.display_name, principal.guid)
            if wanted in (one.lower() for one in names if one):
                return principal.sid
        mailbox = self.mailbox(name)
        return mailbox.sid if mailbox else None

    def mailbox(self, name: str) -> Mailbox | None:
        """A mailbox by any of its addresses, its name, GUID, SID or Entra object id, in any case of letters."""
        wanted = name.lower()
        found = self.mailboxes.get(wanted)
        if found:
            return found
        if self._indexed != len(self.mailboxes):
            self._index_mailboxes()
        found = self._mailbox_index.get(wanted)
        if found and (self.mailboxes.get(found.address) is not found or wanted not in _names(found)):
            self._index_mailboxes()
            found = self._mailbox_index.get(wanted)
        return found

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
