"""Microsoft Entra's login host: discovery documents and the token endpoint."""

from __future__ import annotations

import re

from emulator.entra.discovery import authority_document, instance_document
from emulator.entra.errors import EntraError
from emulator.entra.token import device_authorization, find_tenant, token
from emulator.http import Request, Response
from emulator.platform import Platform

TOKEN_PATH = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
DEVICE_PATH = re.compile(r"/([^/]+)/oauth2/v2\.0/devicecode")
DISCOVERY_PATH = re.compile(r"/([^/]+)(?:/v2\.0)?/(\.well-known/openid-configuration|discovery(?:/v2\.0)?/keys)")
INSTANCE_PATH = "/common/discovery/instance"


def handles(path: str) -> bool:
    return path == INSTANCE_PATH or any(one.fullmatch(path) for one in (TOKEN_PATH, DEVICE_PATH, DISCOVERY_PATH))


def handle(platform: Platform, request: Request) -> Response:
    if request.path == INSTANCE_PATH:
        platform.counters.count(None, "discovery")
        return Response(200, instance_document(request))
    requested = TOKEN_PATH.fullmatch(request.path)
    if requested:
        return token(platform, request, requested.group(1))
    requested = DEVICE_PATH.fullmatch(request.path)
    if requested:
        return device_authorization(platform, request, requested.group(1))
    return _discovery(platform, request)


def _discovery(platform: Platform, request: Request) -> Response:
    match = DISCOVERY_PATH.fullmatch(request.path)
    if match is None or request.method != "GET":
        return Response(404)
    name, document = match.groups()
    if "keys" in document:
        platform.counters.count(None, "discovery")
        return Response(200, platform.state.tokens.keys())
    try:
        tenant = find_tenant(platform.state, name)
    except EntraError as error:
        platform.counters.count(None, "discovery")
        refused = error.response(platform.now, request.headers.get("client-request-id"))
        refused.body["error"] = "invalid_tenant"
        return refused
    platform.counters.count(tenant.id, "discovery")
    return Response(200, authority_document(request.origin, tenant, platform.cloud))
