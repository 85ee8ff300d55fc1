"""What Entra's sign-in log gets to know of AUTH LOGIN.

Exchange refuses by its own switches before Entra is asked, so those refusals are not in the log.
Source: "signIn resource type"; "Microsoft Entra authentication and authorization error codes".
"""

from __future__ import annotations

from emulator.smtp import texts
from emulator.state import SignIn, State

# A refusal's AADSTS number, its reason and its Conditional Access status in the log.
REASONS = {
    texts.AUTHENTICATED: (0, "", "notApplied"),
    texts.WRONG_PASSWORD: (50126, "Error validating credentials due to invalid username or password.", "notApplied"),
    texts.SECURITY_DEFAULTS: (530035, "Access has been blocked by security defaults.", "notApplied"),
    texts.HVE_SECURITY_DEFAULTS: (530035, "Access has been blocked by security defaults.", "notApplied"),
    texts.CONDITIONAL_ACCESS: (53003, "Access has been blocked by Conditional Access policies.", "failure"),
}


def log_sign_in(state: State, user: str, reply: str, source: str) -> None:
    """Note a sign-in by user name and password that ended with this reply."""
    tenant = state.tenant(user.rpartition("@")[2])
    mailbox = tenant.mailboxes.get(user.lower()) if tenant else None
    if tenant is None or mailbox is None or reply not in REASONS:
        return
    code, reason, access = REASONS[reply]
    tenant.sign_ins.append(
        SignIn(
            user=mailbox.address,
            created=state.now(),
            user_id=mailbox.user_id,
            display_name=mailbox.display_name,
            error_code=code,
            failure_reason=reason,
            ip_address=source,
            conditional_access=access,
        )
    )
