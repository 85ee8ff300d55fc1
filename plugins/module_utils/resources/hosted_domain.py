# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains at a hosted relay: created, their DNS records compared with DNS, verified by the provider, removed.

The records are reported, not published. Sources: SendGrid, "Domain Authentication"; SMTP2GO, "Sender domains";
Mailgun, "Domain Verification Setup Guide".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .._clients import dns
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.mail_addresses import DOMAIN
from .._core.params import nested
from .._core.spec import DNS, JOURNAL, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses
from .._hosted.domains import DomainClient, SenderDomain
from .._hosted.mailgun import MailgunDomains
from .._hosted.providers import HOSTED_RELAYS, REGIONS, region_problems
from .._hosted.reports import DomainReport, notes, report_of, with_dns
from .._hosted.sendgrid import SendGridDomains
from .._hosted.smtp2go import Smtp2GoDomains
from .._http.transport import Transport

# Provider -> its client.
CLIENTS: Mapping[str, Callable[[Transport, str, str, str], DomainClient]] = {
    "sendgrid": SendGridDomains,
    "smtp2go": Smtp2GoDomains,
    "mailgun": MailgunDomains,
}
ACCOUNT = Spec(
    {
        "provider": {"type": "str", "choices": sorted(CLIENTS), "variable": "m365_hosted_relay"},
        "region": {"type": "str", "choices": list(REGIONS), "variable": "m365_hosted_relay_region"},
        "api_key": {"type": "str", "no_log": True, "variable": "m365_hosted_relay_api_key"},
        "api_url": {"type": "str", "variable": "m365_hosted_relay_api_url"},
    },
    writes=False,
)
DOMAINS = Spec(
    {
        "domains": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "return_path": {"type": "str"},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            },
        }
    }
)
RETURN_PATH = "em-mailops"
_REGION = "{region}"  # in api_url
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """The options of both modules."""

    provider: str | None
    region: str | None
    api_key: str | None = field(repr=False)
    api_url: str | None
    dns_servers: tuple[str, ...] | None


@dataclass(frozen=True)
class DomainItem:
    """An item of `domains`. `return_path`: the label of the envelope sender's domain, at Mailgun of the tracking host."""

    name: str
    return_path: str | None
    state: str

    @property
    def domain(self) -> str:
        return self.name.lower().rstrip(".")

    @property
    def label(self) -> str:
        return (self.return_path or RETURN_PATH).lower()


@dataclass(frozen=True)
class Params(Account):
    """The options of the module hosted_domain."""

    domains: tuple[DomainItem, ...] = nested(DomainItem)


@dataclass(frozen=True)
class InfoParams(Account):
    """The options of the module hosted_domain_info."""

    domains: tuple[str, ...]


@dataclass(frozen=True)
class DomainChanges:
    """Domains to create (with the label of their return path), to have verified, and to remove."""

    create: tuple[tuple[str, str], ...] = ()
    verify: tuple[SenderDomain, ...] = ()
    remove: tuple[SenderDomain, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.verify or self.remove)

    @property
    def actions(self) -> list[str]:
        return [name for name, listed in (("create", self.create), ("verify", self.verify), ("remove", self.remove)) if listed]


class HostedDomain:
    """Implements the module hosted_domain."""

    name = "hosted_domain"
    spec = TENANT | DNS | ACCOUNT | JOURNAL | DOMAINS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = _account_problems(params) + _name_problems(item.name for item in params.domains)
        for item in params.domains:
            if not _LABEL.fullmatch(item.label):
                problems.append(f"domains: {item.name}: return_path is {item.return_path!r}: give one label, such as {RETURN_PATH}.")
        names = [item.domain for item in params.domains]
        repeated = sorted({name for name in names if names.count(name) > 1})
        return problems + [f"domains lists {name} more than once: list it once." for name in repeated]

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[DomainChanges]:
        client, resolver = client_of(tenant, params), dns.Resolver(params.dns_servers or ())
        accepted = addresses.accepted_domains(tenant.exchange)
        _refuse_foreign([item.domain for item in params.domains if item.state == "present"], accepted)
        current = client.read([item.domain for item in params.domains])
        present = [item for item in params.domains if item.state == "present"]
        reports = [report_of(_selected(current, item.domain) or client.predicted(item.domain, item.label), current) for item in present]
        reports = with_dns(reports, resolver, accepted)
        create = [item for item, report in zip(present, reports, strict=True) if not report.domain.id]
        verify = [report.domain for report in reports if report.domain.id and not _blocked(report.domain) and report.published]
        remove = [
            domain for item in params.domains if item.state == "absent" for domain in current
            if (domain.name, domain.labelled_name) == (item.domain, f"{item.label}.{item.domain}")
        ]  # fmt: skip
        changes = DomainChanges(tuple((item.domain, item.label) for item in create), tuple(verify), tuple(remove))
        _refuse_other_regions(tenant, params, [name for name, _label in changes.create])
        if changes:
            _refuse_missing_rights(client, changes)
        before = {domain.name: _state(domain) for domain in (*verify, *remove)}
        after = {item.domain: _state(client.predicted(item.domain, item.label)) for item in create}
        after |= {domain.name: _state(replace(domain, valid=True)) for domain in verify}
        verified = {domain.id for domain in verify}
        predicted = [replace(one, domain=replace(one.domain, valid=one.domain.valid or one.domain.id in verified)) for one in reports]
        kept = _kept([item for item in params.domains if item.state == "absent"], [one for one in current if one not in remove])
        return Plan(before, after, changes or None, _outcome(predicted), notes(reports) + kept)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[DomainChanges]) -> dict[str, object]:
        client, resolver, changes = client_of(tenant, params), dns.Resolver(params.dns_servers or ()), plan.pending
        for domain in changes.remove:
            client.remove(domain)
        written = [client.create(name, label) for name, label in changes.create]
        written += [client.verify(domain) for domain in changes.verify]
        rows = {str(row["name"]): row for row in plan.outcome["domains"]}
        reports = [replace(report_of(domain, ()), others=tuple(rows[domain.name]["others"])) for domain in written]
        reports = with_dns(reports, resolver, addresses.accepted_domains(tenant.exchange))
        names = {domain.name for domain in written}
        plan.warnings[:] = [note for note in plan.warnings if note.partition(":")[0] not in names] + notes(reports)
        return {"domains": [*(rows | {report.domain.name: report.as_result() for report in reports}).values()]}


class HostedDomainInfo(ReadOnlyResource[InfoParams]):
    """Implements the module hosted_domain_info."""

    name = "hosted_domain_info"
    spec = TENANT | DNS | ACCOUNT | Spec({"domains": {"type": "list", "elements": "str", "required": True}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return _account_problems(params) + _name_problems(params.domains)

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        names = list(dict.fromkeys(name.lower().rstrip(".") for name in params.domains))
        current = client_of(tenant, params).read(names)
        selected = [domain for name in names if (domain := _selected(current, name))]
        reports = with_dns([report_of(domain, current) for domain in selected], dns.Resolver(params.dns_servers or ()), ())
        return Plan(outcome=_outcome(reports))


RESOURCE = HostedDomain()
INFO = HostedDomainInfo()


def client_of(tenant: Tenant, params: Account, region: str = "") -> DomainClient:
    """The client of the provider in a region, by default the account's."""
    relay = HOSTED_RELAYS[params.provider or ""]
    region = region or params.region or next(iter(relay.regions))
    url = (params.api_url or relay.region(region).api).replace(_REGION, region)
    return CLIENTS[params.provider or ""](tenant.transport, url, params.api_key or "", region)


# -- input ------------------------------------------------------------------------------------------------------------


def _account_problems(params: Account) -> list[str]:
    problems = dns.problems("dns_servers", params.dns_servers or ())
    if not params.provider:
        problems.append(f"m365_hosted_relay is not set: set the provider, one of {', '.join(sorted(CLIENTS))}.")
    problems += region_problems("m365_hosted_relay_region", params.provider, params.region)
    if not (params.api_key or "").strip():
        problems.append("m365_hosted_relay_api_key is not set: set it to an API key of the account, from a vault.")
    if params.api_url and not params.api_url.startswith("https://"):
        problems.append(f"m365_hosted_relay_api_url is {params.api_url!r}: give an https URL; the API key is sent there.")
    return problems


def _name_problems(names: Iterable[str]) -> list[str]:
    return [f"domains holds {name!r}, which is not a domain name." for name in names if not DOMAIN.fullmatch(name.rstrip("."))]


def _refuse_foreign(names: Sequence[str], accepted: Iterable[str]) -> None:
    """Raise InvalidInput where a domain is neither an accepted domain of the tenant nor a subdomain of one."""
    own = set(accepted)
    foreign = [name for name in names if name not in own and not any(name.endswith(f".{domain}") for domain in own)]
    if foreign:
        raise InvalidInput(f"domains holds {', '.join(foreign)}, no accepted domain of this tenant ({', '.join(sorted(own))}).")


def _refuse_other_regions(tenant: Tenant, params: Account, names: Sequence[str]) -> None:
    """Raise InvalidInput where a domain to create exists in another region, where the provider has a domain in one region only."""
    relay = HOSTED_RELAYS[params.provider or ""]
    if not names or not relay.regional_domains or (params.api_url and _REGION not in params.api_url):
        return
    own = params.region or next(iter(relay.regions))
    for region in relay.regions.keys() - {own}:
        existing = [domain.name for domain in client_of(tenant, params, region).read(names)]
        if existing:
            raise InvalidInput(
                f"m365_hosted_relay_region is {own!r}, and {relay.label} has {', '.join(existing)} in the region {region}: set "
                f"m365_hosted_relay_region to {region}, or remove the domain there. Nothing was changed."
            )


def _refuse_missing_rights(client: DomainClient, changes: DomainChanges) -> None:
    missing = client.missing_rights(*changes.actions)
    if missing:
        raise InvalidInput(
            f"m365_hosted_relay_api_key lacks the permissions {', '.join(missing)}: give them to the key. Nothing was changed."
        )


# -- reading and comparing --------------------------------------------------------------------------------------------


def _blocked(domain: SenderDomain) -> bool:
    """Whether verifying it is useless or harmful: it is valid, or the provider has disabled it."""
    return domain.valid or bool(domain.problem)


def _selected(current: Sequence[SenderDomain], name: str) -> SenderDomain | None:
    """Of several authentications of a domain the valid one, else the oldest: the provider accepts only one of them as valid."""
    own = [domain for domain in current if domain.name == name]
    return next((domain for domain in own if domain.valid), own[0] if own else None)


# -- results ----------------------------------------------------------------------------------------------------------


def _state(domain: SenderDomain) -> JsonObject:
    return {"return_path": domain.return_path, "valid": domain.valid}


def _outcome(reports: Iterable[DomainReport]) -> JsonObject:
    return {"domains": [report.as_result() for report in reports]}


def _kept(absent: Iterable[DomainItem], remaining: Sequence[SenderDomain]) -> list[str]:
    """One sentence for each domain to remove that has authentications with another return path."""
    notes = []
    for item in absent:
        others = [domain.labelled_name for domain in remaining if domain.name == item.domain]
        if others:
            notes.append(f"{item.domain}: its authentications with another return path are kept ({', '.join(others)}).")
    return notes
