"""The one state of the emulator: tenants with their directory, their Exchange organization and the mail they got.

Every service (token endpoint, Graph, Exchange admin API, SMTP submission, MX) reads and writes these objects, so
that a cause in one shows as its effect in the other. Names of Microsoft's properties are snake_case here; each
service's own file turns them into what is on its wire.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.tokens import Tokens
from emulator.well_known import NAMESPACE


def new_guid() -> str:
    return str(uuid.uuid4())


def derived_sid(*parts: str) -> str:
    """A security identifier of the form that Exchange Online shows, the same in every run."""
    digest = uuid.uuid5(NAMESPACE, "/".join(parts).lower()).bytes
    a, b, c, d = (int.from_bytes(digest[start : start + 4], "big") for start in (0, 4, 8, 12))
    return f"S-1-5-21-{a}-{b}-{c}-{d % 10**8}"


@dataclass
class Secret:
    """A client secret (passwordCredential) of an application."""

    value: str
    key_id: str = field(default_factory=new_guid)
    display_name: str = ""
    end: float = 0.0  # Unix time; 0: never
    start: float = 0.0
    effective_from: float = 0.0  # when the token endpoint starts to accept it (replication)


@dataclass
class Certificate:
    """A certificate (keyCredential) of an application; `der` is base64."""

    der: str
    key_id: str = field(default_factory=new_guid)
    display_name: str = ""
    effective_from: float = 0.0


@dataclass
class Application:
    """An app registration."""

    app_id: str
    object_id: str
    display_name: str
    unique_name: str | None = None
    secrets: list[Secret] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)  # signInAudience, requiredResourceAccess, tags, notes, ...
    created: float = 0.0
    visible_from: float = 0.0  # when reads start to find it (replication)
    owners: list[str] = field(default_factory=list)  # object ids of service principals


@dataclass
class AppRoleAssignment:
    id: str
    principal_id: str
    resource_id: str
    app_role_id: str
    created: float = field(default_factory=time.time)
    effective_from: float = 0.0  # when new tokens start to carry it


@dataclass
class DelegatedGrant:
    """An oauth2PermissionGrant; `principal_id` None: consent for all principals."""

    id: str
    client_id: str
    resource_id: str
    scope: str
    principal_id: str | None = None
    effective_from: float = 0.0


@dataclass
class EnterpriseApplication:
    """A service principal in Entra; `app_roles` and `scopes` are what it offers as a resource."""

    id: str
    app_id: str
    display_name: str
    app_roles: list[dict[str, Any]] = field(default_factory=list)
    scopes: list[dict[str, Any]] = field(default_factory=list)
    directory_roles: dict[str, float] = field(default_factory=dict)  # role template id -> when it takes effect
    properties: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0
    visible_from: float = 0.0
    owners: list[str] = field(default_factory=list)


@dataclass
class ExchangeServicePrincipal:
    """What New-ServicePrincipal makes. `effective_from`: when SMTP starts to honour it (replication)."""

    app_id: str
    object_id: str
    sid: str
    display_name: str = ""
    effective_from: float = 0.0
    guid: str = field(default_factory=new_guid)


@dataclass
class MailboxGrant:
    """FullAccess (mailbox permission) or SendAs (recipient permission) of a trustee, held by its SID."""

    right: str  # FullAccess | SendAs
    sid: str
    effective_from: float = 0.0


class Replicated:
    """Switches that the mail services see later than the admin API does.

    `set_later` keeps the old value in `replicating` (name -> (until, value)); `seen` is what SMTP and MX go by.
    """

    replicating: dict[str, tuple[float, Any]]

    def set_later(self, name: str, value: Any, effective_from: float) -> None:
        self.replicating[name] = (effective_from, getattr(self, name))
        setattr(self, name, value)

    def seen(self, name: str, now: float) -> Any:
        until, old = self.replicating.get(name, (0.0, None))
        return old if now < until else getattr(self, name)


@dataclass
class Mailbox(Replicated):
    address: str  # primary SMTP address, lower case
    guid: str
    name: str
    display_name: str
    kind: str = "UserMailbox"  # RecipientTypeDetails
    aliases: list[str] = field(default_factory=list)
    user_id: str = field(default_factory=new_guid)  # Entra object id
    sid: str = ""
    password: str | None = None  # for AUTH LOGIN; None: no sign-in
    smtp_client_authentication_disabled: bool | None = None  # None: inherit
    grants: list[MailboxGrant] = field(default_factory=list)
    cas_properties: dict[str, Any] = field(default_factory=dict)  # what else Set-CASMailbox changed
    properties: dict[str, Any] = field(default_factory=dict)  # what Set-Mailbox changed beside the display name
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)


@dataclass
class InboundConnector:
    name: str
    guid: str
    properties: dict[str, Any]  # by Microsoft's property names, in their read-back form
    effective_from: float = 0.0


@dataclass
class Message:
    """A message that a service accepted for a recipient of any tenant, or for outside."""

    tenant_id: str
    via: str  # "submission" (XOAUTH2), "submission-login", "connector", "direct-send"; "internet": from a domain of others
    mail_from: str
    recipients: list[str]
    raw: bytes
    authenticated_as: str | None = None  # the mailbox, for submission
    app_id: str | None = None  # the application, for XOAUTH2
    connector: str | None = None
    source: str = ""  # the public address it came from
    received: float = field(default_factory=time.time)
    number: int = 0


@dataclass
class DeletedItem:
    """A soft-deleted application or service principal (30 days in /directory/deletedItems)."""

    item: Application | EnterpriseApplication
    deleted: float
    with_application: str | None = None  # object id of the application whose deletion took this service principal along

    @property
    def object_id(self) -> str:
        return self.item.object_id if isinstance(self.item, Application) else self.item.id


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
    applications: dict[str, Application] = field(default_factory=dict)  # by object id
    enterprise_applications: dict[str, EnterpriseApplication] = field(default_factory=dict)  # by id
    app_role_assignments: dict[str, AppRoleAssignment] = field(default_factory=dict)
    delegated_grants: dict[str, DelegatedGrant] = field(default_factory=dict)
    exchange_service_principals: dict[str, ExchangeServicePrincipal] = field(default_factory=dict)  # by object id
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)  # by primary address
    inbound_connectors: dict[str, InboundConnector] = field(default_factory=dict)  # by lower-case name
    deleted_items: dict[str, DeletedItem] = field(default_factory=dict)  # by object id
    transport_config: dict[str, Any] = field(default_factory=dict)  # what Set-TransportConfig changed beside SMTP AUTH
    organization_config: dict[str, Any] = field(default_factory=dict)  # the same of Set-OrganizationConfig
    created: float = 0.0
    replicating: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _mailbox_index: dict[str, Mailbox] = field(default_factory=dict, compare=False, repr=False)
    _indexed: int = field(default=-1, compare=False, repr=False)

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
        return next((sp for sp in self.enterprise_applications.values() if sp.app_id == app_id), None)

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
            self._mailbox_index = {n: m for m in reversed(self.mailboxes.values()) for n in _names(m)}
            self._indexed = len(self.mailboxes)
        return self._mailbox_index.get(wanted)

    def reindex(self) -> None:
        """To be called when a mailbox was replaced or got other names."""
        self._indexed = -1


def _names(mailbox: Mailbox) -> tuple[str, ...]:
    names = (mailbox.guid, mailbox.sid, mailbox.name, mailbox.display_name, mailbox.user_id, *mailbox.aliases)
    return tuple(name.lower() for name in names)


def mx_host(domain: str) -> str:
    """The MX of an accepted domain (Microsoft: "External Domain Name System records for Microsoft 365")."""
    return f"{domain.replace('.', '-')}.mail.protection.outlook.com"


@dataclass
class State:
    """All tenants, the mail they received, and the played network."""

    tenants: dict[str, Tenant] = field(default_factory=dict)  # by id
    messages: list[Message] = field(default_factory=list)
    network: dict[str, str] = field(default_factory=dict)  # source address on this machine -> public address it plays
    now: Callable[[], float] = field(default=time.time, compare=False)  # injected, so that tests can advance it
    tokens: Tokens = field(init=False, compare=False, repr=False)  # signs and checks access tokens

    def __post_init__(self) -> None:
        self.tokens = Tokens(lambda: self.now())

    def tenant(self, name: str) -> Tenant | None:
        """A tenant by id or by one of its domains, in any case of letters."""
        wanted = name.lower()
        found = self.tenants.get(wanted)
        return found or next((t for t in self.tenants.values() if wanted in t.accepted_domains), None)

    def receive(self, message: Message) -> Message:
        message.number = len(self.messages) + 1
        self.messages.append(message)
        return message
