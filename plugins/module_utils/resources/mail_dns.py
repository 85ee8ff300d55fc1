# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS records of the accepted domains beside SPF: MX, DKIM, DMARC, MTA-STS and TLS-RPT, and what Microsoft 365 requires."""

from __future__ import annotations

from dataclasses import dataclass

from .._audit import reading
from .._audit.sources import Sources
from .._clients import dns
from .._core.spec import DNS, TENANT, Spec
from .._engine.tenant import Tenant
from . import spf
from .composed.source_info import SourceInfo


@dataclass(frozen=True)
class Params:
    dns_servers: tuple[str, ...] | None = None


class MailDnsInfo(SourceInfo[Params]):
    """Module mail_dns_info."""

    name = "mail_dns_info"
    spec = TENANT | DNS | Spec({}, writes=False)
    params_type = Params
    result = "domains"

    def validate(self, params: Params) -> list[str]:
        return dns.problems("m365_dns_servers", params.dns_servers or ())

    def values(self, tenant: Tenant, params: Params, sources: Sources) -> object:
        states = reading.dns_states(tenant, lambda: spf.mail_domains(tenant, None), dns.Resolver(params.dns_servers or ()), sources)
        return None if states is None else [one.as_result() for one in states]


INFO = MailDnsInfo()
