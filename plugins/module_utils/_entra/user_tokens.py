# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application that users sign in to, and their tokens from a token store, as resources ask for them."""

from __future__ import annotations

from .._engine.tenant import Tenant
from .._identity.delegated import StoredSignIn
from .._identity.token_stores import TokenStore
from .._identity.tokens import TokenSource


def user_tokens(tenant: Tenant, app_id: str, user: str, token_store: TokenStore, *, keep: bool = True) -> TokenSource:
    """The user's tokens through the application; a renewed refresh token is stored in the token store (`keep`)."""
    return TokenSource(tenant.cloud, tenant.name, app_id, StoredSignIn(user, token_store, keep), tenant.token_cache, tenant.transport)
