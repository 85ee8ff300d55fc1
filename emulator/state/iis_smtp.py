"""The virtual server of IIS SMTP, as its metabase holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emulator.state.keys import Base64, Moment, key


@dataclass
class AddressList:
    """A list of addresses of the metabase (IIsIPSecurity). IPGrant counts only where GrantByDefault is false."""

    grant_by_default: bool = field(default=False, metadata=key("GrantByDefault: whether all may but those denied"))
    ip_grant: list[str] = field(default_factory=list, metadata=key("IPGrant, entries as 192.0.2.1, 255.255.255.255"))
    ip_deny: list[str] = field(default_factory=list, metadata=key("IPDeny"))
    domain_grant: list[str] = field(default_factory=list, metadata=key("DomainGrant"))
    domain_deny: list[str] = field(default_factory=list, metadata=key("DomainDeny"))


def _everybody() -> AddressList:
    return AddressList(grant_by_default=True)


@dataclass
class QueuedMail:
    """A message in a queue of Windows."""

    id: str = field(metadata=key("its ID"))
    sender: str = field(metadata=key("the envelope sender; empty: a report"))
    recipients: list[str] = field(metadata=key("the envelope recipients"))
    raw: Base64 = field(metadata=key("the message"))
    arrived: Moment = field(default=0.0, metadata=key("when it was accepted"))
    next_attempt: Moment = field(default=0.0, metadata=key("when it is tried next"))
    attempts: int = field(default=0, metadata=key("how often it was tried"))
    last_error: str = field(default="", metadata=key("why the last attempt failed"))


@dataclass
class SmtpVirtualServer:
    """A virtual server of IIS SMTP."""

    name: str = field(default="SmtpSvc/1", metadata=key("its name"))
    properties: dict[str, Any] = field(default_factory=dict, metadata=key("properties of IIsSmtpServerSetting that are not as installed"))
    bindings: list[str] = field(default_factory=lambda: [":25:"], metadata=key("ServerBindings, as address:port:host"))
    relay_list: AddressList | None = field(default=None, metadata=key("RelayIpList: who may relay; null: nobody"))
    connections: AddressList = field(default_factory=_everybody, metadata=key("IPSecurity: who may connect"))
    queue: list[QueuedMail] = field(default_factory=list, metadata=key("messages that wait for delivery"))
    bad_mail: list[QueuedMail] = field(default_factory=list, metadata=key("messages that could neither be delivered nor reported"))
    log: list[str] = field(default_factory=list, metadata=key("lines of the log of today, where LogType is on"))
    domains: dict[str, int] = field(
        default_factory=dict, metadata=key("domains beside the default one, with their RouteAction; 16: an alias domain, which is local")
    )
    drop: list[QueuedMail] = field(default_factory=list, metadata=key("messages to alias domains, in the folder Drop"))
    relay_list_missing: bool = field(default=False, metadata=key("whether ADSI has no object for a null RelayIpList"))
