"""An SMTP endpoint of a hosted relay: AUTH before or after STARTTLS, the provider's own words, delivery to the tenants.

Sources: published sessions and the providers' SMTP pages; tests/contract/hosted-relays.json has the words. None of the providers sends
enhanced status codes, but for a refusal of Mailgun. A message that is accepted is not delivered where the recipient is suppressed or the
user is in the sandbox. The tenant's MX refuses after that: the address becomes suppressed.
"""

from __future__ import annotations

import hmac
import re
import secrets
import ssl
from dataclasses import dataclass
from typing import Any, AnyStr, ClassVar

from aiosmtpd import smtp as aio

from emulator.smtp import texts
from emulator.smtp.attribution import Peer, check_recipient
from emulator.smtp.faults import Script
from emulator.smtp.headers import Header
from emulator.smtp.paths import Transaction
from emulator.smtp.sasl import decoded, encoded
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.texts import Refused
from emulator.smtp.transfer import Transfer
from emulator.state import Message, State
from emulator.state.hosted import Suppression

# The replies of the shared commands without the enhanced codes of Exchange.
_PLAIN = {
    text: re.sub(r"^(\d{3})([ -])\d\.\d{1,3}\.\d{1,3} ", r"\1\2", text)
    for text in vars(texts).values()
    if isinstance(text, str) and re.match(r"\d{3}[ -]\d\.", text)
}
_SOURCE = "198.51.100.25"  # the public address that the providers send from (RFC 5737)


@dataclass(frozen=True)
class Words:
    """What a provider says where all say something."""

    banner: str
    starttls: str
    authenticated: str
    sender_ok: str
    recipient_ok: str
    go_ahead: str
    bye: str
    too_many: str = "452 Too many recipients"


@dataclass
class Submitter:
    """Who is signed in: the account, the user name, and the provider's object of the credential."""

    account: Any
    name: str
    credential: Any = None


@dataclass(frozen=True)
class Outgoing:
    """How a message leaves the provider. `signed`: domain and selector of its DKIM signature; None: not aligned with the sender."""

    return_path: str
    signed: tuple[str, str] | None


class HostedEndpoint(Transfer):
    """The endpoint of one provider in one region. Subclasses check and account."""

    service = "hosted_smtp"
    provider: ClassVar[str]
    words: ClassVar[Words]
    extensions: ClassVar[tuple[str, ...]]
    mechanisms: ClassVar[tuple[str, ...]] = ("PLAIN", "LOGIN")
    recipients: ClassVar[int]
    size: ClassVar[int]

    def __init__(self, state: State, script: Script, settings: SmtpSettings, context: ssl.SSLContext, region: str) -> None:
        self.region = region
        self.submitter: Submitter | None = None
        super().__init__(state, script, settings, context)

    # -- what the provider decides --------------------------------------------------------------------------------

    def authenticate(self, user: str, password: str) -> Submitter:
        """Who a user name and a password open, or Refused."""
        raise NotImplementedError

    def password_of(self, user: str) -> str:
        """The password of a user for CRAM-MD5; "" where there is none."""
        return ""

    def check_message(self, submitter: Submitter, transaction: Transaction, header: Header) -> None:
        """Refused where the sender or the account may not send it."""

    def spend(self, submitter: Submitter, recipients: int) -> None:
        """Count the recipients of an accepted message."""
        raise NotImplementedError

    def suppressions(self, submitter: Submitter) -> list[Suppression]:
        """The addresses that get no mail."""
        raise NotImplementedError

    def bounced(self, address: str, reply: str) -> Suppression:
        """The entry of an address that the tenant's MX refused."""
        raise NotImplementedError

    def outgoing(self, submitter: Submitter, sender_domain: str) -> Outgoing:
        raise NotImplementedError

    def queued(self, number: str) -> str:
        raise NotImplementedError

    @property
    def is_sandboxed(self) -> bool:
        """Whether mail is accepted and not delivered."""
        return False

    # -- the conversation -----------------------------------------------------------------------------------------

    def _create_session(self) -> aio.Session:
        self.submitter = None
        return super()._create_session()

    def facts(self, **more: str) -> dict[str, str]:
        own = {"provider": self.provider, "region": self.region}
        return super().facts(**own, **({"mailbox": self.submitter.name} if self.submitter else {}), **more)

    async def push(self, status: AnyStr) -> None:
        text = status.decode("utf-8", "surrogateescape") if isinstance(status, bytes) else str(status)
        own = {
            "220 Ready to start TLS": self.words.starttls,
            texts.SENDER_OK: self.words.sender_ok,
            texts.RECIPIENT_OK: self.words.recipient_ok,
            texts.GO_AHEAD: self.words.go_ahead,
            texts.BYE: self.words.bye,
        }
        if text in own and "{recipient}" in own[text] and self.transaction:
            text = own[text].format(recipient=self.transaction.recipients[-1])
        await super().push(own.get(text) or _PLAIN.get(text, text))

    async def _greet(self) -> bool:
        try:
            await self.stage("connect")
        except Refused as refusal:
            await self.push(refusal.reply)
            return False
        await self.push(self.words.banner)
        return True

    def hello_name(self, name: str) -> str:
        """The first line of the reply to EHLO."""
        return self.name

    async def smtp_EHLO(self, hostname: str) -> None:
        await self._hello(hostname, extended=True)
        lines = [self.hello_name(hostname), *(one for one in self.extensions if one != "STARTTLS" or not self.encrypted)]
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_AUTH(self, arg: str) -> None:
        """Before TLS as well: the clients have to enforce it."""
        if not self.client.hello:
            raise Refused(texts.HELLO_FIRST)
        if self.submitter or self.transaction:
            raise Refused(texts.BAD_SEQUENCE)
        mechanism, _, initial = arg.partition(" ")
        if mechanism.upper() not in self.mechanisms:
            raise Refused(texts.UNKNOWN_MECHANISM)
        methods = {"PLAIN": self._plain, "LOGIN": self._login, "CRAM-MD5": self._cram_md5}
        self.submitter = await methods[mechanism.upper()](initial.strip())
        await self.push(self.words.authenticated)

    async def _ask(self, challenge: str) -> bytes:
        await self.push(f"334 {challenge}")
        return decoded((await self.read_line()).strip())

    async def _opened(self, mechanism: str, user: str, password: str) -> Submitter:
        await self.stage("auth", mechanism=mechanism, mailbox=user)
        return self.authenticate(user, password)

    async def _plain(self, initial: str) -> Submitter:
        parts = (decoded(initial) if initial else await self._ask("")).decode("utf-8", "surrogateescape").split("\0")
        return await self._opened("PLAIN", *(parts[1:] if len(parts) == 3 else ("", "")))

    async def _login(self, initial: str) -> Submitter:
        user = decoded(initial) if initial else await self._ask(encoded("Username:"))
        password = await self._ask(encoded("Password:"))
        return await self._opened("LOGIN", user.decode("utf-8", "surrogateescape"), password.decode("utf-8", "surrogateescape"))

    async def _cram_md5(self, initial: str) -> Submitter:
        """RFC 2195."""
        challenge = f"<{secrets.token_hex(8)}@{self.name}>"
        user, _, digest = (await self._ask(encoded(challenge))).decode("utf-8", "surrogateescape").rpartition(" ")
        password = self.password_of(user)
        expected = hmac.new(password.encode(), challenge.encode(), "md5").hexdigest()
        return await self._opened("CRAM-MD5", user, password if password and hmac.compare_digest(expected, digest) else "")

    # -- mail -----------------------------------------------------------------------------------------------------

    def signed_in(self, refusal: str) -> Submitter:
        if self.submitter is None:
            raise Refused(refusal)
        return self.submitter

    async def check_sender(self, transaction: Transaction) -> None:
        """The providers differ in the command at which they refuse."""

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        if len(transaction.recipients) >= self.recipients:
            raise Refused(self.words.too_many)

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        submitter = self.signed_in(texts.NOT_AUTHENTICATED)
        self.check_message(submitter, transaction, header)
        self.spend(submitter, len(transaction.recipients))
        number = secrets.token_hex(8)
        author = (header.authors or [""])[0].rpartition("@")[2].lower()
        suppressed = self.suppressions(submitter)
        dropped = {one.address for one in suppressed}
        envelope = self.outgoing(submitter, author)
        for recipient in transaction.recipients:
            if recipient.lower() in dropped or self.is_sandboxed:
                continue
            try:
                accepted = check_recipient(self.state, Peer(_SOURCE, tls=True), envelope.return_path, recipient)
            except Refused as refusal:
                if self.state.tenant(recipient.rpartition("@")[2]):
                    suppressed.append(self.bounced(recipient.lower(), refusal.reply))
                continue
            self.state.receive(
                Message(
                    tenant_id=accepted.tenant_id,
                    via=accepted.via,
                    mail_from=envelope.return_path,
                    recipients=[recipient],
                    raw=_headers(envelope, author) + raw,
                    authenticated_as=submitter.name,
                    source=_SOURCE,
                    received=self.state.now(),
                )
            )
        return self.queued(number)


def _headers(envelope: Outgoing, author: str) -> bytes:
    """What the MX finds out, and the provider's signature, whose value is not computed."""
    domain = envelope.return_path.rpartition("@")[2]
    signing = envelope.signed[0] if envelope.signed else domain
    is_aligned = any(one == author or one.endswith(f".{author}") or author.endswith(f".{one}") for one in (domain, signing))
    results = (
        f"spf=pass smtp.mailfrom={domain}; dkim=pass header.d={signing}; dmarc={'pass' if is_aligned else 'fail'} header.from={author}"
    )
    signature = f"v=1; a=rsa-sha256; d={signing}; s={envelope.signed[1] if envelope.signed else 's1'}; h=from:to; bh=AAAA; b=AAAA"
    return f"Authentication-Results: {results}\r\nDKIM-Signature: {signature}\r\n".encode()
