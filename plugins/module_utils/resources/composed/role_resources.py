# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The resources of the modules that the tenant's roles run."""

from __future__ import annotations

from typing import Any

from ..._engine.resource import Resource
from .. import (
    acs_smtp_username,
    authentication_policy,
    delegated_sign_in,
    direct_send,
    entra_app,
    exchange_service_principal,
    federated_credential,
    hve_account,
    inbound_connector,
    rbac_for_applications,
    shared_mailbox,
    smtp_auth,
    smtp_probe,
    spf,
)

# The resources of the roles' tasks, by the module's name.
ROLE_RESOURCES: dict[str, Resource[Any, Any, Any]] = {
    file.RESOURCE.name: file.RESOURCE
    for file in (
        acs_smtp_username,
        authentication_policy,
        delegated_sign_in,
        direct_send,
        entra_app,
        exchange_service_principal,
        federated_credential,
        hve_account,
        inbound_connector,
        rbac_for_applications,
        shared_mailbox,
        smtp_auth,
        smtp_probe,
        spf,
    )
}
