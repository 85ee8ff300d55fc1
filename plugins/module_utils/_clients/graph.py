# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph v1.0: paging, $batch, error types.

Sources: "Combine multiple HTTP requests using JSON batching", "Paging Microsoft Graph data",
"Microsoft Graph error responses and resource types".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from .. import error_catalog
from .._core.bounds import GRAPH_REPLICATION
from .._core.errors import GraphError
from .._core.json_types import JsonObject
from .._core.waiting import Retry
from .._http.batch import ItemResponse, chunks, send_batch
from .._http.transport import THROTTLED, TRANSIENT, Request, Response
from . import permissions
from .authorized import AuthorizedTransport
from .kept_reads import UNKNOWN, KeptReads, graph_family

BATCH = 20
T = TypeVar("T")
_REPEATABLE = ("GET", "DELETE", "PATCH", "PUT")
_404_IS_NONE = ("GET", "DELETE")


@dataclass(frozen=True)
class Call:
    """One request of a batch. `path` starts after the version and holds its query."""

    method: str
    path: str
    body: Any = None
    attempted: str = "read from Graph"
    headers: dict[str, str] = field(default_factory=dict)


class GraphClient:
    """The calls of Graph that the collection makes. Raises GraphError with one sentence where Graph refuses."""

    def __init__(self, authorized: AuthorizedTransport, kept: KeptReads | None = None) -> None:
        self._authorized = authorized
        self._kept = kept or KeptReads()
        self._prefetched: dict[str, Any] = {}
        self._root = f"{authorized.base}/v1.0"

    def get(self, path: str, attempted: str) -> Any:
        """The object at a path, or None where there is none."""
        return self.read(Call("GET", path, attempted=attempted))

    def prefetch(self, call: Call, answer: Any) -> None:
        """Keep the answer of a GET that was part of another batch: the next `read` of the same path returns it, without a request."""
        self._prefetched[call.path] = answer

    def read(self, call: Call) -> Any:
        """The object that a GET asks for, a collection with all its pages, or None where there is none."""
        known = self._known(call)
        if isinstance(known, GraphError):
            raise known
        if known is not UNKNOWN:
            return known
        answer = self._send(call)
        if answer.status == 404:
            return self._keep(call, None)
        body = self._body(answer, call)
        return self._keep(call, self._all_pages(body, call) if isinstance(body, dict) and "@odata.nextLink" in body else body)

    def _known(self, call: Call) -> Any:
        """The answer to a GET that is known, else UNKNOWN. A write makes unknown what it changes."""
        if call.method != "GET":
            self._kept.forget_graph(call.path)
            return UNKNOWN
        answer = self._prefetched.pop(call.path, UNKNOWN)
        if answer is UNKNOWN:
            answer = self._kept.get(_key(call))
        return UNKNOWN if answer is UNKNOWN else self._keep(call, answer)

    def _keep(self, call: Call, answer: Any) -> Any:
        """The answer, of which a copy is kept: who gets it may change it."""
        if call.method == "GET" and not isinstance(answer, GraphError):
            self._kept.keep(_key(call), graph_family(call.path), copy.deepcopy(answer))
        return answer

    def every(self, path: str, attempted: str, *, pace: float = 0.0) -> list[JsonObject]:
        """All objects of a collection, page after page. `pace`: seconds between two pages."""
        wait = (lambda: self._authorized.transport.pause(pace)) if pace else None
        return [item for page in self.pages(Call("GET", path, attempted=attempted), wait=wait) for item in page]

    def pages(self, call: Call, *, wait: Callable[[], None] | None = None, beta: bool = False) -> Iterator[list[JsonObject]]:
        """The objects of a collection, page after page. `wait` is called before each further page; `beta`: of the version beta of Graph."""
        return self._following(self._body(self._send(call, beta=beta), call), call, wait)

    def read_beta(self, call: Call) -> Any:
        """The object that a GET asks for, of the version beta of Graph."""
        return self._body(self._send(call, beta=True), call)

    def report(self, path: str, attempted: str) -> bytes:
        """The file of a usage report: Graph redirects to a preauthenticated link, to which no token is sent."""
        call = Call("GET", path, attempted=attempted)
        answer = self._send(call)
        link = answer.headers.get("location", "")
        if answer.status != 302 or not link:
            self._body(answer, call)
            raise GraphError(attempted, "no link to the file", code=f"HTTP {answer.status}", status=answer.status)
        self._authorized.refuse_foreign_download(link)
        file = self._authorized.transport.send(Request("GET", link, attempted=attempted, bounds=self._authorized.bounds, service="reports"))
        if file.status != 200:
            raise GraphError(attempted, "the link to the file was refused", code=f"HTTP {file.status}", status=file.status)
        return file.body

    def _following(self, body: JsonObject, call: Call, wait: Callable[[], None] | None = None) -> Iterator[list[JsonObject]]:
        """The objects of a page and of those after it. Links are followed one by one, outside of any batch."""
        yield body.get("value", [])
        link = body.get("@odata.nextLink")
        while link:
            if wait:
                wait()
            page = self._body(self._authorized.send(Request("GET", link, attempted=call.attempted)), call)
            yield page.get("value", [])
            link = page.get("@odata.nextLink")

    def _all_pages(self, body: JsonObject, call: Call) -> JsonObject:
        """A collection's answer with the objects of all its pages."""
        return {**body, "value": [item for page in self._following(body, call) for item in page]}

    def write(self, call: Call, *, retry_on: Callable[[GraphError], bool] | None = None, limit: float = 0.0) -> Any:
        """The body of a write's answer, or None. `retry_on` recognizes replication delay, which is retried for `limit` seconds."""
        return self.retry(lambda: self._write(call), retry_on, limit)

    def _write(self, call: Call) -> Any:
        self._known(call)
        answer = self._send(call)
        return None if answer.status == 404 and call.method in _404_IS_NONE else self._body(answer, call)

    def retry(self, action: Callable[[], T], retry_on: Callable[[GraphError], bool] | None, limit: float) -> T:
        """The result of `action`, which is repeated for at most `limit` seconds while `retry_on` accepts its error."""
        transport = self._authorized.transport
        retry = Retry(GRAPH_REPLICATION, transport, limit)
        while True:
            try:
                return action()
            except GraphError as error:
                if not (retry_on and retry_on(error)) or not retry.again():
                    raise
            transport.cost.count(retries=1)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The bodies of many requests, in their order, 20 a request; None for a 404. Throttled items are sent again."""
        bodies = self.outcomes(calls)
        for body in bodies:
            if isinstance(body, GraphError):
                raise body
        return bodies

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """As `batch`, but a refused request leaves its GraphError in its place."""
        known = {number: answer for number, call in enumerate(calls) if (answer := self._known(call)) is not UNKNOWN}
        rest = [call for number, call in enumerate(calls) if number not in known]
        sent = iter(self._outcomes(rest) if rest else [])
        return [known[number] if number in known else self._keep(call, next(sent)) for number, call in enumerate(calls)]

    def _outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """The bodies of requests that are sent."""
        bodies: list[Any] = []
        progress = self._authorized.transport.progress.counter("Microsoft Graph", len(calls))

        def send(numbers: Sequence[int]) -> dict[int, Response]:
            return send_batch(
                numbers,
                lambda some: self._send_batch(calls, some),
                lambda number, answer: _may_retry(calls[number], answer),
                self._authorized.transport,
                self._authorized.bounds,
            )

        for numbers in chunks(len(calls), BATCH):
            answers = send(numbers)
            while (denied := [n for n in numbers if answers[n].status in (401, 403)]) and self._authorized.await_grant():
                answers |= send(denied)
            bodies += [self._item(calls[number], answers[number]) for number in numbers]
            progress.add(len(numbers))
        return bodies

    def _item(self, call: Call, answer: Response) -> Any:
        if answer.status == 404 and call.method in _404_IS_NONE:
            return None
        if answer.status >= 300:
            return self._error(answer, call)
        body = self._body(answer, call)
        return self._all_pages(body, call) if isinstance(body, dict) and "@odata.nextLink" in body else body

    def _send_batch(self, calls: Sequence[Call], numbers: Sequence[int]) -> dict[int, Response]:
        items = []
        for i in numbers:
            item: dict[str, object] = {"id": str(i), "method": calls[i].method, "url": calls[i].path}
            if calls[i].body is not None:
                item["body"] = calls[i].body
                item["headers"] = {"Content-Type": "application/json", **calls[i].headers}
            elif calls[i].headers:
                item["headers"] = calls[i].headers
            items.append(item)
        attempted = calls[numbers[0]].attempted
        repeatable = all(calls[i].method in _REPEATABLE for i in numbers)
        request = Request("POST", f"{self._root}/$batch", json={"requests": items}, repeatable=repeatable, attempted=attempted)
        body = self._body(self._authorized.send(request), Call("POST", "/$batch", attempted=attempted))
        answers: dict[int, Response] = {int(item["id"]): ItemResponse(item) for item in body["responses"]}
        missing = [i for i in numbers if i not in answers]
        if missing:
            raise GraphError(attempted, f"the batch's answer lacks {len(missing)} of its items", code="IncompleteBatch")
        return answers

    def _send(self, call: Call, *, beta: bool = False) -> Response:
        request = Request(
            call.method,
            (f"{self._authorized.base}/beta" if beta else self._root) + call.path,
            dict(call.headers),
            json=call.body,
            repeatable=call.method in _REPEATABLE,
            attempted=call.attempted,
        )
        return self._authorized.send(request)

    def _body(self, answer: Response, call: Call) -> Any:
        if answer.status >= 300:
            raise self._error(answer, call)
        body = answer.json()
        if body is None and answer.body.strip():
            raise GraphError(
                call.attempted, f"an answer that is not JSON: {answer.text[:200]}", code=f"HTTP {answer.status}", status=answer.status
            )
        return body

    def _error(self, answer: Response, call: Call) -> GraphError:
        """The failure that an answer means. A refusal for lack of permissions names the permission that the request requires."""
        error = error_of(answer, call.attempted)
        required = permissions.of_request(call.method, call.path)
        if not (required and error.entry and error.entry.id == "graph-forbidden"):
            return error
        granted = self._authorized.permissions()
        if granted and not permissions.lacks(granted, required):
            return error  # a directory role or the ownership of the object decides
        name, delegated = (required.name_for(granted), granted.delegated) if granted else (required.name, False)
        entry = replace(
            error.entry,
            cause=f"{error.entry.cause}: {name}",
            remedy=permissions.grant_instruction([name], "graph", delegated=delegated),
        )
        return GraphError(
            call.attempted, error.service_message, code=error.code, status=error.status, entry=entry, request_id=error.request_id
        )


def _key(call: Call) -> str:
    return f"{call.path} {sorted(call.headers.items())}"


def _may_retry(call: Call, answer: Response) -> bool:
    """Whether an item may be sent again: throttled items were not carried out, reads may be repeated."""
    return answer.status in THROTTLED or (answer.status in TRANSIENT and call.method == "GET")


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
