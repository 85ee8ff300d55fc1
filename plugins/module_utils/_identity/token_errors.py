# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure that an error answer of the token endpoint means."""

from __future__ import annotations

from .. import error_catalog
from .._core.errors import SignInError
from .token_response import TokenResponse


def sign_in_error(attempted: str, answer: TokenResponse) -> SignInError:
    """The failure with the AADSTS number, else the OAuth error, as its code (RFC 6749, section 5.2)."""
    return SignInError(
        attempted,
        answer.error_description.split("Trace ID:", maxsplit=1)[0],
        code=f"AADSTS{answer.error_code}" if answer.error_code else answer.error,
        entry=error_catalog.entra(answer.error_code, answer.error),
        request_id=answer.trace_id,
    )
