"""Azure resources of a tenant: Communication Services, email domains, role assignments."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid
from emulator.state.keys import At, Lower, Moment, UnfitError, key
from emulator.well_known import derived_id

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


NAMES = {role: name for name, role in ROLES.items()}


def _role_id(role: str, _: At) -> str:
    if role not in ROLES and role not in NAMES:
        raise UnfitError(f"must be one of {', '.join(ROLES)}, not {role!r}")
    return ROLES.get(role, role)


def _role_name(role: str) -> str:
    return NAMES.get(role, role)


def _principal(principal: str, at: At) -> str:
    known = at.tenant.enterprise_application(principal)
    return known.id if known else principal


def _linked(names: list[str], at: At) -> list[str]:
    result = {key: domain.id for domain in at.owner["domains"] or () for key in (domain.name, domain.id.lower())}
    return [result.get(name.lower(), name) for name in names]


def _role_assignment(at: At) -> str:
    return derived_id("azure role", at["scope"], _role_name(at["role"]), at["principal_id"])


@dataclass
class SmtpUsername:
    """An SMTP username, which stands for an application in Entra."""

    name: str = field(metadata=key("name of the resource"))
    username: str = field(metadata=key("the username of SMTP AUTH"))
    app_id: str = field(metadata=key("client id of the application", name="app"))
    tenant_id: str = field(metadata=key("id of its tenant", name="tenant", derive=lambda at: at.tenant.id, default="this tenant"))


@dataclass
class CommunicationService:
    """A Communication Service."""

    subscription: Lower = field(metadata=key("id of the subscription"))
    resource_group: str = field(metadata=key("name of the resource group"))
    name: str = field(metadata=key("name of the resource"))
    linked_domains: list[str] = field(default_factory=list, metadata=key("email domains, by name or resource id", convert=_linked))
    smtp_usernames: dict[str, SmtpUsername] = field(
        default_factory=dict, metadata=key("SMTP usernames", index="name", fold=True)
    )  # by lower-case name

    @property
    def id(self) -> str:
        return f"{group_id(self.subscription, self.resource_group)}/providers/Microsoft.Communication/CommunicationServices/{self.name}"


@dataclass
class EmailDomain:
    """A domain of an Email Communication Service."""

    subscription: Lower = field(metadata=key("id of the subscription"))
    resource_group: str = field(metadata=key("name of the resource group"))
    service: str = field(metadata=key("name of the Email Communication Service"))
    name: Lower = field(metadata=key("the domain"))
    verified: bool = field(default=True, metadata=key("whether its ownership is verified"))
    azure_managed: bool = field(default=False, metadata=key("whether Azure owns the domain, with its lower limits"))
    senders: list[str] = field(default_factory=list, metadata=key("local parts that may send"))

    @property
    def id(self) -> str:
        group = group_id(self.subscription, self.resource_group)
        return f"{group}/providers/Microsoft.Communication/EmailServices/{self.service}/Domains/{self.name}"


@dataclass
class AzureRole:
    """A role assignment in Azure."""

    scope: str = field(metadata=key("resource id that the role is assigned on"))
    role: str = field(metadata=key("name or id of a built-in role", convert=_role_id, write=_role_name))
    principal_id: Lower = field(metadata=key("a service principal by object id or client id", name="principal", convert=_principal))
    name: str = field(
        default_factory=new_guid,
        metadata=key("id of the assignment", derive=_role_assignment, default="derived from the others"),
    )
    effective_from: Moment = field(default=0.0, metadata=key("when the role takes effect"))


@dataclass
class Azure:
    """Azure resources that sending through Azure Communication Services needs."""

    domains: list[EmailDomain] = field(default_factory=list, metadata=key("domains of Email Communication Services", name="email_domains"))
    services: list[CommunicationService] = field(default_factory=list, metadata=key("their services", name="communication_services"))
    roles: list[AzureRole] = field(default_factory=list, metadata=key("role assignments", name="role_assignments"))

    def service(self, resource_id: str) -> CommunicationService | None:
        return next((one for one in self.services if one.id.lower() == resource_id.lower()), None)

    def domain(self, resource_id: str) -> EmailDomain | None:
        return next((one for one in self.domains if one.id.lower() == resource_id.lower()), None)

    def held(self, principal_id: str, scope: str, now: float) -> set[str]:
        """The roles that a principal has on a resource, from it or from above."""
        place = f"{scope.lower()}/"
        matches = (one for one in self.roles if one.principal_id == principal_id and one.effective_from <= now)
        return {one.role for one in matches if place.startswith(f"{one.scope.lower().rstrip('/')}/")}

    def senders(self, service: CommunicationService) -> set[str]:
        """The addresses that may send through a service: of linked domains that are verified."""
        linked = [domain for one in service.linked_domains if (domain := self.domain(one)) and domain.verified]
        return {f"{local}@{domain.name}".lower() for domain in linked for local in domain.senders}


def group_id(subscription: str, resource_group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{resource_group}"
