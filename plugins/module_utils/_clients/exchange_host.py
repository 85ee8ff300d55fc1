# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that serves a tenant's Exchange admin API: the cloud's own, or a sub-domain of it, to which the cloud's host redirects.

Source: observed (ScubaGear asks for the sub-domain before its first command); Microsoft does not document it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from .._core.errors import ExchangeError
from .._core.json_types import JsonObject
from .._http.transport import Request, Response
from .authorized import AuthorizedTransport
from .run_cache import RunCache

_CACHED = "exchange host"
_REDIRECTS = (301, 302, 303, 307, 308)


class ExchangeHost:
    """Sends requests to the tenant's host. A redirect is followed once, and its host is used for the rest of the run.

    `is_settled`: whether a request of this run has shown which host serves the tenant.
    """

    def __init__(self, authorized: AuthorizedTransport, run_cache: RunCache) -> None:
        self._authorized, self._run_cache = authorized, run_cache
        cached = run_cache.get(_CACHED)
        self.base, self.is_settled = str(cached or authorized.base), bool(cached)

    def send(
        self,
        make_request: Callable[[], Request],
        is_transient: Callable[[Response], bool],
        body_of: Callable[[str], JsonObject] | None = None,
    ) -> Response:
        """The answer. `make_request` makes the request for the current host."""
        answer = self._authorized.send(make_request(), is_transient, body_of)
        if answer.status in _REDIRECTS:
            self._move(answer, make_request().attempted)
            answer = self._authorized.send(make_request(), is_transient, body_of)
        if answer.status in _REDIRECTS:
            target = answer.headers.get("location", "")
            raise ExchangeError(make_request().attempted, f"a second redirect, to {target}", code="RedirectLoop", status=answer.status)
        if not self.is_settled and answer.status == 200:
            self._settle()
        return answer

    def current(self, url: str) -> str:
        """An address on the cloud's host as an address on the tenant's host."""
        base = self._authorized.base
        return self.base + url[len(base) :] if url.startswith(f"{base}/") else url

    def _settle(self) -> None:
        self.is_settled = True
        self._run_cache.put(_CACHED, self.base)

    def _move(self, answer: Response, attempted: str) -> None:
        """Use the host that a redirect names; ExchangeError where it is no sub-domain of the cloud's own host."""
        own, target = urlsplit(self._authorized.base), urlsplit(answer.headers.get("location", ""))
        netloc = target.netloc if own.port else target.netloc.removesuffix(":443")
        if target.scheme != own.scheme or not re.fullmatch(rf"(?:[A-Za-z0-9-]+\.)+{re.escape(own.netloc)}", netloc, re.I):
            host = f"{target.scheme}://{target.netloc}" if target.netloc else "no host"
            text = f"a redirect to {host}, which is no sub-domain of {own.netloc}: the token was not sent there"
            remedy = "check m365_cloud, and proxies between this host and Exchange"
            raise ExchangeError(attempted, f"{text}; {remedy}.", code="ForeignRedirect", status=answer.status)
        self.base = f"{target.scheme}://{netloc}"
        self._settle()
