# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: fetched by msal, shared by all tasks of a run, renewed once where the service asks for it.

Source: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from .._core.bounds import ROLE_PROPAGATION
from .._core.waiting import Retry
from .._http.clouds import SERVICES, Cloud
from .._http.transport import Transport
from .msal_http import TokenEndpointHttp
from .sign_in import Credential, SignIn
from .token_cache import TokenCache
from .token_errors import sign_in_error
from .token_permissions import TokenPermissions, permissions_of

# Seconds. A token with a shorter remaining life is fetched again: reading a long list must not outlive it.
MARGIN = 300.0


@dataclass(frozen=True)
class AccessToken:
    """A token as the run's cache holds it. `expires`: seconds since the epoch; `tenant`: the tenant's id, "" if unknown."""

    token: str = field(repr=False)
    expires: float
    tenant: str = ""


class TokenSource:
    """Access tokens of one application in one tenant. `scope` is an audience followed by /.default."""

    def __init__(
        self,
        cloud: Cloud,
        tenant: str,
        client_id: str,
        credential: Credential,
        cache: TokenCache,
        transport: Transport,
        wait_timeout: float = 0.0,
    ) -> None:
        self.cloud, self.tenant, self.client_id = cloud, tenant, client_id
        self._credential, self._cache, self._transport = credential, cache, transport
        self._fetched: set[str] = set()  # the tokens that this task has fetched itself
        self._wait_timeout = wait_timeout
        self._retry: Retry | None = None  # of requests that wait for a granted role

    def token(self, scope: str, life: float = MARGIN) -> str:
        """A token for the scope that is valid for `life` more seconds: the run's, else a new one."""
        cached = self._cached(scope, life)
        if cached:
            return cached.token
        with self._cache.locked(self._key(scope)):
            return (self._cached(scope, life) or self._fetch(scope, None)).token

    def tenant_id(self, scope: str) -> str:
        """The tenant's id, which the discovery document states and the cache keeps with the token."""
        self.token(scope)
        cached = self._cached(scope)
        return cached.tenant if cached and cached.tenant else self.tenant

    def fresh(self, scope: str) -> str:
        """A token from the token endpoint, whatever the run's cache holds. Verifies that the sign-in works."""
        with self._cache.locked(self._key(scope)):
            return self._fetch(scope, None).token

    def sign_in(self, attempted: str) -> SignIn:
        """What a credential needs to ask for a token."""
        http = TokenEndpointHttp(self._transport, attempted, self._cache)
        return SignIn(self.cloud, self.tenant, self.client_id, http, self._transport, self._cache, attempted)

    def renewed(self, scope: str, used: str, claims: str | None = None) -> str | None:
        """Another token than the refused one; with the `claims` of a challenge always a new one.

        None where this task has just fetched the refused one itself: a further token would be refused, too.
        """
        with self._cache.locked(self._key(scope)):
            cached = self._cached(scope)
            if cached and cached.token != used and not claims:
                return cached.token
            return None if used in self._fetched and not claims else self._fetch(scope, claims).token

    def permissions(self, scope: str) -> TokenPermissions | None:
        """The permissions of the token for the scope; None where its claims do not say."""
        return permissions_of(self.token(scope))

    def add_grants(self, app_id: str, service: str, names: Iterable[str] = ()) -> None:
        """Note that this run has granted an application a role, which takes effect after minutes (permission propagation).

        `names`: the permissions that new tokens for the service will contain; none where the role is not in tokens.
        """
        key = self._grants_key(app_id, service)
        with self._cache.locked(key):
            present = (self._cache.get(key) or {}).get("names", [])
            self._cache.put(key, {"names": sorted({*present, *names})})

    def await_grant(self, service: str) -> bool:
        """Wait where this run has granted this application a role of the service that is not effective yet, and fetch a new token.

        `service`: graph, exchange or management. False, without waiting, where it has granted none, where tokens contain all that was
        granted, or after m365_wait_timeout.
        """
        scope, grants = self.cloud.scope(service), self._cache.get(self._grants_key(self.client_id, service))
        if grants is None:
            return False
        permissions = self.permissions(scope)
        if service == "graph" and permissions and permissions.names >= set(grants["names"]):
            return False
        return self.await_role(service)

    def await_role(self, service: str) -> bool:
        """Wait for a role that is not effective yet, and fetch a new token. False, without waiting, after m365_wait_timeout.

        The time starts with the first wait of the task, whichever role it is for.
        """
        self._retry = self._retry or Retry(ROLE_PROPAGATION, self._transport, self._wait_timeout)
        if not self._retry.again():
            return False
        self._transport.cost.count(retries=1)
        self.fresh(self.cloud.scope(service))
        return True

    def _grants_key(self, app_id: str, service: str) -> str:
        parts = f"grants\n{self.cloud.authority}\n{self.tenant.lower()}\n{app_id.lower()}\n{service}"
        return hashlib.sha256(parts.encode()).hexdigest()

    def forget(self) -> None:
        """Drop this application's tokens: its roles have changed, and tokens contain the roles of the time of their issue."""
        for service in SERVICES:
            self._cache.forget(self._key(self.cloud.scope(service)))
        self._fetched.clear()

    def _cached(self, scope: str, life: float = MARGIN) -> AccessToken | None:
        document = self._cache.get(self._key(scope))
        cached = AccessToken(**document) if document else None
        return cached if cached and cached.expires - life > self._transport.clock.now() else None

    def _key(self, scope: str) -> str:
        """The cache key. The credential is part of it: a wrong one must not be hidden by a token that a right one got."""
        credential = self._credential.fingerprint()
        parts = f"{self.cloud.authority}\n{self.tenant.lower()}\n{self.client_id.lower()}\n{scope}\n{credential}"
        return hashlib.sha256(parts.encode()).hexdigest()

    def _fetch(self, scope: str, claims: str | None) -> AccessToken:
        who = f"application {self.client_id}" if self.client_id else "this machine's managed identity"
        attempted = f"sign in to {self.tenant} as {who}"
        answer = self._credential.acquire(self.sign_in(attempted), scope, claims)
        if answer.access_token is None:
            raise sign_in_error(attempted, answer)
        token = AccessToken(answer.access_token, self._transport.clock.now() + answer.expires_in, answer.tenant)
        self._cache.put(self._key(scope), asdict(token))
        self._fetched.add(token.token)
        return token
