# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of the inventory on which a resource of a tenant runs a module, while the resource itself runs on the control node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._core.errors import MailopsError
from .._core.json_types import JsonObject


class HostFailed(MailopsError):  # noqa: N818 - a statement about the host
    """The module could not run on the host: it cannot be reached, or has no Python that can run it."""


@dataclass(frozen=True)
class RemoteHost:
    """`run`: run a module of this collection with these options on the host; its result. HostFailed where it cannot run."""

    name: str
    run: Callable[[str, JsonObject], JsonObject]
