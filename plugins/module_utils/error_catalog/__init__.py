# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of known errors: what a code means, what to do, and whether waiting helps.

Private to the collection, but its rows are public knowledge: the modules, the probe and docs/errors.md read them here.
A row says in `cause` what is wrong (a clause without a full stop) and in `remedy` what to change (a sentence).
`wait` is true where the same attempt may pass later without anybody changing anything.
`keep` is what a queueing relay should do with mail that meets this reply: "defer", "hold" or "bounce".
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
    hve_entries,
    relay_entries,
    smtp_entries,
)
from .entry import Known

ROWS: tuple[Known, ...] = (
    entra_entries.ROWS
    + graph_entries.ROWS
    + exchange_entries.ROWS
    + smtp_entries.ROWS
    + hve_entries.ROWS
    + acs_entries.ROWS
    + relay_entries.ROWS
    + arm_entries.ROWS
    + dns_entries.ROWS
)


def _find(service: str, code: str, text: str, *, pattern: bool = False) -> Known | None:
    for row in ROWS:
        if row.service != service:
            continue
        if row.code and not (re.fullmatch(row.code, code) if pattern else row.code == code):
            continue
        if row.text and not re.search(row.text, text):
            continue
        if row.code or row.text:
            return row
    return None


def entra(code: int | str, error: str = "") -> Known | None:
    """The row of an AADSTS number, else of the OAuth `error`."""
    return _find("entra", str(code), "") or _find("entra", error, "")


def graph(code: str, message: str = "") -> Known | None:
    """The row of a Graph error's `code`."""
    return _find("graph", code, message)


def exchange(kind: str, message: str = "") -> Known | None:
    """The row of an Exchange exception's type without its namespace, else of its text."""
    return _find("exchange", kind, message)


_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_EMBEDDED = re.compile(r"Error: (\d{3} [245]\.\d{1,3}\.\d{1,3} .*)", re.DOTALL)


def smtp_code(reply: str) -> str:
    """The enhanced status code of a reply, such as 5.7.139 ("" where it has none; RFC 3463)."""
    found = _ENHANCED.search(reply)
    return found.group(1) if found else ""


def smtp_cause(reply: str) -> str:
    """The reply that tells the cause: a 530 that embeds the reply to a failed AUTH is opened."""
    found = _EMBEDDED.search(reply)
    return found.group(1) if found else reply


MAIL_SERVICES = ("smtp", "hve", "acs")


def smtp(reply: str, service: str = "smtp") -> Known | None:
    """The row of an SMTP reply such as `535 5.7.139 Authentication unsuccessful, ...`: the service's own, else another's."""
    cause = smtp_cause(reply)
    places = dict.fromkeys((service, *MAIL_SERVICES))
    return next((row for place in places if (row := _find(place, smtp_code(cause), cause, pattern=True))), None)


def relay(text: str) -> Known | None:
    """The row of what Postfix or the bridge says on a relay host where no service has answered."""
    return _find("relay", "", text)


def dns(code: str) -> Known | None:
    """The row of a DNS server's response code (RFC 2136) or TSIG error (RFC 8945)."""
    return _find("dns", code, "")


def arm(code: str) -> Known | None:
    """The row of an Azure Resource Manager error's `code`."""
    return _find("arm", code, "", pattern=True)
