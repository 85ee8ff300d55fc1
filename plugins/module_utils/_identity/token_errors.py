# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure that an error answer of the token endpoint means."""

from __future__ import annotations

import re

from .. import error_catalog
from .._core.errors import SignInError
from .._core.json_types import JsonObject


def sign_in_error(attempted: str, answer: JsonObject) -> SignInError:
    """The failure with the AADSTS number, else the OAuth error, as its code (RFC 6749, section 5.2)."""
    description = str(answer.get("error_description") or answer.get("error") or "")
    codes = answer.get("error_codes") or re.findall(r"AADSTS(\d+)", description)
    number = str(codes[0]) if codes else ""
    error = str(answer.get("error") or "")
    return SignInError(
        attempted,
        description.split("Trace ID:", maxsplit=1)[0],
        code=f"AADSTS{number}" if number else error,
        entry=error_catalog.entra(number, error),
        request_id=str(answer.get("trace_id") or ""),
    )
