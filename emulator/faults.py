"""Faults and latency, which the admin API sets.

A fault waits until a request that it matches comes along; then it is used up by one. Every service asks
`take` once a request (Exchange and Graph: once a command and once an item of a batch) and plays what it gets.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.http import Response

EARLY = {"redirect", "unauthorized"}  # played before a request is read; they are asked for with the fact `early`
SERVICES = ("token", "graph", "exchange", "smtp", "mx", "hve", "acs", "dns", "sendgrid", "smtp2go", "mailgun", "hosted_smtp", "windows")


@dataclass
class Fault:
    """One fault.

    `name` is a named fault of the service, or None where `status`, `headers` and `body` say it outright (for smtp
    and mx: `status` is the reply code and `body` the reply's text). `match` holds the facts that a request must
    have; `path` is searched as a regular expression, the others are compared without regard to case.
    `options` holds whatever else the order said (`after`: at the nth match, `seconds`: for delays, ...).
    """

    service: str
    name: str | None = None
    match: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    count: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    used: int = 0

    def fits(self, service: str, facts: Mapping[str, object]) -> bool:
        if service != self.service or self.used >= self.count or (self.name in EARLY) != bool(facts.get("early")):
            return False
        if facts.get("batch") and "batch" not in self.match.get("path", ""):
            return False  # meant for the items of the batch
        return all(_equal(key, requested, facts.get(key)) for key, requested in self.match.items())

    def response(self) -> Response:
        """The status, the headers and the body that the fault says."""
        return Response(self.status or 500, self.body, dict(self.headers))

    def public(self) -> dict[str, Any]:
        """The fault as the admin API lists it."""
        return {
            "number": self.number,
            "service": self.service,
            "fault": self.name,
            "match": self.match,
            "status": self.status,
            "headers": self.headers,
            "body": self.body,
            "count": self.count,
            "used": self.used,
            **({"options": self.options} if self.options else {}),
        }


class Faults:
    """The faults, and the latency of every service in seconds."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._latency: dict[str, float] = {}
        self._numbers = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        fault.number = next(self._numbers)
        self._faults.append(fault)
        return fault

    def take(self, service: str, **facts: object) -> Fault | None:
        """The first fault that matches these facts (method, path, cmdlet, mailbox, tenant, ...); it counts as used once more."""
        if not self._faults:
            return None
        fault = next((f for f in self._faults if f.fits(service, facts)), None)
        if fault:
            fault.used += 1
        return fault

    def latency(self, service: str) -> float:
        """Seconds that a request of the service takes at least."""
        return self._latency.get(service, 0.0)

    def set_latency(self, seconds: Mapping[str, float]) -> dict[str, float]:
        self._latency = {**self._latency, **seconds}
        return dict(self._latency)

    def reset_latency(self, seconds: Mapping[str, float]) -> None:
        self._latency = dict(seconds)

    def all(self) -> list[Fault]:
        return list(self._faults)

    def clear(self) -> None:
        self._faults.clear()


def _equal(key: str, requested: str, result: object) -> bool:
    if result is None:
        return False
    if key == "path":
        return re.search(requested, str(result)) is not None
    return str(result).casefold() == requested.casefold()
