# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all probes of a tenant share: accepted domains, the MX host, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .._core.errors import InvalidInput, MailopsError
from .options import ProbeSender

if TYPE_CHECKING:  # a host that only sends the test messages has no libraries for HTTP
    from .._identity.tokens import TokenSource


@dataclass
class ProbeContext:
    """Read once for all senders. What cannot be read (`..._error`) fails the senders that need it, not the task.

    `user_tokens`: by user and token store. `client_secret`: that of the sender app. `reachability`: in check mode, connect up to TLS.
    `hosted_blocked`: by credential and recipient, why a message that a hosted relay accepts is not delivered. `hosted_notes`: clauses about
    its account for a verified sender; `hosted_warnings`: sentences about it.
    """

    domains: set[str] = field(default_factory=set)
    domains_error: MailopsError | None = None
    mx_host: str = ""
    mx_error: MailopsError | None = None
    app_tokens: TokenSource | None = None
    app_error: MailopsError | None = None
    user_tokens: dict[tuple[str, str], TokenSource] = field(default_factory=dict)
    user_error: MailopsError | None = None
    client_secret: str = field(default="", repr=False)
    hosted_blocked: Mapping[tuple[str, str], MailopsError] = field(default_factory=dict)
    hosted_notes: tuple[str, ...] = ()
    hosted_warnings: tuple[str, ...] = ()
    check_mode: bool = False
    reachability: bool = False

    def app_token(self, service: str, life: float = 0.0) -> str:
        """A token of the sender app for a service, valid for at least `life` seconds; MailopsError where there is none."""
        if self.app_error or not self.app_tokens:
            raise self.app_error or InvalidInput("no application to sign in as")
        scope = self.app_tokens.cloud.scope(service)
        return self.app_tokens.token(scope, life) if life else self.app_tokens.token(scope)

    def user_token(self, sender: ProbeSender) -> str:
        """A token of the sender's user; MailopsError where there is none."""
        source = self.user_tokens.get(user_key(sender))
        if self.user_error or not source:
            raise self.user_error or InvalidInput("no application to sign in to")
        return source.token(source.cloud.smtp_scope())

    def discard_tokens(self) -> None:
        """A token contains the app roles of its time of issue: the next attempt obtains a new one."""
        if self.app_tokens:
            self.app_tokens.forget()


@dataclass
class PreparedContext(ProbeContext):
    """The context on another host, with access tokens that the control node has requested: by service, and by `user_token_name`."""

    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def app_token(self, service: str, life: float = 0.0) -> str:
        return self.tokens[service]

    def user_token(self, sender: ProbeSender) -> str:
        return self.tokens[user_token_name(sender)]


def user_token_name(sender: ProbeSender) -> str:
    """The key of a delegated sender's token in PreparedContext."""
    return f"{sender.user}/{sender.address}".lower()


def user_key(sender: ProbeSender) -> tuple[str, str]:
    """User and token store of a delegated sender."""
    return str(sender.user).lower(), sender.open_token_store().where
