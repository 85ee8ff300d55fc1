"""A user who signs in with a token of his own (delegated SMTP.Send), and as whom he may send.

Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth" (scope SMTP.Send, audience outlook.office.com); "Give
mailbox permissions to another Microsoft 365 user" (Send As, Send on Behalf, Full Access); published projects for
what a mailbox without a licence meets. Tokens of applications are left to verdict.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.smtp import texts, verdict
from emulator.smtp.headers import Header
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account, TokenVerifier, addressed, check_switch, granted
from emulator.state import Mailbox, State, Tenant
from emulator.tokens import EXCHANGE_APP

SCOPE = "SMTP.Send"
ON_BEHALF = "SendOnBehalf"


def xoauth2(state: State, verifier: TokenVerifier, user: str, token: str) -> Account:
    """The account that a token opens, a user's or an application's."""
    try:
        claims = verifier.verify(token)
    except ValueError:
        raise Refused(texts.AUTHENTICATION_REFUSED) from None
    return _signed_in(state, claims, user) if "scp" in claims else verdict.xoauth2(state, verifier, user, token)


def _signed_in(state: State, claims: dict[str, Any], name: str) -> Account:
    """The user's own mailbox, or one on which he has FullAccess; either needs a licence for SMTP."""
    tenant, now = state.tenants.get(str(claims.get("tid", "")).lower()), state.now()
    owner = _owner(tenant, claims) if tenant and _good_claims(state, claims) else None
    mailbox = addressed(tenant, name) if tenant else None
    if tenant is None or owner is None or mailbox is None or not licensed(mailbox):
        raise Refused(texts.AUTHENTICATION_REFUSED)
    if mailbox is not owner and not granted(mailbox, "FullAccess", {owner.sid}, now):
        raise Refused(texts.AUTHENTICATION_REFUSED)
    check_switch(tenant, mailbox, now)
    return replace(Account(tenant.id, mailbox.address, str(claims["appid"])), user=owner.address)


def _good_claims(state: State, claims: dict[str, Any]) -> bool:
    """Audience, times and scope; unlike an application's, a user's token may be for outlook.office.com."""
    now, expires, begins, audience = state.now(), claims.get("exp"), claims.get("nbf", 0), claims.get("aud")
    if not isinstance(expires, (int, float)) or not isinstance(begins, (int, float)) or not isinstance(audience, str):
        return False
    resources = state.tokens.resources(audience.rstrip("/"))
    return EXCHANGE_APP in resources and begins <= now + 300 and now < expires and SCOPE in str(claims["scp"]).split()


def _owner(tenant: Tenant, claims: dict[str, Any]) -> Mailbox | None:
    object_id = str(claims.get("oid", "")).lower()
    return next((mailbox for mailbox in tenant.mailboxes.values() if mailbox.user_id == object_id), None)


def licensed(mailbox: Mailbox) -> bool:
    """Users have a licence where nothing else is said, other mailboxes have none."""
    return mailbox.kind == "UserMailbox" if mailbox.user.licensed is None else mailbox.user.licensed


def check_senders(state: State, account: Account, sender: str, header: Header) -> None:
    """MAIL FROM and From: the user's own, one on which he has SendAs, or From on behalf of another.

    Who has only Send on Behalf says so: the header Sender is his own address, and so is MAIL FROM.
    """
    authors = header.authors or []
    if account.user is None:
        verdict.check_senders(state, account, [sender, *authors])
        return
    own = replace(account, address=account.user)
    verdict.check_senders(state, own, [sender])
    honest = bool(header.senders) and all(verdict.may_send_as(state, own, address) for address in header.senders)
    for author in authors:
        if not verdict.may_send_as(state, own, author) and not (honest and _on_behalf(state, own, author)):
            raise Refused(texts.SEND_AS_DENIED.format(mailbox=own.address, sender=author))


def _on_behalf(state: State, own: Account, author: str) -> bool:
    tenant = state.tenants.get(own.tenant_id)
    user = tenant.mailboxes.get(own.address) if tenant else None
    mailbox = addressed(tenant, author) if tenant else None
    return bool(user and mailbox and granted(mailbox, ON_BEHALF, {user.sid}, state.now()))
