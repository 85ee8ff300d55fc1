# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Microsoft's token endpoint for a token, by certificate, with the distribution's msal.

Private to the collection. Source: "Microsoft identity platform application authentication certificate credentials".
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from ...._core.errors import MissingLibrary, SignInError, Unreachable
from ....error_catalog import entra
from .identity import Identity

TIMEOUT = 20  # seconds a request
ATTEMPTED = "get a token for sending"


class Acquire(Protocol):
    def __call__(self, settings: dict[str, Any], identity: Identity) -> dict[str, Any]:
        """The endpoint's answer, with access_token and expires_in (seconds); MailopsError says why there is none."""


def acquire(settings: dict[str, Any], identity: Identity) -> dict[str, Any]:
    """See Acquire. `settings`: authority, tenant, client_id and scope, of relay.json."""
    try:
        import msal
        import requests
    except ImportError as error:
        raise MissingLibrary("msal") from error
    credential = {"private_key": identity.key(), "thumbprint": identity.thumbprint(), "public_certificate": identity.certificate()}
    authority = f"{settings['authority']}/{settings['tenant']}"
    try:
        client = msal.ConfidentialClientApplication(
            settings["client_id"], authority=authority, client_credential=credential, timeout=TIMEOUT, instance_discovery=False
        )
        answer: dict[str, Any] = client.acquire_token_for_client(scopes=[settings["scope"]])
    except requests.RequestException as error:
        raise Unreachable(ATTEMPTED, f"{settings['authority']} cannot be reached or is out of order ({_short(error)})") from None
    except KeyError:  # msal's own mistake (1.32, MsalServiceError without its texts) where the endpoint answers 5xx
        raise Unreachable(ATTEMPTED, f"{settings['authority']} cannot be reached or is out of order") from None
    except (ValueError, OSError) as error:
        raise _refused({"error": "invalid_answer", "error_description": _short(error)}) from None
    if not answer.get("access_token"):
        raise _refused(answer)
    return answer


def _short(error: Exception) -> str:
    """The end of a chain of exceptions says what happened."""
    text = " ".join(str(error).split())
    return text if len(text) <= 200 else f"{text[:60]} ... {text[-135:]}"


def _refused(answer: dict[str, Any]) -> SignInError:
    said = str(answer.get("error_description") or answer.get("error") or "")
    codes = answer.get("error_codes") or re.findall(r"AADSTS(\d+)", said)
    code = f"AADSTS{codes[0]}" if codes else str(answer.get("error") or "")
    known = entra(codes[0] if codes else "", str(answer.get("error") or ""))
    return SignInError(ATTEMPTED, said.split("Trace ID:", maxsplit=1)[0], code=code, known=known, trace=str(answer.get("trace_id") or ""))
