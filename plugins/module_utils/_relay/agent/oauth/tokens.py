# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`mailops-relay token`: renews the relay's access token for Microsoft 365 and writes it to Dovecot's passwd-file.

One token of the sender app serves all mailboxes. It is renewed after a quarter of its lifetime, so that mail flows for the other three
quarters if the token endpoint fails. Source: doc.dovecot.org, "Passwd-file", "Password database extra fields: proxy". No token, password
or key is ever printed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from ...._core.errors import MailopsError
from .. import config
from ..console import print_error, print_line
from ..files import read_object, write_if_changed
from ..paths import Paths
from . import token_status
from .identity import Identity
from .token_endpoint import TokenRequest, request_token
from .token_status import TokenStatus

RENEWAL_PART = 4  # a token is renewed after this part of its lifetime
_MARGIN = 60  # seconds: a token that expires sooner is not used
NEXT_KEY_REFUSED = 3  # exit status


@dataclass(frozen=True)
class Token:
    """Unix times. `subject`: authority, tenant, application, scope and certificate that the token was issued for."""

    access_token: str
    issued: float
    expires: float
    subject: str


@dataclass
class TokenRenewal:
    """One run. `log` takes a line for the journal. Raises ConfigError."""

    paths: Paths = field(default_factory=Paths)
    request: TokenRequest = request_token
    now: Callable[[], float] = time.time
    log: Callable[[str], object] = print_line

    def __post_init__(self) -> None:
        self.config = config.load(self.paths.config_file)
        self.identity = Identity(self.paths.identity)

    def renew(self) -> int:
        """Renew the token where that is due. Exit status: 0 while there is a valid token, else 1."""
        with self.identity.lock():
            return self._renew()

    def _renew(self) -> int:
        self.identity.complete_activation()
        subject = self._subject(self.identity)
        token = self._current(subject)
        if not token or self.now() >= token.issued + (token.expires - token.issued) / RENEWAL_PART:
            token = self._renewed(subject, token)
        if not token:
            return 1
        self._write(token)
        return 0

    def use_next_key(self) -> int:
        """Sign in with the next key and activate it: 0. Where Microsoft refuses it, nothing changes: 3."""
        with self.identity.lock():
            return self._use_next_key()

    def _use_next_key(self) -> int:
        self.identity.complete_activation()
        following = self.identity.next()
        if following is None:
            return 0
        try:
            token = self._requested(following, self._subject(following))
        except MailopsError as error:
            self.log(f"The relay keeps its current key: {error}")
            return NEXT_KEY_REFUSED
        self.identity.activate_next()
        self._write(token)
        self._write_status(token)
        self.log("The relay now signs in with its new key.")
        return 0

    def _subject(self, identity: Identity) -> str:
        values = (self.config.authority, self.config.tenant, self.config.client_id, self.config.scope, identity.thumbprint())
        return "|".join(values)

    def _current(self, subject: str) -> Token | None:
        """The saved token, where it is still valid and of the same subject."""
        document = read_object(self.paths.token)
        if document.get("subject") != subject or document["expires"] - _MARGIN <= self.now():
            return None
        return Token(**document)

    def _requested(self, identity: Identity, subject: str) -> Token:
        response = self.request(self.config, identity)
        issued = self.now()
        return Token(response.access_token, issued, issued + response.expires_in, subject)

    def _renewed(self, subject: str, current: Token | None) -> Token | None:
        """A new token; the current one where the request fails."""
        try:
            token = self._requested(self.identity, subject)
        except MailopsError as error:
            minutes = (current.expires - self.now()) / 60 if current else 0
            rest = f"the current one is valid for {minutes:.0f} minutes" if current else "mail stays in the queue"
            self._write_status(current, str(error))
            self.log(f"<{4 if current else 3}>No new token, {rest}: {error}")
            return current
        self._write_status(token)
        return token

    def _write(self, token: Token) -> None:
        """Save the token, and write Dovecot's passwd-file, one line a mailbox, where it differs."""
        secret = self.paths.proxy_secret.read_text(encoding="ascii").strip()
        upstream = f"proxy=y host={self.config.smtp_host} port={self.config.smtp_port} starttls=yes proxy_mech=XOAUTH2"
        lines = [f"{mailbox.address}:{{PLAIN}}{secret}::::::{upstream} pass={token.access_token}\n" for mailbox in self.config.mailboxes]
        write_if_changed(self.paths.token, json.dumps(asdict(token)), 0o600)
        write_if_changed(self.paths.passdb, "".join(lines), 0o640)

    def _write_status(self, token: Token | None, failure: str = "") -> None:
        before = token_status.read(self.paths.token_status)
        since = (before.failing_since or self.now()) if failure else None
        status = TokenStatus(token.issued if token else None, token.expires if token else None, failure, since)
        token_status.write(self.paths.token_status, status)


def main(use_next_key: bool = False) -> int:
    """Exit status of `mailops-relay token [--use-next-key]`."""
    try:
        renewal = TokenRenewal()
        return renewal.use_next_key() if use_next_key else renewal.renew()
    except (MailopsError, OSError, ValueError) as error:
        print_error(f"<3>The token could not be renewed: {error}")
        return 1
