"""The directory (Microsoft Entra) of a tenant."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from emulator.state.ids import new_guid


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
class FederatedCredential:
    """A federatedIdentityCredential of an application: another issuer's tokens with this subject stand for it."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str | None = None
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
    federated: list[FederatedCredential] = field(default_factory=list)
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
class DeletedItem:
    """A soft-deleted application or service principal (30 days in /directory/deletedItems)."""

    item: Application | EnterpriseApplication
    deleted: float
    with_application: str | None = None  # object id of the application whose deletion took this service principal along

    @property
    def object_id(self) -> str:
        return self.item.object_id if isinstance(self.item, Application) else self.item.id
