# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client that msal gets: requests go through the collection's transport, which counts and retries them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .._core.errors import SignInError
from .._http.transport import Request, Response, Transport
from .token_cache import TokenCache
from .token_errors import sign_in_error
from .token_response import TokenResponse

SERVICE = "entra"  # what the requests are counted for


@dataclass
class MsalResponse:
    """The attributes of an HTTP answer that msal reads."""

    status_code: int
    text: str = field(repr=False)
    headers: dict[str, str]

    def raise_for_status(self) -> None:
        """Nothing to raise: TokenEndpointHttp has raised for the answers that msal cannot read."""


class TokenEndpointHttp:
    """msal's HTTP client for the token endpoint.

    Raises SignInError for the answers that msal would turn into errors without the service's own message.
    """

    def __init__(self, transport: Transport, attempted: str, cache: TokenCache) -> None:
        self._transport, self._attempted, self._cache = transport, attempted, cache

    def post(
        self,
        url: str,
        params: object = None,
        data: Mapping[str, str | bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        **_other: Any,
    ) -> MsalResponse:
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        answer = self._transport.send(Request("POST", url, dict(headers or {}), form=form, attempted=self._attempted, service=SERVICE))
        if answer.status in (400, 401) and isinstance(answer.json(), dict):
            return MsalResponse(answer.status, answer.text, answer.headers)
        return self._checked(answer)

    def get(self, url: str, params: object = None, headers: Mapping[str, str] | None = None, **_other: Any) -> MsalResponse:
        """The authority's discovery document, the only thing msal GETs here; it is the same for every task of a run."""
        key = hashlib.sha256(f"discovery {url}".encode()).hexdigest()
        with self._cache.locked(key):
            cached = self._cache.get(key)
            if cached:
                return MsalResponse(200, cached["text"], {})
            answer = self._checked(
                self._transport.send(Request("GET", url, dict(headers or {}), attempted=self._attempted, service=SERVICE))
            )
            self._cache.put(key, {"text": answer.text})
            return answer

    def close(self) -> None:
        """The transport's owner closes it."""

    def _checked(self, answer: Response) -> MsalResponse:
        body = answer.json()
        if answer.status == 200 and isinstance(body, dict):
            return MsalResponse(200, answer.text, answer.headers)
        if isinstance(body, dict) and body.get("error"):
            raise sign_in_error(self._attempted, TokenResponse.parse(body))
        raise SignInError(
            self._attempted,
            f"HTTP {answer.status} is not a token endpoint's answer: check m365_cloud (authority) and any proxy in between.",
            code=f"HTTP {answer.status}",
            status=answer.status,
        )


class PlatformHttp:
    """msal's HTTP client for the platform's managed identity endpoint. No answer is cached."""

    def __init__(self, transport: Transport, attempted: str) -> None:
        self._transport, self._attempted = transport, attempted

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_other: Any
    ) -> MsalResponse:
        query = f"?{urlencode(params)}" if params else ""
        answer = self._transport.send(Request("GET", url + query, dict(headers or {}), attempted=self._attempted, service=SERVICE))
        return MsalResponse(answer.status, answer.text, answer.headers)

    def close(self) -> None:
        """The transport's owner closes it."""
