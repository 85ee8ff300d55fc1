"""Pages of a command's rows: a nextLink expires after 30 minutes and needs the same body and anchor."""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from emulator.exchange.command import Result
from emulator.exchange.errors import ExchangeError

LARGEST_PAGE = 1000
MOST_CURSORS = 1000
MOST_ROWS = 2_000_000  # of all reads that are under way, which cursors keep alive


@dataclass
class Cursor:
    tenant: str
    asked: str  # the body, in a form that compares
    anchor: str
    result: Result
    start: int
    created: float


class Cursors:
    def __init__(self) -> None:
        self._open: OrderedDict[str, Cursor] = OrderedDict()

    def remember(self, cursor: Cursor, oldest: float) -> str:
        """The token of a new cursor; the oldest ones go where they have expired or hold too much."""
        token = secrets.token_urlsafe(48)
        self._open[token] = cursor
        while len(self._open) > 1 and self._is_full(oldest):
            self._open.popitem(last=False)
        return token

    def clear(self) -> None:
        self._open.clear()

    def _is_full(self, oldest: float) -> bool:
        if len(self._open) > MOST_CURSORS or next(iter(self._open.values())).created < oldest:
            return True
        return sum({id(cursor.result): len(cursor.result.rows) for cursor in self._open.values()}.values()) > MOST_ROWS

    def find(self, token: str, tenant: str, asked: str, anchor: str, oldest: float) -> Cursor:
        cursor = self._open.get(token)
        if cursor is None or cursor.created < oldest or (cursor.tenant, cursor.asked, cursor.anchor) != (tenant, asked, anchor):
            raise expired()
        return cursor


def expired() -> ExchangeError:
    text = "Expired or Invalid pagination request. Default Expiry time is 00:30:00"
    return ExchangeError(400, "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", text)


def fingerprint(cmdlet: str, parameters: dict[str, Any]) -> str:
    return json.dumps([cmdlet.lower(), parameters], sort_keys=True)


def page_size(prefer: str, default: int) -> int:
    """`odata.maxpagesize=N` of a Prefer header, at most 1000."""
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "odata.maxpagesize" and value.isdigit() and int(value) > 0:
            return min(int(value), LARGEST_PAGE)
    return min(default, LARGEST_PAGE)
