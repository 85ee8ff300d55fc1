"""GrantSendOnBehalfTo: written with any of a recipient's names, read back as Names ("Set-Mailbox", "Get-Mailbox")."""

from __future__ import annotations

from emulator.exchange.binding import MultiValue
from emulator.exchange.errors import recipient_not_found
from emulator.state import Mailbox, MailboxGrant, Tenant

RIGHT = "SendOnBehalf"


def names(tenant: Tenant, mailbox: Mailbox) -> list[str]:
    """The delegates as Get-Mailbox shows them."""
    matches = (tenant.mailbox(grant.sid) for grant in mailbox.grants if grant.right == RIGHT)
    return [delegate.name for delegate in matches if delegate]


def change(tenant: Tenant, mailbox: Mailbox, requested: MultiValue, effective_from: float) -> bool:
    """Carry out a replacement or an addition and removal; whether anything changed. An unknown recipient is refused."""
    old = [grant.sid for grant in mailbox.grants if grant.right == RIGHT]
    resolved = MultiValue(
        None if requested.replace is None else [_delegate(tenant, name).sid for name in requested.replace],
        tuple(_delegate(tenant, name).sid for name in requested.add),
        tuple(_delegate(tenant, name).sid for name in requested.remove),
    )
    new = list(dict.fromkeys(resolved.apply(list(old))))
    if set(new) == set(old):
        return False
    kept = [grant for grant in mailbox.grants if grant.right != RIGHT or grant.sid in new]
    mailbox.grants = kept + [MailboxGrant(RIGHT, sid, effective_from) for sid in new if sid not in old]
    return True


def _delegate(tenant: Tenant, name: str) -> Mailbox:
    result = tenant.mailbox(name)
    if result is None:
        raise recipient_not_found(name)
    return result
