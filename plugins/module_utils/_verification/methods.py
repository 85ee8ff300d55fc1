# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the sending methods are verified: server, authentication, envelope. The names are those of _planning/methods.py.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365"; "Authenticate an IMAP, POP or SMTP
connection using OAuth".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from .._clients.smtp import Conversation
from .._core import mail_addresses
from .._core.errors import InvalidInput, SmtpError
from .._http.clouds import Cloud
from . import statuses
from .context import ProbeContext, user_token_name
from .options import ProbeParams, ProbeSender
from .result import NotVerifiable

# Never sent to: the transaction ends before a message. RFC 2606 reserves the domain.
EXTERNAL_RECIPIENT = "mailops-relay-check@example.com"


class Method:
    """The default: the message goes to a server without authentication.

    `at_mx`: the default server is the tenant's MX host. `accepted_domain`: the address must be in an accepted domain of the tenant.
    `service`: the service whose entries of the error catalog explain a refusal. `accepted_by`: what accepts the message.
    """

    at_mx: ClassVar[bool] = False
    accepted_domain: ClassVar[bool] = True
    service: ClassVar[str] = "smtp"
    accepted_by: ClassVar[str] = statuses.SUBMISSION

    def tokens(self, context: ProbeContext, sender: ProbeSender) -> dict[str, str]:
        """The access tokens that the sender signs in with, by their name in PreparedContext; MailopsError where there is none."""
        return {}

    def password(self, context: ProbeContext, sender: ProbeSender) -> str:
        """The password that the sender signs in with; "" where it uses none."""
        return ""

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        """Missing or contradictory options of the sender, one clause each."""
        return []

    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        """Whether the sender signs in with a token of the sender app."""
        return False

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        """Host and port, where the sender sets none; host "" where the cloud has none."""
        return context.mx_host, cloud.mx_port

    def identity(self, sender: ProbeSender) -> str:
        """The user that signs in. Senders of one identity are verified one after the other."""
        return sender.mailbox or sender.address

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        """Authenticate, where the method does; SmtpError where the server refuses."""

    def check_claim(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        """Check before the message what an accepted message alone does not show.

        SmtpError where the claim is wrong, NotVerifiable where this host cannot see it.
        """

    def check_account(self, context: ProbeContext, sender: ProbeSender) -> None:
        """Check the account before the connection; MailopsError where an accepted message would not verify delivery."""

    def accepted_note(self, context: ProbeContext) -> str:
        """A clause about the account of a verified sender; "" for none."""
        return ""

    def envelope(self, sender: ProbeSender) -> str:
        """The address of MAIL FROM."""
        return sender.address

    def headers(self, sender: ProbeSender) -> dict[str, str]:
        """Headers of the test message beside From and To."""
        return {}


class Connector(Method):
    """An inbound connector matches the client by IP address or certificate.

    Internal recipients accept mail by Direct Send as well. Only a connector relays to external recipients ("Office 365 SMTP relay: updated
    requirements"), and it is the sender's connector only if this host has the sender's address or certificate.
    """

    at_mx = True
    accepted_by = statuses.CONNECTOR

    def check_claim(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        if sender.certificate_name or sender.certificate_path:
            self._check_certificate(conversation, context, sender)
        elif sender.public_addresses and conversation.source and not _is_among(conversation.source, sender.public_addresses):
            addresses = ", ".join(sender.public_addresses)
            raise NotVerifiable(f"this host sends from {conversation.source}, and the connector matches {addresses}")
        conversation.try_recipient(self.envelope(sender), external_recipient(context, sender))

    def _check_certificate(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        """A connector that matches this host by its address would relay without the certificate."""
        if not sender.certificate_path:
            raise NotVerifiable(
                f"the connector matches the certificate {sender.certificate_name}, whose private key is not on this host",
                "Set verify_connection.certificate_path to a PEM file with private key, certificate and intermediates, and verify_from to "
                "the host of the inventory that has this file.",
            )
        without = Conversation(replace(conversation.route, certificate_path="", certificate_password=None))
        try:
            without.connect()
            without.start_tls()
            without.try_recipient(self.envelope(sender), external_recipient(context, sender))
        except SmtpError:
            return
        finally:
            without.close()
        raise NotVerifiable(
            f"a connector matches {conversation.source or 'this host'} by its address, so that the certificate is not checked"
        )


class DirectSend(Method):
    """Without authentication to internal recipients. A client that a connector matches does not use Direct Send."""

    at_mx = True
    accepted_by = statuses.DIRECT_SEND

    def check_claim(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        if _is_external(context, str(sender.verify_recipient)):
            raise InvalidInput(f"Direct Send reaches internal recipients only, and verify_recipient {sender.verify_recipient} is external")
        try:
            conversation.try_recipient(self.envelope(sender), external_recipient(context, sender))
        except SmtpError as error:
            if not error.entry or error.entry.id != "relay-domain":
                return
        raise NotVerifiable(
            f"a connector matches {conversation.source or 'this host'}, so that the message would not be Direct Send",
            "Set verify_from of this sender to a host of the inventory that no connector matches.",
        )


class RelayHost(Method):
    """A relay host that this inventory does not deploy accepts the message without authentication. Its delivery is not traced."""

    accepted_by = statuses.RELAY_HOST

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        return [] if sender.host else ["method relay_host needs host, the relay host."]

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return "", cloud.mx_port


class Submission(Method):
    """Client submission (smtp.office365.com)."""

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.smtp_host, cloud.smtp_port


class OAuth(Submission):
    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return True

    def tokens(self, context: ProbeContext, sender: ProbeSender) -> dict[str, str]:
        return {"exchange": context.app_token("exchange")}

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_xoauth2(self.identity(sender), context.app_token("exchange"))


class Delegated(Submission):
    """A user's own token: the user sends as the user, as another mailbox (SendAs) or on its behalf."""

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        problems = [] if sender.user else ["method delegated needs user, who has signed in (role delegated_sign_in)."]
        if sender.user and sender.on_behalf and sender.user.lower() == sender.address.lower():
            problems.append("on_behalf has no meaning where the user sends from the user's own address: leave it out.")
        if not params.user_app_unique_name and not params.user_app_id:
            problems.append("method delegated needs user_app_unique_name or user_app_id, the application that users sign in to.")
        return problems + sender.token_store_problems()

    def identity(self, sender: ProbeSender) -> str:
        return sender.mailbox or str(sender.user)

    def tokens(self, context: ProbeContext, sender: ProbeSender) -> dict[str, str]:
        return {user_token_name(sender): context.user_token(sender)}

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_xoauth2(self.identity(sender), context.user_token(sender))

    def envelope(self, sender: ProbeSender) -> str:
        return str(sender.user) if sender.on_behalf else sender.address

    def headers(self, sender: ProbeSender) -> dict[str, str]:
        return {"Sender": str(sender.user)} if sender.on_behalf else {}


class Basic(Submission):
    """Basic authentication with the mailbox's password."""

    def password(self, context: ProbeContext, sender: ProbeSender) -> str:
        return sender.password or ""

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        return [] if sender.password else ["method basic needs the mailbox's password."]

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_login(self.identity(sender), sender.password or "")


class Hve(Method):
    """High Volume Email: the account's own address to internal recipients; with the account's password where one is set."""

    service = "hve"
    least_life = 900.0  # seconds; the service requires ten minutes

    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return not sender.password

    def tokens(self, context: ProbeContext, sender: ProbeSender) -> dict[str, str]:
        return {} if sender.password else {"hve": context.app_token("hve", self.least_life)}

    def password(self, context: ProbeContext, sender: ProbeSender) -> str:
        return sender.password or ""

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.hve_host, cloud.hve_port

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        if sender.password:
            conversation.sign_in_login(self.identity(sender), sender.password)
        else:
            conversation.sign_in_xoauth2(self.identity(sender), context.app_token("hve", self.least_life))


class Acs(Method):
    """Azure Communication Services Email: an SMTP username, with a client secret of its application or that application's token."""

    accepted_domain = False  # the domain is verified in Azure
    service = "acs"

    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return not (sender.password or params.app_client_secret)

    def tokens(self, context: ProbeContext, sender: ProbeSender) -> dict[str, str]:
        return {} if self.password(context, sender) else {"acs": context.app_token("acs")}

    def password(self, context: ProbeContext, sender: ProbeSender) -> str:
        return sender.password or context.client_secret

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.acs_host, cloud.acs_port

    def identity(self, sender: ProbeSender) -> str:
        return sender.username or sender.address

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        secret = self.password(context, sender)
        if secret:
            conversation.sign_in_login(self.identity(sender), secret)
        else:
            conversation.sign_in_xoauth2(self.identity(sender), context.app_token("acs"))


class Hosted(Method):
    """A hosted relay: an SMTP credential. The provider verifies the sender's domain. The account's state is read on the control node."""

    accepted_domain = False
    service = "hosted_smtp"
    accepted_by = statuses.HOSTED_RELAY

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        problems = [] if sender.password or sender.credential else ["method hosted needs credential, or username and password."]
        if sender.credential and not params.hosted_relay:
            problems = ["method hosted with credential needs m365_hosted_relay, the provider."]
        return problems + ([] if sender.host else ["method hosted needs m365_hosted_relay, or host."])

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return "", cloud.smtp_port

    def password(self, context: ProbeContext, sender: ProbeSender) -> str:
        return sender.password or ""

    def identity(self, sender: ProbeSender) -> str:
        return sender.username or sender.address

    def check_account(self, context: ProbeContext, sender: ProbeSender) -> None:
        blocked = context.hosted_blocked.get((sender.credential or "", (sender.verify_recipient or "").lower()))
        if blocked:
            raise blocked

    def accepted_note(self, context: ProbeContext) -> str:
        return "; ".join(context.hosted_notes)

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_login(self.identity(sender), sender.password or "")


METHODS: dict[str, Method] = {
    "oauth": OAuth(),
    "connector": Connector(),
    "relay_host": RelayHost(),
    "hve": Hve(),
    "direct_send": DirectSend(),
    "acs": Acs(),
    "hosted": Hosted(),
    "basic": Basic(),
    "delegated": Delegated(),
}


def external_recipient(context: ProbeContext, sender: ProbeSender) -> str:
    """An external recipient for a transaction without a message: the test message's own, if it is external."""
    recipient = str(sender.verify_recipient)
    return recipient if _is_external(context, recipient) else EXTERNAL_RECIPIENT


def _is_external(context: ProbeContext, recipient: str) -> bool:
    return mail_addresses.domain(recipient) not in context.domains


def _is_among(address: str, networks: Iterable[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) for network in networks)
