"""The Exchange organization of a tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.connectors import DEFAULTS, read_back
from emulator.state.ids import derived_sid, new_guid
from emulator.state.keys import At, Lower, Moment, Replicating, UnfitError, derived, key
from emulator.state.replicated import Replicated
from emulator.state.sign_in import User

MAILBOX_KINDS = ("UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox")
GRANT_RIGHTS = (
    "FullAccess",
    "SendAs",
    "SendOnBehalf",
    "ReadPermission",
    "ChangePermission",
    "ChangeOwner",
    "DeleteItem",
    "ExternalAccount",
)


def address_of_tenant(address: str, at: At) -> str:
    """The address, where its domain is an accepted domain of the tenant."""
    if address.rpartition("@")[2] not in at.tenant.accepted_domains:
        raise UnfitError(f"{address!r} is in no accepted domain of {at.tenant.initial_domain}")
    return address


def local_part(at: At) -> str:
    return str(at["address"]).partition("@")[0]


def _policy(name: str | None, at: At) -> str | None:
    if name is not None and name not in at.tenant.policies.authentication:
        raise UnfitError(f"{name!r} is no authentication policy")
    return name


def _trustee(name: str, at: At) -> str:
    sid = at.tenant.trustee_sid(name)
    if sid is None:
        raise UnfitError(f"{name!r} is no mailbox and no Exchange service principal")
    return sid


def _object_id(at: At) -> str | None:
    principal = at.tenant.enterprise_application(at["app_id"])
    return principal.id if principal else None


def _connector(values: dict[str, Any], _: At) -> dict[str, Any]:
    for name, value in values.items():
        if name not in DEFAULTS:
            raise UnfitError("is no property of an inbound connector", name)
        fits = DEFAULTS[name] is None or isinstance(value, type(DEFAULTS[name]))
        if not fits or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            raise UnfitError(f"must be like {DEFAULTS[name]!r}, not {value!r}", name)
    return read_back(values)


@dataclass
class ExchangeServicePrincipal:
    """An application that New-ServicePrincipal registered in Exchange."""

    app_id: Lower = field(metadata=key("the client id"))
    object_id: Lower = field(metadata=key("object id of the service principal in Entra", derive=_object_id, default="that of the tenant"))
    sid: str = field(
        metadata=key("security identifier", derive=lambda at: derived_sid(at.tenant.id, at["object_id"]), default="derived from object_id")
    )
    display_name: str = field(default="", metadata=key("the name"))
    effective_from: Moment = field(default=0.0, metadata=key("when SMTP starts to accept it (replication)"))
    guid: str = field(default_factory=new_guid, metadata=key("the GUID", **derived("exchange", "object_id")))


@dataclass
class MailboxGrant:
    """A permission on a mailbox: FullAccess and others (mailbox permission), SendAs (recipient permission)."""

    right: str = field(metadata=key("the permission", choices=GRANT_RIGHTS))
    sid: str = field(metadata=key("the trustee: a SID (`sid`), or a name, address or id (`trustee`)", instead={"trustee": _trustee}))
    effective_from: Moment = field(default=0.0, metadata=key("when SMTP starts to accept it (replication)"))


@dataclass
class Mailbox(Replicated):
    """A mailbox, and the user behind it."""

    address: Lower = field(metadata=key("primary SMTP address", convert=address_of_tenant))
    guid: str = field(metadata=key("the GUID", **derived("mailbox", "address")))
    name: str = field(metadata=key("the name", derive=local_part, default="the local part"))
    display_name: str = field(metadata=key("the display name", derive=local_part, default="the local part"))
    kind: str = field(default="UserMailbox", metadata=key("RecipientTypeDetails", choices=MAILBOX_KINDS))
    aliases: list[Lower] = field(default_factory=list, metadata=key("further addresses"))
    upn: Lower | None = field(default=None, metadata=key("user principal name; null: the primary SMTP address"))
    user_id: str = field(default_factory=new_guid, metadata=key("object id in Entra", **derived("user", "address")))
    sid: str = field(
        default="",
        metadata=key("security identifier", derive=lambda at: derived_sid(at.tenant.id, at["address"]), default="derived from address"),
    )
    password: str | None = field(default=None, metadata=key("password for AUTH LOGIN and device codes; null: sign-in fails"))
    user: User = field(default_factory=User, metadata=key("the user account"))
    smtp_client_authentication_disabled: bool | None = field(default=None, metadata=key("SMTP AUTH; null: as the organization"))
    authentication_policy: Lower | None = field(
        default=None, metadata=key("name of an authentication policy; null: the default policy", convert=_policy)
    )
    smtp_app_used: bool = field(default=False, metadata=key("whether the usage report has SMTP for the user, whatever messages there are"))
    grants: list[MailboxGrant] = field(default_factory=list, metadata=key("permissions of others"))
    cas_properties: dict[str, Any] = field(default_factory=dict, metadata=key("further properties of Set-CASMailbox"))
    properties: dict[str, Any] = field(default_factory=dict, metadata=key("further properties of Set-Mailbox"))
    replicating: Replicating = field(default_factory=dict, metadata=key("old values that the mail services still use"))

    @property
    def principal_name(self) -> str:
        """The user principal name, which a new primary address does not change."""
        return self.upn or self.address

    @property
    def recipient_type(self) -> str:
        return "UserMailbox"


@dataclass
class InboundConnector:
    """An inbound connector."""

    name: str = field(metadata=key("the name"))
    guid: str = field(metadata=key("the GUID", **derived("connector", "name")))
    properties: dict[str, Any] = field(
        metadata=key("properties of Set-InboundConnector by their own names", rest=True, convert=_connector)
    )  # in their read-back form
    effective_from: Moment = field(default=0.0, metadata=key("when the MX starts to use it (replication)"))
