# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message trace of Exchange Online. Subjects are never requested.

Source: Get-MessageTraceV2 (90 days, 10 days and 5,000 rows a query, 100 requests in 5 minutes; the rows after the last one are those of a
query with its Received as EndDate and its RecipientAddress as StartingRecipientAddress). `*@domain` as a sender is used by public scripts.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from .._clients.exchange import Command
from .._core.json_types import JsonObject
from .._core.waiting import RequestWindow
from .._engine.tenant import Tenant

COLUMNS = ("MessageTraceId", "Received", "SenderAddress", "RecipientAddress", "FromIP")
ROWS, DAYS, MOST_DAYS = 5000, 10, 90
REQUESTS, SECONDS = 90, 300.0  # of the service's 100 in 5 minutes, which administrators need as well


def read(tenant: Tenant, domains: Sequence[str], days: int, take: Callable[[list[JsonObject]], None]) -> bool:
    """Give `take` the rows of messages from the domains in the last days, page by page, the newest first; a row is one recipient.

    At most REQUESTS queries. Returns whether all rows were read.
    """
    senders, window = [f"*@{domain}" for domain in domains], RequestWindow(REQUESTS, SECONDS, tenant.transport)
    end = datetime.datetime.fromtimestamp(tenant.clock.now(), datetime.UTC)
    oldest = end - datetime.timedelta(days=days)
    left = REQUESTS
    while end > oldest:
        start = max(oldest, end - datetime.timedelta(days=DAYS))
        parameters: dict[str, object] = {
            "SenderAddress": senders,
            "ResultSize": ROWS,
            "StartDate": _written(start),
            "EndDate": _written(end),
        }
        while True:
            if not left:
                return False
            left -= 1
            window.wait()
            rows = tenant.exchange.run(Command("Get-MessageTraceV2", parameters, COLUMNS, "read the message trace")).values
            take(rows)
            if len(rows) < ROWS:
                break
            following = {"EndDate": rows[-1]["Received"], "StartingRecipientAddress": rows[-1]["RecipientAddress"]}
            if following.items() <= parameters.items():
                return False  # the service gave the same rows again
            parameters |= following
        end = start
    return True


def _written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
