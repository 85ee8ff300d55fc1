"""Discovery documents of the login host ("OpenID Connect on the Microsoft identity platform")."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from emulator.clouds import Cloud
from emulator.http import Request
from emulator.state import Tenant


def authority_document(origin: str, tenant: Tenant, cloud: Cloud) -> dict[str, Any]:
    """The OpenID configuration of a tenant. Its endpoints have the tenant's id, also where the client asked by a domain."""
    base = f"{origin}/{tenant.id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{origin}/{tenant.id}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": cloud.instance_name,
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": cloud.graph[0],
    }


def instance_document(request: Request) -> dict[str, Any]:
    """The response to instance discovery: the emulated host is an authority of its own."""
    endpoint = parse_qs(request.query).get("authorization_endpoint", [request.origin + "/common"])[0]
    parts = urlsplit(endpoint)
    tenant = parts.path.strip("/").split("/")[0]
    host = request.headers.get("host", "localhost")
    return {
        "tenant_discovery_endpoint": f"{request.origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
