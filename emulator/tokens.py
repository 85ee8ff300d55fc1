"""Access tokens: signed by a key of the emulator's own, checked by every service that takes one.

The shape of an app-only token is "Access token claims reference" (Microsoft identity platform), version 1.0.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.clouds import CLOUDS, Cloud

EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"  # Office 365 Exchange Online
GRAPH_APP = "00000003-0000-0000-c000-000000000000"  # Microsoft Graph
MANAGEMENT_APP = "797f4846-ba00-4fd7-ba43-dac1f8f63013"  # Azure Resource Manager
ACS_APP = "1fd5118e-2576-4263-8130-9503064c837a"  # Azure Communication Services
SERVICES = {"graph": GRAPH_APP, "exchange": EXCHANGE_APP, "management": MANAGEMENT_APP, "acs": ACS_APP}
IN_NO_TENANT = {MANAGEMENT_APP, ACS_APP}  # take tokens of tenants that have no service principal of theirs

HOSTS = {service: {host for cloud in CLOUDS.values() for host in cloud.hosts(service)} for service in SERVICES}

Claims = dict[str, Any]


MOST_CHECKED = 5_000  # tokens whose signature is not checked again: enough for two of each of 500 tenants


class TokenError(Exception):
    """A token that a service does not take; `reason`: malformed, signature, expired, audience."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signed_claims(token: str, key: rsa.RSAPublicKey, algorithm: str) -> Claims:
    """Claims of a JWT whose signature is checked; its times are compared with the emulator's clock elsewhere."""
    claims: Claims = jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False, "verify_sub": False},
    )
    return claims


class Tokens:
    """Issues access tokens and checks them. `origins` are the emulator's own: as an audience they fit every service.

    Where one `cloud` is played, only its own audiences fit.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._checked: dict[str, Claims] = {}
        self.origins: set[str] = set()
        self.cloud: Cloud | None = None

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _kid(self) -> str:
        modulus = self._key.public_key().public_numbers().n.to_bytes(256, "big")
        return base64.urlsafe_b64encode(hashlib.sha256(modulus).digest()[:20]).decode().rstrip("=")

    def keys(self) -> dict[str, Any]:
        """The keys document (JWK Set, RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        modulus = base64.urlsafe_b64encode(numbers.n.to_bytes(256, "big")).decode().rstrip("=")
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self._kid, "n": modulus, "e": "AQAB"}]}

    def resources(self, identifier: str) -> list[str]:
        """The resource applications (appId) that an identifier from a scope names; the own origin names both."""
        if identifier.rstrip("/") in self.origins and self.cloud is None:
            return list(SERVICES.values())
        host = urlsplit(identifier).hostname if identifier.startswith("https://") else None
        hosts = {service: self.cloud.hosts(service) if self.cloud else HOSTS[service] for service in SERVICES}
        return [app for service, app in SERVICES.items() if host in hosts[service] or identifier == app]

    def issue(self, claims: Claims) -> str:
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid, "x5t": self._kid})

    def verify(self, token: str, service: str) -> Claims:
        """The claims of a token that `service` (graph or exchange, SMTP being exchange) takes, else TokenError."""
        claims = self._checked.get(token)
        if claims is None:
            claims = self._signed(token)
            if len(self._checked) >= MOST_CHECKED:
                self._checked.pop(next(iter(self._checked)))  # the oldest; it would only be checked again
            self._checked[token] = claims
        if claims["exp"] <= self._now():
            raise TokenError("expired")
        if SERVICES[service] not in self.resources(claims["aud"]):
            raise TokenError("audience")
        return claims

    def own_claims(self, token: str) -> Claims:
        """Claims of a token of Entra, its signature checked. Raises jwt's InvalidTokenError."""
        return signed_claims(token, self._key.public_key(), "RS256")

    def _signed(self, token: str) -> Claims:
        try:
            claims = self.own_claims(token)
        except jwt.InvalidSignatureError as error:
            raise TokenError("signature") from error
        except jwt.InvalidTokenError as error:
            raise TokenError("malformed") from error
        if not {"exp", "aud", "tid", "appid"} <= claims.keys():
            raise TokenError("malformed")
        return claims
