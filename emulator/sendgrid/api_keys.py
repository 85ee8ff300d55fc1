"""API keys of SendGrid: list, create, read, rename, change permissions, remove.

Sources: SendGrid's OpenAPI document (tsg_api_keys_v3); "API Keys"; clients of the API for the permissions that SendGrid adds. A key is
shown once. Its names need not be unique. A removed key is accepted for a moment (lag kind sendgrid_key).
"""

from __future__ import annotations

import math
import re
import secrets
import string
from collections.abc import Callable
from typing import Any

from emulator.http import Response
from emulator.sendgrid.call import ADDED_SCOPES, Call
from emulator.sendgrid.documents import SendGridError, forbidden, not_found
from emulator.state.sendgrid import SendGridKey

_PATH = re.compile(r"/v3/api_keys(?:/([^/]+))?")
_LIMIT = 100
_ALPHABET = string.ascii_letters + string.digits + "-_"
_SCOPES = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


def handles(path: str) -> bool:
    return _PATH.fullmatch(path) is not None


def answer(call: Call) -> Response:
    match, method = _PATH.fullmatch(call.path), call.request.method
    identifier = match[1] if match else None
    operations: dict[tuple[str, bool], Callable[[], Response]] = {
        ("GET", False): lambda: _list(call),
        ("POST", False): lambda: _create(call),
        ("GET", True): lambda: _read(_key(call, identifier)),
        ("PUT", True): lambda: _change(call, _key(call, identifier), "scopes"),
        ("PATCH", True): lambda: _change(call, _key(call, identifier)),
        ("DELETE", True): lambda: _remove(call, _key(call, identifier)),
    }
    if (method, identifier is not None) not in operations:
        raise SendGridError(405, "method not allowed")
    call.require(f"api_keys.{_SCOPES[method]}")
    return operations[method, identifier is not None]()


def _listed(call: Call) -> list[SendGridKey]:
    return [one for one in call.account.keys if not one.removed]


def _key(call: Call, identifier: str | None) -> SendGridKey:
    match = next((one for one in _listed(call) if one.id == identifier), None)
    if match is None:
        raise not_found()
    return match


def _document(key: SendGridKey) -> dict[str, Any]:
    return {"api_key_id": key.id, "name": key.name}


def _list(call: Call) -> Response:
    limit = call.query("limit").get("limit", f"{_LIMIT}")
    if not limit.isdecimal():
        raise SendGridError(400, "invalid query parameter", "limit")
    return Response(200, {"result": [_document(one) for one in _listed(call)[: int(limit)]]})


def _read(key: SendGridKey) -> Response:
    return Response(200, {"result": [_document(key) | {"scopes": [*key.scopes, *ADDED_SCOPES]}]})


def _create(call: Call) -> Response:
    """Without `scopes` the key has every permission of the key that creates it."""
    name, scopes = _values(call, "scopes")
    if len(_listed(call)) >= _LIMIT:
        raise SendGridError(403, "Cannot create more than 100 API Keys")
    now, account = call.platform.now, call.account
    if now < account.key_created + account.key_interval:
        response = SendGridError(429, "too many requests").response()
        response.headers["x-ratelimit-reset"] = f"{math.ceil(account.key_created + account.key_interval)}"
        return response
    value = f"SG.{_random(22)}.{_random(43)}"
    created = SendGridKey(value, list(call.key.scopes if scopes is None else scopes), name)
    account.keys.append(created)
    account.key_created = now
    return Response(201, {"api_key": value, **_document(created), "scopes": [*created.scopes, *ADDED_SCOPES]})


def _change(call: Call, key: SendGridKey, *more: str) -> Response:
    name, scopes = _values(call, *more)
    key.name = name
    if scopes is not None:
        key.scopes = list(scopes)
    return Response(200, _document(key))


def _remove(call: Call, key: SendGridKey) -> Response:
    end = call.platform.after("sendgrid_key")
    key.removed = end
    if not end:
        call.account.keys.remove(key)
    return Response(204)


def _values(call: Call, *more: str) -> tuple[str, list[str] | None]:
    """Name and permissions. A key cannot give a permission that it lacks."""
    body = call.body or {}
    unknown = sorted(body.keys() - {"name", *more})
    if unknown:
        raise SendGridError(400, f"invalid value for {unknown[0]}", unknown[0])
    name, scopes = body.get("name"), body.get("scopes")
    if not isinstance(name, str) or not name.strip():
        raise SendGridError(400, "missing required argument", "name")
    if scopes is not None and (not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes)):
        raise SendGridError(400, "invalid value for scopes", "scopes")
    if scopes is not None and set(scopes) - {*call.key.scopes, *ADDED_SCOPES}:
        raise forbidden()
    return name, None if scopes is None else [one for one in scopes if one not in ADDED_SCOPES]


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
