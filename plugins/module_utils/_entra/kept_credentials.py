# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that stay on an application although they were to be removed: the last credential, and that of this run's sign-in."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence

from .._clients.graph import Call
from .._clients.odata import key
from .._engine.tenant import Tenant
from .._identity.credentials import ClientCertificate
from .application_changes import certificate_changes
from .application_credentials import StoredCredential, credentials_of, last_usable
from .applications import CurrentApplication
from .certificates import PublicCertificate
from .graph_objects import ApplicationObject


def kept_certificates(
    tenant: Tenant,
    current: CurrentApplication,
    listed: Sequence[PublicCertificate] | None,
    retired: Collection[str],
    exclusive: bool,
    now: datetime.datetime,
) -> Mapping[str, str]:
    """Thumbprint -> why the certificate stays. Federated credentials are read only where they decide."""
    application = current.application
    added, removed = certificate_changes(current, listed, retired, exclusive)
    if application is None or not removed:
        return {}
    stored = credentials_of(application)
    kept = {one.thumbprint: f"{one} stays: Ansible signs in with it." for one in _of_this_sign_in(tenant, application, stored, removed)}
    removed = frozenset(one.key_id for one in stored if one.key_id in removed and one.thumbprint not in kept)
    path = f"/applications/{application['id']}"
    last = last_usable(stored, added, removed, now, lambda: has_federated_credentials(tenant, path))
    return kept | {one.thumbprint: f"{one} stays: without it the application has no usable credential. Add another first." for one in last}


def _of_this_sign_in(
    tenant: Tenant, application: ApplicationObject, stored: Sequence[StoredCredential], removed: Collection[str]
) -> list[StoredCredential]:
    if application["appId"].lower() != tenant.client_id.lower() or not isinstance(tenant.credential, ClientCertificate):
        return []
    return [one for one in stored if one.key_id in removed and one.thumbprint == tenant.credential.thumbprint]


def has_federated_credentials(tenant: Tenant, path: str) -> bool:
    """Whether an application has federated identity credentials. `path`: of the application."""
    attempted = "read the federated credentials of the application"
    return bool(tenant.graph.every(f"{path}/federatedIdentityCredentials?$select=id,name", attempted))


# -- for the federated credentials of the same application --------------------------------------------------------------


def cache_usable(tenant: Tenant, unique_name: str, count: int) -> None:
    """Store for later tasks of the run how many usable certificates and client secrets an application has, or will have."""
    tenant.run_cache.put(_cache_key(unique_name), {"usable": count})


def has_usable(tenant: Tenant, path: str, unique_name: str | None, now: datetime.datetime) -> bool:
    """Whether an application has a usable certificate or client secret after this run's changes. `path`: of the application."""
    cached = tenant.run_cache.get(_cache_key(unique_name)) if unique_name else None
    if cached:
        return bool(cached["usable"])
    call = Call("GET", f"{path}?$select=id,keyCredentials,passwordCredentials", attempted="read the credentials of the application")
    return any(one.is_usable(now) for one in credentials_of(tenant.graph.read(call)))


def _cache_key(unique_name: str) -> str:
    return f"credentials {key(unique_name)}"
