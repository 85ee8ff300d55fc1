# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph v1.0: paging, $batch, error types.

Private to the collection. Sources: "Combine multiple HTTP requests using JSON batching", "Paging Microsoft Graph data",
"Microsoft Graph error responses and resource types".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from . import error_table
from .authorized import AuthorizedTransport
from .errors import GraphError
from .transport import Request, Response

BATCH = 20


@dataclass(frozen=True)
class Call:
    """One request of a batch. `path` starts after the version and holds its query."""

    method: str
    path: str
    body: Any = None
    attempted: str = "read from Graph"
    headers: dict[str, str] = field(default_factory=dict)


def key(value: str) -> str:
    """A value inside an OData key or filter: quotes doubled, percent-encoded."""
    return quote(value.replace("'", "''"), safe="")


class GraphClient:
    """The calls of Graph that the collection makes. Raises GraphError with one sentence where Graph refuses."""

    def __init__(self, authorized: AuthorizedTransport) -> None:
        self._authorized = authorized
        self._clock = authorized.transport.clock
        self._root = f"{authorized.base}/v1.0"

    def get(self, path: str, attempted: str) -> Any:
        """The object at a path, or None where there is none."""
        answer = self._send(Call("GET", path, attempted=attempted))
        return None if answer.status == 404 else self._body(answer, attempted)

    def every(self, path: str, attempted: str) -> list[dict]:
        """All objects of a collection, page after page."""
        found: list[dict] = []
        body = self._body(self._send(Call("GET", path, attempted=attempted)), attempted)
        while True:
            found += body.get("value", [])
            link = body.get("@odata.nextLink")
            if not link:
                return found
            body = self._body(self._authorized.send(Request("GET", link, attempted=attempted)), attempted)

    def write(self, call: Call, *, waits: Callable[[GraphError], bool] | None = None, limit: float = 0.0) -> Any:
        """Carry out one write; its answer's body, or None.

        `waits` says which refusals are replication lag: those are tried again for up to `limit` seconds.
        """
        return self.patiently(lambda: self._body(self._send(call), call.attempted), waits, limit)

    def patiently(self, action: Callable[[], Any], waits: Callable[[GraphError], bool] | None, limit: float) -> Any:
        """Do it again while the refusal is one that waiting helps, for at most `limit` seconds."""
        end = self._clock.now() + limit
        pause = 1.0
        while True:
            try:
                return action()
            except GraphError as error:
                if not (waits and waits(error)) or self._clock.now() + pause > end:
                    raise
            self._authorized.transport.pause(pause)
            self._authorized.transport.cost.count(retries=1)
            pause = min(pause * 2, 15.0)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The bodies of many requests, in their order, 20 a request; None for a 404. Throttled items are sent again."""
        bodies: list[Any] = []
        for start in range(0, len(calls), BATCH):
            bodies += self._batch(calls[start : start + BATCH])
        return bodies

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        answers: dict[int, Response] = {}
        policy = self._authorized.transport.policy
        for number in range(1, policy.tries + 1):
            open_items = [i for i in range(len(calls)) if i not in answers or answers[i].status in policy.throttled]
            if not open_items:
                break
            if answers:
                waits = [answers[i].headers.get("retry-after", "") for i in open_items]
                longest = max((w for w in waits if w.isdigit()), key=float, default=None)
                self._authorized.transport.pause(policy.wait(number - 1, longest))
                self._authorized.transport.cost.count(retries=1)
            answers.update(self._batch_once(calls, open_items))
        return [
            None if answers[i].status == 404 and call.method == "GET" else self._body(answers[i], call.attempted)
            for i, call in enumerate(calls)
        ]

    def _batch_once(self, calls: Sequence[Call], numbers: Sequence[int]) -> dict[int, Response]:
        items = []
        for i in numbers:
            item: dict[str, Any] = {"id": str(i), "method": calls[i].method, "url": calls[i].path}
            if calls[i].body is not None:
                item["body"] = calls[i].body
                item["headers"] = {"Content-Type": "application/json", **calls[i].headers}
            elif calls[i].headers:
                item["headers"] = calls[i].headers
            items.append(item)
        attempted = calls[numbers[0]].attempted
        repeatable = all(calls[i].method == "GET" for i in numbers)
        request = Request("POST", f"{self._root}/$batch", json={"requests": items}, repeatable=repeatable, attempted=attempted)
        body = self._body(self._authorized.send(request), attempted)
        found: dict[int, Response] = {}
        for item in body["responses"]:
            headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
            found[int(item["id"])] = _ItemResponse(int(item["status"]), headers, b"", item.get("body"))
        missing = [i for i in numbers if i not in found]
        if missing:
            raise GraphError(attempted, f"the batch's answer lacks {len(missing)} of its items", code="IncompleteBatch")
        return found

    def _send(self, call: Call) -> Response:
        request = Request(
            call.method,
            self._root + call.path,
            dict(call.headers),
            json=call.body,
            repeatable=call.method in ("GET", "DELETE", "PATCH", "PUT"),
            attempted=call.attempted,
        )
        return self._authorized.send(request)

    @staticmethod
    def _body(answer: Response, attempted: str) -> Any:
        if answer.status < 300:
            return answer.json() if answer.status != 204 else None
        raise error_of(answer, attempted)


class _ItemResponse(Response):
    """An item of a batch: its body comes decoded."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, decoded: Any) -> None:
        super().__init__(status, headers, body)
        self._decoded = decoded

    def json(self) -> Any:
        return self._decoded


def error_of(answer: Response, attempted: str) -> GraphError:
    """The failure that an answer of Graph means."""
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    error = error if isinstance(error, dict) else {}
    code = str(error.get("code") or f"HTTP {answer.status}")
    message = str(error.get("message") or answer.text[:200])
    if answer.status == 429:
        code = "TooManyRequests"
    inner = error.get("innerError") or {}
    trace = str(inner.get("request-id") or answer.headers.get("request-id") or "")
    known = error_table.graph(code, message)
    return GraphError(attempted, message, code=code, status=answer.status, known=known, trace=trace)
