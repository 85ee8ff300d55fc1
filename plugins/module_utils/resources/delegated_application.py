# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that send as a user who signed in (SMTP.Send), such as those of printer makers, and who has consented."""

from __future__ import annotations

from .._audit.sources import Sources
from .._core.params import NoParams
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .._entra import delegated_applications
from .composed.source_info import SourceInfo


class DelegatedApplicationInfo(SourceInfo[NoParams]):
    """Module delegated_application_info."""

    name = "delegated_application_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams
    result = "applications"

    def values(self, tenant: Tenant, params: NoParams, sources: Sources) -> object:
        applications = sources.read("delegated_applications", lambda: delegated_applications.read(tenant))
        return None if applications is None else [one.as_result() for one in applications]


INFO = DelegatedApplicationInfo()
