# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message trace: which address sends from which IP address. Subjects are not requested, recipients only counted."""

from __future__ import annotations

from dataclasses import dataclass

from .._audit import reading
from .._audit.sources import Sources
from .._clients import dns
from .._core.option_values import range_problems
from .._core.spec import DNS, TENANT, Spec
from .._engine.tenant import Tenant
from .._exchange import message_trace
from .composed.source_info import SourceInfo

OPTIONS = Spec({"days": {"type": "int", "default": message_trace.DAYS, "variable": "audit_trace_days"}}, writes=False)


@dataclass(frozen=True)
class Params:
    days: int
    dns_servers: tuple[str, ...] | None = None


class MessageTraceInfo(SourceInfo[Params]):
    """Module message_trace_info."""

    name = "message_trace_info"
    spec = TENANT | DNS | OPTIONS
    params_type = Params
    result = "senders"

    def validate(self, params: Params) -> list[str]:
        problems = dns.problems("m365_dns_servers", params.dns_servers or ())
        return problems + range_problems("audit_trace_days", params.days, 1, message_trace.MOST_DAYS)

    def values(self, tenant: Tenant, params: Params, sources: Sources) -> object:
        flows = reading.mail_flows(tenant, dns.Resolver(params.dns_servers or ()), params.days, sources)
        return None if flows is None else [{"address": address, **one.as_result()} for address, one in sorted(flows.result().items())]


INFO = MessageTraceInfo()
