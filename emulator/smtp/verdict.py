"""Who may sign in, and as whom they may send: judged from the state alone.

Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth"; "Enable or disable authenticated client SMTP
submission (SMTP AUTH) in Exchange Online"; "How to set up a multifunction device or application to send email";
for what each refusal looks like, published transcripts.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from emulator import policies
from emulator.smtp import texts
from emulator.smtp.texts import Refused
from emulator.state import ExchangeServicePrincipal, Mailbox, State, Tenant
from emulator.state.recipient_filter import parse
from emulator.tokens import EXCHANGE_APP, HOSTS, TokenError

ROLE = "SMTP.SendAsApp"
# A token for outlook.office.com is valid for other services of Exchange, but not for SMTP: the most reported mistake.
AUDIENCES = HOSTS["exchange"] - {"outlook.office.com"}


class TokenVerifier(Protocol):
    """Verifies access tokens."""

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token with a good signature, else ValueError."""


class StateTokens:
    """The emulator's own token endpoint as the verifier."""

    def __init__(self, state: State) -> None:
        self._state = state

    def verify(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = self._state.tokens.verify(token, "exchange")
        except TokenError as error:
            raise ValueError(error.reason) from None
        return claims


@dataclass(frozen=True)
class Account:
    """Who is signed in: always a mailbox, with XOAUTH2 through an application. Names, because objects may be replaced."""

    tenant_id: str
    address: str  # primary address of the mailbox
    app_id: str | None = None
    object_id: str | None = None  # of the application's service principal
    scoped: bool = False  # by a role in Exchange (RBAC for Applications), which needs no right on the mailbox
    user: str | None = None  # who signed in, where the token is a user's

    @property
    def key(self) -> tuple[str, str]:
        return self.tenant_id, self.address


def parse_xoauth2(blob: bytes) -> tuple[str, str]:
    """User and token of an XOAUTH2 response: `user=<mailbox>`^A`auth=Bearer <token>`^A^A."""
    parts = blob.decode("utf-8", "replace").split("\x01")
    if len(parts) != 4 or parts[2:] != ["", ""]:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    user, scheme, token = parts[0].removeprefix("user="), parts[1][:12].lower(), parts[1][12:]
    if user == parts[0] or scheme != "auth=bearer " or not user or not token:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    return user, token


def xoauth2(state: State, verifier: TokenVerifier, user: str, token: str) -> Account:
    """The account that a token of an application opens; a wrong claim is never named.

    Whether the application has a right on the mailbox is not asked here: see `right_on_mailbox`.
    """
    try:
        claims = verifier.verify(token)
    except ValueError:
        raise Refused(texts.AUTHENTICATION_REFUSED) from None
    tenant = state.tenants.get(str(claims.get("tid", "")).lower())
    if tenant is None or not _good_claims(state, claims):
        raise Refused(texts.AUTHENTICATION_REFUSED)
    mailbox = addressed(tenant, user)
    principal = _principal(tenant, claims, state.now())
    if mailbox is None or principal is None:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    scoped = ROLE not in claims.get("roles", ())
    if scoped and not in_scope(tenant, principal, mailbox, state.now()):
        raise Refused(texts.AUTHENTICATION_REFUSED)
    check_switch(tenant, mailbox, state.now())
    return Account(tenant.id, mailbox.address, principal.app_id, principal.object_id, scoped)


def in_scope(tenant: Tenant, principal: ExchangeServicePrincipal, mailbox: Mailbox, now: float) -> bool:
    """Whether a role in Exchange opens the mailbox: asked only where the token has no role of its own.

    Source: "Role Based Access Control for Applications in Exchange Online".
    """
    for assignment in tenant.rbac.in_force(principal.object_id, now):
        guid = assignment.seen("scope", now)
        scope = tenant.rbac.scope(guid)
        covered = parse(scope.seen("recipient_filter", now)).matches(mailbox) if scope else guid is None
        if covered and assignment.seen("enabled", now):
            return True
    return False


def _good_claims(state: State, claims: dict[str, Any]) -> bool:
    """Audience and times; an application's own token has no `scp`, and roles only where it was consented to one."""
    now = state.now()
    expires, begins, roles = claims.get("exp"), claims.get("nbf", 0), claims.get("roles", [])
    if not isinstance(expires, (int, float)) or not isinstance(begins, (int, float)):
        return False
    in_time = begins <= now + 300 and now < expires  # clocks may differ by five minutes
    return in_time and isinstance(roles, list) and "scp" not in claims and _audience(state, claims.get("aud"))


def _audience(state: State, audience: object) -> bool:
    if not isinstance(audience, str):
        return False
    plain = audience.rstrip("/")
    if plain == EXCHANGE_APP or plain in state.tokens.origins:
        return True
    parts = urlsplit(plain)
    return parts.scheme == "https" and parts.netloc in AUDIENCES and not parts.path


def _principal(tenant: Tenant, claims: dict[str, Any], now: float) -> ExchangeServicePrincipal | None:
    """The application in Exchange: registered with the object id of the enterprise application, the token's oid."""
    match = tenant.exchange_service_principals.get(str(claims.get("oid", "")).lower())
    if match is None or match.app_id != str(claims.get("appid", "")).lower() or match.effective_from > now:
        return None
    return match


def addressed(tenant: Tenant, address: str) -> Mailbox | None:
    """The mailbox with this address, primary or alias; `Tenant.mailbox` also accepts other names."""
    requested = address.lower()
    result = tenant.mailbox(requested)
    if result is None or (result.address == requested or requested in result.aliases):
        return result
    return (
        next((m for m in tenant.mailboxes.values() if requested == m.address or requested in m.aliases), None) if "@" in requested else None
    )


def delivered_to(tenant: Tenant, recipient: str) -> Mailbox | None:
    """The mailbox that mail to this address reaches.

    An address that no mailbox has is read as a plus address, `user+tag@`, unless the organization has DisablePlusAddressInRecipients
    ("Plus addressing in Exchange Online": on by default since September 2022). The first plus sign separates the tag.
    """
    mailbox = addressed(tenant, recipient)
    local, _at, domain = recipient.rpartition("@")
    user, plus, _tag = local.partition("+")
    if mailbox or not (user and plus) or tenant.organization_config.get("DisablePlusAddressInRecipients"):
        return mailbox
    return addressed(tenant, f"{user}@{domain}")


def check_switch(tenant: Tenant, mailbox: Mailbox, now: float) -> None:
    """SmtpClientAuthenticationDisabled, which governs OAuth as well: the mailbox's value wins, none inherits."""
    own = mailbox.seen("smtp_client_authentication_disabled", now)
    if own is True:
        raise Refused(texts.OFF_FOR_MAILBOX)
    if own is None and tenant.seen("smtp_client_authentication_disabled", now):
        raise Refused(texts.OFF_FOR_TENANT)


def login(state: State, user: str, password: str, *, basic_retired: bool = False, source: str = "") -> Account:
    """The account of a mailbox's own user name and password.

    Exchange's own policy and switch are judged before Entra is asked ("Disable Basic authentication in Exchange Online");
    Entra judges its policies after the password ("What is Conditional Access": after first-factor authentication).
    """
    if basic_retired:
        raise Refused(texts.BASIC_RETIRED)
    requested = user.lower()
    tenant = state.tenant(requested.rpartition("@")[2])
    mailbox = tenant.mailboxes.get(requested) if tenant else None
    if tenant is None or mailbox is None:
        raise Refused(texts.AUTHENTICATION_REFUSED)
    if policies.basic_is_retired(tenant, state.now()):
        raise Refused(texts.BASIC_RETIRED)
    if not policies.allows_basic_smtp(tenant, mailbox, state.now()):
        raise Refused(texts.BASIC_DISABLED)
    check_switch(tenant, mailbox, state.now())
    if mailbox.password is None or not hmac.compare_digest(mailbox.password.encode(), password.encode("utf-8", "surrogateescape")):
        raise Refused(texts.WRONG_PASSWORD)
    if tenant.security_defaults:
        raise Refused(texts.SECURITY_DEFAULTS)
    if policies.blocks_user(tenant, mailbox, source):
        raise Refused(texts.CONDITIONAL_ACCESS)
    return Account(tenant.id, mailbox.address)


def _sids(tenant: Tenant, account: Account) -> Iterator[str]:
    """SIDs of an account: its mailbox and its application, where they exist in Exchange."""
    mailbox = tenant.mailboxes.get(account.address)
    if mailbox:
        yield mailbox.sid
    principal = tenant.exchange_service_principals.get(account.object_id or "")
    if principal:
        yield principal.sid


def right_on_mailbox(state: State, account: Account) -> None:
    """An application opens the mailbox to send, which shows at the end of DATA only: FullAccess."""
    tenant = state.tenants.get(account.tenant_id)
    mailbox = tenant.mailboxes.get(account.address) if tenant else None
    if tenant is None or mailbox is None:
        raise Refused(texts.NO_RIGHT_ON_MAILBOX)
    if account.object_id is None or account.scoped:
        return
    principal = tenant.exchange_service_principals.get(account.object_id)
    if principal is None or not granted(mailbox, "FullAccess", {principal.sid}, state.now()):
        raise Refused(texts.NO_RIGHT_ON_MAILBOX)


def granted(mailbox: Mailbox, right: str, sids: set[str], now: float) -> bool:
    return any(grant.right == right and grant.sid in sids and grant.effective_from <= now for grant in mailbox.grants)


def may_send_as(state: State, account: Account, sender: str) -> bool:
    """Whether an address is the mailbox's own or one on which the mailbox or the application has SendAs."""
    tenant = state.tenants.get(account.tenant_id)
    owner = addressed(tenant, sender) if tenant else None
    if tenant is None or owner is None:
        return False
    return owner.address == account.address or granted(owner, "SendAs", set(_sids(tenant, account)), state.now())


def check_senders(state: State, account: Account, senders: list[str]) -> None:
    """Check MAIL FROM and the header From; the empty reverse-path has no owner."""
    for sender in senders:
        if not may_send_as(state, account, sender):
            raise Refused(texts.SEND_AS_DENIED.format(mailbox=account.address, sender=sender or "<>"))
