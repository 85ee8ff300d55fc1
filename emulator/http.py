"""Requests and responses as the services see them, and the ASGI application that carries them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class MalformedJsonError(Exception):
    """A body that should be a JSON object and is none."""


@dataclass
class Request:
    method: str
    path: str  # decoded, without the query
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    client: str = ""  # the address it came from

    @property
    def origin(self) -> str:
        """The HTTPS origin that the client called."""
        return f"https://{self.headers.get('host', 'localhost')}"

    def json_object(self) -> dict[str, Any]:
        try:
            result = json.loads(self.body)
        except ValueError as error:
            raise MalformedJsonError(str(error)) from error
        if not isinstance(result, dict):
            raise MalformedJsonError("not an object")
        return result


@dataclass
class Response:
    """`body`: a JSON document, bytes, or None."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    note: str | None = None  # for the service itself, never sent

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        if self.body is None:
            return b"", self.headers
        if isinstance(self.body, bytes):
            return self.body, self.headers
        if isinstance(self.body, str):
            return self.body.encode(), {"content-type": "text/plain; charset=utf-8"} | self.headers
        content = json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()
        return content, {"content-type": "application/json; charset=utf-8"} | self.headers


Handler = Callable[[Request], Response]
Latency = Callable[[], float]
Route = Callable[[Request], tuple[Handler, Latency]]
TICK = 0.05  # seconds after which a delayed answer reads its latency again: it can be changed


def asgi(route: Route) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """An ASGI application; `route` returns a request's handler and its latency in seconds."""

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        handler, latency = route(request)
        begin = time.monotonic()
        while (left := begin + latency() - time.monotonic()) > 0:
            await asyncio.sleep(min(TICK, left))
        response = handler(request)
        content, headers = response.encoded()
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        raw.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    return application


async def _read(scope: dict[str, Any], receive: Receive) -> Request:
    chunks = []
    more = True
    while more:
        event = await receive()
        chunks.append(event.get("body", b""))
        more = event.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    client = scope.get("client") or ("", 0)
    return Request(scope["method"], scope["path"], query, headers, b"".join(chunks), str(client[0]))
