# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted HTTP sender: a test says which requests come and what each is answered; anything else fails the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.mailops.m365.plugins.module_utils._http.transport import Request, Response


def response(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Response:
    """An answer: `body` is bytes, a text, or what goes out as JSON; header names come in lower case, as from Session."""
    if body is None:
        content = b""
    elif isinstance(body, bytes):
        content = body
    else:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return Response(status, {name.lower(): value for name, value in (headers or {}).items()}, content)


class Expectation:
    """One expected request: what it must have, then what it is answered."""

    def __init__(self, method: str, target: str) -> None:
        self.method, self.target = method, target
        self._checks: list[Callable[[Request], str]] = []
        self._answer: Callable[[Request], Response] = lambda request: response(200, {})
        self.left = 1

    def header(self, name: str, value: str) -> Expectation:
        self._checks.append(lambda r: "" if r.headers.get(name) == value else f"header {name} is {r.headers.get(name)!r}, not {value!r}")
        return self

    def json_body(self, body: Any) -> Expectation:
        self._checks.append(lambda r: "" if r.json == body else f"the body is {r.json!r}, not {body!r}")
        return self

    def form(self, **fields: str) -> Expectation:
        self._checks.append(lambda r: "" if fields.items() <= (r.form or {}).items() else f"the form is {r.form!r}, which lacks {fields!r}")
        return self

    def times(self, count: int) -> Expectation:
        self.left = count
        return self

    def answers(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> Expectation:
        self._answer = lambda request: response(status, body, headers)
        return self

    def answers_with(self, make: Callable[[Request], Response]) -> Expectation:
        self._answer = make
        return self

    def fails(self, error: OSError) -> Expectation:
        def lost(request: Request) -> Response:
            raise error

        self._answer = lost
        return self

    def differences(self, request: Request) -> list[str]:
        url = urlsplit(request.url)
        place = unquote(url.path + (f"?{url.query}" if url.query else ""))
        where = request.url if self.target.startswith("https:") else place
        mismatches = [] if request.method == self.method else [f"the method is {request.method}, not {self.method}"]
        mismatches += [] if where == self.target else [f"the target is {where}, not {self.target}"]
        return mismatches or [text for check in self._checks if (text := check(request))]

    def answer(self, request: Request) -> Response:
        return self._answer(request)


class Script:
    """Plays the other side of HTTP. `requests` are those that came; `check` fails where an expected one did not."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self._expected: list[Expectation] = []
        self._lock = threading.Lock()

    def expect(self, method: str, target: str) -> Expectation:
        """The next request: `target` is a decoded path with its query, or a whole URL."""
        self._expected.append(Expectation(method, target))
        return self._expected[-1]

    def expect_graph_batch(self, *items: Item) -> Expectation:
        """The next request is a Graph $batch of exactly these items, each answered as it says, last item first."""

        def play(request: Request) -> Response:
            sent = request.json["requests"]
            problems = [f"{len(sent)} items, not {len(items)}: {[i['url'] for i in sent]}"] if len(sent) != len(items) else []
            for item, got in zip(items, sent, strict=False):
                problems += item.differences(got)
            if problems:
                raise self._complaint(problems)
            answers = [item.answer(got["id"]) for item, got in zip(items, sent, strict=True)]
            return response(200, {"responses": answers[::-1]})

        return self.expect("POST", "/v1.0/$batch").answers_with(play)

    def __call__(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            if not self._expected:
                raise self._complaint([f"unexpected request {request.method} {unquote(request.url)} {request.json or ''}"])
            expected = self._expected[0]
            problems = expected.differences(request)
            if problems:
                raise self._complaint(problems)
            expected.left -= 1
            if not expected.left:
                self._expected.pop(0)
            return expected.answer(request)

    def check(self) -> None:
        assert not self.complaints, self.complaints
        left = [f"{e.method} {e.target} ({e.left} times)" for e in self._expected]
        assert not left, f"these requests did not come: {left}"

    def _complaint(self, problems: list[str]) -> AssertionError:
        text = f"request {len(self.requests)}: " + "; ".join(problems)
        self.complaints.append(text)
        return AssertionError(text)


@dataclass
class Item:
    """One request inside a Graph $batch, and its answer."""

    method: str
    url: str
    status: int = 200
    answered: Any = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def differences(self, got: dict[str, Any]) -> list[str]:
        mismatches = []
        if (got["method"], unquote(got["url"])) != (self.method, self.url):
            mismatches.append(f"the item is {got['method']} {unquote(got['url'])}, not {self.method} {self.url}")
        if got.get("body") != self.body:
            mismatches.append(f"the body of {self.url} is {got.get('body')!r}, not {self.body!r}")
        return mismatches

    def answer(self, number: str) -> dict[str, Any]:
        mismatches: dict[str, Any] = {"id": number, "status": self.status, "headers": self.headers}
        return mismatches if self.answered is None else {**mismatches, "body": self.answered}


def graph_error(code: str, message: str = "no", trace: str = "trace-1") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": trace}}}


def exchange_error(kind: str, text: str, code: str = "BadRequest") -> dict[str, Any]:
    """An error as the admin API words it: the id may be empty, the type has its namespace."""
    return {
        "error": {
            "code": code,
            "message": "Error executing cmdlet",
            "details": [{"code": "Client", "target": "", "message": f"Ex1234|Microsoft.Exchange.Somewhere.{kind}|{text}"}],
            "innererror": {"message": "Error executing cmdlet", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"},
        },
        "@adminapi.warnings": [],
    }
