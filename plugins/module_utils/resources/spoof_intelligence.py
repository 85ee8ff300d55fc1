# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spoof intelligence: who sent in the name of the own domains without authentication, in the last seven days."""

from __future__ import annotations

from .._audit.sources import Sources
from .._core.params import NoParams
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .._exchange import spoofs
from .composed.source_info import SourceInfo


class SpoofIntelligenceInfo(SourceInfo[NoParams]):
    """Module spoof_intelligence_info."""

    name = "spoof_intelligence_info"
    spec = TENANT | Spec({}, writes=False)
    params_type = NoParams
    result = "spoofs"

    def values(self, tenant: Tenant, params: NoParams, sources: Sources) -> object:
        listed = sources.read("spoofs", lambda: spoofs.read(tenant))
        return None if listed is None else [one.as_result() for one in listed]


INFO = SpoofIntelligenceInfo()
