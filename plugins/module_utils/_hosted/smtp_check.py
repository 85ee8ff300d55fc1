# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a hosted relay's SMTP endpoint accepts a credential: an authentication without a message, after STARTTLS."""

from __future__ import annotations

from .._clients.smtp import Conversation, Route
from .._core.bounds import HOSTED_CREDENTIAL
from .._core.errors import SmtpError
from .._core.waiting import Retry, Waiter
from .credential_store import Secret

SERVICE = "hosted_smtp"
REFUSED = "535"


def authenticate(route: Route, secret: Secret) -> None:
    """Raise SmtpError where the server does not accept the credential, or does not answer."""
    conversation = Conversation(route)
    try:
        conversation.resolve()
        conversation.connect()
        conversation.start_tls()
        conversation.sign_in_login(secret.username, secret.password)
    finally:
        conversation.close()


def authenticate_new(route: Route, secret: Secret, waiter: Waiter) -> None:
    """The same for a new credential, which the endpoint may accept a moment later."""
    retry = Retry(HOSTED_CREDENTIAL, waiter)
    while True:
        try:
            return authenticate(route, secret)
        except SmtpError as error:
            if not error.code.startswith(REFUSED) or not retry.again():
                raise
