"""smtp.sendgrid.net: the user name apikey, and an API key with the permission mail.send."""

from __future__ import annotations

import secrets

from emulator.smtp.headers import Header
from emulator.smtp.hosted.endpoint import HostedEndpoint, Outgoing, Submitter, Words
from emulator.smtp.paths import Transaction
from emulator.smtp.texts import Refused
from emulator.state.hosted import Suppression
from emulator.state.sendgrid import SendGridAccount, SendGridDomain

_BAD_USER = "535 Authentication failed: Bad username / password"
_BAD_KEY = "535 Authentication failed: The provided authorization grant is invalid, expired, or revoked"
_ADDRESS = "451 Authentication failed: Could not authenticate"
_CREDITS = "451 Authentication failed: Maximum credits exceeded"
_LIMITS = "451 You've exceeded your messaging limits"
_NO_AUTH = "550 Unauthenticated senders not allowed"
_UNVERIFIED = (
    "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit "
    "https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements"
)


class SendGridEndpoint(HostedEndpoint):
    name = "smtp.sendgrid.net"
    provider = "sendgrid"
    words = Words(
        banner="220 SG ESMTP service ready at ismtpd0013p1las1.sendgrid.net",
        starttls="220 Begin TLS negotiation now",
        authenticated="235 Authentication successful",
        sender_ok="250 Sender address accepted",
        recipient_ok="250 Recipient address accepted",
        go_ahead="354 Continue",
        bye="221 See you later",
    )
    extensions = ("8BITMIME", "PIPELINING", "SIZE 31457280", "STARTTLS", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN")
    recipients, size = 1000, 31_457_280

    def authenticate(self, user: str, password: str) -> Submitter:
        if user != "apikey":
            raise Refused(_BAD_USER)
        for account in self.state.sendgrid:
            key = next((one for one in account.accepted_keys(self.state.now()) if one.value == password), None)
            if key and account.region == self.region and "mail.send" in key.scopes:
                if not account.allows(self.source):
                    raise Refused(_ADDRESS)
                if account.credits_used >= account.credits:
                    raise Refused(_CREDITS)
                return Submitter(account, user, key)
        raise Refused(_BAD_KEY)

    async def check_sender(self, transaction: Transaction) -> None:
        self.signed_in(_NO_AUTH)

    def _domain(self, account: SendGridAccount, name: str) -> SendGridDomain | None:
        return next((one for one in account.domains if one.domain == name and one.valid), None)

    def check_message(self, submitter: Submitter, transaction: Transaction, header: Header) -> None:
        account: SendGridAccount = submitter.account
        for address in header.authors or ():
            if not self._domain(account, address.rpartition("@")[2].lower()) and address.lower() not in account.verified_senders:
                raise Refused(_UNVERIFIED)
        if account.credits_used + len(transaction.recipients) > account.credits:
            raise Refused(_LIMITS)

    def spend(self, submitter: Submitter, recipients: int) -> None:
        submitter.account.credits_used += recipients

    def suppressions(self, submitter: Submitter) -> list[Suppression]:
        suppressed: list[Suppression] = submitter.account.suppressions
        return suppressed

    def bounced(self, address: str, reply: str) -> Suppression:
        return Suppression(address, "bounces", reply, self.state.now())

    def outgoing(self, submitter: Submitter, sender_domain: str) -> Outgoing:
        account: SendGridAccount = submitter.account
        domain, local = self._domain(account, sender_domain), f"bounces+{account.user_id}-{secrets.token_hex(4)}"
        if domain is None:
            return Outgoing(f"{local}@sendgrid.net", None)
        return Outgoing(f"{local}@{domain.subdomain}.{domain.domain}", (domain.domain, "s1"))

    def queued(self, number: str) -> str:
        return f"250 Ok: queued as {number}"
