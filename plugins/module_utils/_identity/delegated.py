# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's sign-in that is kept: the refresh token lies in a token store and is renewed at every use.

Sources: "OAuth 2.0 device authorization grant flow on the Microsoft identity platform";
"Refresh tokens in the Microsoft identity platform" (replaced at every use; 90 days without use end one).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from .._core.errors import InvalidInput, MailopsError, SignInError
from .device_code import Prompt, ask
from .sign_in import SignIn, public
from .token_errors import sign_in_error
from .token_response import TokenResponse
from .token_stores import TokenStore

# invalid_grant that no new sign-in mends: consent, Conditional Access, an account that is disabled or unknown.
_LASTING = {"AADSTS65001", "AADSTS53003", "AADSTS50057", "AADSTS50034", "AADSTS50020"}


class NotSignedIn(MailopsError):  # noqa: N818
    """The token store holds no refresh token."""


class SignInAgain(SignInError):  # noqa: N818
    """The refresh token is no good any more, and a new sign-in would be."""


@dataclass(frozen=True)
class StoredSignIn:
    """Tokens of a user by the refresh token in a token store. `keep`: whether the renewed one is stored (not in check mode)."""

    user: str
    token_store: TokenStore = field(repr=False)
    keep: bool = True

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        lock = hashlib.sha256(f"token_store {self.token_store.where} {self.user.lower()}".encode()).hexdigest()
        with sign_in.cache.locked(lock):
            held = self.token_store.read()
            if not held:
                raise NotSignedIn(
                    f"{self.user} has not signed in yet: {self.token_store.where} holds no refresh token; sign in (role delegated_sign_in)"
                )
            client = public(sign_in)
            answer = TokenResponse.parse(
                client.acquire_token_by_refresh_token(held, scopes=[scope], claims_challenge=claims), client.authority.tenant
            )
            if answer.access_token is None:
                raise refused(sign_in.tenant, self.user, answer)
            check_person(self.user, answer)
            # Stored before it is relied on: what was there before is used up only now.
            if self.keep and self.token_store.writable and answer.refresh_token:
                self.token_store.write(answer.refresh_token)
        return answer

    def fingerprint(self) -> str:
        return f"user {self.user.lower()} in {self.token_store.where}"


def sign_in_user(sign_in: SignIn, user: str, token_store: TokenStore, prompt: Prompt, scope: str, timeout: float) -> None:
    """Show a code, wait until the user has signed in with it, and store the refresh token."""
    answer = ask(public(sign_in), sign_in, scope, prompt, who=user, timeout=timeout)
    if answer.access_token is None:
        raise refused(sign_in.tenant, user, answer)
    check_person(user, answer)
    if not answer.refresh_token:
        raise InvalidInput(f"Entra gave no refresh token for {user}: consent to offline_access is missing (module entra_app).")
    token_store.write(answer.refresh_token)


def refused(tenant: str, user: str, answer: TokenResponse) -> SignInError:
    """The failure of a user's sign-in; SignInAgain where a new one would pass."""
    error = sign_in_error(f"sign in to {tenant} as {user}", answer)
    if answer.error not in ("invalid_grant", "interaction_required") or error.code in _LASTING:
        return error
    return SignInAgain(error.attempted, error.service_message, code=error.code, entry=error.entry, request_id=error.request_id)


def check_person(user: str, answer: TokenResponse) -> None:
    """Raise InvalidInput if another user signed in, which happens if the browser has a session of that user."""
    if answer.user and answer.user.lower() != user.lower():
        raise InvalidInput(f"{answer.user} signed in, not {user}: nothing was stored; sign in as {user}, or correct the user.")
