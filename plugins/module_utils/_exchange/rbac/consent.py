# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consent to SMTP.SendAsApp: an app role assignment of the application in Entra.

Source: Microsoft Graph v1.0, "Grant an appRoleAssignment for a service principal", "Delete appRoleAssignedTo".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..._clients.graph import Call
from ..._core.errors import GraphError
from ..._engine.tenant import Tenant
from ..._entra.applications import is_replication_delay

PERMISSION = "SMTP.SendAsApp"


@dataclass(frozen=True)
class AppRole:
    """The app role SMTP.SendAsApp. `resource_id`: the object id of Exchange Online's service principal in this tenant."""

    resource_id: str
    role_id: str


@dataclass(frozen=True)
class Consent:
    """An app role assignment by its id. `resource_id` as in AppRole."""

    assignment_id: str
    resource_id: str


def withdraw(tenant: Tenant, consents: Iterable[Consent]) -> None:
    """Withdraw consent in Entra. Tokens that were issued before have the role until they expire."""
    attempted = f"withdraw consent to {PERMISSION}"
    paths = [f"/servicePrincipals/{consent.resource_id}/appRoleAssignedTo/{consent.assignment_id}" for consent in consents]
    tenant.graph.batch([Call("DELETE", path, None, attempted) for path in paths])


def give(tenant: Tenant, principal_id: str, app_role: AppRole) -> None:
    """Consent for an enterprise application. Consent that exists already is no error: a repeated request gets that answer."""
    body = {"principalId": principal_id, "resourceId": app_role.resource_id, "appRoleId": app_role.role_id}
    call = Call("POST", f"/servicePrincipals/{app_role.resource_id}/appRoleAssignedTo", body, f"consent to {PERMISSION}")
    try:
        tenant.graph.write(call, retry_on=is_replication_delay, limit=tenant.wait_timeout)
    except GraphError as error:
        if not error.exists:
            raise
