# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of sending: what each needs, where its server is and how it signs in.

Private to the collection. Sources: "How to set up a multifunction device or application to send email using Microsoft
365"; "Authenticate an IMAP, POP or SMTP connection using OAuth".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .._clients.smtp import Conversation
from .._http.clouds import Cloud
from .._identity import token_stores

if TYPE_CHECKING:
    from .context import Facts

Sender = dict[str, Any]


class Method:
    """One way of sending; this one hands mail to the tenant's MX without signing in."""

    name: ClassVar[str]
    at_mx: ClassVar[bool] = True
    accepted_domain: ClassVar[bool] = True  # the address must be in an accepted domain of the tenant
    service: ClassVar[str] = "smtp"  # whose rows of the error table say what a refusal means

    def check(self, sender: Sender, params: dict[str, Any]) -> list[str]:
        """What a sender of this method lacks, each a clause that begins with the method."""
        return []

    def needs_token(self, sender: Sender, params: dict[str, Any]) -> bool:
        """Whether this sender signs in with a token of the senders' application."""
        return False

    def server(self, cloud: Cloud, facts: Facts) -> tuple[str, int]:
        """Host and port, where the sender names none."""
        return facts.mx_host, cloud.mx_port

    def identity(self, sender: Sender) -> str:
        """As whom it signs in: senders of one identity take turns."""
        return str(sender["mailbox"] or sender["address"])

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        """The sign-in, if there is one; SmtpError where the server refuses it."""

    def envelope(self, sender: Sender) -> str:
        """MAIL FROM."""
        return str(sender["address"])

    def header(self, sender: Sender) -> dict[str, str]:
        """What the message says beside From and To."""
        return {}


class Connector(Method):
    name = "connector"


class RelayHost(Method):
    """A relay host outside of this inventory takes the message without authentication."""

    name = "relay_host"
    at_mx = False

    def check(self, sender: Sender, params: dict[str, Any]) -> list[str]:
        return [] if sender["host"] else ["method relay_host needs host, the relay host."]

    def server(self, cloud: Cloud, facts: Facts) -> tuple[str, int]:
        return "", cloud.mx_port


class DirectSend(Method):
    name = "direct_send"


class Submission(Method):
    """What smtp.office365.com takes."""

    at_mx = False

    def server(self, cloud: Cloud, facts: Facts) -> tuple[str, int]:
        return cloud.smtp_host, cloud.smtp_port


class OAuth(Submission):
    name = "oauth"

    def needs_token(self, sender: Sender, params: dict[str, Any]) -> bool:
        return True

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        conversation.sign_in_xoauth2(self.identity(sender), facts.token("exchange"))


class Delegated(Submission):
    """A user with a token of his own, who sends as himself, as another mailbox (SendAs) or on its behalf."""

    name = "delegated"

    def check(self, sender: Sender, params: dict[str, Any]) -> list[str]:
        found = [] if sender["user"] else ["method delegated needs user, who has signed in (role delegated_sign_in)."]
        if sender["user"] and sender["on_behalf"] and sender["user"].lower() == sender["address"].lower():
            found.append("on_behalf has no meaning where the user sends as himself: leave it out.")
        if not params["user_app_unique_name"] and not params["user_app_id"]:
            found.append("method delegated needs user_app_unique_name or user_app_id, the application that users sign in to.")
        return found + token_stores.problems(sender["token_store"])

    def identity(self, sender: Sender) -> str:
        return str(sender["mailbox"] or sender["user"])

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        conversation.sign_in_xoauth2(self.identity(sender), facts.user_token(sender))

    def envelope(self, sender: Sender) -> str:
        return str(sender["user"] if sender["on_behalf"] else sender["address"])

    def header(self, sender: Sender) -> dict[str, str]:
        return {"Sender": sender["user"]} if sender["on_behalf"] else {}


class Basic(Submission):
    name = "basic"

    def check(self, sender: Sender, params: dict[str, Any]) -> list[str]:
        return [] if sender["password"] else ["method basic needs the mailbox's password."]

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        conversation.sign_in_login(self.identity(sender), sender["password"])


class Hve(Method):
    """High Volume Email: the account's own address, recipients inside the tenant; by password where one is given."""

    name = "hve"
    at_mx = False
    service = "hve"
    least_life = 900.0  # seconds that a token must have left: the service wants ten minutes

    def needs_token(self, sender: Sender, params: dict[str, Any]) -> bool:
        return not sender["password"]

    def server(self, cloud: Cloud, facts: Facts) -> tuple[str, int]:
        return cloud.hve_host, cloud.hve_port

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        if sender["password"]:
            conversation.sign_in_login(self.identity(sender), sender["password"])
        else:
            conversation.sign_in_xoauth2(self.identity(sender), facts.token("hve", self.least_life))


class Acs(Method):
    """Azure Communication Services Email: an SMTP username and a client secret of its application, or that application's token."""

    name = "acs"
    at_mx = False
    accepted_domain = False  # the domain is verified in Azure, which Microsoft 365 need not know
    service = "acs"

    def needs_token(self, sender: Sender, params: dict[str, Any]) -> bool:
        return not (sender["password"] or params["app_client_secret"])

    def server(self, cloud: Cloud, facts: Facts) -> tuple[str, int]:
        return cloud.acs_host, cloud.acs_port

    def identity(self, sender: Sender) -> str:
        return str(sender["username"] or sender["address"])

    def sign_in(self, conversation: Conversation, facts: Facts, sender: Sender) -> None:
        secret = sender["password"] or facts.client_secret
        if secret:
            conversation.sign_in_login(self.identity(sender), secret)
        else:
            conversation.sign_in_xoauth2(self.identity(sender), facts.token("acs"))


_ALL = (OAuth(), Connector(), RelayHost(), Hve(), DirectSend(), Acs(), Basic(), Delegated())
METHODS: dict[str, Method] = {method.name: method for method in _ALL}
