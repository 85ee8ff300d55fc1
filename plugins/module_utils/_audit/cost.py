# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the audit of a tenant cost: HTTP requests by service, DNS queries, and time."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.waiting import Cost

LABELS = {"entra": "Microsoft Entra ID", "graph": "Microsoft Graph", "exchange": "Exchange Online", "reports": "usage reports"}
OTHER = "other services"


@dataclass(frozen=True)
class AuditCost:
    """`seconds`: from the first request to the verdicts; those that a limit of a service made it wait are in `cost`."""

    cost: Cost
    dns_queries: int
    seconds: float

    def as_result(self) -> dict[str, object]:
        services = {LABELS.get(name, OTHER): number for name, number in sorted(self.cost.services.items())}
        return self.cost.as_result() | {"services": services, "dns_queries": self.dns_queries, "seconds": round(self.seconds, 1)}
