"""smtp.mailgun.org: credentials of a domain, which decides the envelope sender and the signature. The From header is free."""

from __future__ import annotations

import secrets
from email.utils import formatdate

from emulator.smtp.hosted.endpoint import HostedEndpoint, Outgoing, Submitter, Words
from emulator.smtp.paths import Transaction
from emulator.smtp.texts import Refused
from emulator.state.hosted import Suppression, month_of
from emulator.state.mailgun import MailgunAccount, MailgunDomain

_BAD = "535 Authentication failed"
_NO_AUTH = "550 5.7.1 Relaying denied"
_NOT_ALLOWED = "421 Domain {domain} is not allowed to send: {reason}"
_FREE = "Free accounts are for test purposes only. Please upgrade or add the address to your authorized recipients."
_INACTIVE = (
    "Please activate your Mailgun account. Check your inbox or log in to your control panel to resend the activation email."
)  # fmt: skip


class MailgunEndpoint(HostedEndpoint):
    name = "smtp.mailgun.org"
    provider = "mailgun"
    words = Words(
        banner="220 Mailgun Influx ready",
        starttls="220 Go ahead",
        authenticated="235 Accepted",
        sender_ok="250 Sender address accepted",
        recipient_ok="250 Recipient address accepted",
        go_ahead="354 Continue",
        bye="221 See you later. Yours truly, Mailgun",
    )
    extensions = ("AUTH PLAIN LOGIN", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "PIPELINING", "STARTTLS")
    recipients, size = 1000, 52_428_800

    def hello_name(self, name: str) -> str:
        return f"{self.name} ({secrets.token_hex(6)})"

    def authenticate(self, user: str, password: str) -> Submitter:
        """A domain exists in one region; an address outside of the allow list is refused like a wrong password."""
        for account in self.state.mailgun:
            for domain in account.domains:
                match = next((one for one in domain.credentials if one.login == user.lower() and one.password == password), None)
                if match and domain.region == self.region and account.allows(self.source):
                    return Submitter(account, match.login, domain)
        raise Refused(_BAD)

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        self.signed_in(_NO_AUTH)
        await super().check_recipient(transaction, address)

    async def smtp_DATA(self, arg: str) -> None:
        """The limits are checked where 354 is expected."""
        if self.transaction and self.transaction.recipients and self.submitter:
            self._check_limits(self.submitter, self.transaction)
        await super().smtp_DATA(arg)

    def _check_limits(self, submitter: Submitter, transaction: Transaction) -> None:
        account: MailgunAccount = submitter.account
        domain: MailgunDomain = submitter.credential
        reason = ""
        if not account.activated:
            reason = _INACTIVE
        elif domain.state == "disabled":
            reason = domain.disabled_reason
        elif domain.type == "sandbox" and {one.lower() for one in transaction.recipients} - {*account.authorized_recipients}:
            reason = _FREE
        elif account.monthly_limit and account.monthly_used + len(transaction.recipients) > account.monthly_limit:
            until = formatdate(month_of(self.state.now())[1].timestamp(), usegmt=True).replace("GMT", "UTC")
            reason = f"recipient limit exceeded, try again after {until}"
        if reason:
            raise Refused(_NOT_ALLOWED.format(domain=domain.name, reason=reason))

    def spend(self, submitter: Submitter, recipients: int) -> None:
        submitter.account.monthly_used += recipients

    def suppressions(self, submitter: Submitter) -> list[Suppression]:
        suppressed: list[Suppression] = submitter.credential.suppressions
        return suppressed

    def bounced(self, address: str, reply: str) -> Suppression:
        return Suppression(address, "bounces", reply, self.state.now())

    def outgoing(self, submitter: Submitter, sender_domain: str) -> Outgoing:
        domain: MailgunDomain = submitter.credential
        return Outgoing(f"bounce+{secrets.token_hex(6)}@{domain.name}", (domain.name, "pdk1"))

    def queued(self, number: str) -> str:
        return "250 Great success"
