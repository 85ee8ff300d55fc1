"""What one mailbox may do at once and over time ("Exchange Online limits")."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulator.smtp import texts
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.texts import Refused
from emulator.state import Rolling, Tenant

Key = tuple[str, str]  # tenant and mailbox
# The domain that every tenant begins with, in each cloud.
INITIAL_DOMAINS = (".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn")
TICK = 0.05  # seconds after which a waiting session looks at the clock again: it can be advanced


@dataclass
class _Use:
    """What is remembered of one mailbox."""

    sessions: list[object] = field(default_factory=list)  # signed in, oldest first
    tokens: float = 0.0
    filled: float = 0.0
    recipients: Rolling = field(default_factory=Rolling)  # of the last day
    error: str = ""  # the code of the last messages' error
    errors: int = 0
    locked_until: float = 0.0


class Limits:
    def __init__(self, settings: SmtpSettings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._uses: dict[Key, _Use] = defaultdict(self._full)
        self.sent: dict[str, deque[float]] = defaultdict(deque)  # domain -> times of messages through Azure Communication Services

    def _full(self) -> _Use:
        return _Use(tokens=float(self._settings.messages_per_minute), filled=self._now())

    # -- connections ----------------------------------------------------------------------------------------------

    def enter(self, key: Key, session: object) -> None:
        self._uses[key].sessions.append(session)

    def leave(self, key: Key, session: object) -> None:
        self._uses[key].sessions.remove(session)

    def check_connections(self, key: Key, session: object) -> None:
        """The first sessions of a mailbox may submit; a later one may when one of them has gone."""
        if session not in self._uses[key].sessions[: self._settings.connections]:
            raise Refused(texts.TOO_MANY_CONNECTIONS)

    # -- messages a minute ----------------------------------------------------------------------------------------

    def delay(self, key: Key) -> float:
        """Take a message out of the mailbox's bucket; the seconds until there is room for it."""
        use, now, rate = self._uses[key], self._now(), self._settings.messages_per_minute / 60
        use.tokens = min(float(self._settings.messages_per_minute), use.tokens + max(0.0, now - use.filled) * rate) - 1
        use.filled = now
        return max(0.0, -use.tokens / rate)

    async def pace(self, key: Key) -> None:
        """Wait, by the state's clock: what is sent too fast is delayed, never refused."""
        due = self._now() + self.delay(key) * self._settings.pace_scale
        while self._settings.pace and (left := due - self._now()) > 0:
            await asyncio.sleep(min(TICK, left))

    # -- recipients a day -----------------------------------------------------------------------------------------

    def check_quota(self, key: Key, recipients: int) -> None:
        if self._uses[key].recipients.count(self._now()) + recipients > self._settings.recipients_per_day:
            raise Refused(texts.RECIPIENT_QUOTA)

    def spend(self, key: Key, recipients: int) -> None:
        self._uses[key].recipients.add(self._now(), recipients)

    # -- repeated errors ------------------------------------------------------------------------------------------

    def check_lock(self, key: Key) -> None:
        use = self._uses[key]
        if use.locked_until > self._now():
            raise Refused(texts.LOCKED_OUT[use.error])

    def failed(self, key: Key, code: str) -> None:
        """One more error of a kind (the code of its lock); equal ones in a row shut the mailbox out."""
        use = self._uses[key]
        use.errors = use.errors + 1 if use.error == code else 1
        use.error = code
        if self._settings.lockout_after and use.errors >= self._settings.lockout_after:
            use.locked_until, use.errors = self._now() + self._settings.lockout_seconds, 0

    def succeeded(self, key: Key) -> None:
        use = self._uses[key]
        use.error, use.errors = "", 0


def lock_code(reply: str) -> str:
    """The lock that leads from repeating this refusal, if any."""
    return next((lock for begin, lock in _LOCKS if reply.startswith(begin)), "")


_LOCKS: Iterable[tuple[str, str]] = (
    ("554 5.2.252", "5.2.252"),
    ("554 5.2.2 ", "5.2.251"),
    (texts.TOO_MANY_RECIPIENTS, "5.2.254"),
)


class ExternalRecipients:
    """What a tenant may send to others in a day, by submission and through its connectors alike.

    Sources: "Introducing Exchange Online Tenant Outbound Email Limits" and "Limiting Onmicrosoft Domain Usage for
    Sending Emails". Microsoft bounces the copies to outside; here the whole message is refused with the bounce's code.
    """

    def __init__(self, settings: SmtpSettings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now

    def check(self, tenant: Tenant, sender: str, recipients: Iterable[str]) -> None:
        count, now = self._external(tenant, recipients), self._now()
        if not count:
            return
        reached = tenant.external_recipients.count(now) + count > tenant.external_recipients_a_day
        if reached and tenant.external_limit_enforced:
            raise Refused(texts.TRIAL_EXTERNAL_QUOTA if tenant.trial else texts.TENANT_EXTERNAL_QUOTA)
        if self._initial(sender) and tenant.external_from_initial.count(now) + count > self._settings.external_from_initial_domain:
            raise Refused(texts.INITIAL_DOMAIN_QUOTA)

    def spend(self, tenant: Tenant, sender: str, recipients: Iterable[str]) -> None:
        count, now = self._external(tenant, recipients), self._now()
        if count:
            tenant.external_recipients.add(now, count)
        if count and self._initial(sender):
            tenant.external_from_initial.add(now, count)

    @staticmethod
    def _external(tenant: Tenant, recipients: Iterable[str]) -> int:
        own = set(tenant.accepted_domains)
        return sum(address.rpartition("@")[2].lower() not in own for address in recipients)

    @staticmethod
    def _initial(sender: str) -> bool:
        return sender.lower().endswith(INITIAL_DOMAINS)
