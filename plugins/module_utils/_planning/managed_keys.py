# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role variables that follow from keys which this collection creates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._entra.key_store import path_of

_OWN = ("verify_app_certificate_path", "verify_app_client_secret")


def verify_variables(inventory: Mapping[str, Any], directory: str | None, tenant: str, app: str) -> dict[str, object]:
    """The certificate of role verify, where it is managed and the inventory sets none. `directory`: m365_key_directory."""
    if inventory.get("entra_app_certificate") != "managed" or set(_OWN) & set(inventory):
        return {}
    return {_OWN[0]: str(path_of(directory, tenant, app))}
