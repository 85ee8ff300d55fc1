# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Older protocols that an organization allows: TLS 1.0 and 1.1 for SMTP AUTH, and Exchange Web Services.

Sources: Set-TransportConfig (AllowLegacyTLSClients); "Opt in to the Exchange Online endpoint for legacy TLS clients using SMTP AUTH";
Set-OrganizationConfig (EwsEnabled, EWSAllowedAppIDs). EwsEnabled null means blocked since 2026-10-01, except for the listed applications.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.exchange import Command, boolean, names
from .._engine.tenant import Tenant

_ATTEMPTED = "read which older protocols are allowed"
TRANSPORT = Command("Get-TransportConfig", {}, attempted=_ATTEMPTED)
ORGANIZATION = Command("Get-OrganizationConfig", {}, attempted=_ATTEMPTED)


@dataclass(frozen=True)
class Protocols:
    """`legacy_tls`: of SMTP AUTH. `ews`: None is Microsoft's default. `ews_applications`: client ids that may use EWS in any case."""

    legacy_tls: bool = False
    ews: bool | None = None
    ews_applications: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        """`ews`: enabled, disabled, or default where the organization has no setting of its own."""
        ews = "default" if self.ews is None else "enabled" if self.ews else "disabled"
        return {"legacy_tls": self.legacy_tls, "ews": ews, "ews_applications": list(self.ews_applications)}


def read(tenant: Tenant) -> Protocols:
    """What the organization allows: one request, where its settings were not read before for another reader, which they are kept for."""
    kept = [tenant.exchange.prefetched(command) for command in (TRANSPORT, ORGANIZATION)]
    outcomes = [one for one in kept if one] if all(kept) else tenant.exchange.batch((TRANSPORT, ORGANIZATION))
    transport, organization = (outcome.checked().values[0] for outcome in outcomes)
    applications = next((value for name, value in organization.items() if name.lower() == "ewsallowedappids"), None)
    return Protocols(
        bool(boolean(transport.get("AllowLegacyTLSClients"))),
        boolean(next((value for name, value in organization.items() if name.lower() == "ewsenabled"), None)),
        tuple(sorted({one.lower() for one in names(applications)})),
    )
