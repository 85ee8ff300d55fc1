# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._audit import sign_ins
from ansible_collections.mailops.m365.plugins.module_utils._audit.evidence import BasicUsage


def row(moment: str, error: int = 0, address: str = "203.0.113.9", user: str = "ERP@contoso.com") -> dict[str, Any]:
    return {
        "userPrincipalName": user,
        "createdDateTime": moment,
        "ipAddress": address,
        "status": {"errorCode": error},
        "userDisplayName": "ERP",
    }


def test_rows_are_counted_by_mailbox() -> None:
    usage: dict[str, BasicUsage] = {}
    sign_ins.count(usage, [row("2026-11-27T09:00:00Z"), row("2026-11-25T09:00:00Z", address="203.0.113.10")])
    sign_ins.count(usage, [row("2026-11-28T01:00:00Z", 50126), row("2026-11-20T01:00:00Z", user="it@contoso.com", address="")])
    assert usage["erp@contoso.com"] == BasicUsage(
        succeeded=2,
        failed=1,
        last_succeeded=datetime.date(2026, 11, 27),
        last_failed=datetime.date(2026, 11, 28),
        addresses=("203.0.113.9", "203.0.113.10"),
    )
    assert usage["it@contoso.com"].addresses == ()


def test_addresses_are_bounded() -> None:
    usage: dict[str, BasicUsage] = {}
    sign_ins.count(usage, [row("2026-11-27T09:00:00Z", address=f"203.0.113.{number}") for number in range(50)])
    assert (usage["erp@contoso.com"].succeeded, len(usage["erp@contoso.com"].addresses)) == (50, sign_ins.MOST_ADDRESSES)
