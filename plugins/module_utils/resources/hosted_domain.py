# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sender domains at a hosted relay: created, their DNS records compared with DNS and published, verified by the provider, removed.

Sources: SendGrid, "Domain Authentication"; SMTP2GO, "Sender domains";
Mailgun, "Domain Verification Setup Guide".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from .._clients import dns
from .._clients.dns_update import PUBLISHING, Provider, Publishing, RecordUpdate, provider_of, publishing_problems
from .._core.bounds import HOSTED_VALIDATION
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.mail_addresses import DOMAIN
from .._core.params import nested
from .._core.spec import DNS, JOURNAL, TENANT, Spec
from .._core.waiting import Retry
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses
from .._hosted.account import ACCOUNT, Account, account_problems, other_regions, region_of, relay_of
from .._hosted.clients import domain_client, refuse_missing_rights
from .._hosted.domains import DomainClient, SenderDomain
from .._hosted.publication import DomainChanges, difference, publications, removals, revalidated
from .._hosted.reports import DomainReport, notes, report_of, with_dns

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
        },
        "dns": {"type": "dict", "options": PUBLISHING.options},
    }
)
RETURN_PATH = "em-mailops"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True)
class DnsAccount(Account):
    """The options of both modules."""

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
class Params(DnsAccount):
    """The options of the module hosted_domain."""

    domains: tuple[DomainItem, ...] = nested(DomainItem)
    dns: Publishing | None = nested(Publishing)

    @property
    def publisher(self) -> Provider | None:
        return provider_of(self.dns) if self.dns else None


@dataclass(frozen=True)
class InfoParams(DnsAccount):
    """The options of the module hosted_domain_info."""

    domains: tuple[str, ...]


class HostedDomain:
    """Implements the module hosted_domain."""

    name = "hosted_domain"
    spec = TENANT | DNS | ACCOUNT | JOURNAL | DOMAINS
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        problems = _problems(params) + _name_problems(item.name for item in params.domains)
        problems += publishing_problems(params.dns, "dns: ") if params.dns else []
        for item in params.domains:
            if not _LABEL.fullmatch(item.label):
                problems.append(f"domains: {item.name}: return_path is {item.return_path!r}: give one label, such as {RETURN_PATH}.")
        names = [item.domain for item in params.domains]
        repeated = sorted({name for name in names if names.count(name) > 1})
        return problems + [f"domains lists {name} more than once: list it once." for name in repeated]

    def plan(self, tenant: Tenant, params: Params, check_mode: bool) -> Plan[DomainChanges]:
        client, publisher = domain_client(tenant.transport, params), params.publisher
        ask = publisher.read if publisher else dns.Resolver(params.dns_servers or ()).ask_all
        accepted = addresses.accepted_domains(tenant.exchange)
        present = [item for item in params.domains if item.state == "present"]
        absent = [item for item in params.domains if item.state == "absent"]
        _refuse_foreign([item.domain for item in present], accepted)
        current = client.read([item.domain for item in params.domains])
        reports = [report_of(_selected(current, item.domain) or client.predicted(item.domain, item.label), current) for item in present]
        reports = with_dns(reports, ask, accepted)
        remove = [
            domain for item in absent for domain in current
            if (domain.name, domain.labelled_name) == (item.domain, f"{item.label}.{item.domain}")
        ]  # fmt: skip
        create = [item for item, report in zip(present, reports, strict=True) if not report.domain.id]
        predicted = [report.after_publication if publisher else report for report in reports]
        verify = [one.domain for one in predicted if one.domain.id and not _blocked(one.domain) and one.published]
        changes = DomainChanges(
            tuple((item.domain, item.label) for item in create),
            tuple(publications(reports)) if publisher else (),
            tuple(verify),
            tuple(removals(with_dns([report_of(one, ()) for one in remove], ask, accepted), current)) if publisher else (),
            tuple(remove),
        )
        _refuse_other_regions(tenant, params, [name for name, _label in changes.create])
        if changes:
            refuse_missing_rights(client.missing_rights(*changes.actions(publishing=bool(publisher))))
        before, after = difference(client, changes, {report.domain.name: report.domain for report in reports}, publishing=bool(publisher))
        verified = {domain.id for domain in verify}
        valid = [replace(one, domain=replace(one.domain, valid=one.domain.valid or one.domain.id in verified)) for one in predicted]
        kept = _kept(absent, [one for one in current if one not in remove])
        return Plan(before, after, changes or None, _outcome(valid), notes(predicted, publishing=bool(publisher)) + kept)

    def apply(self, tenant: Tenant, params: Params, plan: Plan[DomainChanges]) -> dict[str, object]:
        client, publisher, changes = domain_client(tenant.transport, params), params.publisher, plan.pending
        for name, updates in changes.unpublish:
            _publish(publisher, params, f"remove the DNS records of {name}", updates)
        for domain in changes.remove:
            client.remove(domain)
        created = [client.create(name, label) for name, label in changes.create]
        ask = publisher.read if publisher else dns.Resolver(params.dns_servers or ()).ask_all
        accepted = addresses.accepted_domains(tenant.exchange)
        rows = {str(row["name"]): row for row in plan.outcome["domains"]}
        current = {domain.name: domain for domain in (*created, *changes.verify)}
        reports = [replace(report_of(one, ()), others=tuple(rows[one.name]["others"])) for one in current.values()]
        if publisher:
            reports = [*with_dns(reports, ask, accepted)]
            published = dict(changes.publish) | dict(publications(report for report in reports if report.domain in created))
            for name, updates in published.items():
                _publish(publisher, params, f"publish the DNS records of {name}", updates)
            reports = [report.after_publication for report in reports]
            created = [one.domain for one in reports if one.domain in created and not _blocked(one.domain) and one.published]
            verified = _verified(tenant, client, [*created, *changes.verify], published.keys())
            reports = [revalidated(report, verified.get(report.domain.name)) for report in reports]
        else:
            verified = _verified(tenant, client, changes.verify, ())
            reports = with_dns([revalidated(report, verified.get(report.domain.name)) for report in reports], ask, accepted)
        names = current.keys()
        kept = [note for note in plan.warnings if note.partition(":")[0] not in names]
        plan.warnings[:] = kept + notes(reports, publishing=bool(publisher))
        return {"domains": [*(rows | {report.domain.name: report.as_result() for report in reports}).values()]}


class HostedDomainInfo(ReadOnlyResource[InfoParams]):
    """Implements the module hosted_domain_info."""

    name = "hosted_domain_info"
    spec = TENANT | DNS | ACCOUNT | Spec({"domains": {"type": "list", "elements": "str", "required": True}}, writes=False)
    params_type = InfoParams

    def validate(self, params: InfoParams) -> list[str]:
        return _problems(params) + _name_problems(params.domains)

    def plan(self, tenant: Tenant, params: InfoParams, check_mode: bool) -> Plan[None]:
        names = list(dict.fromkeys(name.lower().rstrip(".") for name in params.domains))
        current = domain_client(tenant.transport, params).read(names)
        selected = [domain for name in names if (domain := _selected(current, name))]
        reports = with_dns([report_of(domain, current) for domain in selected], dns.Resolver(params.dns_servers or ()).ask_all, ())
        return Plan(outcome=_outcome(reports))


RESOURCE = HostedDomain()
INFO = HostedDomainInfo()


# -- input ------------------------------------------------------------------------------------------------------------


def _problems(params: DnsAccount) -> list[str]:
    return dns.problems("dns_servers", params.dns_servers or ()) + account_problems(params)


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
    relay = relay_of(params)
    if not names or not relay.regional_domains:
        return
    for region in other_regions(params):
        existing = [domain.name for domain in domain_client(tenant.transport, params, region).read(names)]
        if existing:
            raise InvalidInput(
                f"m365_hosted_relay_region is {region_of(params)!r}, and {relay.label} has {', '.join(existing)} in the region {region}: "
                f"set m365_hosted_relay_region to {region}, or remove the domain there. Nothing was changed."
            )


# -- reading and comparing --------------------------------------------------------------------------------------------


def _blocked(domain: SenderDomain) -> bool:
    """Whether verifying it is useless or harmful: it is valid, or the provider has disabled it."""
    return domain.valid or bool(domain.problem)


def _selected(current: Sequence[SenderDomain], name: str) -> SenderDomain | None:
    """Of several authentications of a domain the valid one, else the oldest: the provider accepts only one of them as valid."""
    own = [domain for domain in current if domain.name == name]
    return next((domain for domain in own if domain.valid), own[0] if own else None)


# -- publishing and verifying -----------------------------------------------------------------------------------------


def _publish(publisher: Provider | None, params: Params, attempted: str, updates: Sequence[RecordUpdate]) -> None:
    if publisher and params.dns:
        publisher.update(updates, params.dns.ttl, attempted)


def _verified(tenant: Tenant, client: DomainClient, domains: Iterable[SenderDomain], published: Collection[str]) -> dict[str, SenderDomain]:
    """Have the provider verify the domains; those whose records were just published, until all of the zone's servers have them."""
    results: dict[str, SenderDomain] = {}
    retry, pending = Retry(HOSTED_VALIDATION, tenant.transport, tenant.wait_timeout), list(domains)
    while pending:
        results |= {domain.name: client.verify(domain) for domain in pending}
        pending = [one for one in (results[domain.name] for domain in pending) if one.name in published and not _blocked(one)]
        if pending and not retry.again():
            break
    return results


# -- results ----------------------------------------------------------------------------------------------------------


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
