# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the sign-in log, counted by mailbox. Rows are not kept: only the user, the IP address, the date and the result are read.

Source: Microsoft Graph beta, "signIn resource type", "List signIns". `clientAppUsed` "Authenticated SMTP" (older rows: "SMTP") is a sign-in
with Basic authentication that Exchange Online made for a client of SMTP. A query returns interactive sign-ins only, unless it names
another kind.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import replace

from .._clients.odata import equals
from .._core.json_types import JsonObject
from .evidence import BasicUsage

KINDS = ("interactiveUser", "nonInteractiveUser")
CLIENTS = ("Authenticated SMTP", "SMTP")
MOST_ADDRESSES = 5  # of one mailbox


def path(kind: str, since: datetime.date) -> str:
    """The path of the rows of one kind since midnight (UTC) of a date."""
    clients = "%20or%20".join(equals("clientAppUsed", client) for client in CLIENTS)
    conditions = (f"createdDateTime%20ge%20{since.isoformat()}T00:00:00Z", f"({clients})", f"signInEventTypes/any(t:{equals('t', kind)})")
    return f"/auditLogs/signIns?$filter={'%20and%20'.join(conditions)}&$top=1000"


def count(usage: dict[str, BasicUsage], rows: Iterable[JsonObject]) -> None:
    """Add rows to the usage by address in lower case."""
    for row in rows:
        address = str(row.get("userPrincipalName") or "").lower()
        day = datetime.date.fromisoformat(str(row["createdDateTime"])[:10])
        current = usage.get(address, BasicUsage())
        source = str(row.get("ipAddress") or "")
        known = not source or source in current.addresses or len(current.addresses) >= MOST_ADDRESSES
        current = current if known else replace(current, addresses=(*current.addresses, source))
        if (row.get("status") or {}).get("errorCode") == 0:
            current = replace(current, succeeded=current.succeeded + 1, last_succeeded=max(day, current.last_succeeded or day))
        else:
            current = replace(current, failed=current.failed + 1, last_failed=max(day, current.last_failed or day))
        usage[address] = current
