# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed identities: the platform issues the tokens, no credential is stored.

msal supports the platforms: virtual machines (IMDS), App Service and Functions, Azure Arc,
Machine Learning. Source: "Managed identities for Azure resources"; MSAL for Python, ManagedIdentityClient.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace

from .._core.errors import SignInError, Unreachable
from .._core.json_types import JsonObject
from .msal_http import PlatformHttp
from .sign_in import SignIn, msal
from .token_response import TokenResponse

SYSTEM = "system"
# Environment variables of platforms with managed identities. A virtual machine has none.
ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")


@dataclass(frozen=True)
class ManagedIdentity:
    """A user-assigned identity by its client id, or the system-assigned identity (`system`)."""

    client_id: str

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        answer = ask(sign_in, self.client_id, scope.removesuffix("/.default"))
        return replace(answer, tenant=_tenant(answer.access_token or "") or sign_in.tenant)

    def fingerprint(self) -> str:
        return f"managed identity {self.client_id}"


def ask(sign_in: SignIn, client_id: str, resource: str) -> TokenResponse:
    """The platform's token for a resource. SignInError where there is no identity, or it is refused."""
    library = msal()
    system = client_id == SYSTEM
    identity = library.SystemAssignedManagedIdentity() if system else library.UserAssignedManagedIdentity(client_id=client_id)
    which = "system-assigned identity" if system else f"user-assigned identity {client_id}"
    try:
        answer: JsonObject = library.ManagedIdentityClient(
            identity, http_client=PlatformHttp(sign_in.transport, sign_in.attempted)
        ).acquire_token_for_client(resource=resource)  # fmt: skip
    except Unreachable as error:
        raise _refused(sign_in, f"no managed identity answers on this machine ({error.service_message})") from error
    except (library.ManagedIdentityError, ValueError, LookupError, AttributeError, OSError) as error:
        raise _refused(sign_in, f"the platform's answer for the {which} could not be used ({error or type(error).__name__})") from error
    if "access_token" not in answer:
        message = str(answer.get("error_description") or answer.get("error") or answer)
        raise _refused(sign_in, f"the platform has no token for the {which}: {message}")
    return TokenResponse.parse(answer)


def _refused(sign_in: SignIn, problem: str) -> SignInError:
    remedy = "Give the machine the identity in Azure, check m365_managed_identity_client_id, or choose another m365_auth_method."
    return SignInError(sign_in.attempted, f"{problem[:200]}. {remedy}", code="managed_identity")


def _tenant(token: str) -> str:
    """The tenant's id in an access token (claim `tid`); "" where it has none."""
    try:
        part = token.split(".")[1]
        claims: JsonObject = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return str(claims.get("tid") or "")
    except (IndexError, ValueError, AttributeError):
        return ""
