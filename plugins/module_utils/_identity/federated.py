# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workload identity federation: a token of another issuer stands for the application's credential; no secret is kept.

Sources: "Workload identity federation"; GitHub, "OpenID Connect reference" (the request for
a job's token); GitLab, "OpenID Connect authentication using ID tokens".
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from .._core.errors import InvalidInput
from . import job_token, managed_identity
from .sign_in import SignIn, confidential
from .token_permissions import claims_of
from .token_response import TokenResponse, is_jwt


class Source(Protocol):
    """Where the foreign token comes from."""

    @property
    def name(self) -> str:
        """An identifier of this source."""

    def read(self, sign_in: SignIn) -> str:
        """The token as it is now: issuers make new ones while a run lasts."""

    def check(self) -> None:
        """InvalidInput says what is missing, before any request."""


@dataclass(frozen=True)
class TokenFile:
    """A file that the platform keeps up to date (Kubernetes), or that an earlier step wrote."""

    path: str

    @property
    def name(self) -> str:
        return f"file {self.path}"

    def read(self, sign_in: SignIn) -> str:
        return self._content()

    def check(self) -> None:
        self._content()

    def _content(self) -> str:
        try:
            text = Path(self.path).expanduser().read_text("ascii").strip()
        except (OSError, ValueError) as error:
            reason = "it is no text" if isinstance(error, UnicodeError) else getattr(error, "strerror", None) or error
            raise InvalidInput(f"m365_federated_token_file is {self.path}, which cannot be read: {reason}.") from error
        return _token(text, f"m365_federated_token_file is {self.path}, which holds")


@dataclass(frozen=True)
class TokenVariable:
    """An environment variable of the job (GitLab `id_tokens`, a credential type of Ansible Automation Platform)."""

    variable: str

    @property
    def name(self) -> str:
        return f"variable {self.variable}"

    def read(self, sign_in: SignIn) -> str:
        return self._content()

    def check(self) -> None:
        self._content()

    def _content(self) -> str:
        text = os.environ.get(self.variable, "").strip()
        if not text:
            raise InvalidInput(
                f"m365_federated_token_variable is {self.variable}, an environment variable that is not set: "
                "let the job have it (GitLab: id_tokens), or name another."
            )
        return _token(text, f"m365_federated_token_variable is {self.variable}, an environment variable that holds")


@dataclass(frozen=True)
class TokenRequest:
    """A URL that issues the job's token, by a token of its own (GitHub Actions)."""

    url: str
    bearer: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"request {self.url}"

    def check(self) -> None:
        if not self.bearer:
            raise InvalidInput(
                "m365_federated_request_url is set without m365_federated_request_token: give both, or leave both to GitHub Actions "
                "(ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN; the job needs the permission id-token: write)."
            )
        if not self.url.startswith("https://"):
            raise InvalidInput(f"m365_federated_request_url is {self.url!r}: give an https URL, as the token goes there.")

    def read(self, sign_in: SignIn) -> str:
        url = f"{self.url}{'&' if '?' in self.url else '?'}audience={quote(sign_in.cloud.federated_audience, safe='')}"
        headers = {"Authorization": f"Bearer {self.bearer}", "Accept": "application/json"}
        question = "does the job have the permission id-token: write, and is it still running?"
        return job_token.ask(sign_in, "GET", url, headers, key="value", question=question)


@dataclass(frozen=True)
class IdentityToken:
    """The token of a managed identity, made out for the exchange."""

    client_id: str

    @property
    def name(self) -> str:
        return f"managed identity {self.client_id}"

    def check(self) -> None:
        """A managed identity. Only the host's metadata endpoint reports whether there is one."""

    def read(self, sign_in: SignIn) -> str:
        return str(managed_identity.ask(sign_in, self.client_id, sign_in.cloud.federated_audience).access_token)


@dataclass(frozen=True)
class FederatedToken:
    """A credential that another issuer vouches for."""

    source: Source

    def acquire(self, sign_in: SignIn, scope: str, claims: str | None) -> TokenResponse:
        assertion = self.source.read(sign_in)
        return confidential(sign_in, {"client_assertion": lambda: assertion}, scope, claims)

    def identity(self, sign_in: SignIn) -> tuple[str, str]:
        """The issuer and the subject of the token (claims iss and sub), each "" where it cannot be read."""
        claims = claims_of(self.source.read(sign_in)) or {}
        return str(claims.get("iss") or ""), str(claims.get("sub") or "")

    def fingerprint(self) -> str:
        return f"federated {self.source.name}"


def _token(text: str, where: str) -> str:
    if not is_jwt(text):
        raise InvalidInput(f"{where} no token (a JSON Web Token is three parts joined by dots): give the issuer's token as it is.")
    return text
