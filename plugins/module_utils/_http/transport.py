# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP to Microsoft: one session without redirects, retries within the bounds of each service, and a count of the cost.

Source: "Microsoft Graph throttling guidance".
"""

from __future__ import annotations

import base64
import binascii
import json as jsonlib
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from .._core import trust
from .._core.bounds import SIGN_IN, Bounds
from .._core.errors import MissingLibrary, Unreachable
from .._core.progress import Progress
from .._core.redaction import hide
from .._core.waiting import Clock, Cost, Retry, SystemClock
from . import proxies, read_only

USER_AGENT = "mailops.m365/0.1.0 (Ansible collection)"
# Of the token endpoint, of the endpoints that return the token of a managed identity, and of the APIs of hosted relays.
_SECRET_FIELDS = ("client_secret", "client_assertion", "refresh_token", "device_code", "password", "email_password")
_SECRET_HEADERS = ("X-IDENTITY-HEADER", "secret", "Secret", "X-Smtp2go-Api-Key")
THROTTLED = frozenset({429, 503})  # not carried out
TRANSIENT = frozenset({500, 502, 504})  # perhaps carried out


@dataclass
class Request:
    """One HTTP request. `repeatable`: sending it twice does no harm. `bounds`: the timeouts and retries of its service.

    `service`: what it is counted for: entra (tokens), graph, exchange, management, reports, or "" for others.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: dict[str, str] | None = field(default=None, repr=False)
    repeatable: bool = True
    attempted: str = "reach the service"
    bounds: Bounds = SIGN_IN
    service: str = ""

    def secrets(self) -> list[str]:
        """Tokens, secrets and signed assertions in the request, which no answer may repeat."""
        authorization = self.headers.get("Authorization", "")
        held: list[str | None] = [authorization.removeprefix("Bearer ").removeprefix("Basic "), _password(authorization)]
        held += [self.headers.get(name) for name in _SECRET_HEADERS]
        held += [(self.form or {}).get(name) for name in _SECRET_FIELDS]
        held += [self.json.get(name) for name in _SECRET_FIELDS] if isinstance(self.json, dict) else []
        return [secret for secret in held if secret]


@dataclass
class Response:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def retry_after(self) -> float | None:
        """The header Retry-After in seconds; None where it is missing or a date."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if value.isdigit() else None

    def requested_pause(self, now: float) -> float | None:
        """The seconds to wait before the request is repeated; None where the answer has none.

        They are Retry-After, else a 429's X-RateLimit-Reset (Unix time), else its property retry-seconds (Mailgun).
        """
        if self.retry_after is not None or self.status != 429:
            return self.retry_after
        reset = self.headers.get("x-ratelimit-reset", "").strip()
        if reset.isdigit():
            return max(1.0, float(reset) - now)
        body = self.json()
        seconds = body.get("retry-seconds") if isinstance(body, dict) else None
        return float(seconds) if isinstance(seconds, (int, float)) else None

    def json(self) -> Any:
        """The body as JSON; None where it is not."""
        try:
            return jsonlib.loads(self.body)
        except ValueError:
            return None

    def without(self, secrets: Iterable[str]) -> Response:
        """The answer with the secrets hidden."""
        clean = hide(self.text, secrets)
        return self if clean == self.text else Response(self.status, self.headers, clean.encode())


def _password(authorization: str) -> str:
    """The password of Basic authentication; "" where there is none."""
    scheme, _space, value = authorization.partition(" ")
    try:
        return base64.b64decode(value).decode().partition(":")[2] if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


class Sender(Protocol):
    """Carries one request: a Session, or a script in tests.

    Raises ConnectionError where the request cannot have arrived, another OSError where only the answer was lost.
    """

    def __call__(self, request: Request) -> Response: ...


def _unchanged(request: Any) -> Any:
    return request


class Session:
    """A `requests` session: keep-alive, gzip, the CAs of `trust.ca_bundle`, the environment's proxies; redirects are never followed."""

    def __init__(self, ca_file: str = "") -> None:
        try:
            import requests
        except ImportError as error:
            raise MissingLibrary("requests") from error
        self._errors, self._utils = requests.exceptions, requests.utils
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.auth = _unchanged  # else an entry of ~/.netrc would replace the bearer token
        self._verify: bool | str = trust.ca_bundle(ca_file) or True

    def __call__(self, request: Request) -> Response:
        proxy = self._proxy(request.url)
        try:
            answer = self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                json=request.json,
                data=request.form,
                timeout=(request.bounds.connect_timeout, request.bounds.read_timeout),
                verify=self._verify,
                allow_redirects=False,
            )
        except self._errors.RequestException as error:
            raise self._lost(error, proxies.secrets(proxy)) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)

    def close(self) -> None:
        self._session.close()

    def _proxy(self, url: str) -> str:
        """The URL of the proxy for a request, "" for none; InvalidInput where it is not valid."""
        proxy = self._utils.select_proxy(url, self._utils.get_environ_proxies(url)) or ""
        if proxy:
            proxies.check(proxy, urlsplit(url).scheme, os.environ)
        return proxy

    def _lost(self, error: Exception, secrets: list[str]) -> OSError:
        """The OSError of a failed request: ConnectionError where it cannot have arrived. `secrets`: of the proxy."""
        reason = hide(_reason(error), secrets)
        if isinstance(error, self._errors.SSLError):
            return ConnectionError(f"TLS was refused: {reason}")
        if isinstance(error, self._errors.ConnectionError):
            return ConnectionError(reason) if _never_sent(error) else OSError(reason)
        return TimeoutError("no answer in time") if isinstance(error, self._errors.Timeout) else OSError(reason)


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
    """Sends requests with retry and counts what it costs. The bounds of the request's service limit attempts and waiting.

    `reads_only`: requests that may write are refused before they are sent.
    """

    def __init__(self, sender: Sender, clock: Clock | None = None, cost: Cost | None = None, *, reads_only: bool = False) -> None:
        self.sender, self.clock, self.cost = sender, clock or SystemClock(), cost or Cost()
        self.reads_only = reads_only
        self.progress = Progress(self.clock)

    def send(self, request: Request, is_transient: Callable[[Response], bool] | None = None) -> Response:
        """The answer to a request, whatever its status. `is_transient` recognizes the transient errors of one service.

        429 and 503 were not carried out and are always retried; 500, 502, 504 and a lost answer only for repeatable
        requests. Raises Unreachable where no answer comes. No answer repeats the secrets of its request.
        """
        if self.reads_only:
            read_only.refuse_writes(request.method, request.url, request.json, request.form, request.attempted)
        throttled, lost = Retry(request.bounds.throttled, self), Retry(request.bounds.connection, self)
        self.cost.count(requests=1, service=request.service)
        while True:
            try:
                answer = self.sender(request).without(request.secrets())
            except OSError as error:
                may_repeat = isinstance(error, ConnectionError) or request.repeatable
                if not may_repeat or not lost.again():
                    raise _unreachable(request, error) from error
            else:
                if not _may_retry(request, answer, is_transient) or not throttled.again(answer.requested_pause(self.clock.now())):
                    return answer
            self.cost.count(requests=1, retries=1, service=request.service)

    def pause(self, seconds: float) -> None:
        """Wait, and count it."""
        self.clock.sleep(seconds)
        self.cost.count(waited=seconds)


def _may_retry(request: Request, answer: Response, is_transient: Callable[[Response], bool] | None) -> bool:
    if answer.status in THROTTLED or (answer.status in TRANSIENT and request.repeatable):
        return True
    return bool(is_transient and is_transient(answer))


def _unreachable(request: Request, error: OSError) -> Unreachable:
    url = urlsplit(request.url)
    return Unreachable(
        request.attempted,
        f"no answer from {url.hostname}:{url.port or 443}: {error}. "
        "Check m365_cloud, the host name and the network (DNS, proxy, firewall).",
        code="unreachable",
    )
