"""The mail that a tenant's services accepted."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Message:
    """A message that a service accepted for a recipient of any tenant, or for outside."""

    tenant_id: str
    via: str  # "submission" (XOAUTH2), "submission-login", "hve", "hve-login", "acs", "connector", "direct-send"; "internet": from others
    mail_from: str
    recipients: list[str]
    raw: bytes
    authenticated_as: str | None = None  # the mailbox, for submission
    app_id: str | None = None  # the application, for XOAUTH2
    user: str | None = None  # who signed in, where the token was a user's
    connector: str | None = None
    source: str = ""  # the public address it came from
    received: float = field(default_factory=time.time)
    number: int = 0


def mx_host(domain: str, suffix: str = "mail.protection.outlook.com") -> str:
    """The MX of an accepted domain (Microsoft: "External Domain Name System records for Microsoft 365")."""
    return f"{domain.replace('.', '-')}.{suffix}"
