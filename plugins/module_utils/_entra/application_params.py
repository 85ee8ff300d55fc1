# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of module entra_app, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.params import nested
from .._core.spec import KEY_DIRECTORY, Option, Spec
from .applications import PermissionParams

PERMISSION: dict[str, Option] = {
    "name": {"type": "str", "required": True},
    "api": {"type": "str", "default": "exchange"},
    "type": {"type": "str", "choices": ["application", "delegated"], "default": "application"},
}
OPTIONS = Spec(
    {
        "unique_name": {"type": "str", "required": True},
        "display_name": {"type": "str"},
        "permissions": {"type": "list", "elements": "dict", "options": PERMISSION},
        "revoked_permissions": {"type": "list", "elements": "dict", "options": PERMISSION, "default": []},
        "certificate": {"type": "str", "choices": ["listed", "managed"], "default": "listed"},
        "certificates": {"type": "list", "elements": "str"},
        "retired_certificates": {"type": "list", "elements": "str"},
        "mailboxes": {"type": "list", "elements": "str"},
        "public_client": {"type": "bool"},
        "consent": {"type": "bool", "default": True},
        "authorization": {"type": "str", "choices": ["mailbox_permissions", "rbac"], "default": "mailbox_permissions"},
        "exclusive": {"type": "bool", "default": False},
        "key_directory": KEY_DIRECTORY,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
)


@dataclass(frozen=True)
class EntraAppParams:
    """The options of the module entra_app."""

    expected_mailboxes: tuple[str, ...]
    unique_name: str
    display_name: str | None
    certificate: str
    certificates: tuple[str, ...] | None
    retired_certificates: tuple[str, ...] | None
    mailboxes: tuple[str, ...] | None
    public_client: bool | None
    consent: bool
    authorization: str
    exclusive: bool
    key_directory: str | None
    state: str
    permissions: tuple[PermissionParams, ...] | None = nested(PermissionParams)
    revoked_permissions: tuple[PermissionParams, ...] = nested(PermissionParams)

    @property
    def is_rbac(self) -> bool:
        return self.authorization == "rbac"
