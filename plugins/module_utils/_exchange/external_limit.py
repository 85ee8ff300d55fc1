# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant external recipient rate limit as Exchange enforces it.

Sources: Get-LimitsEnforcementStatus ("Introducing Exchange Online Tenant Outbound Email Limits"); its properties are those that public
clients of the cmdlet read.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command, Outcome, boolean

READ = Command("Get-LimitsEnforcementStatus", attempted="read the tenant external recipient rate limit")


@dataclass(frozen=True)
class ExternalLimit:
    """External recipients in 24 hours: the limit, and how many there were in the last ones. `enforced`: whether more are refused."""

    limit: int
    used: int
    enforced: bool = True

    @property
    def percent(self) -> int:
        """How much of the limit is used, rounded down."""
        return 100 * self.used // self.limit


def of_outcome(outcome: Outcome) -> ExternalLimit | None:
    """The limit; None where the cmdlet is missing, is refused, or gives no limit."""
    for row in () if outcome.error else outcome.values:
        limit, used = _number(row.get("Threshold")), _number(row.get("ObservedValue"))
        if limit:
            return ExternalLimit(limit, used, enforced=boolean(row.get("EnforcementEnabled")) is not False)
    return None


def _number(value: object) -> int:
    """A count, which some answers give as text; 0 where it is none."""
    try:
        return max(0, int(float(str(value))))
    except (ValueError, OverflowError):
        return 0
