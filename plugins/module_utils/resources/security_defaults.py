# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra Security Defaults: read, never changed; while they are on, nobody signs in to SMTP by password.

Private to the collection. Source: "Security defaults in Microsoft Entra ID"; Microsoft Graph v1.0,
"identitySecurityDefaultsEnforcementPolicy".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._clients.graph import Call
from .._core.errors import InvalidInput
from .._core.spec import TENANT, Spec
from .._engine.engine import Plan, Reading
from .._engine.tenant import Tenant

READ = Call("GET", "/policies/identitySecurityDefaultsEnforcementPolicy", attempted="read Security Defaults")


class SecurityDefaultsInfo(Reading):
    """module security_defaults_info"""

    name = "security_defaults_info"
    spec = TENANT | Spec({}, writes=False)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        return Plan(outcome={"security_defaults": {"enabled": enabled(tenant)}})


INFO = SecurityDefaultsInfo()


def enabled(tenant: Tenant) -> bool:
    return is_on(tenant.graph.read(READ))


def is_on(policy: dict[str, Any] | None) -> bool:
    """What the policy that was read says; a tenant without one has them off."""
    return bool(policy and policy.get("isEnabled"))


def refuse_basic(tenant: Tenant, addresses: Sequence[str]) -> None:
    """InvalidInput where Security Defaults defeat these mailboxes' sign-in by password."""
    if enabled(tenant):
        raise InvalidInput(
            f"{', '.join(addresses)}: sign_in is basic, but this tenant's Entra Security Defaults are on and refuse every SMTP "
            "sign-in by password; use sign_in: oauth, send through a connector, or replace Security Defaults by Conditional "
            "Access first. Nothing was changed."
        )
