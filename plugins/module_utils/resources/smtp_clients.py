# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of the report SMTP AUTH clients of the Exchange admin center. No request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._audit import reading, smtp_clients
from .._audit.sources import Sources
from .._core.spec import TENANT, Spec
from .._engine.tenant import Tenant
from .composed.source_info import SourceInfo

OPTIONS = Spec(
    {
        "csv_directory": {"type": "path", "required": True, "variable": "audit_csv_directory"},
        "csv_headers": {"type": "dict", "default": {}, "variable": "audit_csv_headers"},
    },
    writes=False,
)


@dataclass(frozen=True)
class Params:
    csv_directory: str
    csv_headers: Mapping[str, str] = field(default_factory=dict)


class SmtpClientsInfo(SourceInfo[Params]):
    """Module smtp_clients_info."""

    name = "smtp_clients_info"
    spec = TENANT | OPTIONS
    params_type = Params
    result = "senders"

    def validate(self, params: Params) -> list[str]:
        return smtp_clients.header_problems(params.csv_headers)

    def values(self, tenant: Tenant, params: Params, sources: Sources) -> object:
        clients = sources.read("smtp_clients", lambda: reading.clients(tenant, params.csv_directory, params.csv_headers))
        return None if clients is None else [{"address": address, **one.as_result()} for address, one in sorted(clients.items())]


INFO = SmtpClientsInfo()
