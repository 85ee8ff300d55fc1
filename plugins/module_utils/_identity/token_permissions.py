# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions that an access token contains, from its claims. The services check the signature; here nothing is trusted to it.

Source: "Access token claims reference" (roles, scp, wids, idtyp). Microsoft may change a token's format or encrypt it, so that a token
without readable claims says nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from .._core.json_types import JsonObject


@dataclass(frozen=True)
class TokenPermissions:
    """The permissions of a token.

    `names`: application permissions (claim roles), or a user's delegated ones (claim scp) where `delegated`. `directory_roles`: the ids
    of role templates (claim wids), in lower case; None where the token does not have the claim.
    """

    names: frozenset[str]
    delegated: bool = False
    directory_roles: frozenset[str] | None = None


def permissions_of(token: str) -> TokenPermissions | None:
    """The permissions of a token; None where its claims cannot be read or do not say whose token it is."""
    claims = claims_of(token)
    if claims is None:
        return None
    listed = claims.get("wids")
    roles = frozenset(str(role).lower() for role in listed) if isinstance(listed, list) else None
    scopes, names = claims.get("scp"), claims.get("roles", [])
    if isinstance(scopes, str):
        return TokenPermissions(frozenset(scopes.split()), True, roles)
    if not isinstance(names, list) or not (names or claims.get("idtyp") == "app"):
        return None
    return TokenPermissions(frozenset(map(str, names)), False, roles)


def claims_of(token: str) -> JsonObject | None:
    """The payload of a JSON Web Token (RFC 7519); None where the text is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
