# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF records of the tenant's mail domains: computed, checked in DNS, and published by a DNS provider.

Sources: RFC 7208; "Set up SPF to identify valid email sources for your custom cloud domains".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace

from .. import _spf
from .._clients import dns
from .._clients.dns_update import PUBLISHING, Provider, Publishing, RecordUpdate, provider_of, publishing_problems
from .._core import networks
from .._core.errors import InvalidInput
from .._core.spec import DNS, JOURNAL, TENANT, Spec
from .._engine.resource import Plan, ReadOnlyResource
from .._engine.tenant import Tenant
from .._exchange import addresses
from .._hosted.providers import obsolete_include_notes
from .._spf import Answer, LookupNode, Problem, Resolver
from .._spf.lookups import TermResult

DESIRED = Spec(
    {
        "domains": {"type": "list", "elements": "str"},
        "ip4": {"type": "list", "elements": "str", "default": []},
        "ip6": {"type": "list", "elements": "str", "default": []},
        "includes": {"type": "list", "elements": "str", "default": []},
        "cloud_include": {"type": "bool", "default": True},
        "policy": {"type": "str", "choices": list(_spf.POLICIES), "default": "keep"},
        "exclusive": {"type": "bool", "default": False},
    },
    writes=False,
)
_MAX_THREADS = 8
# Initial domains: Microsoft publishes their records.
_INITIAL_DOMAINS = (".onmicrosoft.com", ".onmicrosoft.us", ".onmschina.cn")


@dataclass(frozen=True)
class DomainRecord:
    """The SPF record of one domain: current, desired, DNS lookups and problems. `txt`: all TXT values that the name should have."""

    domain: str
    current: list[str]
    desired: str = ""
    dns_lookups: int = 0
    void_lookups: int = 0
    terms: list[TermResult] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)
    published: bool = False
    valid: bool = False
    ttl: int = 0
    txt: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DesiredParams:
    """The options of both modules."""

    dns_servers: tuple[str, ...] | None
    domains: tuple[str, ...] | None
    ip4: tuple[str, ...]
    ip6: tuple[str, ...]
    includes: tuple[str, ...]
    cloud_include: bool
    policy: str
    exclusive: bool


@dataclass(frozen=True)
class SpfParams(DesiredParams, Publishing):
    """The options of the module spf."""


@dataclass(frozen=True)
class SpfInfoParams(DesiredParams):
    """The options of the module spf_info."""

    addresses: tuple[str, ...]


@dataclass(frozen=True)
class SpfChanges:
    """The TXT answers of the domains to update, each with the SPF record to publish."""

    updates: tuple[tuple[Answer, str], ...] = ()


class Spf:
    """Implements the module spf."""

    name = "spf"
    spec = TENANT | DNS | DESIRED | JOURNAL | PUBLISHING
    params_type = SpfParams

    def validate(self, params: SpfParams) -> list[str]:
        return _input_problems(params) + publishing_problems(params)

    def plan(self, tenant: Tenant, params: SpfParams, check_mode: bool) -> Plan[SpfChanges]:
        resolver, provider = dns.Resolver(params.dns_servers or ()), provider_of(params)
        answers = read(tenant, params, resolver, provider)
        records = [record for record, _answer in answers]
        if provider is None:
            return Plan({}, {}, None, _outcome(records), _publishing_notes(records) + _problem_notes(records))
        refuse_invalid(records)
        updates = tuple((answer, record.desired) for record, answer in answers if not record.published)
        changed = [record for record in records if not record.published]
        before = {record.domain: record.current if len(record.current) > 1 else record.current[0] for record in changed if record.current}
        after = {record.domain: record.desired for record in changed}
        outcome = _outcome([replace(record, published=True) for record in records])
        return Plan(before, after, SpfChanges(updates) if updates else None, outcome, _problem_notes(records))

    def apply(self, tenant: Tenant, params: SpfParams, plan: Plan[SpfChanges]) -> dict[str, object]:
        provider = provider_of(params)
        if provider:
            for answer, text in plan.pending.updates:
                update = RecordUpdate(answer, add=(text,), delete=answer.spf)
                provider.update([update], params.ttl, f"publish the SPF record of {answer.name}")
        return plan.outcome


class SpfInfo(ReadOnlyResource[SpfInfoParams]):
    """Implements the module spf_info."""

    name = "spf_info"
    spec = TENANT | DNS | DESIRED | Spec({"addresses": {"type": "list", "elements": "str", "default": []}}, writes=False)
    params_type = SpfInfoParams

    def validate(self, params: SpfInfoParams) -> list[str]:
        return _input_problems(params) + _address_problems("addresses", params.addresses)

    def plan(self, tenant: Tenant, params: SpfInfoParams, check_mode: bool) -> Plan[None]:
        resolver = dns.Resolver(params.dns_servers or ())
        records = [record for record, _answer in read(tenant, params, resolver, None)]
        return Plan(outcome=_outcome(records) | {"checks": list(_checks(records, params.addresses, resolver))})


RESOURCE = Spf()
INFO = SpfInfo()


# -- input ------------------------------------------------------------------------------------------------------------


def _input_problems(params: DesiredParams) -> list[str]:
    problems = dns.problems("dns_servers", params.dns_servers or ())
    for option, texts in (("ip4", params.ip4), ("ip6", params.ip6)):
        clauses = {text: networks.problem(text, int(option[-1])) for text in texts}
        problems += [f"{option} holds {text!r}, {clause}." for text, clause in clauses.items() if clause]
    for option, names in (("domains", params.domains), ("includes", params.includes)):
        for text in names or ():
            if not dns.NAME.fullmatch(text):
                problems.append(f"{option} holds {text!r}, which is not a domain name: give the name alone, such as spf.example.com.")
    return problems


def _address_problems(option: str, texts: Iterable[str]) -> list[str]:
    problems = []
    for text in texts:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            problems.append(f"{option} holds {text!r}, which is not an IP address.")
    return problems


# -- reading and computing --------------------------------------------------------------------------------------------


def read(tenant: Tenant, params: DesiredParams, resolver: dns.Resolver, provider: Provider | None) -> list[tuple[DomainRecord, Answer]]:
    """Every domain's record with its TXT answer; the answers come from the provider's own server, where there is one."""
    domains = mail_domains(tenant, params.domains)
    questions = [(domain, "TXT") for domain in domains]
    answers = provider.read(questions) if provider else resolver.ask_all(questions)
    includes = list(params.includes) + ([tenant.cloud.spf_include] if params.cloud_include else [])
    with ThreadPoolExecutor(max_workers=_MAX_THREADS) as pool:
        records = list(pool.map(lambda answer: domain_record(answer, resolver, includes, params), answers))
    return list(zip(records, answers, strict=True))


def mail_domains(tenant: Tenant, domains: Sequence[str] | None) -> list[str]:
    """The domains of the option, else all accepted domains except Microsoft's own."""
    accepted = addresses.accepted_domains(tenant.exchange)
    if domains is None:
        return sorted(domain for domain in accepted if not domain.endswith(_INITIAL_DOMAINS))
    listed = list(dict.fromkeys(domain.lower().rstrip(".") for domain in domains))
    foreign = [one for one in listed if one not in accepted and not any(one.endswith(f".{domain}") for domain in accepted)]
    if foreign:
        raise InvalidInput(f"domains holds {', '.join(foreign)}, no accepted domain of this tenant ({', '.join(sorted(accepted))}).")
    return listed


def domain_record(answer: Answer, resolver: Resolver, includes: Sequence[str], params: DesiredParams) -> DomainRecord:
    """Compare the current SPF records of a domain with the desired one, and check the desired one."""
    domain, current = answer.name, list(answer.spf)
    if answer.problem:
        return DomainRecord(domain, current, problems=[Problem("dns_error", f"{domain}: {answer.problem}").as_result()])
    trees = [_spf.count_lookups(domain, text, resolver) for text in current]
    desired = _spf.desired_record(
        current,
        ip4=networks.normalized(params.ip4),
        ip6=networks.normalized(params.ip6),
        includes=includes,
        policy=params.policy,
        exclusive=params.exclusive,
        passing_domains=set().union(*(tree.passing_domains() for tree in trees)),
    )
    published = current == [desired]
    tree = trees[0] if published else _spf.count_lookups(domain, desired, resolver)
    problems = _spf.find_problems(domain, [desired], tree)
    if answer.alias and not published:
        problems.append(_alias_problem(answer, desired))
    valid = not any(problem.invalidates for problem in problems)
    if not published:
        problems = _resolved_problems(domain, current, trees, problems) + problems
    return DomainRecord(
        domain,
        current,
        desired=desired,
        dns_lookups=tree.lookups,
        void_lookups=tree.void_lookups,
        terms=tree.as_result(),
        problems=[problem.as_result() for problem in problems],
        published=published,
        valid=valid,
        ttl=answer.ttl,
        txt=[*(value for value in answer.values if value not in current), desired],
    )


def _alias_problem(answer: Answer, desired: str) -> Problem:
    """A name with a CNAME has no other records (RFC 1034, section 3.6.2), so that nothing can be published there."""
    message = (
        f"{answer.name} is an alias (CNAME) of {answer.alias}: it cannot have an SPF record of its own, and receivers read that of "
        f"{answer.alias}. Publish {desired} there, replace the CNAME by A, AAAA and MX records, or leave {answer.name} out of spf_domains."
    )
    return Problem("alias", message)


def _resolved_problems(domain: str, current: list[str], trees: list[LookupNode], remaining: list[Problem]) -> list[Problem]:
    """The problems of the current records that the desired one does not have."""
    problems = _spf.find_problems(domain, current, trees[0] if len(trees) == 1 else None) if current else []
    names = {problem.name for problem in remaining}
    return [problem for problem in problems if problem.name not in names]


def _checks(records: list[DomainRecord], addresses: Sequence[str], resolver: Resolver) -> Iterator[dict[str, object]]:
    """The SPF result of each address for each domain, with the records that are published now."""
    for record in records:
        for address in addresses:
            check = _spf.check_host(address, record.domain, resolver)
            outcome = {"result": check.result, "matched": list(check.matched), "reason": check.reason}
            yield {"domain": record.domain, "address": address, **outcome}


# -- results ----------------------------------------------------------------------------------------------------------


def _outcome(records: list[DomainRecord]) -> dict[str, object]:
    return {"records": [asdict(record) for record in records]}


def refuse_invalid(records: list[DomainRecord]) -> None:
    """Raise InvalidInput with the problems of all records that would be published although they are invalid."""
    invalid = [
        f"domains: {problem['message']}" for record in records if not (record.valid or record.published) for problem in record.problems
    ]
    if invalid:
        raise InvalidInput(*invalid, remedy="Nothing was published.")


def _publishing_notes(records: list[DomainRecord]) -> list[str]:
    """One sentence for each record that the user has to publish."""
    notes = []
    for record in records:
        if record.valid and not record.published:
            current = f"in place of {' and '.join(record.current)}" if record.current else "as its first SPF record"
            notes.append(f"{record.domain}: publish the TXT record {record.desired} ({record.dns_lookups} DNS lookups) {current}.")
    return notes


def _problem_notes(records: list[DomainRecord]) -> list[str]:
    notes = [problem["message"] for record in records for problem in record.problems]
    return notes + [note for record in records for note in obsolete_include_notes(record.domain, record.current)]
