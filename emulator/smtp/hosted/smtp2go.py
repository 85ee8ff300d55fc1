"""mail.smtp2go.com: SMTP users, who send for every verified domain of the account (Exim)."""

from __future__ import annotations

import secrets

from emulator.smtp.headers import Header
from emulator.smtp.hosted.endpoint import HostedEndpoint, Outgoing, Submitter, Words
from emulator.smtp.paths import Transaction
from emulator.smtp.texts import Refused
from emulator.state.hosted import Suppression
from emulator.state.smtp2go import Smtp2GoAccount, Smtp2GoDomain, Smtp2GoUser

_BAD = "535 Incorrect authentication data"
_NO_AUTH = "550 Relay access denied - please authenticate"
_BLANK = "550 to send email from a blank sender, enable blank senders"
_ADDRESS = "550 that IP address on this account is not allowed to send"
# The words are not published.
_QUOTA = "550 the sending limit of this account is exceeded"
_USER_LIMIT = "550 the sending limit of this SMTP user is exceeded"


class Smtp2GoEndpoint(HostedEndpoint):
    name = "mail.smtp2go.com"
    provider = "smtp2go"
    words = Words(
        banner="220 mail.smtp2go.com ESMTP Exim 4.97.1-S2G",
        starttls="220 TLS go ahead",
        authenticated="235 Authentication succeeded",
        sender_ok="250 sender ok.",
        recipient_ok="250 Accepted <{recipient}>",
        go_ahead='354 Enter message, ending with "." on a line by itself',
        bye="221 mail.smtp2go.com closing connection",
    )
    extensions = (
        "SIZE 52428800", "8BITMIME", "DSN", "PIPELINING", "PIPECONNECT", "AUTH CRAM-MD5 PLAIN LOGIN", "CHUNKING",
        "STARTTLS", "PRDR", "HELP",
    )  # fmt: skip
    mechanisms = ("CRAM-MD5", "PLAIN", "LOGIN")
    recipients, size = 100, 52_428_800

    def hello_name(self, name: str) -> str:
        return f"{self.name} Hello {name} [{self.source}]"

    def _find(self, user: str) -> tuple[Smtp2GoAccount, Smtp2GoUser] | None:
        return next(
            ((account, one) for account in self.state.smtp2go for one in account.users if one.username == user and one.status != "blocked"),
            None,
        )

    def password_of(self, user: str) -> str:
        match = self._find(user)
        return match[1].password if match else ""

    def authenticate(self, user: str, password: str) -> Submitter:
        match = self._find(user)
        if match is None or not password or match[1].password != password:
            raise Refused(_BAD)
        return Submitter(match[0], user, match[1])

    async def check_recipient(self, transaction: Transaction, address: str) -> None:
        submitter = self.signed_in(_NO_AUTH)
        if not submitter.account.allows(self.source, "smtp"):
            raise Refused(_ADDRESS)
        if not transaction.sender:
            raise Refused(_BLANK)
        await super().check_recipient(transaction, address)

    def _domain(self, account: Smtp2GoAccount, name: str) -> Smtp2GoDomain | None:
        return next((one for one in account.domains if one.domain == name and one.dkim_verified and one.rpath_verified), None)

    def check_message(self, submitter: Submitter, transaction: Transaction, header: Header) -> None:
        """The domains of the From header and of the envelope sender have to be verified, or their addresses."""
        account: Smtp2GoAccount = submitter.account
        for address in (*(header.authors or ()), transaction.sender):
            domain = address.rpartition("@")[2].lower()
            if not self._domain(account, domain) and address.lower() not in account.single_senders:
                raise Refused(
                    f"550-From header sender domain not verified ({domain})\r\n550-On your Sending > Verified Senders page\r\n"
                    "550 verify the sender domain or email to be allowed to send."
                )
        if account.cycle_used + len(transaction.recipients) > account.cycle_max:
            raise Refused(_QUOTA)
        user: Smtp2GoUser = submitter.credential
        if not user.has_room(len(transaction.recipients), self.state.now()):
            raise Refused(_USER_LIMIT)

    def spend(self, submitter: Submitter, recipients: int) -> None:
        submitter.account.cycle_used += recipients
        submitter.credential.period_used += recipients

    def suppressions(self, submitter: Submitter) -> list[Suppression]:
        suppressed: list[Suppression] = submitter.account.suppressions
        return suppressed

    def bounced(self, address: str, reply: str) -> Suppression:
        return Suppression(address, "bounce", reply, self.state.now())

    @property
    def is_sandboxed(self) -> bool:
        return bool(self.submitter and self.submitter.credential.status == "sandbox")

    def outgoing(self, submitter: Submitter, sender_domain: str) -> Outgoing:
        account: Smtp2GoAccount = submitter.account
        domain = self._domain(account, sender_domain)
        if domain is None:
            return Outgoing(f"{secrets.token_hex(6)}@em{account.number}.smtp2go.com", None)
        return Outgoing(f"{secrets.token_hex(6)}@{domain.return_path}.{domain.domain}", (domain.domain, f"s{account.number}"))

    def queued(self, number: str) -> str:
        return f"250 OK id={number[:6]}-{number[6:12]}-GA"
