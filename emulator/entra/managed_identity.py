"""The identity endpoints of Azure's machines and services: IMDS, App Service.

A managed identity is a service principal of the kind ManagedIdentity, without an application. Entra tells by
`alternativeNames` which it is: isExplicit=True a user-assigned one, isExplicit=False the machine's own. Served in plain
HTTP, as the platform does, on the admin port. Sources: "How to use managed identities on an Azure VM to acquire an access
token"; "How to use managed identities for App Service" (REST endpoint reference).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from emulator.entra.errors import EntraError
from emulator.entra.token import principal_claims, resource_of
from emulator.http import Request, Response
from emulator.platform import Platform
from emulator.state import EnterpriseApplication, Tenant

IMDS = "/metadata/identity/oauth2/token"
APP_SERVICE = "/msi/token"
EXCHANGE_AUDIENCE = re.compile(r"api://AzureADTokenExchange(USGov|China)?")


def handles(path: str) -> bool:
    return path in (IMDS, APP_SERVICE)


def handle(platform: Platform, request: Request) -> Response:
    asked = dict(parse_qsl(request.query))
    if request.method != "GET":
        return Response(405, {"error": "method_not_allowed"})
    if request.path == APP_SERVICE:
        return _app_service(platform, request, asked)
    if request.headers.get("metadata", "").lower() != "true":
        return _bad_request("Required metadata header not specified")
    if not asked.get("resource"):
        return _bad_request("Required query variable 'resource' is missing")
    try:
        token = _token(platform, asked["resource"], asked.get("client_id", ""))
    except LookupError:
        return _bad_request("Identity not found")
    except EntraError as error:
        return Response(400, {"error": "invalid_resource", "error_description": error.text})
    lifetime = str(platform.settings.token_lifetime)
    return Response(
        200, {"access_token": token, "expires_in": lifetime, "resource": asked["resource"], "token_type": "Bearer"} | _when(platform)
    )


def _app_service(platform: Platform, request: Request, asked: dict[str, str]) -> Response:
    header = str(platform.settings.options.get("identity_header") or "")
    if not header or request.headers.get("x-identity-header") != header:
        return Response(401, {"statusCode": 401, "message": "Unauthorized"})
    try:
        token = _token(platform, asked.get("resource", ""), asked.get("client_id", ""))
    except LookupError:
        return Response(400, {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId"})
    except EntraError as error:
        return Response(500, {"statusCode": 500, "message": error.text})
    return Response(200, {"access_token": token, "resource": asked["resource"], "token_type": "Bearer"} | _when(platform))


def _when(platform: Platform) -> dict[str, str]:
    now = int(platform.now)
    return {"expires_on": str(now + platform.settings.token_lifetime), "not_before": str(now)}


def _bad_request(text: str) -> Response:
    return Response(400, {"error": "invalid_request", "error_description": text})


def _identities(platform: Platform) -> Iterator[tuple[Tenant, EnterpriseApplication]]:
    for tenant in platform.state.tenants.values():
        for principal in tenant.enterprise_applications.values():
            if principal.properties.get("servicePrincipalType") == "ManagedIdentity":
                yield tenant, principal


def _token(platform: Platform, resource: str, client_id: str) -> str:
    """The token of a managed identity; LookupError where the host has none like this."""
    match = next((pair for pair in _identities(platform) if _is(pair[1], client_id)), None)
    if match is None:
        raise LookupError(client_id)
    tenant, principal = match
    platform.counters.count(tenant.id, "token")
    claims = principal_claims(platform, tenant, principal, principal.display_name)
    if EXCHANGE_AUDIENCE.fullmatch(resource):
        return platform.state.tokens.issue(claims | _exchange_claims(platform, tenant, resource))
    audience, roles = resource_of(platform, tenant, principal, f"{resource.rstrip('/')}/.default")
    return platform.state.tokens.issue(claims | {"aud": audience, "appidacr": "2"} | ({"roles": roles} if roles else {}))


def _exchange_claims(platform: Platform, tenant: Tenant, audience: str) -> dict[str, Any]:
    """A token for the exchange is of version 2.0; its issuer is the one that the tenant's discovery document names."""
    return {"aud": audience, "iss": f"{platform.providers.origin()}/{tenant.id}/v2.0", "ver": "2.0"}


def _is(principal: EnterpriseApplication, client_id: str) -> bool:
    if client_id:
        return principal.app_id == client_id.lower()
    return "isExplicit=True" not in principal.properties.get("alternativeNames", [])
