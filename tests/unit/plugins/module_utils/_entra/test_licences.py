# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._entra import licences

SKU: Any = {
    "skuPartNumber": "O365_BUSINESS_PREMIUM",
    "capabilityStatus": "Enabled",
    "prepaidUnits": {"enabled": 10},
    "servicePlans": [{"servicePlanName": "EXCHANGE_S_STANDARD"}],
}


def test_only_licences_with_a_mailbox_count() -> None:
    without: Any = {**SKU, "servicePlans": [{"servicePlanName": "EXCHANGE_S_FOUNDATION"}]}
    ended: Any = {**SKU, "capabilityStatus": "Deleted"}
    warned: Any = {**SKU, "capabilityStatus": "Warning", "prepaidUnits": {"enabled": 5}}
    assert licences.purchased([SKU, without, ended, warned]) == 15
