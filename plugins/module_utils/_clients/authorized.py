# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests with a token: renewed once where the service asks for it, and never sent to another host.

Sources: "Continuous access evaluation" (claims challenges); RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from .._core.bounds import SERVICES
from .._core.errors import MailopsError
from .._http.transport import Request, Response, Transport
from .._identity.token_permissions import TokenPermissions
from .._identity.tokens import TokenSource

_CLAIMS = re.compile(r'claims="([^"]+)"')


class AuthorizedTransport:
    """Sends requests of one service (`graph`, `exchange`, `management`) with the tenant's token for it."""

    def __init__(self, transport: Transport, tokens: TokenSource, service: str) -> None:
        self.transport, self.tokens, self.service = transport, tokens, service
        self.scope = tokens.cloud.scope(service)
        self.base: str = getattr(tokens.cloud, service)
        self.bounds = SERVICES[service]

    def send(
        self,
        request: Request,
        is_transient: Callable[[Response], bool] | None = None,
        body_of: Callable[[str], Mapping[str, object]] | None = None,
    ) -> Response:
        """The answer, after a renewal of the token where it helps. `body_of` makes the body of a token, where it contains the token.

        A 401 with a claims challenge brings a token with those claims; another 401, or a 403, a new token if the one
        used came from the run's cache: a role may have been granted since. While a role that this run has granted is not effective, the
        request is repeated for at most m365_wait_timeout.
        """
        self.refuse_foreign(request.url)
        headers = {"client-request-id": str(uuid.uuid4()), **request.headers}
        request = replace(request, headers=headers, bounds=self.bounds, service=self.service)
        token = self.tokens.token(self.scope)
        answer = self._send_with(token, request, is_transient, body_of)
        if answer.status not in (401, 403):
            return answer
        renewed = self.tokens.renewed(self.scope, token, challenge(answer) if answer.status == 401 else None)
        if renewed:
            self.transport.cost.count(retries=1)
            answer = self._send_with(renewed, request, is_transient, body_of)
        while answer.status in (401, 403) and self.await_grant():
            answer = self._send_with(self.tokens.token(self.scope), request, is_transient, body_of)
        return answer

    def await_grant(self) -> bool:
        """Wait for a role that this run has granted; see TokenSource.await_grant."""
        return self.tokens.await_grant(self.service)

    def permissions(self) -> TokenPermissions | None:
        """The permissions of the current token; None where its claims do not say."""
        return self.tokens.permissions(self.scope)

    def _send_with(
        self,
        token: str,
        request: Request,
        is_transient: Callable[[Response], bool] | None,
        body_of: Callable[[str], Mapping[str, object]] | None,
    ) -> Response:
        body = body_of(token) if body_of else request.json
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        return self.transport.send(replace(request, headers=headers, json=body), is_transient)

    def refuse_foreign(self, url: str) -> None:
        """MailopsError where a link leads to another host than the service's own or a sub-domain of it."""
        target, own = urlsplit(url), urlsplit(self.base)
        if target.scheme != own.scheme or not (target.netloc == own.netloc or target.netloc.endswith(f".{own.netloc}")):
            raise MailopsError(
                f"{self.base} answered with a link to {target.scheme}://{target.netloc}, which is not the service: no token was sent there."
            )

    def refuse_foreign_download(self, url: str) -> None:
        """MailopsError where the link to a usage report leads to a host that is not Microsoft's for them."""
        target, own = urlsplit(url), urlsplit(self.tokens.cloud.reports)
        domain = (own.hostname or "").partition(".")[2]
        same_domain = "." in domain and (target.hostname or "").endswith(f".{domain}") and target.port is None
        if not own.netloc or target.scheme != "https" or not (target.netloc == own.netloc or same_domain):
            raise MailopsError(f"{self.base} answered with a link to {target.scheme}://{target.netloc}, which is no host of usage reports.")


def challenge(answer: Response) -> str | None:
    """The claims that a 401 asks for, decoded, or None."""
    match = _CLAIMS.search(answer.headers.get("www-authenticate", ""))
    if not match:
        return None
    try:
        text = match.group(1)
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
