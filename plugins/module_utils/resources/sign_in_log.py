# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in log: which mailbox signed in with Basic authentication, when, and from which IP addresses. Rows are counted, not kept."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from .._audit import reading
from .._audit.sources import Sources
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .._entra.application_credentials import moment
from .composed.source_info import MOST_DAYS, SourceInfo, sign_in_day_problems

OPTIONS = Spec({"days": {"type": "int", "default": MOST_DAYS, "variable": "audit_days"}}, writes=False)


@dataclass(frozen=True)
class Params:
    days: int


class SignInLogInfo(SourceInfo[Params]):
    """Module sign_in_log_info."""

    name = "sign_in_log_info"
    spec = TENANT | OPTIONS
    params_type = Params
    result = "sign_ins"

    def validate(self, params: Params) -> list[str]:
        return sign_in_day_problems(params.days)

    def values(self, tenant: Tenant, params: Params, sources: Sources) -> object:
        since = moment(tenant.clock.now()).date() - datetime.timedelta(days=params.days)
        usage = sources.read("sign_ins", lambda: reading.usage(tenant, since, reading.log_window(tenant)))
        return None if usage is None else [{"user": user, **one.as_result()} for user, one in sorted(usage.items())]


INFO = SignInLogInfo()
