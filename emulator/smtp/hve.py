"""High Volume Email: smtp.hve.mx.microsoft, port 587.

Sources: "Manage High Volume Email for Microsoft 365"; "OAuth authentication for high volume emails for Microsoft 365";
Add-HVEAppAccess; Get-HVEAccountBillingPolicy. What an account may not do is answered as projects that tried it report.
The tenant's SMTP AUTH switch does not count here; for a password authentication policies, Security Defaults and
Conditional Access do.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from emulator import policies
from emulator.smtp import texts
from emulator.smtp.headers import Header
from emulator.smtp.paths import Transaction
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.submission import Submission
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account, addressed
from emulator.state import HveAccount, Mailbox, Message, State, Tenant
from emulator.tokens import EXCHANGE_APP

ROLE = "Mail.Send"
AUDIENCE = "outlook.office.com"  # the only one that clients are seen to use
LEAST_LIFE = 600.0  # seconds that a token must have left
RECIPIENTS = 50
SIZE = 10 * 1024 * 1024


def hve_settings(settings: SmtpSettings) -> SmtpSettings:
    """The limits of High Volume Email: no rate, fifty recipients a message, 10 MB."""
    return replace(settings, recipients_per_message=RECIPIENTS, size_limit=SIZE, pace=False)


def by_token(state: State, settings: SmtpSettings, user: str, token: str) -> Account:
    try:
        claims = settings.verifier.verify(token)
    except ValueError as error:
        raise Refused(texts.TOKEN_EXPIRED if str(error) == "expired" else texts.AUTHENTICATION_REFUSED) from None
    _check_claims(state, claims)
    tenant = state.tenants.get(str(claims.get("tid", "")).lower())
    result = _identity(tenant, user) if tenant else None
    if tenant is None or result is None:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    return Account(tenant.id, result.address, str(claims.get("appid", "")).lower(), str(claims.get("oid", "")).lower())


def _check_claims(state: State, claims: dict[str, Any]) -> None:
    """Audience, what is left of its life, and the role, which is not the one of client submission."""
    expires, roles = claims.get("exp"), claims.get("roles")
    if not isinstance(expires, (int, float)) or "scp" in claims or not _audience(state, claims.get("aud")):
        raise Refused(texts.AUTHENTICATION_REFUSED)
    if expires <= state.now():
        raise Refused(texts.TOKEN_EXPIRED)
    if expires - state.now() < LEAST_LIFE:
        raise Refused(texts.TOKEN_EXPIRES_SOON)
    if not isinstance(roles, list) or ROLE not in roles:
        raise Refused(texts.NO_API_PERMISSION)


def _audience(state: State, audience: object) -> bool:
    if not isinstance(audience, str):
        return False
    plain = audience.rstrip("/")
    parts = urlsplit(plain)
    return plain == EXCHANGE_APP or plain in state.tokens.origins or (parts.scheme == "https" and parts.netloc == AUDIENCE)


def by_password(state: State, user: str, password: str, source: str) -> Account:
    """Basic stays here until September 2028, but for what the organization forbids."""
    tenant = state.tenant(user.rpartition("@")[2])
    result = _identity(tenant, user) if tenant else None
    if tenant is None or result is None:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    judged = result if isinstance(result, Mailbox) else _as_user(result)
    if not policies.allows_basic_smtp(tenant, judged, state.now()):
        raise Refused(texts.BASIC_DISABLED)
    if not result.password or not hmac.compare_digest(result.password.encode(), password.encode("utf-8", "surrogateescape")):
        raise Refused(texts.WRONG_PASSWORD)
    if tenant.security_defaults:
        raise Refused(texts.HVE_SECURITY_DEFAULTS)
    if policies.blocks_user(tenant, judged, source):
        raise Refused(texts.CONDITIONAL_ACCESS)
    return Account(tenant.id, result.address)


def _as_user(account: HveAccount) -> Mailbox:
    """The account as policies see it: a user."""
    return Mailbox(account.address, account.guid, account.name, account.display_name, user_id=account.user_id)


def _identity(tenant: Tenant, user: str) -> HveAccount | Mailbox | None:
    """A mailbox may sign in as well, but does not get far."""
    return tenant.hve_accounts.get(user.lower()) or addressed(tenant, user)


class Hve(Submission):
    name = texts.HVE_NAME
    service = "hve"

    def by_token(self, user: str, token: str) -> Account:
        return by_token(self.state, self.settings, user, token)

    def by_password(self, user: str, password: str) -> Account:
        return by_password(self.state, user, password, self.source)

    def _own(self) -> tuple[Tenant, HveAccount]:
        """The tenant and the account that is signed in, both as they are now."""
        client = self.client.account
        if client is None:
            raise Refused(texts.not_authenticated(self.client.sign_in_error, self.state.now()))
        tenant = self.state.tenants[client.tenant_id]
        account = tenant.hve_accounts.get(client.address)
        if account is None:
            raise Refused(texts.NOT_HVE)
        if client.object_id and not 0.0 <= account.apps.get(client.object_id, -1.0) <= self.state.now():
            raise Refused(texts.APP_NOT_ALLOWED)
        return tenant, account

    async def check_sender(self, transaction: Transaction) -> None:
        tenant, account = self._own()
        if transaction.sender.lower() != account.address:
            raise Refused(texts.HVE_SENDER.format(sender=transaction.sender or "<>", mailbox=account.address))
        if not tenant.may_bill(account):
            raise Refused(texts.HVE_BILLING.format(status=tenant.billing_status(account)))

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        tenant, _account = self._own()
        if len(transaction.recipients) >= self.settings.recipients_per_message:
            raise Refused(texts.TOO_MANY_RECIPIENTS)
        if address.rpartition("@")[2].lower() not in tenant.accepted_domains:
            raise Refused(texts.HVE_EXTERNAL)

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        tenant, account = self._own()
        for author in header.authors or ():
            if author.lower() != account.address:
                raise Refused(texts.HVE_FROM.format(sender=author, mailbox=account.address))
        client = self.client.account
        app_id = client.app_id if client else None
        self.state.receive(
            Message(
                tenant_id=tenant.id,
                via="hve" if app_id else "hve-login",
                mail_from=transaction.sender,
                recipients=transaction.recipients,
                raw=_with_reply_to(raw, account),
                authenticated_as=account.address,
                app_id=app_id,
                source=self.source,
                received=self.state.now(),
            )
        )
        return texts.queued_by_hve(self.message_id(header))


def _with_reply_to(raw: bytes, account: HveAccount) -> bytes:
    """Answers to an account that has no mailbox go where its settings say."""
    head = raw.partition(b"\r\n\r\n")[0].lower()
    if not account.reply_to or head.startswith(b"reply-to:") or b"\r\nreply-to:" in head:
        return raw
    return f"Reply-To: {account.reply_to}\r\n".encode() + raw
