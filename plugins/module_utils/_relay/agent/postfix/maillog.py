# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal lines of Postfix and of the bridge as events.

Private to the collection. A line is what `journalctl -o json` prints: MESSAGE, SYSLOG_IDENTIFIER (postfix/m365-1/smtp), _SYSTEMD_UNIT,
__REALTIME_TIMESTAMP in microseconds, __CURSOR. Addresses in a line are a device's own words: a quoted local part may hold anything, even
`>, status=sent`, so they are read as RFC 5321 writes them. Sources: postfix smtp(8), qmgr(8), bounce(8), smtpd(8) of 3.7 to 3.11 with
info_log_address_format = external; Dovecot 2.3.19 and 2.4.1. Tried on the lines that they really write (tests/unit/relay).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

BRIDGE_UNIT = "mailops-relay-proxy.service"
POSTFIX_UNITS = ("postfix.service", "postfix@-.service")  # Debian 13, and 12
# What journalctl is asked for: what `event` reads, of these units. Matches on one field are alternatives (journalctl(1)).
JOURNAL = ("--quiet", "--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT")
MATCHES = tuple(f"_SYSTEMD_UNIT={unit}" for unit in (*POSTFIX_UNITS, BRIDGE_UNIT))

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
_CLIENT = re.compile(r"client=(?P<client>[^\s,]+)(?:, .*?sasl_username=(?P<user>[^\s,]+))?")
_REJECT = re.compile(
    r"(?:NOQUEUE|[0-9A-Za-z]+): reject: (?P<stage>\S+) from (?P<client>\S+?\[[^\]]*\])(?::\d+)?: (?P<text>\d{3} .*)", re.DOTALL
)
_CONNECT = re.compile(r"connect from (?P<client>\S+\[[^\]]*\])")
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
    """What one line tells. `at`: Unix time in seconds. `label`: the listener or transport in the service's name (m365-1), else ""."""

    at: float
    label: str
    service: str


@dataclass(frozen=True)
class Accepted(Event):
    """A device's message has a queue id."""

    queue_id: str
    client: str
    user: str


@dataclass(frozen=True)
class Active(Event):
    """Postfix takes a message up for delivery. `recipients`: those still to do."""

    queue_id: str
    sender: str
    recipients: int
    size: int


@dataclass(frozen=True)
class Delivery(Event):
    """One recipient's attempt. `status`: sent, deferred or bounced.

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
    """`how`: removed (done with), or expired (the queue's lifetime is over: returned to the sender)."""

    queue_id: str
    how: str


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
class BridgeTrouble(Event):
    """The bridge's own words about a sign-in upstream that failed; `mailbox` is "" where it does not say whose."""

    mailbox: str
    text: str


def parse(line: str) -> tuple[str, Event | None]:
    """Cursor and event of one journal line; no event where it tells nothing that the relay keeps. A broken line is ("", None)."""
    try:
        entry = json.loads(line)
    except ValueError:
        return "", None
    return (str(entry.get("__CURSOR") or ""), event(entry)) if isinstance(entry, dict) else ("", None)


def event(entry: dict[str, Any]) -> Event | None:
    """The event of a journal entry. Only units are believed, which nobody can forge: anyone may log under Postfix's name."""
    message, unit = _text(entry.get("MESSAGE")), entry.get("_SYSTEMD_UNIT")
    at = int(entry.get("__REALTIME_TIMESTAMP") or 0) / 1e6
    if unit == BRIDGE_UNIT:
        return _of_bridge(at, message)
    if unit not in POSTFIX_UNITS:
        return None
    parts = _text(entry.get("SYSLOG_IDENTIFIER")).split("/")
    if parts[0] != "postfix" or len(parts) < 2:
        return None
    return _of_postfix(at, "/".join(parts[1:-1]), parts[-1], message)


def _text(value: Any) -> str:
    """The journal gives text that is not UTF-8 as a list of bytes, and a field too long as null."""
    if isinstance(value, list):
        return bytes(byte for byte in value if isinstance(byte, int) and 0 <= byte < 256).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _of_postfix(at: float, label: str, service: str, message: str) -> Event | None:
    found = _QUEUED.match(message)
    if found and service != "smtpd":
        return _of_message(at, label, service, found["id"], found["rest"])
    if service != "smtpd":
        return None
    if found and (client := _CLIENT.match(found["rest"])):
        return Accepted(at, label, service, found["id"], client["client"], client["user"] or "")
    if refused := _REJECT.match(message):
        return Rejected(at, label, service, refused["client"], refused["stage"], refused["text"])
    if login := _LOGIN.match(message):
        return Rejected(at, label, service, login["client"], "AUTH", login["text"])
    if reached := _CONNECT.match(message):
        return Connected(at, label, service, reached["client"])
    return None


def _of_message(at: float, label: str, service: str, queue_id: str, rest: str) -> Event | None:
    if rest == "removed":
        return Ended(at, label, service, queue_id, "removed")
    if active := _ACTIVE.match(rest):
        return Active(at, label, service, queue_id, active["sender"].lower(), int(active["recipients"]), int(active["size"]))
    if _EXPIRED.match(rest):
        return Ended(at, label, service, queue_id, "expired")
    sent = _DELIVERY.match(rest)
    if not sent:
        return None
    text = (sent["text"] or "").removesuffix(")")
    delays = tuple(float(part) for part in sent["delays"].split("/") if part.strip("."))
    return Delivery(
        at, label, service, queue_id, sent["to"], sent["relay"], sent["dsn"], sent["status"], text, float(sent["delay"]), delays
    )


def _of_bridge(at: float, message: str) -> Event | None:
    for pattern in (_PROXY, _CLOSED, _PROXY_AUTH):
        found = pattern.search(message)
        if found and (pattern is not _PROXY or found["level"]):
            return BridgeTrouble(at, "", "bridge", (found["mailbox"] or "").lower(), found["text"])
    return None
