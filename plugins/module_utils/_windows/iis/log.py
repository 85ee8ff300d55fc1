# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of upstream servers in the log of IIS SMTP (W3C extended format), in the words of the error catalog.

Sources: "W3C Extended Log File Format"; published excerpts: cs-username is OutboundConnectionResponse, cs-uri-query the reply with plus
signs for blanks. The log is in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ... import error_catalog
from ..host import WindowsHost
from .options import MOST_ERRORS
from .state import texts

_RESPONSE = "OutboundConnectionResponse"
ERROR = re.compile(r"[45]\d\d[ -]")
LINES = 2000  # the end of the log that is read


@dataclass(frozen=True)
class UpstreamError:
    """A reply; `last`: when it was last given, UTC in ISO 8601; cause and remedy are empty where the catalog does not have it."""

    reply: str
    count: int
    last: str
    cause: str
    remedy: str

    def as_result(self) -> dict[str, object]:
        return {"reply": self.reply, "count": self.count, "last": self.last, "cause": self.cause, "remedy": self.remedy}


@dataclass(frozen=True)
class Reply:
    """A reply of an upstream server. `time`: UTC in ISO 8601; "" where the log has none."""

    time: str
    text: str


def read(host: WindowsHost, folder: str) -> list[UpstreamError]:
    """The errors at the end of the newest log, the latest first; none where there is no log."""
    return errors(replies(host, folder))


def replies(host: WindowsHost, folder: str) -> list[Reply]:
    """The replies at the end of the newest log, the latest last."""
    document = host.run("iis_log", "read the log of the SMTP service", {"folder": folder, "lines": LINES})
    return parse(texts(document.get("fields")), texts(document.get("responses")))


def parse(headers: tuple[str, ...], lines: tuple[str, ...]) -> list[Reply]:
    """`headers`: lines that begin with #Fields, the last of which counts."""
    names = headers[-1].partition(":")[2].split() if headers else []
    rows = [dict(zip(names, line.split(" "), strict=False)) for line in lines]
    return [Reply(_moment(row), row.get("cs-uri-query", "").replace("+", " ")) for row in rows if row.get("cs-username") == _RESPONSE]


def errors(every: Sequence[Reply]) -> list[UpstreamError]:
    """The replies that are errors; equal ones are one error."""
    found: dict[str, tuple[int, str]] = {}
    for one in every:
        if ERROR.match(one.text):
            found[one.text] = (found.get(one.text, (0, ""))[0] + 1, one.time)
    newest = sorted(found.items(), key=lambda item: item[1][1], reverse=True)[:MOST_ERRORS]
    return [_error(reply, count, last) for reply, (count, last) in newest]


def _moment(row: Mapping[str, str]) -> str:
    return f"{row['date']}T{row['time']}Z" if "date" in row and "time" in row else ""


def _error(reply: str, count: int, last: str) -> UpstreamError:
    entry = error_catalog.smtp(reply)
    return UpstreamError(reply, count, last, entry.cause if entry else "", entry.remedy if entry else "")
