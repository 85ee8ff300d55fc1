# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to Microsoft: one session, no redirects, retry and throttling as data, and a count of what it cost.

Private to the collection. Sources: "Microsoft Graph throttling guidance"; the retry policy of Microsoft's Exchange
Online PowerShell module (five tries, two seconds doubled, Retry-After obeyed).
"""

from __future__ import annotations

import json as jsonlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._core.errors import MissingLibrary, Unreachable
from .._core.redaction import hide

USER_AGENT = "mailops.m365/0.1.0 (Ansible collection)"
# Of the token endpoint, and of the services that tell a managed identity's token.
_SECRET_FIELDS = ("client_secret", "client_assertion", "refresh_token", "device_code")
_SECRET_HEADERS = ("X-IDENTITY-HEADER", "secret", "Secret")


@dataclass
class Request:
    """One HTTP request. `repeatable`: sending it twice does no harm, so a lost answer may be asked for again."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: dict[str, str] | None = field(default=None, repr=False)
    repeatable: bool = True
    attempted: str = "reach the service"

    def secrets(self) -> list[str]:
        """What an answer must not repeat: tokens, secrets and signed assertions, wherever the request holds them."""
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ").removeprefix("Basic ")
        held = [bearer, *(self.headers.get(name) for name in _SECRET_HEADERS), *((self.form or {}).get(name) for name in _SECRET_FIELDS)]
        return [secret for secret in held if secret]


@dataclass
class Response:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; None where it is not."""
        try:
            return jsonlib.loads(self.body)
        except ValueError:
            return None

    def without(self, secrets: Iterable[str]) -> Response:
        """Itself, if it repeats none of the secrets."""
        clean = hide(self.text, secrets)
        return self if clean == self.text else Response(self.status, self.headers, clean.encode())


class ItemResponse(Response):
    """An item of a $batch: its body comes decoded. `status` is 0 where the item has none."""

    def __init__(self, item: dict[str, Any]) -> None:
        self._decoded = item.get("body")
        headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
        super().__init__(int(item.get("status") or 0), headers, self._decoded.encode() if isinstance(self._decoded, str) else b"")

    def json(self) -> Any:
        return self._decoded


def longest_wait(answers: Iterable[Response]) -> str | None:
    """The largest Retry-After (seconds) among the answers, if one has it."""
    waits = [answer.headers.get("retry-after", "").strip() for answer in answers]
    return max((wait for wait in waits if wait.isdigit()), key=float, default=None)


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again and how long to wait, in seconds. `budget` bounds all waiting of one request."""

    tries: int = 6
    base: float = 2.0
    longest: float = 60.0
    budget: float = 300.0
    throttled: frozenset[int] = frozenset({429, 503})
    transient: frozenset[int] = frozenset({500, 502, 504})
    connect_tries: int = 3

    def wait(self, number: int, retry_after: str | None) -> float:
        """Seconds before try `number` + 1; Retry-After (seconds) wins over the back-off, which is jittered."""
        if retry_after and retry_after.strip().isdigit():
            return float(retry_after)
        return min(self.longest, self.base * 2 ** (number - 1)) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


class Clock(Protocol):
    """Time as a port, so that tests neither sleep nor wait."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class Cost:
    """What a task cost: HTTP requests sent, those among them that were tries again, and seconds spent waiting."""

    requests: int = 0
    retries: int = 0
    waited: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, *, requests: int = 0, retries: int = 0, waited: float = 0.0) -> None:
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.waited += waited

    def as_result(self) -> dict:
        return {"requests": self.requests, "retries": self.retries, "waited": round(self.waited, 1)}


class Sender(Protocol):
    """What carries one request: requests in earnest, a script in tests.

    Raises ConnectionError where the request cannot have arrived, another OSError where only the answer was lost.
    """

    def __call__(self, request: Request) -> Response: ...


def _as_it_is(request: Any) -> Any:
    return request


class Session:
    """A `requests` session: keep-alive, gzip, the CA bundle of the cloud or the system; redirects are never followed."""

    def __init__(self, ca_file: str = "", timeout: tuple[float, float] = (10.0, 960.0)) -> None:
        try:
            import requests
        except ImportError as error:
            raise MissingLibrary("requests") from error
        self._errors = requests.exceptions
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.auth = _as_it_is  # else an entry of ~/.netrc would replace the bearer token
        self._timeout = timeout
        self._verify: bool | str = ca_file or True

    def __call__(self, request: Request) -> Response:
        try:
            answer = self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                json=request.json,
                data=request.form,
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
            )
        except self._errors.SSLError as error:
            raise ConnectionError(f"TLS was refused: {_reason(error)}") from error
        except self._errors.ConnectionError as error:
            kind = ConnectionError if _never_sent(error) else OSError
            raise kind(_reason(error)) from error
        except self._errors.Timeout as error:
            raise TimeoutError("no answer in time") from error
        except self._errors.RequestException as error:
            raise OSError(_reason(error)) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)

    def close(self) -> None:
        self._session.close()


def _never_sent(error: BaseException) -> bool:
    """Whether no connection was made: urllib3 says so with MaxRetryError; what it breaks later has ProtocolError inside."""
    return bool(error.args) and type(error.args[0]).__name__ == "MaxRetryError"


def _reason(error: BaseException) -> str:
    """The innermost reason of a chain of errors, in few words: `requests` wraps urllib3, which wraps the system's."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        nested = getattr(current, "reason", None)
        first = current.args[0] if current.args else None
        step = nested if isinstance(nested, BaseException) else first if isinstance(first, BaseException) else None
        current = step or current.__cause__ or current.__context__
    for item in reversed(seen):
        if isinstance(item, socket.gaierror):
            return "its name does not resolve"
        if isinstance(item, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(item, TimeoutError):
            return "no answer in time"
    text = str(seen[-1])
    return text.split(": ", 1)[-1] if "object at 0x" in text else text


class Transport:
    """Sends requests with retry; what it costs is counted. Waiting is bounded by the policy's tries and budget."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock | None = None,
        policy: RetryPolicy | None = None,
        cost: Cost | None = None,
    ) -> None:
        self.sender, self.clock = sender, clock or SystemClock()
        self.policy, self.cost = policy or RetryPolicy(), cost or Cost()

    def send(self, request: Request, again: Callable[[Response], bool] | None = None) -> Response:
        """The answer to a request. `again` says of a service's own passing errors that they are worth another try.

        429 and 503 were not carried out and are always tried again; 500, 502, 504 and a lost answer only for
        repeatable requests. The last answer is returned whatever it is. Raises Unreachable where nobody answers.
        No answer repeats the secrets of its request.
        """
        waited = 0.0
        number = 0
        while True:
            number += 1
            self.cost.count(requests=1, retries=int(number > 1))
            try:
                answer = self.sender(request).without(request.secrets())
            except OSError as error:
                lost = not isinstance(error, ConnectionError) and not request.repeatable
                if lost or number >= self.policy.connect_tries:
                    raise self._unreachable(request, error) from error
                pause = self.policy.wait(number, None) / 2
            else:
                if not self._worth_another(request, answer, again) or number >= self.policy.tries:
                    return answer
                pause = self.policy.wait(number, answer.headers.get("retry-after"))
                if waited + pause > self.policy.budget:
                    return answer
            waited += pause
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Wait, and count it."""
        self.clock.sleep(seconds)
        self.cost.count(waited=seconds)

    def _worth_another(self, request: Request, answer: Response, again: Callable[[Response], bool] | None) -> bool:
        if answer.status in self.policy.throttled:
            return True
        if answer.status in self.policy.transient and request.repeatable:
            return True
        return bool(again and again(answer))

    @staticmethod
    def _unreachable(request: Request, error: OSError) -> Unreachable:
        url = urlsplit(request.url)
        place = f"{url.hostname}:{url.port or 443}"
        return Unreachable(
            request.attempted,
            f"nobody answered at {place}: {error}. Check m365_cloud, the name and the way to it (DNS, proxy, firewall).",
            code="unreachable",
        )
