# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events from the journal entries of Postfix and of the submission proxy.

Addresses in a log line are the device's text: a quoted local part may hold anything, even `>, status=sent`, so they are parsed as RFC 5321
defines them. Sources: postfix smtp(8), qmgr(8), bounce(8), smtpd(8), master(8) of 3.7 to 3.11 with info_log_address_format = external;
Dovecot 2.3.19 and 2.4.1. The unit tests have log lines recorded on both releases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .journal import POSTFIX_UNITS, PROXY_UNIT, JournalEntry

_ID = r"[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}"
_ADDRESS = r'(?:"(?:[^"\\]|\\.)*"(?:@[^>]*)?|[^>"]*)'
_QUEUED = re.compile(rf"(?P<id>{_ID}): (?P<rest>.*)", re.DOTALL)
_DELIVERY = re.compile(
    rf"to=<(?P<to>{_ADDRESS})>, (?:orig_to=<{_ADDRESS}>, )?relay=(?P<relay>\S+), (?:conn_use=\d+, )?delay=(?P<delay>[\d.]+), "
    r"delays=(?P<delays>[\d./]+), (?:tls=\S+, )?dsn=(?P<dsn>\d\.\d+\.\d+), (?:tls=\S+, )?status=(?P<status>\w+)(?: \((?P<text>.*))?",
    re.DOTALL,
)
_ACTIVE = re.compile(rf"from=<(?P<sender>{_ADDRESS})>, size=(?P<size>\d+), nrcpt=(?P<recipients>\d+) \(queue active\)")
_EXPIRED = re.compile(rf"from=<(?P<sender>{_ADDRESS})>, status=(?:force-)?expired, returned to sender")
_NOTICE = re.compile(rf"(?P<kind>(?:sender|postmaster) [a-z -]+ notification): (?P<notice>{_ID})$")
_CLIENT = re.compile(r"client=(?P<client>[^\s,]+)(?:, .*?sasl_username=(?P<user>[^\s,]+))?")
_REJECT = re.compile(
    r"(?:NOQUEUE|[0-9A-Za-z]+): reject: (?P<stage>\S+) from (?P<client>\S+?\[[^\]]*\])(?::\d+)?: (?P<text>\d{3} .*)", re.DOTALL
)
_CONNECT = re.compile(r"connect from (?P<client>\S+\[[^\]]*\])")
_PROCESS_LIMIT = re.compile(r'warning: service "(?P<service>[^"]+)".* has reached its process limit')
_CLIENT_LIMIT = re.compile(r"warning: Connection concurrency limit exceeded: \d+ from (?P<client>\S+\[[^\]]*\]) for service")
_FATAL = re.compile(r"(?:fatal|panic): (?P<text>.*)", re.DOTALL)
_ENDED = re.compile(r"warning: process /\S*/(?P<program>[^/\s]+) pid \d+ (?P<text>exit status \d+|killed by signal \d+)")
_THROTTLED = re.compile(r"warning: /\S*/(?P<program>[^/\s]+): bad command startup -- throttling")
_STARTED = re.compile(r"(?:daemon started|reload) -- version ")
_SIGTERM = "killed by signal 15"  # by master itself, as at a reload
_LOGIN = re.compile(r"warning: (?P<client>\S+\[[^\]]*\]): SASL (?P<mechanism>\S+) authentication failed: ?(?P<text>.*)")
_PROXY = re.compile(
    r"(?:submission-login: (?P<level>Error|Warning): )?proxy\((?P<mailbox>[^,()]+),[^)]*\): (?P<text>.*?)"
    r"(?: - reconnecting \(attempt #\d+\))?: user=<",
    re.DOTALL,
)
_PROXY_AUTH = re.compile(r"auth(?:\((?P<mailbox>[^,()]+),[^)]*\)\S*)?: Error: (?:proxy: )?(?P<text>DNS lookup .*)")
_CLOSED = re.compile(
    r"submission-login: (?:Info: )?(?:Disconnected|Login aborted): Server closed the connection: (?P<text>.*?) \(proxy dest .*?"
    r"user=<(?P<mailbox>[^>]+)>"
)


@dataclass(frozen=True)
class Event:
    """`timestamp`: Unix time in seconds. `label`: the listener or transport in the service's name (m365-1), else ""."""

    timestamp: float
    label: str
    service: str


@dataclass(frozen=True)
class Accepted(Event):
    """A device's message was accepted and has a queue id."""

    queue_id: str
    client: str
    user: str


@dataclass(frozen=True)
class Activated(Event):
    """A message entered the active queue. `recipients`: those without a result yet."""

    queue_id: str
    sender: str
    recipients: int
    size: int


@dataclass(frozen=True)
class Delivery(Event):
    """A delivery attempt for one recipient. `status`: sent, deferred or bounced.

    `delays` in seconds: before the queue manager, in it, connecting, sending.
    """

    queue_id: str
    recipient: str
    relay: str
    dsn: str
    status: str
    text: str
    delay: float
    delays: tuple[float, ...]


@dataclass(frozen=True)
class Ended(Event):
    """A message left the queue. `outcome`: removed, or expired (its queue lifetime ended: returned to the sender)."""

    queue_id: str
    outcome: str


@dataclass(frozen=True)
class Noticed(Event):
    """Postfix created a notice about a message, a message of its own. `kind`: such as "postmaster non-delivery notification"."""

    queue_id: str
    kind: str
    notice_id: str


@dataclass(frozen=True)
class Connected(Event):
    """A client reached a listener."""

    client: str


@dataclass(frozen=True)
class Rejected(Event):
    """A listener refused a client. `stage`: CONNECT, RCPT, ... or AUTH."""

    client: str
    stage: str
    text: str


@dataclass(frozen=True)
class LimitReached(Event):
    """`kind`: processes, where the service `name` of master.cf has no free process; client, where `name` has too many connections."""

    kind: str
    name: str


@dataclass(frozen=True)
class DaemonError(Event):
    """A program of Postfix logs an error that ends it."""

    text: str


@dataclass(frozen=True)
class DaemonEnded(Event):
    """A program of Postfix ended with an error. `text`: such as "exit status 1"."""

    program: str
    text: str


@dataclass(frozen=True)
class DaemonThrottled(Event):
    """A program of Postfix ended before it served a client, so that it is started again after a pause."""

    program: str


@dataclass(frozen=True)
class Started(Event):
    """Postfix was started or reloaded."""


@dataclass(frozen=True)
class ProxyError(Event):
    """The submission proxy's error about a failed login upstream; `mailbox` is "" where the line names none."""

    mailbox: str
    text: str


def event_of(entry: JournalEntry) -> Event | None:
    """The event of a journal entry; None where it has none. Only the unit is trusted: any user may log under Postfix's identifier."""
    if entry.unit == PROXY_UNIT:
        return _proxy_event(entry.timestamp, entry.message)
    if entry.unit not in POSTFIX_UNITS:
        return None
    parts = entry.identifier.split("/")
    if parts[0] != "postfix" or len(parts) < 2:
        return None
    return _postfix_event(entry.timestamp, "/".join(parts[1:-1]), parts[-1], entry.message)


def _postfix_event(timestamp: float, label: str, service: str, message: str) -> Event | None:
    if service == "master":
        return _master_event(timestamp, label, message)
    if fatal := _FATAL.match(message):
        return DaemonError(timestamp, label, service, " ".join(fatal["text"].split())[:300])
    queued = _QUEUED.match(message)
    if queued and service != "smtpd":
        return _message_event(timestamp, label, service, queued["id"], queued["rest"])
    if service != "smtpd":
        return None
    if queued and (client := _CLIENT.match(queued["rest"])):
        return Accepted(timestamp, label, service, queued["id"], client["client"], client["user"] or "")
    if rejected := _REJECT.match(message):
        return Rejected(timestamp, label, service, rejected["client"], rejected["stage"], rejected["text"])
    if login := _LOGIN.match(message):
        return Rejected(timestamp, label, service, login["client"], "AUTH", login["text"])
    if limited := _CLIENT_LIMIT.match(message):
        return LimitReached(timestamp, label, service, "client", limited["client"])
    if connected := _CONNECT.match(message):
        return Connected(timestamp, label, service, connected["client"])
    return None


def _master_event(timestamp: float, label: str, message: str) -> Event | None:
    if limit := _PROCESS_LIMIT.match(message):
        return LimitReached(timestamp, label, "master", "processes", limit["service"])
    if (ended := _ENDED.match(message)) and ended["text"] != _SIGTERM:
        return DaemonEnded(timestamp, label, "master", ended["program"], ended["text"])
    if throttled := _THROTTLED.match(message):
        return DaemonThrottled(timestamp, label, "master", throttled["program"])
    return Started(timestamp, label, "master") if _STARTED.match(message) else None


def _message_event(timestamp: float, label: str, service: str, queue_id: str, rest: str) -> Event | None:
    if rest == "removed":
        return Ended(timestamp, label, service, queue_id, "removed")
    if active := _ACTIVE.match(rest):
        return Activated(timestamp, label, service, queue_id, active["sender"].lower(), int(active["recipients"]), int(active["size"]))
    if _EXPIRED.match(rest):
        return Ended(timestamp, label, service, queue_id, "expired")
    if service == "bounce" and (notice := _NOTICE.match(rest)):
        return Noticed(timestamp, label, service, queue_id, notice["kind"], notice["notice"])
    match = _DELIVERY.match(rest)
    if not match:
        return None
    return Delivery(
        timestamp,
        label,
        service,
        queue_id,
        match["to"],
        match["relay"],
        match["dsn"],
        match["status"],
        (match["text"] or "").removesuffix(")"),
        float(match["delay"]),
        tuple(float(part) for part in match["delays"].split("/") if part.strip(".")),
    )


def _proxy_event(timestamp: float, message: str) -> Event | None:
    for pattern in (_PROXY, _CLOSED, _PROXY_AUTH):
        match = pattern.search(message)
        if match and (pattern is not _PROXY or match["level"]):
            return ProxyError(timestamp, "", "proxy", (match["mailbox"] or "").lower(), match["text"])
    return None
