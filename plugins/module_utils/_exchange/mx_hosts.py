# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX host that Microsoft 365 assigned to a domain. Its label cannot be derived with certainty: Graph is read, once a run.

Source: Microsoft Graph v1.0, "List serviceConfigurationRecords".
"""

from __future__ import annotations

from collections.abc import Sequence

from .._clients.graph import Call
from .._clients.odata import key
from .._engine.tenant import Tenant
from .._entra.graph_objects import DomainDnsRecords


def records(domain: str) -> Call:
    """Reads the DNS records that Microsoft 365 requires of a domain."""
    return Call("GET", f"/domains/{key(domain)}/serviceConfigurationRecords", attempted=f"read the MX host of {domain}")


def known(tenant: Tenant, domain: str) -> str:
    """The domain's MX host, where a task of this run has read it."""
    return str(tenant.run_cache.get(f"mx {domain}") or "")


def learn(tenant: Tenant, domain: str, records_of_domain: DomainDnsRecords | None) -> str:
    """The MX host among the records that were read, kept for the run's later tasks; empty where there is none."""
    host = next((str(record["mailExchange"]) for record in (records_of_domain or {}).get("value", []) if record.get("mailExchange")), "")
    if host:
        tenant.run_cache.put(f"mx {domain}", host)
    return host


def read(tenant: Tenant, domains: Sequence[str]) -> dict[str, str]:
    """The MX hosts by domain, "" where Microsoft 365 assigned none: those that this run has not read in one batch."""
    hosts = {domain: known(tenant, domain) for domain in domains}
    missing = [domain for domain, host in hosts.items() if not host]
    answers = tenant.graph.batch([records(domain) for domain in missing])
    return hosts | {domain: learn(tenant, domain, answer) for domain, answer in zip(missing, answers, strict=True)}
