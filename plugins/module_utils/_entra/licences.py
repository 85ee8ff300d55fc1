# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The purchased licences that come with a mailbox. Source: Microsoft Graph v1.0, "List subscribedSkus"."""

from __future__ import annotations

from collections.abc import Sequence

from .._clients.graph import Call
from .graph_objects import SubscribedSku

READ = Call("GET", "/subscribedSkus?$select=skuPartNumber,capabilityStatus,prepaidUnits,servicePlans", attempted="read the licences")
# "Product names and service plan identifiers for licensing": the plans that come with a mailbox.
MAILBOX_PLANS = {
    "EXCHANGE_S_STANDARD",
    "EXCHANGE_S_ENTERPRISE",
    "EXCHANGE_S_STANDARD_GOV",
    "EXCHANGE_S_ENTERPRISE_GOV",
    "EXCHANGE_S_DESKLESS",
    "EXCHANGE_LITE",
}


def purchased(skus: Sequence[SubscribedSku]) -> int:
    """The number of purchased licences that come with a mailbox."""
    return sum(
        int(sku["prepaidUnits"].get("enabled") or 0)
        for sku in skus
        if sku.get("capabilityStatus") in ("Enabled", "Warning")
        and MAILBOX_PLANS & {str(plan.get("servicePlanName")) for plan in sku.get("servicePlans") or []}
    )
