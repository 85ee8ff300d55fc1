# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of an audit: the evidence about each sender of the inventory and each other address that was seen, with its verdict."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..._audit import mail_flow
from ..._audit.evidence import BasicUsage, ClientUsage, Evidence, SenderKey
from ..._audit.findings import Configuration
from ..._audit.mail_flow import MailFlow
from ..._audit.names import SEVERITIES, VERDICTS
from ..._audit.verdict import Calendar, Verdict, verdict
from ..._entra import sending_applications
from ..._entra.sending_applications import SendingApplication
from ..._exchange import authentication_policies
from ..._planning import options
from ..._planning.context import RelayHost
from .. import smtp_auth
from ..sender_plan import Params, PlannedSenders


@dataclass(frozen=True)
class Mailboxes:
    """The evidence about mailboxes, by address in lower case; None: not readable.

    `trace_days`: how many days of the message trace were read; `trace_complete`: whether what `flows` does not have sent nothing.
    """

    smtp_auth: smtp_auth.Settings | None
    policies: authentication_policies.Current | None
    usage: Mapping[str, BasicUsage] | None
    clients: Mapping[str, ClientUsage] | None = None
    flows: Mapping[str, MailFlow] | None = None
    smtp_app: Mapping[str, bool] | None = None
    hve: Mapping[str, str] | None = None  # the status of the billing policy of each High Volume Email account
    trace_days: int = 0
    trace_complete: bool = True

    def evidence(self, address: str, configuration: Configuration) -> Evidence:
        flow = None if self.flows is None else self.flows.get(address, MailFlow() if self.trace_complete else None)
        connectors = configuration.connectors or ()
        connector = mail_flow.connector_of(flow, connectors) if flow else None
        name = connector.name if connector else ""
        without_sign_in = bool(flow and flow.sources and not connector and self._cannot_sign_in(address))
        return Evidence(
            address,
            flow=flow,
            trace_days=self.trace_days,
            connector=None if flow is None or configuration.connectors is None else name,
            certificate_connectors=tuple(one.name for one in mail_flow.by_certificate(connectors)) if without_sign_in else (),
            direct_send=bool(flow and without_sign_in and not flow.external),
            relayed=bool(flow and without_sign_in and flow.external),
            hve=None if self.hve is None else self.hve.get(address, ""),
            security_defaults=configuration.security_defaults,
            direct_send_rejected=configuration.direct_send_rejected,
            mailbox=None if self.smtp_auth is None else address in self.smtp_auth.mailboxes,
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

    def _cannot_sign_in(self, address: str) -> bool:
        """Whether mail of an address from elsewhere cannot have been submitted: it has no mailbox, or SMTP AUTH is disabled."""
        return self.smtp_auth is not None and self._smtp_auth(address) is not True

    def without_sign_in(self, configuration: Configuration) -> set[str]:
        """Addresses whose mail comes through a connector, or by Direct Send."""
        every = (self.evidence(address, configuration) for address, flow in (self.flows or {}).items() if flow.sources)
        return {one.address for one in every if one.connector or one.direct_send or one.relayed}

    @cached_property
    def _no_clients(self) -> ClientUsage:
        """The usage of a sender that the export does not have: zero, where it has the column."""
        known = any(one.basic is not None for one in (self.clients or {}).values())
        return ClientUsage(basic=False, oauth=False, messages=0) if known else ClientUsage()

    @property
    def addresses(self) -> set[str]:
        """Mailboxes that were seen with SMTP, or have SMTP AUTH enabled by their own setting."""
        enabled = {a for a, one in self.smtp_auth.mailboxes.items() if one.smtp_auth == "enabled"} if self.smtp_auth else set()
        users = {address for address, used in (self.smtp_app or {}).items() if used}
        return enabled | users | set(self.usage or ()) | set(self.clients or ())


@dataclass(frozen=True)
class Row:
    """One sender or address. `name`: of a sender of the inventory, else "". `relay_host`: the one that it sends through."""

    name: str
    evidence: Evidence
    verdict: Verdict
    relay_host: RelayHost | None = None

    def as_result(self) -> dict[str, object]:
        evidence, relay = self.evidence, self.relay_host
        return {
            "name": self.name,
            "address": evidence.address,
            "listed": evidence.listed,
            "method": evidence.method,
            "relay_host": _relay_host(relay, evidence.address) if relay else None,
            "mailbox": evidence.mailbox,
            "smtp_auth": evidence.smtp_auth,
            "basic_allowed": evidence.basic_allowed,
            "basic": evidence.basic.as_result() if evidence.basic is not None else None,
            "smtp_app": evidence.smtp_app,
            "mail": evidence.flow.as_result() if evidence.flow is not None else None,
            "connector": evidence.connector,
            "clients": evidence.clients.as_result() if evidence.clients is not None else None,
            "verified": evidence.verified.isoformat() if evidence.verified else None,
            **self.verdict.as_result(),
        }


def _relay_host(relay: RelayHost, address: str) -> dict[str, object]:
    """The relay host of a sender. `users`: the SASL users of its devices."""
    users = [user for own, user in relay.users if own.lower() == address]
    return {"name": relay.name, "host": relay.host, "upstream": relay.upstream, "users": users}


def rows(
    senders: PlannedSenders | None,
    params: Params,
    mailboxes: Mailboxes,
    configuration: Configuration,
    calendar: Calendar,
    verified: Mapping[str, datetime.date],
) -> list[Row]:
    """One row for each sender of the inventory, and for each address that none of them uses; the most severe first."""
    listed = list(_listed(senders, params))
    key, problem = _key(configuration.applications, params.app_unique_name)
    every = [
        (
            one,
            replace(
                mailboxes.evidence(one.address, configuration),
                listed=True,
                method=one.method,
                traced=one.traced,
                key=key,
                no_key=problem,
                verified=verified.get(one.address),
            ),
        )
        for one in listed
    ]
    others = (mailboxes.addresses | mailboxes.without_sign_in(configuration)) - {one.address for one in listed}
    every += [(_Listed("", address), mailboxes.evidence(address, configuration)) for address in sorted(others)]
    results = [Row(one.name, evidence, verdict(evidence, calendar), one.relay_host) for one, evidence in every]
    results.sort(key=lambda row: (SEVERITIES.index(row.verdict.severity), VERDICTS.index(row.verdict.name), row.evidence.address, row.name))
    return results


@dataclass(frozen=True)
class _Listed:
    """A sender as it is planned. `address`: the primary one in lower case; `traced`: its messages are in the message trace."""

    name: str
    address: str
    method: str | None = None
    traced: bool = False
    relay_host: RelayHost | None = None


def _listed(senders: PlannedSenders | None, params: Params) -> Iterator[_Listed]:
    """The senders of the inventory; where the plan failed, with the methods that the inventory sets."""
    if senders is None:
        for one in (options.sender(item) for item in params.senders):
            yield _Listed(one.name, (one.mailbox or one.address).lower(), None if one.method == "auto" else one.method)
        return
    for plan in senders.plans:
        address = senders.context.primary_address(plan.sender.mailbox or plan.sender.address).lower()
        traced = plan.through_exchange or plan.method == "direct_send"
        yield _Listed(plan.sender.name, address, None if plan.method == "auto" else plan.method, traced, plan.relay_host)


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
