# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason of a failed delivery attempt, from the error catalog.

The input is Postfix's text of an attempt; the output holds the catalog entry's cause and remedy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ... import error_catalog
from ...error_catalog.entry import ErrorEntry

_CODE = re.compile(r"^(\d{3})[ -](?:([245]\.\d{1,3}\.\d{1,3})\b)?")


@dataclass(frozen=True)
class Reason:
    """`id`: of the catalog entry, or unknown. `queue_policy`: defer, hold, bounce or "". `reply`: the server's text, shortened."""

    id: str
    code: str
    cause: str
    remedy: str
    transient: bool
    queue_policy: str
    reply: str


WAITING = Reason("waiting", "", "no delivery attempt has failed yet", "", True, "", "")


def explain(text: str) -> Reason:
    """The reason for a text of Postfix (delay_reason, or the text in brackets after status=deferred), the submission proxy or Entra."""
    if not text:
        return WAITING
    entry, code = error_catalog.delivery(text)
    return _reason(entry, error_catalog.server_reply(text), code)


def _reason(entry: ErrorEntry | None, reply: str, code: str) -> Reason:
    match = _CODE.match(error_catalog.smtp_cause(reply))
    code = code or (" ".join(part for part in match.groups() if part) if match else "")
    short = " ".join(reply.split())
    short = short if len(short) <= 300 else short[:297] + "..."
    if entry:
        return Reason(entry.id, code, entry.cause, entry.remedy, entry.transient, entry.queue_policy, short)
    return Reason("unknown", code, "the upstream server's reply is not in the error catalog", f"Reply: {short}", False, "", short)


def of_entry(entry_id: str) -> Reason:
    """The reason that a catalog entry describes, without a server's reply."""
    entry = next((entry for entry in error_catalog.ENTRIES if entry.id == entry_id), None)
    return _reason(entry, "", "") if entry else Reason("unknown", "", cause_of(entry_id), "", False, "", "")


def cause_of(entry_id: str) -> str:
    """The cause of a catalog entry; the id itself where there is no such entry."""
    return next((entry.cause for entry in error_catalog.ENTRIES if entry.id == entry_id), entry_id)
