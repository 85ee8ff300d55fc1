# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token that the relay signs in with at Microsoft 365: asked for early, handed to Dovecot, kept while it is good.

Private to the collection. One token of the application serves all mailboxes. It is renewed when a quarter of its life is over, so an
outage of the token endpoint is outlived by the three other quarters. Dovecot reads it from a passwd-file
(doc.dovecot.org, "Passwd-file", "Password database extra fields: proxy"). Nothing here prints a token, a password or a key.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...._core.errors import MailopsError
from ..console import complain, say
from ..files import read_object, write
from ..paths import Places
from .identity import Identity
from .token_endpoint import Acquire, acquire

PART = 4  # a token is renewed when this part of its life is over
MARGIN = 60  # seconds: a token that ends sooner is of no use


@dataclass
class Writer:
    """One run. `say` takes a line for the journal."""

    places: Places = field(default_factory=Places)
    ask: Acquire = acquire
    now: Callable[[], float] = time.time
    say: Callable[[str], Any] = say

    def __post_init__(self) -> None:
        self.settings: dict[str, Any] = json.loads(self.places.settings.read_text(encoding="utf-8"))
        self.identity = Identity(self.places.configuration / "identity")

    def renew(self) -> int:
        """Exit status: 0 while there is a token that is good, 1 where there is none."""
        with self.identity.alone():
            return self._renew()

    def _renew(self) -> int:
        self.identity.finish()
        mark = self._mark(self.identity)
        token = self._kept(mark)
        if not token or self.now() >= token["got"] + (token["expires"] - token["got"]) / PART:
            token = self._renewed(mark, token)
        if not token:
            return 1
        self._hand_over(token)
        return 0

    def switch(self) -> int:
        """Signs in with the next key, and makes it the key: 0. Where Microsoft refuses it, all stays as it is: 3."""
        with self.identity.alone():
            return self._switch()

    def _switch(self) -> int:
        self.identity.finish()
        following = self.identity.following()
        if following is None:
            return 0
        try:
            token = self._asked(following, self._mark(following))
        except MailopsError as error:
            self.say(f"The relay stays on its present key: {error}")
            return 3
        self.identity.advance()
        self._hand_over(token)
        self._note(token, "")
        self.say("The relay signs in with its new key from now on.")
        return 0

    def _mark(self, identity: Identity) -> str:
        """What a kept token has to be of: this application of this tenant, by this certificate."""
        return "|".join([*(self.settings[name] for name in ("authority", "tenant", "client_id", "scope")), identity.thumbprint()])

    def _kept(self, mark: str) -> dict[str, Any] | None:
        token = read_object(self.places.token)
        return token if token.get("mark") == mark and token["expires"] - MARGIN > self.now() else None

    def _asked(self, identity: Identity, mark: str) -> dict[str, Any]:
        answer = self.ask(self.settings, identity)
        got = self.now()
        return {"access_token": answer["access_token"], "got": got, "expires": got + int(answer["expires_in"]), "mark": mark}

    def _renewed(self, mark: str, kept: dict[str, Any] | None) -> dict[str, Any] | None:
        """A new token; where there is none to be had, the kept one."""
        try:
            token = self._asked(self.identity, mark)
        except MailopsError as error:
            left = f"the present one is good for {(kept['expires'] - self.now()) / 60:.0f} minutes" if kept else "mail waits"
            self._note(kept, f"{error}")
            self.say(f"<{4 if kept else 3}>No new token, {left}: {error}")
            return kept
        self._note(token, "")
        return token

    def _hand_over(self, token: dict[str, Any]) -> None:
        """The token kept, and the passwd-file, rewritten where it differs: a line a mailbox, in one step."""
        host, port = self.settings["smtp_host"], self.settings["smtp_port"]
        secret = self.places.secret.read_text(encoding="ascii").strip()
        fields = f"proxy=y host={host} port={port} starttls=yes proxy_mech=XOAUTH2 pass={token['access_token']}"
        lines = [f"{entry['address']}:{{PLAIN}}{secret}::::::{fields}\n" for entry in self.settings["mailboxes"]]
        _write(self.places.token, json.dumps(token), 0o600)
        _write(self.places.passdb, "".join(lines), 0o640)

    def _note(self, token: dict[str, Any] | None, failure: str) -> None:
        """For whoever watches."""
        before = read_object(self.places.state)
        since = (before.get("failing_since") or self.now()) if failure else None
        times = {"got": token["got"], "expires": token["expires"]} if token else {"got": None, "expires": None}
        _write(self.places.state, json.dumps({**times, "failure": failure, "failing_since": since}), 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    try:
        same = path.read_text(encoding="utf-8") == text
    except OSError:
        same = False
    if not same:
        write(path, text, mode)


def main(arguments: list[str]) -> int:
    """`token`: renew it where that is due. `token --use-next-key`: sign in with the next key from now on."""
    try:
        writer = Writer(say=say)
        return writer.switch() if arguments == ["--use-next-key"] else writer.renew()
    except (MailopsError, OSError, ValueError) as error:
        complain(f"<3>The token could not be handed to Dovecot: {error}")
        return 1
