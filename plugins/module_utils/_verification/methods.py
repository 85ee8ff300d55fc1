# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the sending methods are verified: server, authentication, envelope. The names are those of _planning/methods.py.

Sources: "How to set up a multifunction device or application to send email using Microsoft 365"; "Authenticate an IMAP, POP or SMTP
connection using OAuth".
"""

from __future__ import annotations

from typing import ClassVar

from .._clients.smtp import Conversation
from .._http.clouds import Cloud
from .context import ProbeContext
from .options import ProbeParams, ProbeSender


class Method:
    """The default: the message goes to the tenant's MX host, without authentication.

    `at_mx`: the default server is the MX host. `accepted_domain`: the address must be in an accepted domain of the tenant. `service`: the
    service whose entries of the error catalog explain a refusal.
    """

    at_mx: ClassVar[bool] = True
    accepted_domain: ClassVar[bool] = True
    service: ClassVar[str] = "smtp"

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

    def envelope(self, sender: ProbeSender) -> str:
        """The address of MAIL FROM."""
        return sender.address

    def headers(self, sender: ProbeSender) -> dict[str, str]:
        """Headers of the test message beside From and To."""
        return {}


class RelayHost(Method):
    """A relay host that this inventory does not deploy accepts the message without authentication."""

    at_mx = False

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        return [] if sender.host else ["method relay_host needs host, the relay host."]

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return "", cloud.mx_port


class Submission(Method):
    """Client submission (smtp.office365.com)."""

    at_mx = False

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.smtp_host, cloud.smtp_port


class OAuth(Submission):
    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return True

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

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_xoauth2(self.identity(sender), context.user_token(sender))

    def envelope(self, sender: ProbeSender) -> str:
        return str(sender.user) if sender.on_behalf else sender.address

    def headers(self, sender: ProbeSender) -> dict[str, str]:
        return {"Sender": str(sender.user)} if sender.on_behalf else {}


class Basic(Submission):
    """Basic authentication with the mailbox's password."""

    def problems(self, sender: ProbeSender, params: ProbeParams) -> list[str]:
        return [] if sender.password else ["method basic needs the mailbox's password."]

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        conversation.sign_in_login(self.identity(sender), sender.password or "")


class Hve(Method):
    """High Volume Email: the account's own address to internal recipients; with the account's password where one is set."""

    at_mx = False
    service = "hve"
    least_life = 900.0  # seconds; the service requires ten minutes

    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return not sender.password

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.hve_host, cloud.hve_port

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        if sender.password:
            conversation.sign_in_login(self.identity(sender), sender.password)
        else:
            conversation.sign_in_xoauth2(self.identity(sender), context.app_token("hve", self.least_life))


class Acs(Method):
    """Azure Communication Services Email: an SMTP username, with a client secret of its application or that application's token."""

    at_mx = False
    accepted_domain = False  # the domain is verified in Azure
    service = "acs"

    def needs_token(self, sender: ProbeSender, params: ProbeParams) -> bool:
        return not (sender.password or params.app_client_secret)

    def server(self, cloud: Cloud, context: ProbeContext) -> tuple[str, int]:
        return cloud.acs_host, cloud.acs_port

    def identity(self, sender: ProbeSender) -> str:
        return sender.username or sender.address

    def sign_in(self, conversation: Conversation, context: ProbeContext, sender: ProbeSender) -> None:
        secret = sender.password or context.client_secret
        if secret:
            conversation.sign_in_login(self.identity(sender), secret)
        else:
            conversation.sign_in_xoauth2(self.identity(sender), context.app_token("acs"))


METHODS: dict[str, Method] = {
    "oauth": OAuth(),
    "connector": Method(),
    "relay_host": RelayHost(),
    "hve": Hve(),
    "direct_send": Method(),
    "acs": Acs(),
    "basic": Basic(),
    "delegated": Delegated(),
}
