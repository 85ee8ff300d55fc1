# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that read one source of an audit. A source that is not readable is a result with its reason, and no failure."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from ..._audit.sources import Sources
from ..._core.option_values import range_problems
from ..._engine.resource import Plan, ReadOnlyResource
from ..._engine.tenant import Tenant

P = TypeVar("P")
MOST_DAYS = 30  # Entra keeps the sign-in log for 30 days


class SourceInfo(ReadOnlyResource[P]):
    """`result`: the name of the return value that has what was read, None where it was not readable."""

    result: ClassVar[str]

    def values(self, tenant: Tenant, params: P, sources: Sources) -> object:
        """What was read, as JSON; None where `sources` has the reason why not."""
        raise NotImplementedError

    def plan(self, tenant: Tenant, params: P, check_mode: bool) -> Plan[None]:
        sources = Sources()
        values = self.values(tenant, params, sources)
        reason = " ".join(reason for reason in sources.reasons.values() if reason)
        return Plan(outcome={"readable": not reason, "reason": reason, self.result: values})


def sign_in_day_problems(days: int) -> list[str]:
    """The problems of an option `days` of the sign-in log."""
    return range_problems("audit_days", days, 1, MOST_DAYS)
