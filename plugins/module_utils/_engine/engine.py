# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for the resources that are not converted to typed plans yet."""

from __future__ import annotations

from typing import Any, Protocol

from .._core.spec import Spec
from .resource import Plan

__all__ = ["Legacy", "Plan", "Reading"]


class Legacy(Protocol):
    """A resource in the old form."""

    name: str
    spec: Spec

    def check(self, params: dict[str, Any]) -> list[str]:
        """Now validate."""

    def plan(self, tenant: Any, params: dict[str, Any], check_mode: bool) -> Plan[Any]:
        """As before."""

    def apply(self, tenant: Any, params: dict[str, Any], plan: Plan[Any]) -> dict[str, Any]:
        """As before."""


class Reading:
    """What a resource that only reads has of its own accord: no input to doubt, nothing to carry out."""

    def check(self, params: dict[str, Any]) -> list[str]:
        return []

    def apply(self, tenant: Any, params: dict[str, Any], plan: Plan[Any]) -> dict[str, Any]:
        return plan.outcome
