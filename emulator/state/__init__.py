"""The one state of the emulator: tenants with their directory, their Exchange organization and the mail they got.

Every service (token endpoint, Graph, Exchange admin API, SMTP submission, MX) reads and writes these objects, so
that a cause in one shows as its effect in the other. Names of Microsoft's properties are snake_case here; each
service's own file turns them into what is on its wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.state.directory import (
    Application,
    AppRoleAssignment,
    Certificate,
    DelegatedGrant,
    DeletedItem,
    EnterpriseApplication,
    FederatedCredential,
    Secret,
)
from emulator.state.dns import Dns, DnsKey, DnsRecord
from emulator.state.exchange import ExchangeServicePrincipal, InboundConnector, Mailbox, MailboxGrant
from emulator.state.hve import BillingPolicy, HveAccount
from emulator.state.ids import derived_sid, new_guid
from emulator.state.licences import Licence, external_recipients_a_day, has_premium
from emulator.state.mail import Message, mx_host
from emulator.state.policies import AuthenticationPolicy, Group, Policies
from emulator.state.replicated import Replicated
from emulator.state.rolling import DAY, Rolling
from emulator.state.sign_in import DeviceCode, RefreshToken, User
from emulator.state.sign_in_log import SignIn
from emulator.state.tenant import Tenant
from emulator.tokens import Tokens

__all__ = [
    "DAY",
    "AppRoleAssignment",
    "Application",
    "AuthenticationPolicy",
    "BillingPolicy",
    "Certificate",
    "DelegatedGrant",
    "DeletedItem",
    "DeviceCode",
    "Dns",
    "DnsKey",
    "DnsRecord",
    "EnterpriseApplication",
    "ExchangeServicePrincipal",
    "FederatedCredential",
    "Group",
    "HveAccount",
    "InboundConnector",
    "Licence",
    "Mailbox",
    "MailboxGrant",
    "Message",
    "Policies",
    "RefreshToken",
    "Replicated",
    "Rolling",
    "Secret",
    "SignIn",
    "State",
    "Tenant",
    "User",
    "derived_sid",
    "external_recipients_a_day",
    "has_premium",
    "mx_host",
    "new_guid",
]


@dataclass
class State:
    """All tenants, the mail they received, and the played network."""

    tenants: dict[str, Tenant] = field(default_factory=dict)  # by id
    messages: list[Message] = field(default_factory=list)
    network: dict[str, str] = field(default_factory=dict)  # source address on this machine -> public address it plays
    dns: Dns = field(default_factory=Dns)
    now: Callable[[], float] = field(default=time.time, compare=False)  # injected, so that tests can advance it
    _by_domain: dict[str, Tenant] = field(default_factory=dict, compare=False, repr=False)
    tokens: Tokens = field(init=False, compare=False, repr=False)  # signs and checks access tokens
    on_replace: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)  # clear what services count

    def __post_init__(self) -> None:
        self.tokens = Tokens(lambda: self.now())

    def tenant(self, name: str) -> Tenant | None:
        """A tenant by id or by one of its domains, in any case of letters."""
        wanted = name.lower()
        found = self.tenants.get(wanted) or self._by_domain.get(wanted)
        if found and self.tenants.get(found.id) is found and (wanted == found.id or wanted in found.accepted_domains):
            return found
        found = next((t for t in self.tenants.values() if wanted in t.accepted_domains), None)
        if found:
            self._by_domain[wanted] = found
        return found

    def replace(self, other: State) -> None:
        """Take over the content of another state. Services keep their reference to this object."""
        self.tenants, self.messages, self.network, self.dns = other.tenants, other.messages, other.network, other.dns
        self._by_domain.clear()
        for clear in self.on_replace:
            clear()

    def receive(self, message: Message) -> Message:
        message.number = len(self.messages) + 1
        self.messages.append(message)
        return message
