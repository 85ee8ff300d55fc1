# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity that Azure gives a machine or a service: nothing is kept, the platform itself answers for it.

Private to the collection. msal knows the platforms: virtual machines (IMDS), App Service and Functions, Azure Arc,
Machine Learning. Source: "Managed identities for Azure resources"; MSAL for Python, ManagedIdentityClient.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .._core.errors import SignInError, Unreachable
from .._http.transport import Request
from .sign_in import SignIn, msal

SYSTEM = "system"
# What says that the platform has an identity for its workloads; a virtual machine says so to nobody who does not ask.
ENDPOINTS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")


@dataclass
class _Answer:
    """What msal reads of an HTTP answer."""

    status_code: int
    text: str
    headers: dict[str, str]


class _PlatformHttp:
    """msal's HTTP client towards the platform: on the collection's transport, and never answered from a cache."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def get(self, url: str, params: Any = None, headers: Any = None, **_other: Any) -> _Answer:
        query = f"?{urlencode(params)}" if params else ""
        answer = self._sign_in.transport.send(Request("GET", url + query, dict(headers or {}), attempted=self._sign_in.attempted))
        return _Answer(answer.status, answer.text, answer.headers)

    def close(self) -> None:
        """The transport is closed by its owner."""


@dataclass(frozen=True)
class ManagedIdentity:
    """A user-assigned identity by its client id, or the machine's own (`system`)."""

    client_id: str

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> dict[str, Any]:
        answer = ask(sign_in, self.client_id, scope.removesuffix("/.default"))
        return {**answer, "tenant": _tenant(answer["access_token"]) or sign_in.tenant}

    def fingerprint(self) -> str:
        return f"managed identity {self.client_id}"


def ask(sign_in: SignIn, client_id: str, resource: str) -> dict[str, Any]:
    """The platform's token for a resource. SignInError where there is no identity, or it is refused."""
    library = msal()
    system = client_id == SYSTEM
    identity = library.SystemAssignedManagedIdentity() if system else library.UserAssignedManagedIdentity(client_id=client_id)
    which = "system-assigned identity" if system else f"user-assigned identity {client_id}"
    try:
        answer: dict[str, Any] = library.ManagedIdentityClient(
            identity, http_client=_PlatformHttp(sign_in)
        ).acquire_token_for_client(resource=resource)  # fmt: skip
    except Unreachable as error:
        raise _refused(sign_in, f"no managed identity answers on this machine ({error.service_message})") from error
    except (library.ManagedIdentityError, ValueError, LookupError, AttributeError, OSError) as error:
        raise _refused(sign_in, f"the platform's answer for the {which} could not be used ({error or type(error).__name__})") from error
    if "access_token" not in answer:
        said = str(answer.get("error_description") or answer.get("error") or answer)
        raise _refused(sign_in, f"the platform has no token for the {which}: {said}")
    return answer


def _refused(sign_in: SignIn, said: str) -> SignInError:
    remedy = "Give the machine the identity in Azure, check m365_managed_identity_client_id, or choose another m365_auth_method."
    return SignInError(sign_in.attempted, f"{said[:200]}. {remedy}", code="managed_identity")


def _tenant(token: str) -> str:
    """The tenant that an identity's token is for; "" where the token does not tell."""
    try:
        part = token.split(".")[1]
        claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return str(claims.get("tid") or "")
    except (IndexError, ValueError, AttributeError):
        return ""
