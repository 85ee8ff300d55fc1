# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests an access token from Microsoft's token endpoint by certificate, with the distribution's msal.

Source: "Microsoft identity platform application authentication certificate credentials".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...._core.errors import MissingLibrary, SignInError, Unreachable
from ...._core.json_types import JsonObject
from ....error_catalog import entra
from ..config import AgentConfig
from .identity import Identity

TIMEOUT = 20  # seconds a request
ATTEMPTED = "get a token for sending"


@dataclass(frozen=True)
class TokenResponse:
    """`expires_in` in seconds."""

    access_token: str
    expires_in: int


class TokenRequest(Protocol):
    def __call__(self, config: AgentConfig, identity: Identity) -> TokenResponse:
        """A new access token. Raises MailopsError."""


def request_token(config: AgentConfig, identity: Identity) -> TokenResponse:
    """See TokenRequest."""
    try:
        import msal
        import requests
    except ImportError as error:
        raise MissingLibrary("msal") from error
    credential = {"private_key": identity.key(), "thumbprint": identity.thumbprint(), "public_certificate": identity.certificate()}
    authority = f"{config.authority}/{config.tenant}"
    try:
        client = msal.ConfidentialClientApplication(
            config.client_id, authority=authority, client_credential=credential, timeout=TIMEOUT, instance_discovery=False
        )
        answer: JsonObject = client.acquire_token_for_client(scopes=[config.scope])
    except requests.exceptions.InvalidURL:  # its text has parts of the proxy's URL, which may hold a password
        raise Unreachable(ATTEMPTED, f"the URL of the HTTP proxy (HTTPS_PROXY) or {config.authority} is not valid") from None
    except requests.RequestException as error:
        raise Unreachable(ATTEMPTED, f"{config.authority} cannot be reached or is out of order ({_shortened(error)})") from None
    except KeyError:  # a bug of msal 1.32: MsalServiceError without its texts where the endpoint answers 5xx
        raise Unreachable(ATTEMPTED, f"{config.authority} cannot be reached or is out of order") from None
    except (ValueError, OSError) as error:
        raise _refusal("invalid_answer", _shortened(error)) from None
    if not answer.get("access_token"):
        refusal, description = str(answer.get("error") or ""), str(answer.get("error_description") or "")
        raise _refusal(refusal, description, answer.get("error_codes") or (), str(answer.get("trace_id") or ""))
    return TokenResponse(str(answer["access_token"]), int(answer["expires_in"]))


def _shortened(error: Exception) -> str:
    """Begin and end of an exception's text: the end of a chain names the cause."""
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:60]} ... {text[-135:]}"


def _refusal(error: str, description: str, codes: Sequence[int] = (), trace_id: str = "") -> SignInError:
    """The failure that an error answer means (RFC 6749, section 5.2). `codes`: AADSTS numbers, else those in the description."""
    text = description or error
    numbers = [str(code) for code in codes] or re.findall(r"AADSTS(\d+)", text)
    number = numbers[0] if numbers else ""
    code = f"AADSTS{number}" if number else error
    return SignInError(ATTEMPTED, text.split("Trace ID:", maxsplit=1)[0], code=code, entry=entra(number, error), request_id=trace_id)
