# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._identity.token_permissions import TokenPermissions, permissions_of

READER = "F2EF992C-3afb-46b9-b7cf-a126ee74c451"


def token(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"roles": ["A", "B"], "wids": [READER]}, TokenPermissions(frozenset("AB"), False, frozenset([READER.lower()]))),
        ({"idtyp": "app"}, TokenPermissions(frozenset(), False, None)),
        ({"idtyp": "app", "roles": [], "wids": []}, TokenPermissions(frozenset(), False, frozenset())),
        ({"scp": "A.B C.D", "wids": []}, TokenPermissions(frozenset(["A.B", "C.D"]), True, frozenset())),
        ({}, None),
        ({"idtyp": "user"}, None),
        ({"idtyp": "app", "roles": "A"}, None),
        ({"roles": ["A"], "wids": "x"}, TokenPermissions(frozenset("A"), False, None)),
        (["roles"], None),
    ],
)
def test_claims_are_permissions(claims: Any, expected: TokenPermissions | None) -> None:
    assert permissions_of(token(claims)) == expected


@pytest.mark.parametrize("text", ["", "opaque", "a.b", "a.b.c.d.e", "a.!!.c", "a.////.c", "a.e30x.c", "é.é.é", "a.bnVsbA.c"])
def test_a_token_without_readable_claims_says_nothing(text: str) -> None:
    assert permissions_of(text) is None
