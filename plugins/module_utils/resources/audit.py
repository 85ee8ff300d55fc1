# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a tenant: who sends with Basic authentication, who breaks and when. It reads, and writes nothing.

The sources of the configuration are the readers of the other resources; their requests are sent in as few batches as possible.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .. import _spf
from .._audit import mail_dns, sign_ins
from .._audit.draft import Facts, draft
from .._audit.findings import Configuration, SpfState, findings
from .._audit.mail_dns import MailDns
from .._audit.sources import LABELS, Sources
from .._audit.timetable import TIMETABLE
from .._audit.verdict import SEVERITIES, VERDICTS, BasicUsage, Calendar, Evidence, SenderKey, Verdict, verdict
from .._clients import dns
from .._clients.graph import Call
from .._core.option_values import range_problems
from .._core.spec import DNS, TENANT, Spec
from .._core.waiting import RequestWindow
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._entra import sending_applications
from .._entra.application_credentials import moment
from .._entra.sending_applications import SendingApplication
from .._exchange import addresses, authentication_policies, dkim, inbound_connectors, mx_hosts
from .._planning import options
from . import direct_send, security_defaults, sender_plan, smtp_auth, spf
from .sender_plan import PlannedSenders, Prefetch

OPTIONS = Spec(
    {
        "days": {"type": "int", "default": 30, "variable": "audit_days"},
        "date": {"type": "str", "variable": "audit_date"},
    },
    writes=False,
)
MOST_DAYS = 30  # Entra keeps the sign-in log for 30 days
# Of the sign-in log; a second more than the ten of the service. Source: "Microsoft Graph service-specific throttling limits".
LOG_REQUESTS, LOG_SECONDS = 5, 11.0
_COMMANDS = (
    smtp_auth.READ_ORGANIZATION,
    smtp_auth.READ_MAILBOXES,
    authentication_policies.READ_POLICIES,
    authentication_policies.READ_DEFAULT,
    authentication_policies.READ_USERS,
    inbound_connectors.READ,
    direct_send.READ,
    dkim.READ,
)


@dataclass(frozen=True)
class Params(sender_plan.Params):
    """The options of module audit_info: those of module sender_plan, the name servers, the period in days, and the date of the audit."""

    dns_servers: tuple[str, ...] | None = None
    days: int = MOST_DAYS
    date: str | None = None


@dataclass(frozen=True)
class Mailboxes:
    """The evidence about mailboxes, by address in lower case; None: not readable."""

    smtp_auth: smtp_auth.Settings | None
    policies: authentication_policies.Current | None
    usage: Mapping[str, BasicUsage] | None

    def evidence(self, address: str, configuration: Configuration) -> Evidence:
        return Evidence(
            address,
            security_defaults=configuration.security_defaults,
            direct_send_rejected=configuration.direct_send_rejected,
            smtp_auth=self._smtp_auth(address),
            basic_allowed=self._basic_allowed(address),
            basic=None if self.usage is None else self.usage.get(address, BasicUsage()),
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

    @property
    def addresses(self) -> set[str]:
        """Mailboxes that were seen with Basic authentication, or have SMTP AUTH enabled by their own setting."""
        enabled = {a for a, one in self.smtp_auth.mailboxes.items() if one.smtp_auth == "enabled"} if self.smtp_auth else set()
        return enabled | set(self.usage or ())


class AuditInfo(ReadOnlyResource[Params]):
    """Module audit_info."""

    name = "audit_info"
    spec = TENANT | DNS | sender_plan.OPTIONS | OPTIONS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = sender_plan.RESOURCE.validate(params) + dns.problems("m365_dns_servers", params.dns_servers or ())
        problems += range_problems("audit_days", params.days, 1, MOST_DAYS)
        try:
            datetime.date.fromisoformat(params.date or "2026-01-01")
        except ValueError:
            problems.append(f"audit_date is {params.date!r}: give a date such as 2026-12-31.")
        return problems

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[None]:
        now = moment(tenant.clock.now()).date()
        today = datetime.date.fromisoformat(params.date) if params.date else now
        calendar = Calendar(today, datetime.date.fromisoformat(params.basic_auth_end_date), params.basic_reenabled)
        sources, resolver = Sources(), dns.Resolver(params.dns_servers or ())
        senders = sources.read("inventory", lambda: _plan_senders(tenant, params))
        settings = sources.read("smtp_auth", lambda: smtp_auth.read(tenant, (), organization=True, everything=True))
        usage = sources.read("sign_ins", lambda: _usage(tenant, now - datetime.timedelta(days=params.days)))
        users = sources.read("authentication_policies", lambda: _policies(tenant, usage or {}))
        configuration = Configuration(
            smtp_auth=settings.organization if settings else None,
            security_defaults=sources.read("security_defaults", lambda: security_defaults.enabled(tenant)),
            direct_send_rejected=sources.read("direct_send", lambda: direct_send.read(tenant)),
            connectors=sources.read("connectors", lambda: list(inbound_connectors.read(tenant).values())),
            applications=sources.read("applications", lambda: sending_applications.read(tenant, params.app_unique_name)),
            spf=_spf_states(tenant, resolver, sources),
            dns=_dns_states(tenant, resolver, sources),
        )
        mailboxes = Mailboxes(settings, users, None if usage is None else _by_primary_address(usage, users))
        judged = _judged(senders, params, mailboxes, configuration, calendar)
        rows = [_row(*one) for one in judged]
        audit = {
            "date": today.isoformat(),
            "days": params.days,
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


def _plan_senders(tenant: Tenant, params: Params) -> PlannedSenders:
    """The planned senders. The commands of the configuration are read with them, and kept for their readers."""
    if params.senders:
        return sender_plan.plan_senders(tenant, params, Prefetch(_COMMANDS))
    commands = (addresses.ACCEPTED_DOMAINS, *_COMMANDS)
    for command, outcome in zip(commands, tenant.exchange.batch(commands), strict=True):
        tenant.exchange.prefetch(command, outcome)
    return sender_plan.plan_senders(tenant, params)


def _usage(tenant: Tenant, since: datetime.date) -> dict[str, BasicUsage]:
    """The sign-ins with Basic authentication, by user principal name in lower case."""
    usage: dict[str, BasicUsage] = {}
    window = RequestWindow(LOG_REQUESTS, LOG_SECONDS, tenant.transport)
    for kind in sign_ins.KINDS:
        call = Call("GET", sign_ins.path(kind, since), attempted="read the sign-in log")
        window.wait()
        for page in tenant.graph.pages(call, wait=window.wait, beta=True):
            sign_ins.count(usage, page)
    return usage


def _policies(tenant: Tenant, usage: Mapping[str, BasicUsage]) -> authentication_policies.Current:
    """The authentication policies of all users, by primary address and by the names of the sign-in log."""
    current, _missing = authentication_policies.read(tenant, list(usage), (), every_user=True)
    return current


def _by_primary_address(usage: Mapping[str, BasicUsage], users: authentication_policies.Current | None) -> dict[str, BasicUsage]:
    """The usage by primary address: the log has user principal names, which may differ."""
    first: dict[str, str] = {}
    for address, user in (users.users if users else {}).items():
        first.setdefault(user.guid, address)
    names = {address: first[user.guid] for address, user in (users.users if users else {}).items()}
    return {names.get(address, address): one for address, one in usage.items()}


def _spf_states(tenant: Tenant, resolver: dns.Resolver, sources: Sources) -> list[SpfState] | None:
    """The published records of all accepted domains but Microsoft's own, with their problems."""

    def read() -> list[_spf.Answer]:
        return resolver.ask_all([(domain, "TXT") for domain in spf.mail_domains(tenant, None)])

    answers = sources.read("spf", read)
    if answers is None:
        return None
    sources.note("spf", [answer.problem for answer in answers])
    return [_spf_state(answer, resolver) for answer in answers]


def _spf_state(answer: _spf.Answer, resolver: dns.Resolver) -> SpfState:
    domain, current = answer.name, answer.spf
    if answer.problem:
        return SpfState(domain, None)
    if not current:
        return SpfState(domain, (), (f"{domain} has no SPF record.",))
    tree = _spf.count_lookups(domain, current[0], resolver) if len(current) == 1 else None
    return SpfState(domain, current, tuple(problem.message for problem in _spf.find_problems(domain, list(current), tree)))


def _dns_states(tenant: Tenant, resolver: dns.Resolver, sources: Sources) -> list[MailDns] | None:
    """The other DNS records of the same domains, beside what Microsoft 365 requires of them."""
    signing = sources.read("dkim", lambda: dkim.read(tenant))
    hosts = sources.read("mx_hosts", lambda: mx_hosts.read(tenant, spf.mail_domains(tenant, None)))
    states = sources.read("dns", lambda: mail_dns.read(spf.mail_domains(tenant, None), resolver, hosts, signing))
    sources.note("dns", [text for state in states or () for text in state.unreadable])
    return states


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
    rows += [("", mailboxes.evidence(address, configuration)) for address in sorted(mailboxes.addresses - listed)]
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
        unreadable=[LABELS[name] for name, reason in sorted(sources.reasons.items()) if reason and name in ("sign_ins", "smtp_auth")],
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
        **result.as_result(),
    }
