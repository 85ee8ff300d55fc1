# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a tenant: who sends with Basic authentication, who breaks and when. It reads, and writes nothing.

The sources of the configuration are the readers of the other resources; their requests are sent in as few batches as possible.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .._audit import mail_flow, reading, smtp_clients
from .._audit.draft import Facts, draft
from .._audit.findings import Configuration, findings
from .._audit.mail_flow import MailFlow
from .._audit.sources import LABELS, Sources
from .._audit.timetable import TIMETABLE
from .._audit.verdict import SEVERITIES, VERDICTS, BasicUsage, Calendar, ClientUsage, Evidence, SenderKey, Verdict, verdict
from .._clients import dns
from .._core.option_values import range_problems
from .._core.spec import DNS, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import delegated_applications, sending_applications
from .._entra.application_credentials import moment
from .._entra.sending_applications import SendingApplication
from .._exchange import addresses, authentication_policies, dkim, inbound_connectors, message_trace, spoofs
from .._planning import options
from . import direct_send, security_defaults, sender_plan, smtp_auth, spf
from .sender_plan import PlannedSenders, Prefetch

OPTIONS = Spec(
    {
        "days": {"type": "int", "default": 30, "variable": "audit_days"},
        "date": {"type": "str", "variable": "audit_date"},
        "trace_days": {"type": "int", "default": message_trace.DAYS, "variable": "audit_trace_days"},
        "csv_directory": {"type": "path", "variable": "audit_csv_directory"},
        "csv_headers": {"type": "dict", "default": {}, "variable": "audit_csv_headers"},
    },
    writes=False,
)
MOST_DAYS = 30  # Entra keeps the sign-in log for 30 days
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


@dataclass(frozen=True)
class Mailboxes:
    """The evidence about mailboxes, by address in lower case; None: not readable."""

    smtp_auth: smtp_auth.Settings | None
    policies: authentication_policies.Current | None
    usage: Mapping[str, BasicUsage] | None
    clients: Mapping[str, ClientUsage] | None = None
    flows: Mapping[str, MailFlow] | None = None
    smtp_app: Mapping[str, bool] | None = None

    def evidence(self, address: str, configuration: Configuration) -> Evidence:
        flow = None if self.flows is None else self.flows.get(address, MailFlow())
        connector = mail_flow.connector_of(flow, configuration.connectors or ()) if flow else None
        return Evidence(
            address,
            flow=flow,
            connector=connector.name if connector else "",
            direct_send=bool(flow and not connector and self._sends_directly(address, flow)),
            security_defaults=configuration.security_defaults,
            direct_send_rejected=configuration.direct_send_rejected,
            smtp_auth=self._smtp_auth(address),
            basic_allowed=self._basic_allowed(address),
            basic=None if self.usage is None else self.usage.get(address, BasicUsage()),
            smtp_app=None if self.smtp_app is None else self.smtp_app.get(address, False),
            clients=None if self.clients is None else self.clients.get(address, self._no_clients),
        )

    def _smtp_auth(self, address: str) -> bool | None:
        mailbox = self.smtp_auth.mailboxes.get(address) if self.smtp_auth else None
        if self.smtp_auth is None or mailbox is None:
            return None
        own = mailbox.smtp_auth
        return (self.smtp_auth.organization if own == "inherit" else own) == "enabled"

    def _basic_allowed(self, address: str) -> bool | None:
        user = self.policies.users.get(address) if self.policies else None
        return self.policies.allows(user.policy) if self.policies and user else None

    def _sends_directly(self, address: str, flow: MailFlow) -> bool:
        """Whether mail from elsewhere, to internal recipients only, cannot have been submitted: no mailbox, or SMTP AUTH is disabled."""
        if not flow.sources or flow.external or self.smtp_auth is None:
            return False
        return self._smtp_auth(address) is not True

    def connected(self, configuration: Configuration) -> set[str]:
        """Addresses whose mail comes through a connector, or by Direct Send."""
        every = (self.evidence(address, configuration) for address, flow in (self.flows or {}).items() if flow.sources)
        return {one.address for one in every if one.connector or one.direct_send}

    @cached_property
    def _no_clients(self) -> ClientUsage:
        """The usage of a sender that the export does not have: zero, where it has the column."""
        known = any(one.basic is not None for one in (self.clients or {}).values())
        return ClientUsage(basic=False, oauth=False, messages=0) if known else ClientUsage()

    @property
    def addresses(self) -> set[str]:
        """Mailboxes that were seen with Basic authentication, or have SMTP AUTH enabled by their own setting."""
        enabled = {a for a, one in self.smtp_auth.mailboxes.items() if one.smtp_auth == "enabled"} if self.smtp_auth else set()
        users = {address for address, used in (self.smtp_app or {}).items() if used}
        return enabled | users | set(self.usage or ()) | set(self.clients or ())


class AuditInfo(ReadOnlyResource[Params]):
    """Module audit_info."""

    name = "audit_info"
    spec = TENANT | DNS | sender_plan.OPTIONS | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = sender_plan.RESOURCE.validate(params) + dns.problems("m365_dns_servers", params.dns_servers or ())
        problems += range_problems("audit_days", params.days, 1, MOST_DAYS)
        problems += range_problems("audit_trace_days", params.trace_days, 0, message_trace.MOST_DAYS)
        try:
            datetime.date.fromisoformat(params.date or "2026-01-01")
        except ValueError:
            problems.append(f"audit_date is {params.date!r}: give a date such as 2026-12-31.")
        unknown = sorted(set(params.csv_headers) - set(smtp_clients.COLUMNS))
        if unknown:
            known = ", ".join(smtp_clients.COLUMNS)
            problems.append(f"audit_csv_headers holds {', '.join(unknown)}: name columns of the report by {known}.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        now = moment(tenant.clock.now()).date()
        today = datetime.date.fromisoformat(params.date) if params.date else now
        calendar = Calendar(today, datetime.date.fromisoformat(params.basic_auth_end_date), params.basic_reenabled)
        sources, reader = Sources(), _Reader(tenant, params)
        senders = sources.read("inventory", lambda: _plan_senders(tenant, params))
        mailboxes = reader.mailboxes(sources, now - datetime.timedelta(days=params.days))
        configuration = reader.configuration(sources, mailboxes)
        judged = _judged(senders, params, mailboxes, configuration, calendar)
        rows = [_row(*one) for one in judged]
        audit = {
            "date": today.isoformat(),
            "days": params.days,
            "trace_days": params.trace_days,
            "timetable": [one.as_result(today) for one in TIMETABLE],
            "sources": sources.as_result(),
            "senders": rows,
            "findings": [one.as_result() for one in findings(configuration, today)],
            "configuration": configuration.as_result(),
            "totals": {name: sum(row["verdict"] == name for row in rows) for name in VERDICTS},
        }
        facts = _facts(tenant, params, mailboxes, configuration, calendar, sources)
        drafted = draft([evidence for _name, evidence, _verdict in judged], facts)
        return Plan(outcome={"audit": audit, "attention": sources.attention(), "draft": drafted.as_result()})


INFO = AuditInfo()


# -- reading ----------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the sources of one audit. They share the DNS answers and the limit of requests for the sign-in log."""

    def __init__(self, tenant: Tenant, params: Params) -> None:
        self._tenant, self._params = tenant, params
        self._resolver, self._window = dns.Resolver(params.dns_servers or ()), reading.log_window(tenant)

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
        )

    def configuration(self, sources: Sources, mailboxes: Mailboxes) -> Configuration:
        tenant, params, flows = self._tenant, self._params, mailboxes.flows

        def domains() -> list[str]:
            return spf.mail_domains(tenant, None)

        connectors = sources.read("connectors", lambda: list(inbound_connectors.read(tenant).values()))
        applications = sources.read("applications", lambda: sending_applications.read(tenant, params.app_unique_name))
        readable = mailboxes.usage is not None and applications is not None
        return Configuration(
            smtp_auth=mailboxes.smtp_auth.organization if mailboxes.smtp_auth else None,
            security_defaults=sources.read("security_defaults", lambda: security_defaults.enabled(tenant)),
            direct_send_rejected=sources.read("direct_send", lambda: direct_send.read(tenant)),
            connectors=connectors,
            applications=applications,
            application_sign_ins=reading.application_sign_ins(tenant, applications or (), self._window, sources) if readable else None,
            delegated_applications=sources.read("delegated_applications", lambda: delegated_applications.read(tenant)),
            spoofs=sources.read("spoofs", lambda: spoofs.read(tenant)),
            idle_connectors=None if flows is None or connectors is None else mail_flow.idle(flows.values(), connectors),
            trace_days=params.trace_days,
            spf=reading.spf_states(domains, self._resolver, sources),
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


# -- verdicts ---------------------------------------------------------------------------------------------------------


def _judged(
    senders: PlannedSenders | None, params: Params, mailboxes: Mailboxes, configuration: Configuration, calendar: Calendar
) -> list[tuple[str, Evidence, Verdict]]:
    """Name, evidence and verdict: one a sender of the inventory, and one a mailbox that none of them uses; the most severe first."""
    rows, listed = [], set[str]()
    for name, address, method in _listed(senders, params):
        listed.add(address)
        key, problem = _key(configuration.applications, params.app_unique_name)
        evidence = replace(mailboxes.evidence(address, configuration), listed=True, method=method, key=key, no_key=problem)
        rows.append((name, evidence))
    rows += [
        ("", mailboxes.evidence(address, configuration))
        for address in sorted((mailboxes.addresses | mailboxes.connected(configuration)) - listed)
    ]
    results = [(name, evidence, verdict(evidence, calendar)) for name, evidence in rows]
    results.sort(key=lambda row: (SEVERITIES.index(row[2].severity), VERDICTS.index(row[2].name), row[1].address, row[0]))
    return results


def _listed(senders: PlannedSenders | None, params: Params) -> list[tuple[str, str, str | None]]:
    """Name, primary address and method of each sender of the inventory; where the plan failed, the method that the inventory sets."""
    if senders is None:
        every = [options.sender(item) for item in params.senders]
        return [(one.name, (one.mailbox or one.address).lower(), None if one.method == "auto" else one.method) for one in every]
    return [
        (
            plan.sender.name,
            senders.context.primary_address(plan.sender.mailbox or plan.sender.address).lower(),
            None if plan.method == "auto" else plan.method,
        )
        for plan in senders.plans
    ]


def _key(applications: Sequence[SendingApplication] | None, unique_name: str) -> tuple[SenderKey | None, str]:
    """The key of the sender app that ends last, or a clause that says why there is none."""
    if applications is None:
        return None, "the keys of its sender app could not be read"
    application = sending_applications.by_unique_name(applications, unique_name)
    if application is None:
        return None, f"the sender app {unique_name} does not exist"
    ends = [(one.expires.date(), one.kind) for one in application.credentials if one.expires]
    if not ends:
        return None, f"the sender app {unique_name} has neither certificate nor client secret"
    end, kind = max(ends)
    return SenderKey("certificate" if kind == "certificate" else "secret", end), ""


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
        trace_days=params.trace_days,
    )


def _row(name: str, evidence: Evidence, result: Verdict) -> dict[str, object]:
    return {
        "name": name,
        "address": evidence.address,
        "listed": evidence.listed,
        "method": evidence.method,
        "smtp_auth": evidence.smtp_auth,
        "basic_allowed": evidence.basic_allowed,
        "basic": evidence.basic.as_result() if evidence.basic is not None else None,
        "smtp_app": evidence.smtp_app,
        "mail": evidence.flow.as_result() if evidence.flow is not None else None,
        "connector": evidence.connector or None,
        "clients": evidence.clients.as_result() if evidence.clients is not None else None,
        **result.as_result(),
    }
