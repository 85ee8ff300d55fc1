# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token endpoint's answer. Sources: RFC 6749, sections 5.1 and 5.2; MSAL for Python, "Acquiring tokens"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._core.json_types import JsonObject

_DEFAULT_LIFE = 3599.0
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


def is_jwt(text: str) -> bool:
    """Whether a text has the form of a JSON Web Token."""
    return bool(_JWT.fullmatch(text))


@dataclass(frozen=True)
class TokenResponse:
    """A success has `access_token`, a refusal `error`; texts that the answer lacks are "".

    `expires_in`: seconds. `tenant`: the tenant's id, "" if unknown. `user`: the name of the user who signed in. `error_code`: the
    AADSTS number.
    """

    access_token: str | None = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: float
    tenant: str
    user: str
    error: str
    error_description: str
    error_code: str
    trace_id: str

    @classmethod
    def parse(cls, answer: JsonObject, tenant: str = "") -> TokenResponse:
        """From the dictionary that msal returns, or the JSON of an answer that is an error."""
        error = str(answer.get("error") or "")
        description = str(answer.get("error_description") or error)
        codes = answer.get("error_codes") or re.findall(r"AADSTS(\d+)", description)
        return cls(
            access_token=answer.get("access_token"),
            refresh_token=str(answer.get("refresh_token") or ""),
            expires_in=float(answer.get("expires_in", _DEFAULT_LIFE)),
            tenant=tenant,
            user=str((answer.get("id_token_claims") or {}).get("preferred_username") or ""),
            error=error,
            error_description=description,
            error_code=str(codes[0]) if codes else "",
            trace_id=str(answer.get("trace_id") or ""),
        )
