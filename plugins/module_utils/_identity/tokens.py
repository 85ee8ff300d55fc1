# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: fetched by msal, shared by all tasks of a run, renewed once where the service asks for it.

Private to the collection. Source: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import error_catalog
from .._core.errors import SignInError
from .._http.clouds import SERVICES, Cloud
from .._http.transport import Request, Response, Transport
from .sign_in import Credential, SignIn

# A token with less life left than this is fetched anew: a long page read must not outlive it.
MARGIN = 300.0


class TokenCache:
    """Tokens of a run: in memory, and in a directory of mode 0700 where the run has one, one 0600 file a token.

    The directory goes with the run. Each file has a lock, so that parallel tasks and threads fetch a token once.
    """

    def __init__(self, directory: str | None = None) -> None:
        self._memory: dict[str, dict] = {}
        self._guard = threading.RLock()  # of the memory; the discovery document is fetched while a token is
        self._directory = Path(directory) if directory else None
        if self._directory:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        if not self._directory:
            with self._guard:
                yield
            return
        with open(self._directory / f"{key}.lock", "w", opener=_private) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def get(self, key: str) -> dict | None:
        if self._directory:
            try:
                return json.loads((self._directory / f"{key}.json").read_text())
            except (OSError, ValueError):
                return None
        return self._memory.get(key)

    def put(self, key: str, entry: dict) -> None:
        if not self._directory:
            self._memory[key] = entry
            return
        handle, name = tempfile.mkstemp(dir=self._directory)  # mkstemp makes it 0600
        with os.fdopen(handle, "w") as file:
            json.dump(entry, file)
        os.replace(name, self._directory / f"{key}.json")

    def forget(self, key: str) -> None:
        self._memory.pop(key, None)
        if self._directory:
            (self._directory / f"{key}.json").unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@dataclass
class _MsalResponse:
    """What msal reads of an HTTP answer."""

    status_code: int
    text: str = field(repr=False)
    headers: dict[str, str]

    def raise_for_status(self) -> None:
        """Nothing is left to raise: _MsalHttp has raised what msal could not read."""


class _MsalHttp:
    """msal's HTTP client, on the collection's transport: counted, retried, no redirects.

    It raises SignInError for the answers that msal would turn into errors without the service's own words.
    """

    def __init__(self, transport: Transport, attempted: str, discovery: TokenCache) -> None:
        self._transport, self._attempted, self._discovery = transport, attempted, discovery

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_other: Any) -> _MsalResponse:
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        request = Request("POST", url, dict(headers or {}), form=form, attempted=self._attempted)
        answer = self._transport.send(request)
        if answer.status in (400, 401) and isinstance(answer.json(), dict):
            return _MsalResponse(answer.status, answer.text, answer.headers)
        return self._usable(answer)

    def get(self, url: str, params: Any = None, headers: Any = None, **_other: Any) -> _MsalResponse:
        """msal only GETs the authority's discovery document, which is the same for every task of a run."""
        key = hashlib.sha256(f"discovery {url}".encode()).hexdigest()
        with self._discovery.locked(key):
            kept = self._discovery.get(key)
            if kept:
                return _MsalResponse(200, kept["text"], {})
            request = Request("GET", url, dict(headers or {}), attempted=self._attempted)
            usable = self._usable(self._transport.send(request))
            self._discovery.put(key, {"text": usable.text})
            return usable

    def close(self) -> None:
        """The transport is closed by its owner."""

    def _usable(self, answer: Response) -> _MsalResponse:
        body = answer.json()
        if answer.status == 200 and isinstance(body, dict):
            return _MsalResponse(200, answer.text, answer.headers)
        if isinstance(body, dict) and body.get("error"):
            raise sign_in_error(self._attempted, body)
        raise SignInError(
            self._attempted,
            f"HTTP {answer.status} without a sign-in service's words: check m365_cloud (its authority) and any proxy on the way.",
            code=f"HTTP {answer.status}",
            status=answer.status,
        )


class TokenSource:
    """Tokens of one application in one tenant. `scope` is an audience followed by /.default."""

    def __init__(self, cloud: Cloud, tenant: str, client_id: str, credential: Credential, cache: TokenCache, transport: Transport) -> None:
        self.cloud, self.tenant, self.client_id = cloud, tenant, client_id
        self._credential, self._cache, self._transport = credential, cache, transport
        self._own: set[str] = set()  # tokens that this task fetched itself

    def token(self, scope: str, life: float = MARGIN) -> str:
        """A token for the scope with this much life left: the run's, else a new one."""
        key = self._key(scope)
        entry = self._valid(key, life)
        if entry:
            return entry["token"]
        with self._cache.locked(key):
            entry = self._valid(key, life)
            return entry["token"] if entry else self._new(scope, None)

    def tenant_id(self, scope: str) -> str:
        """The tenant's id, as the sign-in service's discovery document tells it; kept beside the token."""
        self.token(scope)
        entry = self._valid(self._key(scope)) or {}
        return entry.get("tenant") or self.tenant

    def fresh(self, scope: str) -> str:
        """A token that was asked for just now, whatever the run's cache holds: proof that the sign-in works."""
        with self._cache.locked(self._key(scope)):
            return self._new(scope, None)

    def sign_in(self, attempted: str) -> SignIn:
        """What a way of signing in works with."""
        http = _MsalHttp(self._transport, attempted, self._cache)
        return SignIn(self.cloud, self.tenant, self.client_id, http, self._transport, self._cache, attempted)

    def renewed(self, scope: str, used: str, claims: str | None = None) -> str | None:
        """Another token than the refused one; with the `claims` of a challenge always a new one.

        None where this task has just fetched the refused one itself: another would say the same.
        """
        key = self._key(scope)
        with self._cache.locked(key):
            entry = self._valid(key)
            if entry and entry["token"] != used and not claims:
                return entry["token"]
            return None if used in self._own and not claims else self._new(scope, claims)

    def forget(self) -> None:
        """Drop this application's tokens: its roles have changed, and roles are baked into tokens."""
        for service in SERVICES:
            self._cache.forget(self._key(self.cloud.scope(service)))
        self._own.clear()

    def _valid(self, key: str, life: float = MARGIN) -> dict | None:
        entry = self._cache.get(key)
        return entry if entry and entry["expires"] - life > self._transport.clock.now() else None

    def _key(self, scope: str) -> str:
        """The credential belongs to it: a wrong one must not be hidden by the token that a right one brought."""
        credential = self._credential.fingerprint()
        parts = f"{self.cloud.authority}\n{self.tenant.lower()}\n{self.client_id.lower()}\n{scope}\n{credential}"
        return hashlib.sha256(parts.encode()).hexdigest()

    def _new(self, scope: str, claims: str | None) -> str:
        entry = self._fetch(scope, claims)
        self._cache.put(self._key(scope), entry)
        self._own.add(entry["token"])
        return entry["token"]

    def _fetch(self, scope: str, claims: str | None) -> dict:
        who = f"application {self.client_id}" if self.client_id else "this machine's managed identity"
        attempted = f"sign in to {self.tenant} as {who}"
        answer = self._credential.acquire(self.sign_in(attempted), scope, claims)
        if "access_token" not in answer:
            raise sign_in_error(attempted, answer)
        life = float(answer.get("expires_in", 3599))
        return {"token": answer["access_token"], "expires": self._transport.clock.now() + life, "tenant": answer.get("tenant", "")}


def sign_in_error(attempted: str, answer: dict) -> SignInError:
    """The failure that an error answer of the token endpoint means."""
    codes = answer.get("error_codes") or []
    description = str(answer.get("error_description") or answer.get("error") or "")
    number = str(codes[0]) if codes else ""
    if not number:
        found = re.search(r"AADSTS(\d+)", description)
        number = found.group(1) if found else ""
    error = str(answer.get("error") or "")
    return SignInError(
        attempted,
        description.split("Trace ID:", maxsplit=1)[0],
        code=f"AADSTS{number}" if number else error,
        entry=error_catalog.entra(number, error),
        request_id=str(answer.get("trace_id") or ""),
    )
