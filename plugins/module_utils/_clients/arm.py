# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager: resources by id, pages, long-running operations, error types.

Sources: "Azure REST API reference"; "Track asynchronous Azure operations"; "Common error codes".
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import error_catalog
from .._core.bounds import ARM_OPERATION
from .._core.errors import ArmError
from .._core.json_types import JsonObject
from .._core.waiting import Retry
from .._http.transport import Request, Response
from .authorized import AuthorizedTransport

_DONE = ("Succeeded", "")


class ArmClient:
    """Calls of Azure Resource Manager. `limit`: seconds to wait for a long-running operation."""

    def __init__(self, authorized: AuthorizedTransport, limit: float) -> None:
        self._authorized, self._limit = authorized, limit

    def get(self, path: str, version: str, attempted: str) -> JsonObject | None:
        """The resource with this id, or None where there is none."""
        answer = self._send("GET", self._url(path, version), attempted)
        return None if answer.status == 404 else _body(answer, attempted)

    def every(self, path: str, version: str, attempted: str, query: str = "") -> list[JsonObject]:
        """All resources of a collection, page after page."""
        url = self._url(path, version) + query
        values: list[JsonObject] = []
        while url:
            body = _body(self._send("GET", url, attempted), attempted)
            values += body.get("value") or []
            url = body.get("nextLink") or ""
        return values

    def put(self, path: str, version: str, body: Mapping[str, object], attempted: str) -> None:
        self._wait_for_end(self._send("PUT", self._url(path, version), attempted, body), attempted)

    def delete(self, path: str, version: str, attempted: str) -> None:
        """Remove a resource; one that does not exist is no error."""
        answer = self._send("DELETE", self._url(path, version), attempted)
        if answer.status != 404:
            self._wait_for_end(answer, attempted)

    def _url(self, path: str, version: str) -> str:
        return f"{self._authorized.base}{path}?api-version={version}"

    def _send(self, method: str, url: str, attempted: str, body: Mapping[str, object] | None = None) -> Response:
        return self._authorized.send(Request(method, url, json=body, attempted=attempted))

    def _wait_for_end(self, answer: Response, attempted: str) -> None:
        """Wait until a long-running operation ends; its status is at the link in the answer's headers."""
        _body(answer, attempted)
        link = answer.headers.get("azure-asyncoperation") or (answer.headers.get("location") if answer.status == 202 else None)
        poll = Retry(ARM_OPERATION, self._authorized.transport, self._limit)
        while link:
            if not poll.again(answer.retry_after):
                raise ArmError(attempted, "the operation did not end in time", code="Timeout")
            answer = self._send("GET", link, attempted)
            body = _body(answer, attempted)
            status = str(body.get("status") or "")
            if answer.status != 202 and status in _DONE:
                return
            if status in ("Failed", "Canceled"):
                raise error_of(answer, attempted)


def _body(answer: Response, attempted: str) -> JsonObject:
    if answer.status >= 300:
        raise error_of(answer, attempted)
    body = answer.json()
    return body if isinstance(body, dict) else {}


def error_of(answer: Response, attempted: str) -> ArmError:
    """The failure that an answer of Azure Resource Manager means."""
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    code = "TooManyRequests" if answer.status == 429 else str(error.get("code") or f"HTTP {answer.status}")
    message = str(error.get("message") or answer.text[:200])
    request_id = answer.headers.get("x-ms-request-id", "")
    return ArmError(attempted, message, code=code, status=answer.status, entry=error_catalog.arm(code), request_id=request_id)
