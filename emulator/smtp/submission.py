"""Client submission: smtp.office365.com, port 587.

Sources: "Authenticate an IMAP, POP or SMTP connection using OAuth"; "How to set up a multifunction device or
application to send email"; RFC 4954 (AUTH).
"""

from __future__ import annotations

import json
import ssl

from emulator.smtp import texts
from emulator.smtp.delegated import check_senders, xoauth2
from emulator.smtp.faults import Script
from emulator.smtp.headers import Header
from emulator.smtp.limits import ExternalRecipients, Limits, lock_code
from emulator.smtp.paths import Transaction
from emulator.smtp.sasl import decoded, encoded
from emulator.smtp.settings import SmtpSettings
from emulator.smtp.sign_ins import log_sign_in
from emulator.smtp.texts import Refused
from emulator.smtp.transfer import Transfer
from emulator.smtp.verdict import Account, login, parse_xoauth2, right_on_mailbox
from emulator.state import Message, State

CHALLENGE = {"status": "401", "schemes": "bearer", "scope": "https://outlook.office.com/"}


class Submission(Transfer):
    name = texts.SUBMISSION_NAME
    service = "smtp"

    def __init__(self, state: State, script: Script, settings: SmtpSettings, context: ssl.SSLContext, limits: Limits) -> None:
        self.limits = limits
        self.outside = ExternalRecipients(settings, lambda: state.now())
        super().__init__(state, script, settings, context)

    def connection_lost(self, error: Exception | None) -> None:
        if self.client.account:
            self.limits.leave(self.client.account.key, self)
            self.client.account = None
        super().connection_lost(error)

    def authentication(self) -> str:
        return "AUTH LOGIN XOAUTH2"

    # -- AUTH -----------------------------------------------------------------------------------------------------

    async def smtp_AUTH(self, arg: str) -> None:
        if not self.client.hello:
            raise Refused(texts.HELLO_FIRST)
        if self.client.account:
            raise Refused(texts.SIGNED_IN)
        if self.transaction:
            raise Refused(texts.BAD_SEQUENCE)
        mechanism, _, initial = arg.partition(" ")
        methods = {"LOGIN": self._login, "XOAUTH2": self._xoauth2} if self.encrypted else {}
        method = methods.get(mechanism.upper())
        if method is None:
            raise Refused(texts.UNKNOWN_MECHANISM)
        try:
            account = await method(initial.strip())
        except Refused as refusal:
            raise self._stamped(refusal) from None
        self.client.account, self.client.sign_in_error = account, ""
        self.limits.enter(account.key, self)
        await self.push(texts.AUTHENTICATED)

    def _stamped(self, refusal: Refused) -> Refused:
        """What MAIL FROM will repeat is remembered; a 535 goes out with server and time."""
        if refusal.reply.startswith(("535", "550", "501 5.5.127")):
            self.client.sign_in_error = refusal.reply
        return Refused(texts.stamped(refusal.reply, self.state.now())) if refusal.reply.startswith("535") else refusal

    async def _ask(self, challenge: str) -> str:
        await self.push(f"334 {challenge}")
        return (await self.read_line()).strip()

    async def _xoauth2(self, initial: str) -> Account:
        """In one line, or after an empty challenge: Postfix takes that form for every long token."""
        blob = decoded(initial or await self._ask(""))
        try:
            user, token = parse_xoauth2(blob)
            await self.stage("auth", mechanism="XOAUTH2", **self.named(user))
            return self.by_token(user, token)
        except Refused as refusal:
            if self.settings.challenge_334 and refusal.reply.startswith("535"):
                await self._ask(encoded(json.dumps(CHALLENGE, separators=(",", ":"))))
            raise

    async def _login(self, initial: str) -> Account:
        user = decoded(initial or await self._ask(encoded("Username:"))).decode("utf-8", "surrogateescape")
        password = decoded(await self._ask(encoded("Password:"))).decode("utf-8", "surrogateescape")
        await self.stage("auth", mechanism="LOGIN", **self.named(user))
        try:
            account = self.by_password(user, password)
        except Refused as refusal:
            log_sign_in(self.state, user, refusal.reply, self.source)
            raise
        log_sign_in(self.state, user, texts.AUTHENTICATED, self.source)
        return account

    def by_token(self, user: str, token: str) -> Account:
        """The account that a token opens, or Refused."""
        return xoauth2(self.state, self.settings.verifier, user, token)

    def by_password(self, user: str, password: str) -> Account:
        """The account that a user name and a password open, or Refused."""
        return login(self.state, user, password, basic_retired=self.settings.basic_retired, source=self.source)

    # -- mail -----------------------------------------------------------------------------------------------------

    async def check_sender(self, transaction: Transaction) -> None:
        if not self.encrypted:
            raise Refused(texts.stamped(texts.STARTTLS_REQUIRED, self.state.now()))
        if not self.client.account:
            raise Refused(texts.not_authenticated(self.client.sign_in_error, self.state.now()))

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        most = self._most_recipients()
        if len(transaction.recipients) < most:
            return
        if self.client.account and len(transaction.recipients) == most:
            self.limits.failed(self.client.account.key, lock_code(texts.TOO_MANY_RECIPIENTS))
        raise Refused(texts.TOO_MANY_RECIPIENTS)

    def _most_recipients(self) -> int:
        """RecipientLimits of the mailbox, where Set-Mailbox set it."""
        account = self.client.account
        tenant = self.state.tenants.get(account.tenant_id) if account else None
        mailbox = tenant.mailboxes.get(account.address) if tenant and account else None
        return int((mailbox.properties.get("RecipientLimits") if mailbox else None) or self.settings.recipients_per_message)

    async def deliver(self, transaction: Transaction, raw: bytes, header: Header) -> str:
        account = self.client.account
        if account is None:
            raise Refused(texts.not_authenticated("", self.state.now()))
        try:
            self._judge(account, transaction, header)
        except Refused as refusal:
            if lock := lock_code(refusal.reply):
                self.limits.failed(account.key, lock)
            raise
        self._spend(account, transaction)
        await self.limits.pace(account.key)
        self.limits.succeeded(account.key)
        self.state.receive(
            Message(
                tenant_id=account.tenant_id,
                via="submission" if account.app_id else "submission-login",
                mail_from=transaction.sender,
                recipients=transaction.recipients,
                raw=raw,
                authenticated_as=account.address,
                app_id=account.app_id,
                user=account.user,
                source=self.source,
                received=self.state.now(),
            )
        )
        return texts.queued_by_submission(self.message_id(header))

    def _judge(self, account: Account, transaction: Transaction, header: Header) -> None:
        """Checks of the mailbox store, whose refusals come after the final dot."""
        self.limits.check_lock(account.key)
        self.limits.check_connections(account.key, self)
        right_on_mailbox(self.state, account)
        check_senders(self.state, account, transaction.sender, header)
        self.limits.check_quota(account.key, len(transaction.recipients))
        self.outside.check(self.state.tenants[account.tenant_id], transaction.sender, transaction.recipients)

    def _spend(self, account: Account, transaction: Transaction) -> None:
        """Count the recipients before the message waits its turn: other sessions of the mailbox go on meanwhile."""
        self.limits.spend(account.key, len(transaction.recipients))
        self.outside.spend(self.state.tenants[account.tenant_id], transaction.sender, transaction.recipients)
