"""What a tenant has in Azure: Communication Services, e-mail domains, role assignments."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid

ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "User Access Administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Communication and Email Service Owner": "09976791-48a7-449e-bb21-39d1a415f350",
}
SENDING = {ROLES[name] for name in ("Owner", "Contributor", "Communication and Email Service Owner")}
ASSIGNING = {ROLES[name] for name in ("Owner", "User Access Administrator", "Role Based Access Control Administrator")}


@dataclass
class SmtpUsername:
    """Binds an SMTP username to an Entra application."""

    name: str  # of the resource
    username: str
    app_id: str
    tenant_id: str


@dataclass
class CommunicationService:
    """`linked_domains` are ids of domains of the e-mail service."""

    subscription: str
    resource_group: str
    name: str
    linked_domains: list[str] = field(default_factory=list)
    smtp_usernames: dict[str, SmtpUsername] = field(default_factory=dict)  # by lower-case name

    @property
    def id(self) -> str:
        return f"{group_id(self.subscription, self.resource_group)}/providers/Microsoft.Communication/CommunicationServices/{self.name}"


@dataclass
class EmailDomain:
    """A domain of an Email Communication Service; `senders` are the local parts that may be MAIL FROM."""

    subscription: str
    resource_group: str
    service: str
    name: str
    verified: bool = True
    azure_managed: bool = False
    senders: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        group = group_id(self.subscription, self.resource_group)
        return f"{group}/providers/Microsoft.Communication/EmailServices/{self.service}/Domains/{self.name}"


@dataclass
class AzureRole:
    """A role assignment; `role` is the GUID of its definition."""

    scope: str
    role: str
    principal_id: str
    name: str = field(default_factory=new_guid)
    effective_from: float = 0.0


@dataclass
class Azure:
    services: list[CommunicationService] = field(default_factory=list)
    domains: list[EmailDomain] = field(default_factory=list)
    roles: list[AzureRole] = field(default_factory=list)

    def service(self, resource_id: str) -> CommunicationService | None:
        return next((one for one in self.services if one.id.lower() == resource_id.lower()), None)

    def domain(self, resource_id: str) -> EmailDomain | None:
        return next((one for one in self.domains if one.id.lower() == resource_id.lower()), None)

    def held(self, principal_id: str, scope: str, now: float) -> set[str]:
        """The roles that a principal has on a resource, from it or from above."""
        place = f"{scope.lower()}/"
        found = (one for one in self.roles if one.principal_id == principal_id and one.effective_from <= now)
        return {one.role for one in found if place.startswith(f"{one.scope.lower().rstrip('/')}/")}

    def senders(self, service: CommunicationService) -> set[str]:
        """The addresses that may send through a service: of linked domains that are verified."""
        linked = [domain for one in service.linked_domains if (domain := self.domain(one)) and domain.verified]
        return {f"{local}@{domain.name}".lower() for domain in linked for local in domain.senders}


def group_id(subscription: str, resource_group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
