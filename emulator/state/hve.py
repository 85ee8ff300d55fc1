"""High Volume Email of a tenant: accounts that only send, and the billing policies that pay for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid

VALID = "BillingPolicyValid"


@dataclass
class BillingPolicy:
    """A pay-as-you-go billing policy, made in the Microsoft 365 admin center; `status` as Get-HVEAccountBillingPolicy shows it."""

    id: str
    name: str
    status: str = VALID


@dataclass
class HveAccount:
    """What New-MailUser -HVEAccount makes. `apps`: object ids of enterprise applications, and since when each counts."""

    address: str  # primary SMTP address, lower case
    guid: str
    name: str
    display_name: str
    user_id: str = field(default_factory=new_guid)  # Entra object id
    password: str = ""
    reply_to: str | None = None
    apps: dict[str, float] = field(default_factory=dict)
    billing_policy: str | None = None
    created: float = 0.0
