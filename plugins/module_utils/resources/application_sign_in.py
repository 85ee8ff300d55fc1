# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-ins of the applications that may send with SMTP: the last one of each, and which of its keys it used."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from .._audit import reading
from .._audit.findings import Configuration
from .._audit.sources import Sources
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .._entra import sending_applications
from .._entra.application_credentials import moment
from .composed.source_info import MOST_DAYS, SourceInfo, sign_in_day_problems

OPTIONS = Spec(
    {
        "days": {"type": "int", "default": MOST_DAYS, "variable": "audit_days"},
        "app_unique_name": {"type": "str", "default": "mailops-smtp-sender", "variable": "entra_app_unique_name"},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params:
    days: int
    app_unique_name: str


class ApplicationSignInInfo(SourceInfo[Params]):
    """Module application_sign_in_info."""

    name = "application_sign_in_info"
    spec = TENANT | OPTIONS
    params_type = Params
    result = "applications"

    def validate(self, params: Params) -> list[str]:
        return sign_in_day_problems(params.days)

    def values(self, tenant: Tenant, params: Params, sources: Sources) -> object:
        since, window = moment(tenant.clock.now()).date() - datetime.timedelta(days=params.days), reading.log_window(tenant)
        applications = sources.read("applications", lambda: sending_applications.read(tenant, params.app_unique_name))
        if applications is None:
            return None
        signed_in = reading.application_sign_ins(tenant, applications, window, sources)
        if signed_in is None:
            return None
        use = reading.key_use(tenant, applications, signed_in, since, window, sources)
        return Configuration(applications=applications, application_sign_ins=signed_in, key_use=use).as_result()["applications"]


INFO = ApplicationSignInInfo()
