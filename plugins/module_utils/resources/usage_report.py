# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usage report of email apps: which user sent with SMTP in 180 days, by Basic authentication or OAuth."""

from __future__ import annotations

from .._audit import reading
from .._audit.sources import Sources
from .._core.params import NoParams
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .composed.source_info import SourceInfo


class UsageReportInfo(SourceInfo[NoParams]):
    """Module usage_report_info."""

    name = "usage_report_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams
    result = "users"

    def values(self, tenant: Tenant, params: NoParams, sources: Sources) -> object:
        users = sources.read("usage_report", lambda: reading.smtp_users(tenant))
        return None if users is None else [{"user": user, "smtp": smtp} for user, smtp in sorted(users.items())]


INFO = UsageReportInfo()
