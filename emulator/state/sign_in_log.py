"""The sign-in log of a tenant."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.state.ids import new_guid
from emulator.state.keys import At, Lower, Moment, derived, key
from emulator.well_known import derived_id

KEPT = 100_000  # the newest of a tenant


def _user_id(at: At) -> str:
    mailbox = at.tenant.mailbox(at["user"])
    return mailbox.user_id if mailbox else derived_id(at.tenant.id, "user", at["user"])


def _display_name(at: At) -> str:
    mailbox = at.tenant.mailbox(at["user"])
    return mailbox.display_name if mailbox else str(at["user"])


@dataclass(slots=True)
class SignIn:
    """One sign-in of a user, or of an application ("signIn resource type")."""

    user: Lower = field(metadata=key("user principal name; empty: of an application"))
    created: Moment = field(metadata=key("when", derive=lambda at: 0.0, default="0"))
    user_id: str = field(default="", metadata=key("object id of the user", derive=_user_id, default="that of the mailbox"))
    display_name: str = field(default="", metadata=key("name of the user", derive=_display_name, default="that of the mailbox"))
    error_code: int = field(default=0, metadata=key("AADSTS number; 0: success"))
    failure_reason: str = field(default="", metadata=key("failureReason"))
    event_type: str = field(
        default="interactiveUser", metadata=key("signInEventTypes: interactiveUser, nonInteractiveUser or servicePrincipal")
    )
    client_app: str = field(default="Authenticated SMTP", metadata=key("clientAppUsed"))
    ip_address: str = field(default="", metadata=key("ipAddress"))
    conditional_access: str = field(default="notApplied", metadata=key("conditionalAccessStatus"))
    app_id: str = field(default="", metadata=key("client id of the application that signed in"))
    key_id: str = field(default="", metadata=key("id of the application's credential"))
    id: str = field(default_factory=new_guid, metadata=key("the id", **derived("sign-in", "user", "created")))
