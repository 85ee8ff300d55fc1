"""The sign-in log of a tenant."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid

KEPT = 100_000  # the newest of a tenant


@dataclass(slots=True)
class SignIn:
    """One interactive sign-in: what "signIn resource type" holds of it."""

    user: str  # user principal name
    created: float
    user_id: str = ""
    display_name: str = ""
    error_code: int = 0  # AADSTS number; 0: success
    failure_reason: str = ""
    client_app: str = "Authenticated SMTP"  # clientAppUsed
    ip_address: str = ""
    conditional_access: str = "notApplied"  # conditionalAccessStatus
    id: str = field(default_factory=new_guid)
