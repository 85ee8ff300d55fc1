# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application that users sign in to, and their tokens from a sink, as resources ask for them.

Private to the collection.
"""

from __future__ import annotations

from . import applications
from .graph import key
from .identity.delegated import StoredSignIn
from .identity.sinks import Sink
from .identity.tokens import TokenSource
from .tenant import Tenant


def application_id(tenant: Tenant, app_id: str | None, unique_name: str | None) -> str | None:
    """The client id of an application that is named by it or by its unique name; None where there is none."""
    if app_id or not unique_name:
        return app_id
    known = applications.recall(tenant, unique_name)
    if known:
        return known.app_id
    path = f"/applications(uniqueName='{key(unique_name)}')?$select=appId"
    found = tenant.graph.get(path, f"look for the application {unique_name}")
    return str(found["appId"]) if found else None


def user_tokens(tenant: Tenant, app_id: str, user: str, sink: Sink, *, keep: bool = True) -> TokenSource:
    """The user's tokens through the application; a renewed refresh token is stored in the sink (`keep`)."""
    return TokenSource(tenant.cloud, tenant.name, app_id, StoredSignIn(user, sink, keep), tenant.token_cache, tenant.transport)
