# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM signing of the organization's domains. The targets of the selectors cannot be derived from the domain: Exchange is read.

Sources: Get-DkimSigningConfig; "Set up DKIM to sign mail from your cloud domain".
"""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command, boolean
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant

SELECTORS = ("selector1", "selector2")
READ = Command(
    "Get-DkimSigningConfig",
    select=("Domain", "Enabled", "Status", "Selector1CNAME", "Selector2CNAME", "Selector1KeySize", "Selector2KeySize"),
    attempted="read the DKIM signing of the domains",
)


@dataclass(frozen=True)
class Signing:
    """DKIM signing of one domain. `targets`: of the CNAME records of both selectors, "" where it has none. `key_sizes`: bits, or 0."""

    enabled: bool
    status: str = ""
    targets: tuple[str, str] = ("", "")
    key_sizes: tuple[int, int] = (0, 0)


def read(tenant: Tenant) -> dict[str, Signing]:
    """DKIM signing by domain in lower case; a domain without a configuration is missing."""
    return {str(item["Domain"]).lower(): _signing(item) for item in tenant.exchange.run(READ).values}


def _signing(item: JsonObject) -> Signing:
    targets = [str(item.get(f"Selector{number}CNAME") or "").rstrip(".").lower() for number in (1, 2)]
    sizes = [int(item.get(f"Selector{number}KeySize") or 0) for number in (1, 2)]
    enabled = boolean(item.get("Enabled")) is True
    return Signing(enabled, str(item.get("Status") or ""), (targets[0], targets[1]), (sizes[0], sizes[1]))
