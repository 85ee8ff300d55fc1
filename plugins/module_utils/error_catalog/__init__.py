# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error catalog: what an error of a service means, the remedy, and whether the error is transient.

The modules, smtp_probe, the relay's agent, explain and docs/errors.md all read it. Of several entries that match, the first one counts.
"""

from __future__ import annotations

import re

from . import (
    acs_entries,
    arm_entries,
    dns_entries,
    entra_entries,
    exchange_entries,
    graph_entries,
    hosted_entries,
    hosted_smtp_entries,
    hve_entries,
    network_entries,
    relay_entries,
    smtp_entries,
)
from .entry import ErrorEntry

__all__ = [
    "ENTRIES",
    "MAIL_SERVICES",
    "ErrorEntry",
    "arm",
    "delivery",
    "dns",
    "entra",
    "exchange",
    "graph",
    "hosted",
    "network",
    "relay",
    "server_reply",
    "smtp",
    "smtp_cause",
    "smtp_code",
]

ENTRIES: tuple[ErrorEntry, ...] = (
    entra_entries.ENTRIES
    + graph_entries.ENTRIES
    + exchange_entries.ENTRIES
    + smtp_entries.ENTRIES
    + hve_entries.ENTRIES
    + acs_entries.ENTRIES
    + relay_entries.ENTRIES
    + network_entries.ENTRIES
    + arm_entries.ENTRIES
    + dns_entries.ENTRIES
    + hosted_entries.ENTRIES
    + hosted_smtp_entries.ENTRIES
)
MAIL_SERVICES = ("smtp", "hve", "acs", "hosted_smtp")

_ENHANCED = re.compile(r"(?<![\w.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)\b")
_AADSTS = re.compile(r"\bAADSTS(\d+)\b")
_SUSPENDED = "delivery temporarily suspended: "
_POSTFIX_REPLY = re.compile(r"\b(?:said|refused to talk to me): (?P<reply>\d{3}.*?)(?: \(in reply to [^()]*\))?$", re.DOTALL)
_EMBEDDED = re.compile(r"Error: (\d{3} [245]\.\d{1,3}\.\d{1,3} .*)", re.DOTALL)


def _find(service: str, code: str, text: str, *, pattern: bool = False) -> ErrorEntry | None:
    """The first entry of a service that matches; with `pattern` the entries' codes are regular expressions."""
    for entry in ENTRIES:
        if entry.service != service or not (entry.code or entry.text):
            continue
        if entry.code and not (re.fullmatch(entry.code, code) if pattern else entry.code == code):
            continue
        if not entry.text or re.search(entry.text, text):
            return entry
    return None


def entra(code: int | str, error: str = "") -> ErrorEntry | None:
    """The entry of an AADSTS number, else of the OAuth `error`."""
    return _find("entra", str(code), "") or _find("entra", error, "")


def graph(code: str, message: str = "") -> ErrorEntry | None:
    """The entry of a Graph error's `code`, else of its message."""
    return _find("graph", code, message)


def exchange(kind: str, message: str = "") -> ErrorEntry | None:
    """The entry of an Exchange exception's type without its namespace, else of its message."""
    return _find("exchange", kind, message)


def smtp_code(reply: str) -> str:
    """The enhanced status code of a reply, such as 5.7.139 (RFC 3463); "" where it has none."""
    match = _ENHANCED.search(reply)
    return match.group(1) if match else ""


def smtp_cause(reply: str) -> str:
    """The reply that states the cause: a 530 after a failed AUTH embeds the reply to that AUTH."""
    match = _EMBEDDED.search(reply)
    return match.group(1) if match else reply


def smtp(reply: str, service: str = "smtp") -> ErrorEntry | None:
    """The entry of an SMTP reply such as `535 5.7.139 Authentication unsuccessful, ...`: the service's own, else another's."""
    cause = smtp_cause(reply)
    services = dict.fromkeys((service, *MAIL_SERVICES))
    return next((entry for name in services if (entry := _find(name, smtp_code(cause), cause, pattern=True))), None)


def relay(text: str) -> ErrorEntry | None:
    """The entry of a message of Postfix or of the submission proxy (Dovecot) on a relay host, where no service has answered."""
    return _find("relay", "", text)


def server_reply(text: str) -> str:
    """The server's reply in Postfix's text of an attempt, without the server's address, whose digits look like codes."""
    text = text.removeprefix(_SUSPENDED)
    match = _POSTFIX_REPLY.search(text)
    return match["reply"] if match else text


def delivery(text: str) -> tuple[ErrorEntry | None, str]:
    """The entry of a text of Postfix (delay_reason, or the text in brackets after status=deferred), the submission proxy or Entra.

    With it the AADSTS code, if the text has one.
    """
    reply = server_reply(text)
    number = _AADSTS.search(reply)
    entry = (entra(number[1]) if number else None) or relay(reply) or smtp(reply)
    return entry, number[0] if number else ""


def network(code: str, message: str = "") -> ErrorEntry | None:
    """The entry of a failure between this host and a mail server, by the code that _clients/smtp.py gives it."""
    return _find("network", code, message)


def dns(code: str) -> ErrorEntry | None:
    """The entry of a DNS server's response code (RFC 2136) or TSIG error (RFC 8945)."""
    return _find("dns", code, "")


def arm(code: str) -> ErrorEntry | None:
    """The entry of an Azure Resource Manager error's `code`."""
    return _find("arm", code, "", pattern=True)


def hosted(status: str, message: str = "") -> ErrorEntry | None:
    """The entry of an HTTP status of a hosted relay's API, and of its message."""
    return _find("hosted", status, message, pattern=True)
