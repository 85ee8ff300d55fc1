# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests with a token: renewed once where the service asks for it, and never sent to another host.

Private to the collection. Sources: "Continuous access evaluation" (claims challenges); RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from .._core.errors import MailopsError
from .._http.transport import Request, Response, Transport
from .._identity.tokens import TokenSource

Again = Callable[[Response], bool]

_CLAIMS = re.compile(r'claims="([^"]+)"')


class AuthorizedTransport:
    """Sends requests of one service (`graph` or `exchange`) with the tenant's token for it."""

    def __init__(self, transport: Transport, tokens: TokenSource, service: str) -> None:
        self.transport, self.tokens = transport, tokens
        self.scope = tokens.cloud.scope(service)
        self.base = getattr(tokens.cloud, service)

    def send(self, request: Request, again: Again | None = None, seal: Callable[[str], Any] | None = None) -> Response:
        """The answer, after at most one renewal of the token. `seal` makes the body where the token stands in it too.

        A 401 with a claims challenge brings a token with those claims; another 401, or a 403, a new token if the one
        used came from the run's cache: a role may have been granted since.
        """
        self.refuse_foreign(request.url)
        request = replace(request, headers={"client-request-id": str(uuid.uuid4()), **request.headers})
        token = self.tokens.token(self.scope)
        answer = self._once(request, token, again, seal)
        if answer.status not in (401, 403):
            return answer
        renewed = self.tokens.renewed(self.scope, token, challenge(answer) if answer.status == 401 else None)
        if not renewed:
            return answer
        self.transport.cost.count(retries=1)
        return self._once(request, renewed, again, seal)

    def _once(self, request: Request, token: str, again: Again | None, seal: Callable[[str], Any] | None) -> Response:
        body = seal(token) if seal else request.json
        return self.transport.send(replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"}, json=body), again)

    def refuse_foreign(self, url: str) -> None:
        """A link to another host would take the token there; a sub-domain of the service's own is that service."""
        given, own = urlsplit(url), urlsplit(self.base)
        if given.scheme != own.scheme or not (given.netloc == own.netloc or given.netloc.endswith(f".{own.netloc}")):
            raise MailopsError(f"{self.base} answered with a link to {urlsplit(url).netloc}, which gets no token from here.")


def challenge(answer: Response) -> str | None:
    """The claims that a 401 asks for, decoded, or None."""
    found = _CLAIMS.search(answer.headers.get("www-authenticate", ""))
    if not found:
        return None
    try:
        text = found.group(1)
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
