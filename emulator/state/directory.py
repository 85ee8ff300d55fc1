"""The directory (Microsoft Entra) of a tenant."""

from __future__ import annotations

import base64
import binascii
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emulator.state.ids import new_guid
from emulator.state.keys import At, Lower, Moment, UnfitError, derived, key
from emulator.well_known import APP_ROLES, DIRECTORY_ROLES, RESOURCE_NAMES, SCOPES, derived_id

ROLE_NAMES = {role_id: name for name, role_id in DIRECTORY_ROLES.items()}


def directory_role(name: str, _: At | None = None) -> str:
    """The template id of a directory role, given by name or template id."""
    role_id = DIRECTORY_ROLES.get(name, name)
    if role_id not in ROLE_NAMES:
        raise UnfitError(f"{name!r} is no directory role; known: {', '.join(DIRECTORY_ROLES)}")
    return role_id


def _role_name(role_id: str) -> str:
    return ROLE_NAMES.get(role_id, role_id)


def _certificate(content: bytes, *, pem: bool) -> str:
    try:
        result = x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
    except ValueError:
        raise UnfitError("is no X.509 certificate") from None
    return base64.b64encode(result.public_bytes(Encoding.DER)).decode()


def _certificate_file(path: str, at: At) -> str:
    try:
        return _certificate((at.base / path).read_bytes(), pem=True)
    except OSError as error:
        raise UnfitError(f"cannot be read: {error}") from None


def _der(text: str, _: At) -> str:
    try:
        return _certificate(base64.b64decode(text, validate=True), pem=False)
    except binascii.Error:
        raise UnfitError("is no X.509 certificate") from None


def _principal_of_tenant(principal_id: str, at: At) -> str:
    if principal_id not in at.tenant.enterprise_applications:
        raise UnfitError(f"{principal_id!r} is the id of no enterprise application of this tenant")
    return principal_id


def _principal_name(at: At) -> str:
    """The name of the application whose service principal it is."""
    application = at.parent.values.get("display_name") if at.parent and "app_id" in at.parent.values else None
    return str(application or RESOURCE_NAMES.get(at["app_id"], at["app_id"]))


@dataclass
class Secret:
    """A client secret (passwordCredential) of an application."""

    value: str = field(metadata=key("the secret"))
    key_id: str = field(default_factory=new_guid, metadata=key("its id", **derived("secret", "value", of_owner="app_id")))
    display_name: str = field(default="", metadata=key("its description"))
    end: Moment = field(default=0.0, metadata=key("when it expires; 0: never"))
    start: Moment = field(default=0.0, metadata=key("when it becomes valid"))
    effective_from: Moment = field(default=0.0, metadata=key("when the token endpoint starts to accept it (replication)"))


@dataclass
class Certificate:
    """A certificate (keyCredential) of an application."""

    der: str = field(
        metadata=key(
            "the certificate: DER in base64 (`der`), PEM (`pem`), or a PEM file (`path`)",
            convert=_der,
            instead={"pem": lambda text, at: _certificate(text.encode(), pem=True), "path": _certificate_file},
        )
    )
    key_id: str = field(default_factory=new_guid, metadata=key("its id", **derived("certificate", "der", of_owner="app_id")))
    display_name: str = field(default="", metadata=key("its description"))
    effective_from: Moment = field(default=0.0, metadata=key("when the token endpoint starts to accept it (replication)"))


@dataclass
class FederatedCredential:
    """A federatedIdentityCredential of an application: tokens of another issuer with this subject are accepted for it."""

    id: str = field(metadata=key("its id", **derived("federated", "name", of_owner="app_id")))
    name: str = field(metadata=key("its name"))
    issuer: str = field(metadata=key("`iss` of the tokens"))
    subject: str = field(metadata=key("`sub` of the tokens"))
    audiences: list[str] = field(metadata=key("`aud` of the tokens", derive=lambda at: [], default="none"))
    description: str | None = field(default=None, metadata=key("its description"))
    effective_from: Moment = field(default=0.0, metadata=key("when the token endpoint starts to accept it (replication)"))


@dataclass
class Application:
    """An app registration."""

    app_id: Lower = field(metadata=key("the client id", **derived("app", "display_name")))
    object_id: Lower = field(metadata=key("the object id", **derived("application", "app_id")))
    display_name: str = field(metadata=key("the name"))
    unique_name: str | None = field(default=None, metadata=key("`uniqueName`"))
    secrets: list[Secret] = field(default_factory=list, metadata=key("client secrets"))
    certificates: list[Certificate] = field(default_factory=list, metadata=key("certificates"))
    federated: list[FederatedCredential] = field(default_factory=list, metadata=key("federated identity credentials"))
    properties: dict[str, Any] = field(
        default_factory=dict,
        metadata=key("further properties by their names in Graph, such as `signInAudience` and `tags`"),
    )
    created: Moment = field(default=0.0, metadata=key("when it was created"))
    visible_from: Moment = field(default=0.0, metadata=key("when reads start to find it (replication)"))
    owners: list[str] = field(default_factory=list, metadata=key("object ids of service principals"))


@dataclass
class AppRoleAssignment:
    """An app role that is granted to a service principal."""

    id: str
    principal_id: str
    resource_id: str
    app_role_id: str
    created: float = field(default_factory=time.time)
    effective_from: float = 0.0  # when new tokens start to carry it


@dataclass
class DelegatedGrant:
    """A delegated permission (oauth2PermissionGrant)."""

    id: str = field(
        metadata=key(
            "its id",
            derive=lambda at: derived_id(at.tenant.id, at["client_id"], at["resource_id"], at["principal_id"] or "all"),
            default="derived from client_id, resource_id, principal_id",
        )
    )
    client_id: str = field(metadata=key("object id of the client's service principal", convert=_principal_of_tenant))
    resource_id: str = field(metadata=key("object id of the resource's service principal", convert=_principal_of_tenant))
    scope: str = field(metadata=key("scopes, separated by spaces"))
    principal_id: str | None = field(default=None, metadata=key("the user who consented; null: consent for all users"))
    effective_from: Moment = field(default=0.0, metadata=key("when it is listed (replication)"))


@dataclass
class EnterpriseApplication:
    """An enterprise application (service principal) in Entra."""

    id: Lower = field(metadata=key("the object id", **derived("service principal", "app_id")))
    app_id: Lower = field(metadata=key("the client id"))
    display_name: str = field(metadata=key("the name", derive=_principal_name, default="that of the application"))
    app_roles: list[dict[str, Any]] = field(
        default_factory=list,
        metadata=key("app roles that it offers as a resource", name="offers_app_roles", derive=lambda at: APP_ROLES.get(at["app_id"], []),
                     default="those of Microsoft's resource", omit=True),
    )  # fmt: skip
    scopes: list[dict[str, Any]] = field(
        default_factory=list,
        metadata=key("scopes that it offers as a resource", name="offers_scopes", derive=lambda at: SCOPES.get(at["app_id"], []),
                     default="those of Microsoft's resource", omit=True),
    )  # fmt: skip
    directory_roles: dict[str, float] = field(
        default_factory=dict,
        metadata=key("directory roles by name or template id", entry="role", convert=directory_role, write=_role_name),
    )  # role template id -> when it takes effect
    properties: dict[str, Any] = field(default_factory=dict, metadata=key("further properties by their names in Graph"))
    created: Moment = field(default=0.0, metadata=key("when it was created"))
    visible_from: Moment = field(default=0.0, metadata=key("when reads start to find it (replication)"))
    owners: list[str] = field(default_factory=list, metadata=key("object ids of service principals"))


@dataclass
class DeletedItem:
    """A soft-deleted application or service principal (30 days in /directory/deletedItems)."""

    item: Application | EnterpriseApplication
    deleted: Moment = field(metadata=key("when it was deleted", derive=lambda at: 0.0, default="0"))

    @property
    def object_id(self) -> str:
        return self.item.object_id if isinstance(self.item, Application) else self.item.id
