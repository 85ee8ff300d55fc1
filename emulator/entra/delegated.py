"""Tokens of a user through an application: scopes, consent, and the three tokens that are issued.

Sources: "OAuth 2.0 device authorization grant flow" and "Refresh tokens in the Microsoft identity platform"; claims as
in "Access token claims reference" and "ID token claims reference".
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

from emulator.entra.errors import EntraError
from emulator.http import Response
from emulator.platform import Platform
from emulator.state import Application, EnterpriseApplication, Mailbox, RefreshToken, Tenant
from emulator.state.sign_in import digest
from emulator.tokens import EXCHANGE_APP, GRAPH_APP

# Scopes of OpenID Connect: they belong to no resource, and the emulator asks no consent for them.
OIDC = ("openid", "profile", "email", "offline_access")
# A consent that is registered under Graph's scope of the same name serves Exchange, too.
LEGACY_PROTOCOLS = {"SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All"}


@dataclass(frozen=True)
class Client:
    """The application that asks, in the tenant it asks in. `method`: how it proved itself (appidacr), "0" a public client."""

    platform: Platform
    tenant: Tenant
    application: Application
    principal: EnterpriseApplication
    method: str
    origin: str


@dataclass(frozen=True)
class RequestedScopes:
    """A scope parameter, taken apart."""

    identifier: str  # of the resource, as the client wrote it: the token's audience
    resources: list[EnterpriseApplication]
    names: list[str]  # of the resource's scopes; empty: .default
    oidc: list[str]


def parse_scope(client: Client, scope: str) -> RequestedScopes:
    parts = scope.split()
    if not parts:
        raise EntraError(900144, parameter="scope")
    oidc = [part for part in parts if part in OIDC]
    named = [part.rpartition("/") for part in parts if part not in OIDC]
    identifiers = {(identifier or GRAPH_APP).rstrip("/") for identifier, _, _ in named}
    if len(identifiers) > 1:
        raise EntraError(28000)
    identifier = identifiers.pop() if identifiers else GRAPH_APP
    matches = (client.tenant.enterprise_application(app_id) for app_id in client.platform.state.tokens.resources(identifier))
    resources = [resource for resource in matches if resource]
    if not resources:
        raise EntraError(500011, resource=identifier, tenant=client.tenant.display_name)
    names = [name for _, _, name in named]
    offered = {offer["value"] for resource in resources for offer in resource.scopes}
    for name in names:
        if name != ".default" and name not in offered:
            raise EntraError(650053, app=client.application.display_name, scope=name, resource=identifier)
    return RequestedScopes(identifier, resources, [] if ".default" in names else names, oidc)


def consented(client: Client, user: Mailbox, requested: RequestedScopes) -> list[str]:
    """The scopes of the resource that the application may use for this user now: all of them, as Entra issues them."""
    known = {resource.id: {offer["value"] for offer in resource.scopes} for resource in requested.resources}
    graph = client.tenant.enterprise_application(GRAPH_APP)
    exchange = any(resource.app_id == EXCHANGE_APP for resource in requested.resources)
    result: dict[str, None] = {}
    for grant in client.tenant.delegated_grants.values():
        if grant.client_id != client.principal.id or grant.principal_id not in (None, user.user_id):
            continue
        if grant.effective_from > client.platform.now:
            continue
        fitting = known.get(grant.resource_id, set())
        if exchange and graph and grant.resource_id == graph.id:
            fitting = fitting | LEGACY_PROTOCOLS
        result |= dict.fromkeys(name for name in grant.scope.split() if name in fitting)
    return list(result)


def check_consent(client: Client, user: Mailbox, requested: RequestedScopes) -> list[str]:
    """The consented scopes, if they include all requested scopes."""
    result = consented(client, user, requested)
    only_oidc = not requested.names and requested.identifier == GRAPH_APP
    if set(requested.names) - set(result) or not (result or only_oidc):
        raise EntraError(65001, app=client.application.app_id, name=client.application.display_name)
    return result


def issue(client: Client, user: Mailbox, scope: str, *, mfa: bool, claims_request: str = "") -> Response:
    """The answer with an access token, and where the scope asks for them a refresh token and an ID token."""
    requested = parse_scope(client, scope)
    names = check_consent(client, user, requested)
    lifetime = client.platform.settings.token_lifetime
    access = _access_claims(client, user, requested, names, mfa=mfa)
    if claims_request:
        access["xms_ev"] = claims_request  # a claims challenge was answered
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join([f"{requested.identifier}/{name}" for name in names] or requested.oidc),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": client.platform.state.tokens.issue(access),
    }
    if "offline_access" in requested.oidc:
        body["refresh_token"] = _refresh_token(client, user, scope, mfa=mfa)
    if "openid" in requested.oidc:
        body["id_token"] = client.platform.state.tokens.issue(_id_claims(client, user))
        body["client_info"] = _encoded(json.dumps({"uid": user.user_id, "utid": client.tenant.id}).encode())
    return Response(200, body, {"cache-control": "no-store", "pragma": "no-cache"})


def _access_claims(client: Client, user: Mailbox, requested: RequestedScopes, names: list[str], *, mfa: bool) -> dict[str, Any]:
    now = int(client.platform.now)
    issuer = f"{client.platform.cloud.issuer}{client.tenant.id}/"
    return {
        "aud": requested.identifier,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + client.platform.settings.token_lifetime,
        "acr": "1",
        "amr": ["pwd", "mfa"] if mfa else ["pwd"],
        "app_displayname": client.application.display_name,
        "appid": client.application.app_id,
        "appidacr": client.method,
        "idp": issuer,
        "idtyp": "user",
        "name": user.display_name,
        "oid": user.user_id,
        "scp": " ".join(names),
        "sub": _subject(client, user),
        "tid": client.tenant.id,
        "unique_name": user.address,
        "upn": user.address,
        "uti": _encoded(secrets.token_bytes(16)),
        "ver": "1.0",
        "wids": user.user.directory_roles,
    }


def _id_claims(client: Client, user: Mailbox) -> dict[str, Any]:
    now = int(client.platform.now)
    return {
        "aud": client.application.app_id,
        "iss": f"{client.origin}/{client.tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + client.platform.settings.token_lifetime,
        "name": user.display_name,
        "oid": user.user_id,
        "preferred_username": user.address,
        "sub": _subject(client, user),
        "tid": client.tenant.id,
        "ver": "2.0",
    }


def _subject(client: Client, user: Mailbox) -> str:
    """Pairwise: another one for every application."""
    return digest(f"{client.application.app_id}/{user.user_id}")[:43]


def _refresh_token(client: Client, user: Mailbox, scope: str, *, mfa: bool) -> str:
    """A new one at every use; the one before stays good until it is revoked or expires, as Microsoft's do."""
    value = f"1.{secrets.token_urlsafe(96)}"
    result = RefreshToken(digest(value), client.application.app_id, user.user_id, scope, client.platform.now, mfa)
    client.tenant.refresh_tokens[result.digest] = result
    return value


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
