"""Identity providers of others: pipelines and clusters that issue tokens for their workloads, with discovery and keys.

One key signs for all of them. Issuers with a public host name (https://token.actions.githubusercontent.com) are
played under a path of the emulator's own, as nothing here leaves loopback. Sources: OpenID Connect Discovery 1.0; GitHub,
"OpenID Connect reference"; RFC 7517; Azure SDK for Python, AzurePipelinesCredential (the request of a job of Azure Pipelines).
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.http import Request, Response
from emulator.tokens import signed_claims

# Emulated issuers with their public names.
WELL_KNOWN = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
}
PATH = re.compile(r"/oidc/([\w.-]+)/(\.well-known/openid-configuration|keys|idtoken|oidctoken)")
# Its jobs ask by POST, for the token of a service connection, which is valid for ten minutes.
AZURE_PIPELINES, AZURE_LIFETIME = "azure-devops", 600.0
AUDIENCE = "api://AzureADTokenExchange"
KEY_ID = "played"


class UnknownIssuerError(Exception):
    """No identity provider has this issuer."""


@dataclass
class Job:
    """A running job of a pipeline: whom its tokens are about, and the bearer that it may ask for one with."""

    issuer: str
    claims: dict[str, Any]


@dataclass
class Providers:
    """The emulated identity providers. `origins`: the emulator's own, below which every name is an issuer."""

    now: Callable[[], float]
    origins: set[str]
    jobs: dict[str, Job] = field(default_factory=dict)  # by bearer

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def issuer(self, name: str) -> str:
        """`iss` of an identity provider's tokens."""
        return WELL_KNOWN.get(name) or f"{self.origin()}/oidc/{name}"

    def known(self, issuer: str) -> bool:
        return issuer in WELL_KNOWN.values() or any(re.fullmatch(rf"{re.escape(one)}/oidc/[\w.-]+", issuer) for one in self.origins)

    def issue(self, name: str, claims: dict[str, Any], lifetime: float = 300.0) -> str:
        """A token as the provider would give it; `claims` come before what is filled in."""
        now = int(self.now())
        filled = {"iss": self.issuer(name), "iat": now, "nbf": now, "exp": now + int(lifetime), "jti": secrets.token_hex(16)}
        return jwt.encode(filled | claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def verified(self, token: str, issuer: str) -> dict[str, Any]:
        """The claims of a token, its signature checked. Raises UnknownIssuerError or jwt's InvalidTokenError."""
        if not self.known(issuer):
            raise UnknownIssuerError(issuer)
        return signed_claims(token, self._key.public_key(), "RS256")

    def start_job(self, name: str, claims: dict[str, Any]) -> dict[str, str]:
        """What a job of a pipeline finds in its environment: where it may ask for tokens, and with which bearer."""
        bearer = secrets.token_urlsafe(48)
        self.jobs[bearer] = Job(name, claims)
        path = "oidctoken" if name == AZURE_PIPELINES else "idtoken?api-version=2.0"
        return {"url": f"{self.origin()}/oidc/{name}/{path}", "token": bearer}

    def handle(self, request: Request) -> Response:
        match = PATH.fullmatch(request.path)
        if match is None or request.method != ("POST" if match[2] == "oidctoken" else "GET"):
            return Response(404)
        name, what = match.groups()
        if what in ("idtoken", "oidctoken"):
            return self._job_token(request, name)
        base = f"{request.origin}/oidc/{name}"
        if what == "keys":
            return Response(200, {"keys": [self._public()]})
        return Response(
            200,
            {
                "issuer": self.issuer(name),
                "jwks_uri": f"{base}/keys",
                "subject_types_supported": ["public"],
                "response_types_supported": ["id_token"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
            },
        )

    def _job_token(self, request: Request, name: str) -> Response:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        job = self.jobs.get(bearer)
        if scheme.lower() != "bearer" or job is None or job.issuer != name:
            return Response(401, {"message": "Unauthorized"})
        if request.method == "POST":
            return self._pipeline_token(request, job)
        audience = parse_qs(request.query).get("audience", [f"https://{name}.invalid"])[0]
        return Response(200, {"count": 1, "value": self.issue(name, {"aud": audience} | job.claims)})

    def _pipeline_token(self, request: Request, job: Job) -> Response:
        """The claim `service_connection` of the job is the ID that its steps may use."""
        query = parse_qs(request.query)
        claims = dict(job.claims)
        if query.get("api-version") != ["7.1"] or query.get("serviceConnectionId", [None])[0] != claims.pop("service_connection", None):
            return Response(400, {"message": "The request is invalid."})
        return Response(200, {"oidcToken": self.issue(job.issuer, {"aud": AUDIENCE} | claims, AZURE_LIFETIME)})

    def origin(self) -> str:
        """The emulator's own origin."""
        return min(self.origins, default="https://localhost")

    def _public(self) -> dict[str, Any]:
        numbers = self._key.public_key().public_numbers()
        modulus = base64.urlsafe_b64encode(numbers.n.to_bytes(256, "big")).decode().rstrip("=")
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": modulus, "e": "AQAB"}


def handles(path: str) -> bool:
    return PATH.fullmatch(path) is not None
