"""HTTP/1.1 connections of WinRM: one request after another, with the authentication that belongs to the connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.state import WindowsUser
from emulator.windows import faults, soap
from emulator.windows.authentication import Authenticator, Channel
from emulator.windows.endpoint import Endpoint
from emulator.windows.ntlm import ENCRYPTED_TYPE, MessageError

MOST_HEADER, MOST_BODY = 65536, 4_000_000
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 413: "Too Large", 500: "Error"}


@dataclass
class HttpRequest:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass
class HttpResponse:
    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def encoded(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}", "Server: Microsoft-HTTPAPI/2.0"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class CutError(Exception):
    """The connection ends without an answer."""


class StallError(Exception):
    """The connection stays open without an answer."""


class Connection:
    def __init__(self, endpoint: Endpoint, channel: Channel) -> None:
        self._endpoint = endpoint
        self._authenticator = Authenticator(endpoint.machine.host, channel)

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests until the client closes the connection."""
        try:
            while (request := await _read(reader)) is not None:
                if not self._endpoint.is_reachable():
                    raise CutError
                writer.write((await self.answer(request)).encoded())
                await writer.drain()
        except CutError:
            writer.transport.abort()
        except StallError:
            with contextlib.suppress(ConnectionError, OSError):
                while await reader.read(MOST_HEADER):
                    pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async def answer(self, request: HttpRequest) -> HttpResponse:
        if request.path.lower().rstrip("/") != "/wsman":
            return HttpResponse(404)
        if request.method != "POST":
            return HttpResponse(405)
        machine = self._endpoint.machine
        checked = self._authenticator.check(request.headers, machine.now)
        if checked.user is None:
            return HttpResponse(401, headers=[("WWW-Authenticate", one) for one in checked.challenges])
        if self._endpoint.fault(early=True):
            self._authenticator.refuse()
            return HttpResponse(401, headers=[("WWW-Authenticate", one) for one in self._authenticator.challenges()])
        headers = [("WWW-Authenticate", checked.token)] if checked.token else []
        sealed = request.headers.get("content-type", "").lower().startswith("multipart/encrypted")
        if not request.body:
            return HttpResponse(200, headers=[*headers, ("Content-Type", SOAP_TYPE)])
        if not sealed and not self._authenticator.encrypts:
            return HttpResponse(500, headers=headers)  # pywinrm's issues 129 and 208: 500 without a body
        try:
            operation = soap.read(self._opened(request.body) if sealed else request.body)
        except (soap.MalformedError, MessageError):
            return HttpResponse(400, headers=headers)
        status, body = await self._carried_out(operation, checked.user)
        if sealed and self._authenticator.negotiation:
            return HttpResponse(status, self._authenticator.negotiation.wrap(body), [*headers, ("Content-Type", ENCRYPTED_TYPE)])
        return HttpResponse(status, body, [*headers, ("Content-Type", SOAP_TYPE)])

    def _opened(self, body: bytes) -> bytes:
        """An encrypted body in plain text. The context is the connection's own: that of another connection cannot be used."""
        if self._authenticator.negotiation is None:
            raise MessageError("no security context")
        return self._authenticator.negotiation.unwrap(body)

    async def _carried_out(self, operation: soap.Operation, user: WindowsUser) -> tuple[int, bytes]:
        """The HTTP status and the envelope of an operation's answer."""
        fault = self._endpoint.fault(action=operation.name, target=operation.target)
        if fault and fault.name == "stall":
            raise StallError
        if fault and fault.name == "cut":
            if fault.options.get("applied"):
                await self._endpoint.handle(operation, user)
            raise CutError
        try:
            faults.play(fault)
            return 200, await self._endpoint.handle(operation, user)
        except faults.WsmanFault as error:
            return 500, soap.fault(operation, error, self._endpoint.machine.host.name)


async def _read(reader: asyncio.StreamReader) -> HttpRequest | None:
    """The next request; None where the client has closed the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, *_ = [*first.split(" "), "", ""]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length") or 0)
    if length > MOST_BODY:
        raise ConnectionError("a body that is too long")
    return HttpRequest(method, path, headers, await reader.readexactly(length))
