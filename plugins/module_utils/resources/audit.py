# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a tenant: who sends with Basic authentication, who breaks and when. It reads, and writes nothing.

The sources of the configuration are the readers of the other resources; their requests are sent in as few batches as possible.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .._audit import mail_flow, reading, smtp_clients, verification
from .._audit.cost import AuditCost
from .._audit.draft import Facts, draft
from .._audit.findings import Configuration, findings
from .._audit.names import VERDICTS
from .._audit.sources import LABELS, Sources
from .._audit.timetable import TIMETABLE
from .._audit.verdict import Calendar
from .._clients import dns
from .._core.option_values import range_problems
from .._core.spec import DNS, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import delegated_applications
from .._entra.application_credentials import moment
from .._exchange import (
    addresses,
    authentication_policies,
    dkim,
    hve_accounts,
    inbound_connectors,
    message_trace,
    protocols,
    service_principals,
    spoofs,
)
from .._exchange.protocols import Protocols
from . import direct_send, security_defaults, sender_plan, smtp_auth, spf
from .composed import audit_rows
from .composed.audit_rows import Mailboxes
from .composed.source_info import MOST_DAYS, sign_in_day_problems
from .sender_plan import PlannedSenders, Prefetch

OPTIONS = Spec(
    {
        "days": {"type": "int", "default": MOST_DAYS, "variable": "audit_days"},
        "date": {"type": "str", "variable": "audit_date"},
        "trace_days": {"type": "int", "default": message_trace.DAYS, "variable": "audit_trace_days"},
        "csv_directory": {"type": "path", "variable": "audit_csv_directory"},
        "csv_headers": {"type": "dict", "default": {}, "variable": "audit_csv_headers"},
        "verify_report": {"type": "path", "variable": "audit_verify_report"},
    },
    writes=False,
)
_COMMANDS = (
    smtp_auth.READ_ORGANIZATION,
    smtp_auth.READ_MAILBOXES,
    authentication_policies.READ_POLICIES,
    authentication_policies.READ_DEFAULT,
    authentication_policies.READ_USERS,
    inbound_connectors.READ,
    direct_send.READ,
    dkim.READ,
    spoofs.READ,
    service_principals.READ,
    *hve_accounts.READ,
)


@dataclass(frozen=True)
class Params(sender_plan.Params):
    """The options of module audit_info: those of module sender_plan, the name servers, the period in days, and the date of the audit."""

    dns_servers: tuple[str, ...] | None = None
    days: int = MOST_DAYS
    date: str | None = None
    trace_days: int = message_trace.DAYS
    csv_directory: str | None = None
    csv_headers: Mapping[str, str] = field(default_factory=dict)
    verify_report: str | None = None


class AuditInfo(ReadOnlyResource[Params]):
    """Module audit_info."""

    name = "audit_info"
    spec = TENANT | DNS | sender_plan.OPTIONS | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = sender_plan.RESOURCE.validate(params) + dns.problems("m365_dns_servers", params.dns_servers or ())
        problems += sign_in_day_problems(params.days)
        problems += range_problems("audit_trace_days", params.trace_days, 0, message_trace.MOST_DAYS)
        try:
            datetime.date.fromisoformat(params.date or "2026-01-01")
        except ValueError:
            problems.append(f"audit_date is {params.date!r}: give a date such as 2026-12-31.")
        return problems + smtp_clients.header_problems(params.csv_headers)

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        started = tenant.clock.now()
        now = moment(started).date()
        today = datetime.date.fromisoformat(params.date) if params.date else now
        sources, reader = Sources(), _Reader(tenant, params)
        senders = sources.read("inventory", lambda: _plan_senders(tenant, params))
        allowed = sources.read("protocols", lambda: protocols.read(tenant))  # first: other readers take what was read with the senders
        since = now - datetime.timedelta(days=params.days)
        mailboxes = reader.mailboxes(sources, since)
        configuration = reader.configuration(sources, mailboxes, allowed, since)
        off, due = datetime.date.fromisoformat(params.basic_auth_end_date), configuration.security_defaults_due
        calendar = Calendar(today, off, params.basic_reenabled, due)
        file = params.verify_report
        verified = sources.read("verification", lambda: verification.read(file)) if file else None
        rows = audit_rows.rows(senders, params, mailboxes, configuration, calendar, verified or {})
        audit = {
            "date": today.isoformat(),
            "days": params.days,
            "trace_days": params.trace_days,
            "timetable": [one.as_result(today) for one in TIMETABLE],
            "sources": sources.as_result(),
            "senders": [row.as_result() for row in rows],
            "findings": [one.as_result() for one in findings(configuration, today)],
            "configuration": configuration.as_result(),
            "totals": {name: sum(row.verdict.name == name for row in rows) for name in VERDICTS},
            "cost": AuditCost(tenant.cost, reader.dns_queries, tenant.clock.now() - started).as_result(),
        }
        facts = _facts(tenant, params, mailboxes, configuration, calendar, sources)
        drafted = draft([row.evidence for row in rows], facts)
        return Plan(outcome={"audit": audit, "attention": sources.attention(), "draft": drafted.as_result()})


INFO = AuditInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the sources of one audit. They share the DNS answers and the limit of requests for the sign-in log."""

    def __init__(self, tenant: Tenant, params: Params) -> None:
        self._tenant, self._params = tenant, params
        self._resolver, self._window = dns.Resolver(params.dns_servers or ()), reading.log_window(tenant)

    @property
    def dns_queries(self) -> int:
        return self._resolver.queries

    def mailboxes(self, sources: Sources, since: datetime.date) -> Mailboxes:
        """The evidence about mailboxes; what the sign-in log and reports name is found by primary address."""
        tenant, params, directory = self._tenant, self._params, self._params.csv_directory
        settings = sources.read("smtp_auth", lambda: smtp_auth.read(tenant, (), organization=True, everything=True))
        usage = sources.read("sign_ins", lambda: reading.usage(tenant, since, self._window))
        users = sources.read("authentication_policies", lambda: reading.policies(tenant, usage or {}))
        clients = sources.read("smtp_clients", lambda: reading.clients(tenant, directory, params.csv_headers)) if directory else None
        apps = sources.read("usage_report", lambda: reading.smtp_users(tenant)) if usage is None else None
        trace = reading.mail_flows(tenant, self._resolver, params.trace_days, sources) if params.trace_days else None
        return Mailboxes(
            settings,
            users,
            reading.by_primary_address(usage, users),
            reading.by_primary_address(clients, users),
            trace.result() if trace else None,
            reading.by_primary_address(apps, users),
            sources.read("hve_accounts", lambda: reading.hve_accounts(tenant)),
            0 if trace is None else params.trace_days if trace.complete else trace.days,
            trace is None or trace.complete,
        )

    def configuration(self, sources: Sources, mailboxes: Mailboxes, allowed: Protocols | None, since: datetime.date) -> Configuration:
        tenant, params, flows = self._tenant, self._params, mailboxes.flows if mailboxes.trace_complete else None

        def domains() -> list[str]:
            return spf.mail_domains(tenant, None)

        connectors = sources.read("connectors", lambda: list(inbound_connectors.read(tenant).values()))
        applications, wrong_object_ids = reading.applications(tenant, params.app_unique_name, sources)
        readable = mailboxes.usage is not None and applications is not None
        signed_in = reading.application_sign_ins(tenant, applications or (), self._window, sources) if readable else None
        defaults = sources.read("security_defaults", lambda: security_defaults.enabled(tenant))
        due = sources.read_part("security_defaults", lambda: security_defaults.due(tenant)) if defaults is False else None
        records = reading.spf_states(domains, self._resolver, sources)
        return Configuration(
            smtp_auth=mailboxes.smtp_auth.organization if mailboxes.smtp_auth else None,
            security_defaults=defaults,
            security_defaults_due=due,
            security_defaults_due_read=defaults is True or sources.reasons["security_defaults"] == "",
            direct_send_rejected=sources.read("direct_send", lambda: direct_send.read(tenant)),
            connectors=connectors,
            accepted_domains=reading.domains_of_certificates(tenant, connectors, sources),
            applications=applications,
            wrong_object_ids=wrong_object_ids,
            application_sign_ins=signed_in,
            key_use=reading.key_use(tenant, applications or (), signed_in, since, self._window, sources) if signed_in is not None else None,
            protocols=allowed,
            hve_accounts=mailboxes.hve,
            delegated_applications=sources.read("delegated_applications", lambda: delegated_applications.read(tenant)),
            spoofs=sources.read("spoofs", lambda: spoofs.read(tenant)),
            idle_connectors=None if flows is None or connectors is None else mail_flow.idle(flows.values(), connectors),
            trace_days=params.trace_days,
            spf=records,
            connectors_outside_spf=reading.connectors_outside_spf(connectors, records, self._resolver),
            dns=reading.dns_states(tenant, domains, self._resolver, sources),
        )


def _plan_senders(tenant: Tenant, params: Params) -> PlannedSenders:
    """The planned senders. The commands of the configuration are read with them, and kept for their readers."""
    if params.senders:
        return sender_plan.plan_senders(tenant, params, Prefetch(_COMMANDS, (delegated_applications.READ,)))
    commands = (addresses.ACCEPTED_DOMAINS, *_COMMANDS)
    for command, outcome in zip(commands, tenant.exchange.batch(commands), strict=True):
        tenant.exchange.prefetch(command, outcome)
    calls = (security_defaults.READ, delegated_applications.READ)
    for call, answer in zip(calls, tenant.graph.outcomes(calls), strict=True):
        tenant.graph.prefetch(call, answer)
    return sender_plan.plan_senders(tenant, params)


def _facts(
    tenant: Tenant, params: Params, mailboxes: Mailboxes, configuration: Configuration, calendar: Calendar, sources: Sources
) -> Facts:
    """What the draft of host variables needs beside the evidence."""
    settings, policies = mailboxes.smtp_auth, mailboxes.policies
    return Facts(
        tenant.name,
        params.days,
        calendar,
        users=policies.users if policies else None,
        own_smtp_auth={address: one.smtp_auth for address, one in settings.mailboxes.items()} if settings else None,
        connectors=configuration.connectors,
        names=[item.name for item in params.senders],
        variables=params.inventory_names,
        unreadable=[
            LABELS[name]
            for name, reason in sorted(sources.reasons.items())
            if reason and name in ("sign_ins", "smtp_auth", "message_trace")
        ],
        trace_days=mailboxes.trace_days,
        applications=list(_other_applications(params, configuration)),
    )


def _other_applications(params: Params, configuration: Configuration) -> Iterator[str]:
    """The applications with SMTP.SendAsApp beside the sender app, and when each signed in."""
    for one in configuration.applications or ():
        if one.permitted and one.unique_name != params.app_unique_name:
            last = (configuration.application_sign_ins or {}).get(one.app_id)
            yield (one.display_name or one.app_id) + (f", last sign-in {last}" if last else "")
