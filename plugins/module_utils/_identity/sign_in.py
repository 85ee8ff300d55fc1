# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every way of signing in needs, and how an application signs in that has a credential of its own.

Private to the collection. Source: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .._core.errors import MissingLibrary
from .._http.clouds import Cloud
from .._http.transport import Transport

if TYPE_CHECKING:
    from .tokens import TokenCache


@dataclass(frozen=True)
class SignIn:
    """Where and as which application a token is asked for. `http` is msal's client on the collection's transport."""

    cloud: Cloud
    tenant: str
    client_id: str
    http: Any
    transport: Transport
    cache: TokenCache
    attempted: str

    @property
    def authority(self) -> str:
        return f"{self.cloud.authority}/{self.tenant}"


class Credential(Protocol):
    """One way of signing in."""

    def fingerprint(self) -> str:
        """What tells this credential from another, and nothing more of it."""

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> dict[str, Any]:
        """The token endpoint's answer, with the tenant's id as `tenant` where it is told; a refusal has `error`."""


def msal() -> types.ModuleType:
    """The library, imported when it is first needed."""
    try:
        import msal as library
    except ImportError as error:
        raise MissingLibrary("msal") from error
    return library


def public(sign_in: SignIn) -> Any:
    """msal's client of an application without a credential, which users sign in to."""
    return msal().PublicClientApplication(
        sign_in.client_id, authority=sign_in.authority, http_client=sign_in.http, instance_discovery=False
    )


def confidential(sign_in: SignIn, client_credential: Any, scope: str, claims: str | None) -> dict[str, Any]:
    """A token for the application itself."""
    # A new client a fetch: msal's own cache would answer a forced renewal from memory.
    client = msal().ConfidentialClientApplication(
        sign_in.client_id,
        authority=sign_in.authority,
        client_credential=client_credential,
        http_client=sign_in.http,
        instance_discovery=False,
    )
    answer: dict[str, Any] = client.acquire_token_for_client(scopes=[scope], claims_challenge=claims)
    # msal takes the tenant from the discovery document's token endpoint, where it is a GUID.
    return {**answer, "tenant": client.authority.tenant}
