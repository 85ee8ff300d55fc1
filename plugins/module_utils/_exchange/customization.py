# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Customization of a new organization, which has Microsoft's default configuration until Enable-OrganizationCustomization has run.

Exchange then refuses authentication policies, management roles and others with InvalidOperationInDehydratedContextException. After the
cmdlet, IsDehydrated is false at once, while writes are refused for up to an hour; some tenants then answer for another hour that a
delegating role assignment is missing.
Sources: Enable-OrganizationCustomization; Get-OrganizationConfig (IsDehydrated); the delays are observed.
"""

from __future__ import annotations

import re

from .._clients.exchange import Command, boolean
from .._core.errors import ExchangeError
from .._core.json_types import JsonObject
from .._engine.tenant import Tenant
from . import lookup

PROPERTY = "IsDehydrated"
KEY = "organization_customization"  # of a plan's before and after
DISABLED, ENABLED = "not enabled", "enabled"
ENABLE = Command("Enable-OrganizationCustomization", {"Confirm": False}, attempted="enable the customization of the organization")
_READ = Command("Get-OrganizationConfig", {}, (PROPERTY,), "read whether the organization may be customized")
_DEHYDRATED = "InvalidOperationInDehydratedContextException"
_DELEGATING = re.compile(r"must be assigned a delegating role assignment", re.IGNORECASE)


def is_dehydrated(organization: JsonObject) -> bool:
    """Whether Enable-OrganizationCustomization has to run, by the object of Get-OrganizationConfig."""
    return boolean(organization.get(PROPERTY)) is True


def read(tenant: Tenant) -> bool:
    """As `is_dehydrated`, by a request."""
    return is_dehydrated(lookup.single(tenant.exchange.run(_READ), _READ.attempted))


def add_change(before: dict[str, object], after: dict[str, object]) -> None:
    """Add the change to both sides of a plan."""
    before[KEY], after[KEY] = DISABLED, ENABLED


def enable(tenant: Tenant) -> None:
    """Run the cmdlet, once a run. Exchange refuses it where the organization is customized already, which is no failure."""
    if tenant.run_cache.get(KEY):
        return
    try:
        tenant.exchange.run(ENABLE)
    except ExchangeError as error:
        if error.status != 400:
            raise
    tenant.run_cache.put(KEY, True)


def is_required(error: ExchangeError) -> bool:
    """Whether the organization has to be customized for the refused command, or was customized minutes ago."""
    return error.code == _DEHYDRATED


def is_delayed(error: ExchangeError) -> bool:
    """Whether the customization is not effective yet."""
    return is_required(error) or bool(_DELEGATING.search(error.service_message))
