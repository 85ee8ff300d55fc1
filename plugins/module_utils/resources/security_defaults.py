# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra Security Defaults, read-only. While they are enabled, Entra refuses every SMTP sign-in with Basic authentication.

Source: "Security defaults in Microsoft Entra ID"; Microsoft Graph v1.0,
"identitySecurityDefaultsEnforcementPolicy". Version beta has the date on which Microsoft enables them (securityDefaultsUpsell).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from .._clients.graph import Call
from .._core.errors import InvalidInput
from .._core.params import NoParams
from .._core.spec import TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra.graph_objects import SecurityDefaultsPolicy

READ = Call("GET", "/policies/identitySecurityDefaultsEnforcementPolicy", attempted="read Security Defaults")
_DUE = Call("GET", READ.path, attempted="read when Microsoft enables Security Defaults")
_ENABLES = ("autoEnable", "autoEnabledNotify")  # else the policy may have a date of the past
_CACHED = "Security Defaults"


class SecurityDefaultsInfo(ReadOnlyResource[NoParams]):
    """Module security_defaults_info."""

    name = "security_defaults_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams

    def plan(self, tenant: Tenant, params: NoParams, check_mode: bool) -> Plan[None]:
        return Plan(outcome={"security_defaults": {"enabled": learn(tenant, tenant.graph.read(READ))}})


INFO = SecurityDefaultsInfo()


def enabled(tenant: Tenant) -> bool:
    """Whether the tenant has Security Defaults enabled; read once a run."""
    cached = tenant.run_cache.get(_CACHED)
    return bool(cached) if cached is not None else learn(tenant, tenant.graph.read(READ))


def learn(tenant: Tenant, policy: SecurityDefaultsPolicy | None) -> bool:
    """Whether the policy that was read enables them, kept for the run's later tasks; a tenant without the policy has them disabled."""
    is_on = bool(policy and policy.get("isEnabled"))
    tenant.run_cache.put(_CACHED, is_on)
    return is_on


def due(tenant: Tenant) -> datetime.date | None:
    """The day on which Microsoft enables Security Defaults in the tenant, which has them disabled; None where it has announced none."""
    policy: SecurityDefaultsPolicy = tenant.graph.read_beta(_DUE)
    upsell = policy.get("securityDefaultsUpsell") or {}
    text = str(upsell.get("dueDateTime") or "")[:10]
    return datetime.date.fromisoformat(text) if text and upsell.get("action") in _ENABLES else None


def refuse_basic(tenant: Tenant, addresses: Sequence[str]) -> None:
    """InvalidInput where Security Defaults refuse these mailboxes' Basic authentication."""
    if enabled(tenant):
        raise InvalidInput(
            f"{', '.join(addresses)}: sign_in is basic, but this tenant's Entra Security Defaults are enabled and refuse "
            "Basic authentication for SMTP; use sign_in: oauth, send through a connector, or replace Security Defaults with "
            "Conditional Access first. Nothing was changed."
        )
