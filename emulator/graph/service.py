"""Microsoft Graph v1.0: the part that provisioning SMTP senders needs."""

from __future__ import annotations

from typing import Any

from emulator.graph import (  # noqa: F401 (they register their routes)
    application_activity,
    applications,
    conditional_access,
    consent,
    directory,
    federation,
    licences,
    principals,
    sign_ins,
    usage_reports,
)
from emulator.graph.batch import run_batch
from emulator.graph.call import Call, normal_path, options_of
from emulator.graph.dispatch import dispatch, refusal
from emulator.graph.errors import GraphError, bad_request
from emulator.http import MalformedJsonError, Request, Response
from emulator.platform import Platform
from emulator.state import Tenant, new_guid
from emulator.tokens import Claims, TokenError

TOKEN_TEXTS = {
    "audience": "Access token validation failure. Invalid audience.",
    "expired": "Lifetime validation failed, the token is expired.",
    "signature": "Access token validation failure. Signature is invalid.",
    "malformed": "IDX14100: JWT is not well formed, there are no dots (.).",
    "missing": "Access token is empty.",
    "tenant": "Access token validation failure. Invalid tenant.",
}


def handles(path: str) -> bool:
    return path.startswith(("/v1.0/", "/beta/"))


def handle(platform: Platform, request: Request) -> Response:
    """One HTTP request: checked, answered, counted and recorded."""
    client_request_id = request.headers.setdefault("client-request-id", new_guid())
    tenant: Tenant | None = None
    body: Any = None
    try:
        tenant, claims = _caller(platform, request)
        platform.counters.count(tenant.id, "graph")
        body = request.json_object() if request.body else None
        response = _answer(platform, tenant, claims, request, body)
    except GraphError as error:
        response = refusal(error, platform.now, request.headers)
        if tenant is None:
            platform.counters.count(None, "graph")
    except MalformedJsonError:
        text = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
        response = refusal(bad_request(text, "BadRequest"), platform.now, request.headers)
    response.headers.setdefault("request-id", new_guid())
    response.headers.setdefault("client-request-id", client_request_id)
    _record(platform, request, tenant, body, response.status)
    return response


def _caller(platform: Platform, request: Request) -> tuple[Tenant, Claims]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or not token:
            raise TokenError("missing")
        claims = platform.state.tokens.verify(token, "graph")
        tenant = platform.state.tenants.get(claims["tid"])
        if tenant is None:
            raise TokenError("tenant")
    except TokenError as error:
        challenge = {"WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common"'}
        raise GraphError(401, "InvalidAuthenticationToken", TOKEN_TEXTS[error.reason], challenge) from None
    return tenant, claims


def _answer(platform: Platform, tenant: Tenant, claims: Claims, request: Request, body: Any) -> Response:
    version, _, rest = request.path.strip("/").partition("/")
    call = Call(
        platform=platform,
        tenant=tenant,
        claims=claims,
        origin=request.origin,
        version=version,
        method=request.method,
        path=normal_path(f"/{rest}"),
        options=options_of(request.query),
        headers=request.headers,
        body=body or {},
    )
    return run_batch(call) if call.path == "/$batch" and call.method == "POST" else dispatch(call)


def _record(platform: Platform, request: Request, tenant: Tenant | None, body: Any, status: int) -> None:
    write = request.method != "GET"
    if request.path.endswith("/$batch") and isinstance(body, dict):
        inner = body.get("requests")
        items = inner if isinstance(inner, list) else []
        write = any(isinstance(item, dict) and item.get("method") != "GET" for item in items)
    platform.record.write(
        {
            "service": "graph",
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "body": body,
            "tenant": tenant.id if tenant else None,
            "status": status,
            "write": write,
        }
    )
