# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hMailServer's queue and log: messages that wait, and the last errors of the upstream.

hMailServer writes times in the host's time zone. They are converted with the offset of the moment when they are read
(Win32_OperatingSystem, CurrentTimeZone), so that those from before a change of daylight saving time are an hour off.

Source: hMailServer's source (ServerStatus for the columns of the queue; SMTPClientConnection and SMTPDeliverer for lines of the log).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..._core.errors import MailopsError
from ..._core.json_types import JsonObject
from ..host import WindowsHost, rows
from .server import Secrets

LINES = 400  # of the log
_REPLY = re.compile(r'"SMTPC"\t.*\t"(?P<time>[^"\t]+)"\t"[^"]*"\t"RECEIVED: (?P<reply>[45]\d\d[ -].*)"')
_FAILED = re.compile(r'"APPLICATION"\t.*\t"(?P<time>[^"\t]+)"\t"(?P<text>SMTPDeliverer - Message \d+: Message could not be delivered\..*)"')


@dataclass(frozen=True)
class Waiting:
    """A message of the queue; times in UTC, ISO 8601."""

    id: int
    arrived: str
    sender: str
    recipients: tuple[str, ...]
    next_try: str
    tries: int


@dataclass(frozen=True)
class Failure:
    """A line of the log: a reply of the upstream (4xx or 5xx), or a delivery that failed without one. `time`: UTC, ISO 8601."""

    time: str
    text: str
    is_reply: bool


@dataclass(frozen=True)
class Queue:
    """`log`: the end of today's; `failures`: those in it, the newest last. `certificates`: file -> end of validity (UTC, ISO 8601), empty
    where the file cannot be read."""

    version: str
    processed: int
    messages: tuple[Waiting, ...]
    log: tuple[str, ...]
    failures: tuple[Failure, ...]
    certificates: dict[str, str]


def remove(host: WindowsHost, password: str, ids: Sequence[int]) -> None:
    """Remove messages from the queue; one that is not there any more is left out by hMailServer."""
    _run(host, password, "remove test messages from the queue of hMailServer", {"remove": list(ids), "lines": 1})


def _run(host: WindowsHost, password: str, attempted: str, request: JsonObject) -> JsonObject:
    secrets = Secrets()
    authenticate = [secrets.line(password)] if password else []
    blank: JsonObject = {"authenticate": authenticate, "retry": [], "remove": [], "start": []}
    return host.run("hmail_queue", attempted, blank | request, secrets.values)


def read(host: WindowsHost, password: str, retry: Sequence[int] = (), lines: int = LINES) -> Queue:
    """The queue, and the last `lines` of the log; messages in `retry` are tried at once."""
    request: JsonObject = {"retry": list(retry), "start": ["StartDelivery"] if retry else [], "lines": lines}
    document = _run(host, password, "read the queue of hMailServer", request)
    log = [str(line) for line in document["log"]] if isinstance(document.get("log"), list) else []
    certificates = rows(host.name, document, "certificates")
    processed, offset = document.get("processed"), document.get("offset")
    if not isinstance(offset, int):
        raise MailopsError(f"{host.name} says offset {offset!r}, which is no number of minutes.")
    return Queue(
        str(document.get("version")),
        processed if isinstance(processed, int) else 0,
        tuple(_waiting(line, offset) for line in str(document.get("undelivered") or "").splitlines()),
        tuple(log),
        tuple(failures(log, offset)),
        {str(one.get("file")): str(one.get("not_after") or "") for one in certificates},
    )


def utc(written: str, offset: int) -> str:
    """A time of hMailServer in UTC, ISO 8601, without fractions; what is no time as it is. `offset`: minutes that the host is ahead."""
    try:
        moment = datetime.datetime.fromisoformat(written[:19])
    except ValueError:
        return written
    return f"{(moment - datetime.timedelta(minutes=offset)).isoformat()}Z"


def _waiting(line: str, offset: int) -> Waiting:
    columns = [*line.split("\t"), *[""] * 8]
    number, tries = (int(columns[at]) if columns[at].isdecimal() else 0 for at in (0, 7))
    recipients = tuple(part for part in columns[3].split(",") if part)
    return Waiting(number, utc(columns[1], offset), columns[2], recipients, utc(columns[4], offset), tries)


def failures(lines: Sequence[str], offset: int = 0) -> list[Failure]:
    """The errors in lines of the log. `offset`: minutes that the host's time zone is ahead of UTC."""
    result = []
    for line in lines:
        reply, failed = _REPLY.fullmatch(line.strip()), _FAILED.fullmatch(line.strip())
        if reply:
            result.append(Failure(utc(reply["time"], offset), reply["reply"], True))
        elif failed:
            result.append(Failure(utc(failed["time"], offset), failed["text"], False))
    return result
