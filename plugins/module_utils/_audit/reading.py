# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit reads beside the readers of other resources: the sign-in log, exports, SPF and the other DNS records."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .. import _spf
from .._clients import dns
from .._clients.graph import Call
from .._core.errors import InvalidInput, MailopsError
from .._core.waiting import RequestWindow
from .._engine.tenant import Tenant
from .._entra import application_activity, application_keys, sending_applications
from .._entra.application_keys import KeyUse
from .._entra.sending_applications import SendingApplication
from .._exchange import addresses, authentication_policies, dkim, message_trace, mx_hosts, service_principals
from .._exchange import hve_accounts as hve_accounts_reader
from .._exchange.inbound_connectors import Connector
from . import connector_spf, mail_dns, registrations, sign_ins, smtp_clients, usage_report
from .evidence import BasicUsage, ClientUsage
from .findings import SpfState
from .mail_dns import MailDns
from .mail_flow import Flows
from .registrations import WrongObjectId
from .sources import Sources

T = TypeVar("T")
# Of the sign-in log; a second more than the ten of the service. Source: "Microsoft Graph service-specific throttling limits".
LOG_REQUESTS, LOG_SECONDS = 5, 11.0
MOST_APPLICATIONS = 20


def log_window(tenant: Tenant) -> RequestWindow:
    """The service's limit of requests for the sign-in log and the reports on it, which all of an audit's requests share."""
    return RequestWindow(LOG_REQUESTS, LOG_SECONDS, tenant.transport)


def usage(tenant: Tenant, since: datetime.date, window: RequestWindow) -> dict[str, BasicUsage]:
    """The sign-ins with Basic authentication, by user principal name in lower case."""
    counted: dict[str, BasicUsage] = {}
    for kind in sign_ins.KINDS:
        call = Call("GET", sign_ins.path(kind, since), attempted="read the sign-in log")
        window.wait()
        for page in tenant.graph.pages(call, wait=window.wait, beta=True):
            sign_ins.count(counted, page)
    return counted


def policies(tenant: Tenant, seen: Mapping[str, BasicUsage]) -> authentication_policies.Current:
    """The authentication policies of all users, by primary address and by the names of the sign-in log."""
    current, _missing = authentication_policies.read(tenant, list(seen), (), every_user=True)
    return current


def clients(tenant: Tenant, directory: str, headers: Mapping[str, str]) -> dict[str, ClientUsage]:
    """The export of the tenant in the directory of exports, named by m365_tenant."""
    file = Path(directory).expanduser() / f"{tenant.name}.csv"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} could not be read ({error.strerror}): save the report SMTP AUTH clients there.") from error
    return smtp_clients.parse(content, str(file), headers)


def domains_of_certificates(tenant: Tenant, connectors: Sequence[Connector] | None, sources: Sources) -> set[str] | None:
    """The accepted domains, to which the certificate names of connectors are compared; not read where no connector has one."""
    if not any(one.tls_sender_certificate_name for one in connectors or ()):
        return None
    return sources.read_part("connectors", lambda: addresses.accepted_domains(tenant.exchange))


def applications(tenant: Tenant, unique_name: str, sources: Sources) -> tuple[list[SendingApplication] | None, list[WrongObjectId] | None]:
    """The applications that may send, and the service principals in Exchange with a wrong object ID, which cost no request of their own."""
    registered = sources.read("applications", lambda: service_principals.read(tenant.exchange.run(service_principals.READ)))
    unread = sources.reasons["applications"]
    calls = registrations.calls(registered or ())
    sending = sources.read("applications", lambda: sending_applications.read(tenant, unique_name, calls))
    sources.note("applications", [unread])
    if sending is None or registered is None:
        return sending, None
    return sending, registrations.compare(registered, tenant.graph.batch(calls))


def application_sign_ins(
    tenant: Tenant, applications: Sequence[SendingApplication], window: RequestWindow, sources: Sources
) -> dict[str, datetime.date | None] | None:
    """The last sign-in of each application that may send, by client id: of at most MOST_APPLICATIONS, one request each."""
    ids = [one.app_id for one in applications if one.permitted]
    dates = sources.read("application_sign_ins", lambda: application_activity.read(tenant, ids[:MOST_APPLICATIONS], window.wait))
    if len(ids) > MOST_APPLICATIONS:
        sources.note("application_sign_ins", [f"Only {MOST_APPLICATIONS} of {len(ids)} applications were read."])
    return dates


def key_use(
    tenant: Tenant,
    applications: Sequence[SendingApplication],
    signed_in: Mapping[str, datetime.date | None],
    since: datetime.date,
    window: RequestWindow,
    sources: Sources,
) -> dict[str, KeyUse] | None:
    """Which keys were used since a date, of each application that signed in and has several: one that has a single key used that one."""
    ids = [one.app_id for one in applications if len(one.credentials) > 1 and (signed_in.get(one.app_id) or since) > since]
    return sources.read("application_keys", lambda: application_keys.read(tenant, ids, since, window.wait)) if ids else {}


def hve_accounts(tenant: Tenant) -> dict[str, str]:
    """The status of the billing policy of each High Volume Email account, by address in lower case."""
    current = hve_accounts_reader.read(tenant, (), everything=True)
    return {account.primary: account.status for account in current.accounts.values()}


def smtp_users(tenant: Tenant) -> dict[str, bool]:
    """Whether each user sent with SMTP in 180 days, by user principal name."""
    if not tenant.cloud.reports:
        raise MailopsError("this cloud has no usage reports")
    return usage_report.parse(tenant.graph.report(usage_report.PATH, "read the usage report of email apps"))


def mail_flows(tenant: Tenant, resolver: dns.Resolver, days: int, sources: Sources) -> Flows | None:
    """The flows of mail from the accepted domains in the last days."""

    microsoft = resolver.ask(tenant.cloud.spf_include, "TXT")

    def read() -> tuple[Flows, bool]:
        accepted = addresses.accepted_domains(tenant.exchange)
        terms = [term for text in microsoft.spf for term in _spf.parse(text).terms]
        flows = Flows(accepted, [term.network for term in terms if term.network])
        return flows, message_trace.read(tenant, sorted(accepted), days, flows.take)

    result = sources.read("message_trace", read)
    if result is None:
        return None
    flows, complete = result
    flows.complete = complete
    if microsoft.problem:
        sources.note("message_trace", [f"Microsoft's servers could not be told from others: {microsoft.problem}"])
    if not flows.complete:
        sources.note("message_trace", [f"Only the newest messages of {days} days were read: lower audit_trace_days."])
    return flows


def by_primary_address(values: Mapping[str, T] | None, users: authentication_policies.Current | None) -> dict[str, T] | None:
    """The values by primary address: reports have user principal names, which may differ."""
    if values is None:
        return None
    first: dict[str, str] = {}
    for address, user in (users.users if users else {}).items():
        first.setdefault(user.guid, address)
    names = {address: first[user.guid] for address, user in (users.users if users else {}).items()}
    return {names.get(address, address): one for address, one in values.items()}


def spf_states(domains: Callable[[], list[str]], resolver: dns.Resolver, sources: Sources) -> list[SpfState] | None:
    """The published records of all accepted domains but Microsoft's own, with their problems."""

    def read() -> list[_spf.Answer]:
        return resolver.ask_all([(domain, "TXT") for domain in domains()])

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


def connectors_outside_spf(
    connectors: Sequence[Connector] | None, records: Sequence[SpfState] | None, resolver: dns.Resolver
) -> dict[str, list[str]] | None:
    """The addresses of connectors that no record lets pass, by name; None where the connectors or a record were not readable."""
    if connectors is None or records is None or any(one.current is None for one in records):
        return None
    return connector_spf.outside_spf(connectors, [one.domain for one in records if one.current], resolver)


def dns_states(tenant: Tenant, domains: Callable[[], list[str]], resolver: dns.Resolver, sources: Sources) -> list[MailDns] | None:
    """The other DNS records of the same domains, beside what Microsoft 365 requires of them."""
    signing = sources.read("dkim", lambda: dkim.read(tenant))
    hosts = sources.read("mx_hosts", lambda: mx_hosts.read(tenant, domains()))
    states = sources.read("dns", lambda: mail_dns.read(domains(), resolver, hosts, signing))
    sources.note("dns", [text for state in states or () for text in state.unreadable])
    return states
