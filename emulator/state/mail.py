"""Messages that a tenant's mail services accepted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from emulator.state.keys import Base64, Moment, key

# How a message arrived: by XOAUTH2, AUTH LOGIN, the other submission services, the MX, or from other systems.
VIA = ("submission", "submission-login", "hve", "hve-login", "acs", "connector", "direct-send", "internet")


@dataclass
class Message:
    """A message that a service accepted for a recipient of any tenant, or for an external address."""

    tenant_id: str = field(metadata=key("id of the tenant"))
    via: str = field(metadata=key("how it arrived", choices=VIA))
    mail_from: str = field(metadata=key("envelope sender"))
    recipients: list[str] = field(metadata=key("envelope recipients"))
    raw: Base64 = field(metadata=key("the message in base64"))
    authenticated_as: str | None = field(default=None, metadata=key("the mailbox that submitted it"))
    app_id: str | None = field(default=None, metadata=key("client id of the application, for XOAUTH2"))
    user: str | None = field(default=None, metadata=key("who signed in, where the token was a user's"))
    connector: str | None = field(default=None, metadata=key("the inbound connector"))
    source: str = field(default="", metadata=key("public source address"))
    received: Moment = field(default_factory=time.time, metadata=key("when it was accepted"))
    number: int = field(default=0, metadata=key("its number; the first is 1"))


NEW_MX_SUFFIX = "mx.microsoft"  # of the MX hosts of domains that were added since July 2026 (MC1048624)


def mx_host(domain: str, suffix: str = "mail.protection.outlook.com") -> str:
    """The MX of an accepted domain (Microsoft: "External Domain Name System records for Microsoft 365")."""
    return f"{domain.replace('.', '-')}.{suffix}"
