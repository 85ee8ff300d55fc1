# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every credential needs to ask for a token, and the client credentials flow.

Source: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any, Protocol

from .._core.errors import MissingLibrary
from .._http.clouds import Cloud
from .._http.transport import Transport
from .msal_http import TokenEndpointHttp
from .token_cache import TokenCache
from .token_response import TokenResponse


@dataclass(frozen=True)
class SignIn:
    """Where and as which application a token is asked for. `http` is msal's client on the collection's transport."""

    cloud: Cloud
    tenant: str
    client_id: str
    http: TokenEndpointHttp
    transport: Transport
    cache: TokenCache
    attempted: str

    @property
    def authority(self) -> str:
        return f"{self.cloud.authority}/{self.tenant}"


class Credential(Protocol):
    """A credential of an application, or of a user who signs in to it."""

    def fingerprint(self) -> str:
        """An identifier of this credential that reveals nothing of it."""

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        """The token endpoint's answer, also where it is a refusal."""


def msal() -> types.ModuleType:
    """The library msal, imported at the first use."""
    try:
        import msal as library
    except ImportError as error:
        raise MissingLibrary("msal") from error
    return library


def public(sign_in: SignIn) -> Any:
    """msal's client for an application without a credential, to which users sign in."""
    return msal().PublicClientApplication(
        sign_in.client_id, authority=sign_in.authority, http_client=sign_in.http, instance_discovery=False
    )


def confidential(sign_in: SignIn, client_credential: Any, scope: str, claims: str | None) -> TokenResponse:
    """The token endpoint's answer to the client credentials flow."""
    # A new client for each request: msal's own cache would answer a forced renewal from memory.
    client = msal().ConfidentialClientApplication(
        sign_in.client_id,
        authority=sign_in.authority,
        client_credential=client_credential,
        http_client=sign_in.http,
        instance_discovery=False,
    )
    # msal takes the tenant from the discovery document's token endpoint, where it is a GUID.
    return TokenResponse.parse(client.acquire_token_for_client(scopes=[scope], claims_challenge=claims), client.authority.tenant)
