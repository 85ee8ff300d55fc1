"""One call of the Graph API, alone or inside a batch, and the table of what it can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from emulator.graph.errors import bad_request, denied
from emulator.http import Response
from emulator.platform import Platform
from emulator.state import Tenant
from emulator.tokens import Claims

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ALTERNATE_KEY = re.compile(r"\((\w+)='((?:[^']|'')*)'\)")


@dataclass
class Call:
    platform: Platform
    tenant: Tenant
    claims: Claims
    origin: str
    version: str  # v1.0 or beta
    method: str
    path: str  # below the version, keys in the form /applications/appId='..'
    options: dict[str, str] = field(default_factory=dict)  # query options
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def roles(self) -> set[str]:
        """What the token allows: an application's own permissions, or those that a user lends it."""
        return {*self.claims.get("roles", ()), *self.claims.get("scp", "").split()}

    @property
    def now(self) -> float:
        return self.platform.now

    @property
    def creates_if_missing(self) -> bool:
        return "create-if-missing" in self.headers.get("prefer", "")

    def require(self, *permissions: str) -> None:
        """Refuse unless the token carries one of these permissions."""
        if not self.roles & set(permissions):
            raise denied()

    def context(self, fragment: str) -> str:
        return f"{self.origin}/{self.version}/$metadata#{fragment}"

    def url(self, path: str) -> str:
        return f"{self.origin}/{self.version}/{path}"


Operation = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    permissions: tuple[str, ...]
    operation: Operation


ROUTES: list[Route] = []


def route(method: str, path: str, *permissions: str) -> Callable[[Operation], Operation]:
    """Register an operation; `{name}` in the path is passed to it by name."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), re.IGNORECASE)

    def register(operation: Operation) -> Operation:
        ROUTES.append(Route(method, pattern, permissions, operation))
        return operation

    return register


def normal_path(path: str) -> str:
    """Alternate keys as a segment of their own: /applications(appId='x') -> /applications/appId='x'."""
    return ALTERNATE_KEY.sub(r"/\1='\2'", path.rstrip("/"))


def key_of(segment: str) -> tuple[str, str]:
    """The name and the value of a key segment."""
    name, equals, value = segment.partition("=")
    if equals and value.startswith("'"):
        return name, value[1:-1].replace("''", "'")
    return "id", segment


def options_of(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) != len(pairs):
        raise bad_request("Query option was specified more than once, but it must be specified at most once.", "BadRequest")
    return options
