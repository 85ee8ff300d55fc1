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

from .. import error_catalog
from .._core.errors import GraphError
from .._http.transport import ItemResponse, Request, Response, longest_wait
from .authorized import AuthorizedTransport

BATCH = 20
_REPEATABLE = ("GET", "DELETE", "PATCH", "PUT")
_GONE_IS_FINE = ("GET", "DELETE")  # 404: None is what a read finds, and what a removal wants


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
        return self.read(Call("GET", path, attempted=attempted))

    def read(self, call: Call) -> Any:
        """The object that a GET asks for, or None where there is none."""
        answer = self._send(call)
        return None if answer.status == 404 else self._body(answer, call.attempted)

    def every(self, path: str, attempted: str, *, pace: float = 0.0) -> list[dict]:
        """All objects of a collection, page after page; `pace` seconds lie between two pages, where a service wants that."""
        body = self._body(self._send(Call("GET", path, attempted=attempted)), attempted)
        return list(self._whole(body, attempted, pace)["value"])

    def _whole(self, body: dict, attempted: str, pace: float = 0.0) -> dict:
        """A collection with the objects of all its pages: links are followed one by one, outside of any batch."""
        values = list(body.get("value", []))
        link = body.get("@odata.nextLink")
        while link:
            if pace:
                self._authorized.transport.pause(pace)
            page = self._body(self._authorized.send(Request("GET", link, attempted=attempted)), attempted)
            values += page.get("value", [])
            link = page.get("@odata.nextLink")
        return {**body, "value": values}

    def write(self, call: Call, *, waits: Callable[[GraphError], bool] | None = None, limit: float = 0.0) -> Any:
        """Carry out one write; its answer's body, or None.

        `waits` says which refusals are replication lag: those are tried again for up to `limit` seconds.
        """
        return self.patiently(lambda: self._written(call), waits, limit)

    def _written(self, call: Call) -> Any:
        answer = self._send(call)
        return None if answer.status == 404 and call.method in _GONE_IS_FINE else self._body(answer, call.attempted)

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
        bodies = self.outcomes(calls)
        for body in bodies:
            if isinstance(body, GraphError):
                raise body
        return bodies

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """As `batch`, but a refused request leaves its GraphError in its place."""
        bodies: list[Any] = []
        for start in range(0, len(calls), BATCH):
            bodies += self._batch(calls[start : start + BATCH])
        return bodies

    def _batch(self, calls: Sequence[Call]) -> list[Any]:
        answers: dict[int, Response] = {}
        policy, waited = self._authorized.transport.policy, 0.0
        open_items: Sequence[int] = range(len(calls))
        for number in range(1, policy.tries + 1):
            answers.update(self._batch_once(calls, open_items))
            open_items = [i for i in open_items if self._passes(calls[i], answers[i])]
            pause = policy.wait(number, longest_wait(answers[i] for i in open_items))
            if not open_items or number == policy.tries or waited + pause > policy.budget:
                break
            waited += pause
            self._authorized.transport.pause(pause)
            self._authorized.transport.cost.count(retries=1)
        return [self._item(call, answers[i]) for i, call in enumerate(calls)]

    def _item(self, call: Call, answer: Response) -> Any:
        if answer.status == 404 and call.method in _GONE_IS_FINE:
            return None
        if answer.status >= 300:
            return error_of(answer, call.attempted)
        body = self._body(answer, call.attempted)
        return self._whole(body, call.attempted) if isinstance(body, dict) and "@odata.nextLink" in body else body

    def _passes(self, call: Call, answer: Response) -> bool:
        """As the transport judges a whole answer: throttled items were not carried out, reads may be repeated."""
        policy = self._authorized.transport.policy
        return answer.status in policy.throttled or (answer.status in policy.transient and call.method == "GET")

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
        repeatable = all(calls[i].method in _REPEATABLE for i in numbers)
        request = Request("POST", f"{self._root}/$batch", json={"requests": items}, repeatable=repeatable, attempted=attempted)
        body = self._body(self._authorized.send(request), attempted)
        found: dict[int, Response] = {int(item["id"]): ItemResponse(item) for item in body["responses"]}
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
            repeatable=call.method in _REPEATABLE,
            attempted=call.attempted,
        )
        return self._authorized.send(request)

    @staticmethod
    def _body(answer: Response, attempted: str) -> Any:
        if answer.status >= 300:
            raise error_of(answer, attempted)
        body = answer.json()
        if body is None and answer.body.strip():
            raise GraphError(
                attempted, f"an answer that is not JSON: {answer.text[:200]}", code=f"HTTP {answer.status}", status=answer.status
            )
        return body


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
    request_id = str(inner.get("request-id") or answer.headers.get("request-id") or "")
    entry = error_catalog.graph(code, message)
    return GraphError(attempted, message, code=code, status=answer.status, entry=entry, request_id=request_id)
