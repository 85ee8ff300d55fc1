# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for a pipeline job's identity token, as GitHub Actions and Azure Pipelines answer it."""

from __future__ import annotations

from .._core.errors import SignInError
from .._http.transport import Request
from .sign_in import SignIn
from .token_response import is_jwt

_ATTEMPTED = "get this job's identity token"


def ask(sign_in: SignIn, method: str, url: str, headers: dict[str, str], *, key: str, question: str) -> str:
    """The token that the answer has under `key`. SignInError with `question`, what to look at, where it has none.

    An answer with HTTP 200 is not quoted: it could hold a token.
    """
    answer = sign_in.transport.send(Request(method, url, headers, attempted=_ATTEMPTED))
    body = answer.json()
    token = str(body.get(key) or "") if isinstance(body, dict) else ""
    if answer.status == 200 and is_jwt(token):
        return token
    text = "without a token" if answer.status == 200 else answer.text[:200]
    raise SignInError(_ATTEMPTED, f"HTTP {answer.status} {text} ({question})", code=f"HTTP {answer.status}", status=answer.status)
