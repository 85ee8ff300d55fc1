# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders that a run grants their access: their programs have to be configured next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Kinds of objects (_composition/objects.py) whose name ends with the address that they are granted for.
_ACCESS = ("mailbox_permission", "smtp_auth", "hve_account")


def completed(entry: Mapping[str, Any], client_id: str, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """An item of the result `plan` with the client id of the sender app and `new`: whether the run grants the sender its access.

    `changes`: the run's changes as data.
    """
    settings = entry["settings"]
    if settings["oauth"]:
        settings = settings | {"oauth": settings["oauth"] | {"client_id": client_id}}
    user = str(settings["user"]).lower()
    granted = {str(change["object"]).lower().rpartition(" ")[2] for change in changes if _grants(change)}
    return {**entry, "settings": settings, "new": bool(user) and user in granted}


def _grants(change: Mapping[str, Any]) -> bool:
    return change["kind"] in _ACCESS and change["action"] == "add"
