# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device code flow: a user signs in to the automation app in a browser with a code.

Sources: "OAuth 2.0 device authorization grant flow on the Microsoft identity platform";
RFC 8628; "Refresh tokens in the Microsoft identity platform" (one for all resources).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.bounds import DEVICE_CODE
from .._core.json_types import JsonObject
from .sign_in import SignIn, public
from .token_response import TokenResponse

Prompt = Callable[[str], None]


@dataclass(frozen=True)
class DeviceCode:
    """Signs a user in to the application, a public client, once a run. Later tokens are acquired with the refresh token."""

    prompt: Prompt = field(repr=False)

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        client = public(sign_in)
        kept = hashlib.sha256(f"refresh {sign_in.authority.lower()} {sign_in.client_id.lower()}".encode()).hexdigest()
        with sign_in.cache.locked(kept):
            answer = self._refreshed(client, sign_in, kept, scope, claims) or ask(client, sign_in, scope, self.prompt, claims=claims)
            if answer.refresh_token:
                sign_in.cache.put(kept, {"refresh_token": answer.refresh_token})
        return replace(answer, tenant=client.authority.tenant)

    def fingerprint(self) -> str:
        return "device code"

    def _refreshed(self, client: Any, sign_in: SignIn, kept: str, scope: str, claims: str | None) -> TokenResponse | None:
        token = (sign_in.cache.get(kept) or {}).get("refresh_token")
        if not token:
            return None
        answer = TokenResponse.parse(client.acquire_token_by_refresh_token(token, scopes=[scope], claims_challenge=claims))
        return None if answer.access_token is None else answer


def ask(
    client: Any, sign_in: SignIn, scope: str, prompt: Prompt, *, claims: str | None = None, who: str = "", timeout: float = 900.0
) -> TokenResponse:
    """Show a code and poll until a user has signed in with it. Returns the last answer, with `error` where no user has."""
    flow: JsonObject = client.initiate_device_flow(scopes=[scope])
    if "user_code" not in flow:
        return TokenResponse.parse(flow)
    prompt(f"{sign_in.tenant}: {f'for {who}: ' if who else ''}{flow['message']}")
    clock = sign_in.transport.clock
    deadline = clock.now() + min(float(flow.get("expires_in", 900)), timeout)
    while True:
        # One request at a time: the transport waits and counts it as cost. msal itself adds to the interval on slow_down.
        answer = TokenResponse.parse(client.acquire_token_by_device_flow(flow, exit_condition=_at_once, claims_challenge=claims))
        # The last request is sent at the deadline or after it, so that a sign-in within the last interval is not missed.
        if answer.error not in ("authorization_pending", "slow_down") or clock.now() >= deadline:
            return answer
        sign_in.transport.pause(float(flow.get("interval", DEVICE_CODE.first)))


def _at_once(_flow: object) -> bool:
    return True
