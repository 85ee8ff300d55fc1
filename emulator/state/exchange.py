"""The Exchange organization of a tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.ids import new_guid
from emulator.state.replicated import Replicated
from emulator.state.sign_in import User


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
    password: str | None = None  # for AUTH LOGIN and for users who sign in themselves; None: no sign-in
    user: User = field(default_factory=User)
    smtp_client_authentication_disabled: bool | None = None  # None: inherit
    authentication_policy: str | None = None  # lower-case name; None: the organization's default
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
