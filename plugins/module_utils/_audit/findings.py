# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about a tenant's configuration: what is open, ends, or is wrong, beside the verdicts on its senders."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .._entra.application_credentials import StoredCredential
from .._entra.application_keys import KeyUse
from .._entra.delegated_applications import DelegatedApplication
from .._entra.sending_applications import SendingApplication
from .._exchange.inbound_connectors import Connector
from .._exchange.protocols import Protocols
from .._exchange.spoofs import Spoof
from . import connectors, mail_dns, registrations
from .finding import Finding
from .mail_dns import MailDns
from .names import SEVERITIES
from .registrations import WrongObjectId
from .timetable import EWS_OFF, HVE_BILLING
from .verdict import HVE_VALID, KEY_SOON, SOON

UNUSED_AFTER = 30  # days


@dataclass(frozen=True)
class SpfState:
    """The published SPF records of a domain; None: not readable. `problems`: sentences."""

    domain: str
    current: tuple[str, ...] | None
    problems: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        return {"domain": self.domain, "current": None if self.current is None else list(self.current), "problems": list(self.problems)}


@dataclass(frozen=True)
class Configuration:
    """What was read of a tenant; None: not readable. `smtp_auth`: of the organization, enabled or disabled.

    `security_defaults_due`: the day on which Microsoft enables Security Defaults, None where it has announced none, or that was not
    `security_defaults_due_read`.

    `application_sign_ins`: the last one of each application that was read, by client id, None where there was none. `idle_connectors`:
    those with IP addresses from which no message came in the `trace_days` of the message trace. `key_use`: by client id, of applications
    with several keys. `hve_accounts`: the status of each account's billing policy. `accepted_domains`: in lower case.
    `connectors_outside_spf`: by name, the addresses that no SPF record lets pass.
    """

    smtp_auth: str | None = None
    security_defaults: bool | None = None
    security_defaults_due: datetime.date | None = None
    security_defaults_due_read: bool = False
    direct_send_rejected: bool | None = None
    connectors: Sequence[Connector] | None = None
    accepted_domains: Collection[str] | None = None
    applications: Sequence[SendingApplication] | None = None
    wrong_object_ids: Sequence[WrongObjectId] | None = None
    spf: Sequence[SpfState] | None = None
    connectors_outside_spf: Mapping[str, Sequence[str]] | None = None
    dns: Sequence[MailDns] | None = None
    application_sign_ins: Mapping[str, datetime.date | None] | None = None
    delegated_applications: Sequence[DelegatedApplication] | None = None
    spoofs: Sequence[Spoof] | None = None
    idle_connectors: Sequence[str] | None = None
    key_use: Mapping[str, KeyUse] | None = None
    protocols: Protocols | None = None
    hve_accounts: Mapping[str, str] | None = None
    trace_days: int = 0

    def as_result(self) -> dict[str, object]:
        return {
            "smtp_auth": self.smtp_auth,
            "security_defaults": self.security_defaults,
            "security_defaults_due": self._due if self.security_defaults_due_read else None,
            "direct_send_rejected": self.direct_send_rejected,
            "connectors": None if self.connectors is None else [{"name": one.name, **one.as_result()} for one in self.connectors],
            "applications": None if self.applications is None else [self._application(one) for one in self.applications],
            "delegated_applications": _results(self.delegated_applications),
            "spoofs": _results(self.spoofs),
            "spf": None if self.spf is None else [one.as_result() for one in self.spf],
            "idle_connectors": None if self.idle_connectors is None else list(self.idle_connectors),
            "dns": None if self.dns is None else [one.as_result() for one in self.dns],
            "protocols": None if self.protocols is None else self.protocols.as_result(),
            "hve_accounts": None
            if self.hve_accounts is None
            else [{"address": address, "billing_policy": status} for address, status in self.hve_accounts.items()],
        }

    @property
    def _due(self) -> str:
        return self.security_defaults_due.isoformat() if self.security_defaults_due else ""

    def _application(self, one: SendingApplication) -> dict[str, object]:
        """`last_sign_in`: "" where none is known, None where that was not read."""
        dates, use = self.application_sign_ins or {}, (self.key_use or {}).get(one.app_id)
        used = {key.key_id: use.is_used(key.key_id) if use else None for key in one.credentials}
        last = dates.get(one.app_id)
        result = one.as_result() | {"last_sign_in": (last.isoformat() if last else "") if one.app_id in dates else None}
        return result | {"credentials": [{**key, "used": used[str(key["key_id"])]} for key in one.credential_results]}


class _Listed(Protocol):
    def as_result(self) -> Mapping[str, object]: ...


def _results(items: Sequence[_Listed] | None) -> list[Mapping[str, object]] | None:
    return None if items is None else [one.as_result() for one in items]


def findings(configuration: Configuration, today: datetime.date) -> list[Finding]:
    """The findings, the most severe first. What was not readable has none."""
    every = [
        *_organization(configuration),
        *connectors.findings(
            configuration.connectors or (),
            configuration.idle_connectors or (),
            configuration.trace_days,
            configuration.accepted_domains,
            configuration.connectors_outside_spf or {},
        ),
        *registrations.findings(configuration.wrong_object_ids or ()),
        *_security_defaults(configuration.security_defaults_due, today),
        *_protocols(configuration.protocols, today),
        *_hve(configuration.hve_accounts or {}, today),
        *_senders_unlisted(configuration),
        *_unused(configuration, today),
        *_keys(configuration, today),
        *_spf(configuration),
    ]
    every += [one for state in configuration.dns or () for one in mail_dns.findings(state)]
    return sorted(every, key=lambda one: (SEVERITIES.index(one.severity), one.id, one.subject))


def _organization(configuration: Configuration) -> Iterator[Finding]:
    if configuration.smtp_auth == "enabled":
        problem = "SMTP AUTH is enabled for every mailbox that has no setting of its own."
        yield Finding("smtp_auth_open", "medium", "organization", problem, "Set smtp_auth_organization to disabled.")
    if configuration.direct_send_rejected is False:
        problem = "Direct Send is not rejected: anyone may send to the organization in the name of its domains."
        yield Finding("direct_send_open", "low", "organization", problem, "Set direct_send_rejected to true if no sender uses it.")


def _security_defaults(due: datetime.date | None, today: datetime.date) -> Iterator[Finding]:
    if due and due >= today:
        days = (due - today).days
        problem = f"Microsoft enables Security Defaults on {due} (in {days} days). From then on, Basic authentication is refused."
        remedy = "Move the senders with Basic authentication before, or decide about Security Defaults in the Microsoft Entra admin center."
        yield Finding("security_defaults_due", "high" if days <= SOON else "medium", "organization", problem, remedy, due)


def _protocols(protocols: Protocols | None, today: datetime.date) -> Iterator[Finding]:
    if protocols and protocols.legacy_tls:
        problem = "Clients with TLS 1.0 or 1.1 may send through smtp-legacy.office365.com (AllowLegacyTLSClients)."
        remedy = "Send their mail through a relay host, then run Set-TransportConfig -AllowLegacyTLSClients $false."
        yield Finding("legacy_tls_allowed", "low", "organization", problem, remedy)
    days = EWS_OFF.days(today) or 0
    if protocols and (protocols.ews or protocols.ews_applications) and days > 0:
        allowed = "Exchange Web Services are enabled" if protocols.ews else "Applications may use Exchange Web Services"
        listed = f" ({', '.join(protocols.ews_applications)})" if protocols.ews_applications else ""
        problem = f"{allowed}{listed}: programs that send with EWS stop on {EWS_OFF.first_day} (in {days} days)."
        remedy = "Move them to SMTP with OAuth, or to Microsoft Graph."
        yield Finding("ews_enabled", "medium" if days <= SOON else "low", "organization", problem, remedy, EWS_OFF.first_day)


def _hve(accounts: Mapping[str, str], today: datetime.date) -> Iterator[Finding]:
    starts = HVE_BILLING.first_day
    for address, status in accounts.items():
        if status != HVE_VALID and starts:
            problem = f"The High Volume Email account has no valid billing policy ({status or 'status unknown'}): "
            when = "since" if today >= starts else "from"
            remedy = "Connect a billing policy to High Volume Email, or remove the account."
            yield Finding("hve_billing", "high", address, f"{problem}its delivery is interrupted {when} {starts}.", remedy, starts)


def _unused(configuration: Configuration, today: datetime.date) -> Iterator[Finding]:
    """Applications that may send as every mailbox and do not sign in, of those whose sign-ins were read."""
    dates = configuration.application_sign_ins or {}
    for application in configuration.applications or ():
        if application.app_id not in dates or not application.permitted or application.foreign:
            continue
        last = dates[application.app_id]
        if last and (today - last).days <= UNUSED_AFTER:
            continue
        seen = f"signed in last on {last}" if last else "has no sign-in with a credential of its own"
        problem = f"The application may send with SMTP (SMTP.SendAsApp) and {seen}."
        yield Finding(
            "app_unused", "low", application.display_name or application.app_id, problem, "Revoke the permission if it is not used."
        )


def _senders_unlisted(configuration: Configuration) -> Iterator[Finding]:
    for one in configuration.delegated_applications or ():
        if one.foreign:
            whose = "a maker of printers" if one.printer_maker else "another organization"
            consent = "all users" if one.all_users else f"{one.users} users"
            problem = f"An application of {whose} may send with SMTP as a user who signs in (SMTP.Send, consent for {consent})."
            remedy = "Keep the consent as long as a device needs it: without it, the device gets 535."
            yield Finding("delegated_app", "info", one.display_name or one.app_id, problem, remedy)
    for spoof in configuration.spoofs or ():
        action = "lets them through" if spoof.allowed else "blocks them"
        problem = f"{spoof.messages} messages in seven days from {spoof.infrastructure} failed authentication; spoof intelligence {action}."
        remedy = "If a program of yours sends them, add it to m365_senders, and its addresses to the SPF record."
        yield Finding("spoof_internal", "info", spoof.address, problem, remedy)


def _keys(configuration: Configuration, today: datetime.date) -> Iterator[Finding]:
    for application in configuration.applications or ():
        ends = [one for one in application.credentials if one.expires]
        yield from _keys_unused(application, (configuration.key_use or {}).get(application.app_id), today)
        for one in ends:
            yield from _key(application.display_name or application.app_id, one, today, is_last=one == max(ends, key=_end))


def _keys_unused(application: SendingApplication, use: KeyUse | None, today: datetime.date) -> Iterator[Finding]:
    """Usable keys with which the application did not sign in while it signed in with another one."""
    usable = [one for one in application.credentials if _end(one) >= today]
    if use is None or not any(use.is_used(one.key_id) for one in usable):
        return
    for one in usable:
        if use.is_used(one.key_id) is False:
            subject = f"{application.display_name or application.app_id}: {one}"
            problem = "The application did not sign in with this credential in the period, and signed in with another one."
            yield Finding("key_unused", "low", subject, problem, "Remove it if no program has it.")


def _end(credential: StoredCredential) -> datetime.date:
    return credential.expires.date() if credential.expires else datetime.date.max


def _key(name: str, credential: StoredCredential, today: datetime.date, *, is_last: bool) -> Iterator[Finding]:
    """What the end of a key means: only that of the application's last one stops it."""
    end, subject = _end(credential), f"{name}: {credential}"
    if end < today:
        severity = "critical" if is_last else "info"
        remedy = "Remove it, and register a new one if needed."
        yield Finding("key_ended", severity, subject, f"The {credential.kind} ended on {end}.", remedy, end)
    elif (end - today).days <= KEY_SOON:
        severity = "high" if is_last else "low"
        yield Finding("key_ends", severity, subject, f"The {credential.kind} ends on {end}.", "Register a new one.", end)
    elif credential.kind != "certificate":
        yield Finding("client_secret", "low", subject, f"A client secret is valid until {end}.", "Use a certificate.")


def _spf(configuration: Configuration) -> Iterator[Finding]:
    for record in configuration.spf or ():
        for problem in record.problems:
            yield Finding("spf", "medium", record.domain, problem, "Run playbook site with --tags dns, or publish the record by hand.")
