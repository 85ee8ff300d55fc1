# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF of the tenant's mail domains: computed, checked in DNS, and published where a DNS provider is named.

Private to the collection. Sources: RFC 7208; "Set up SPF to identify valid email sources for your custom cloud domains".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .. import _spf
from .._clients import dns
from .._clients.dns_update import ALGORITHMS, Provider, Rfc2136, key_problems
from .._core.errors import InvalidInput
from .._core.networks import PRIVATE, is_within
from .._core.spec import DNS, JOURNAL, TENANT, Spec
from .._engine.engine import Plan
from .._engine.tenant import Tenant
from .._exchange import addresses
from .._spf import Answer, Answers, Cost, Problem

WANTED = Spec(
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
PUBLISHING = Spec(
    {
        "provider": {"type": "str", "choices": ["none", "rfc2136"], "default": "none"},
        "server": {"type": "str"},
        "zone": {"type": "str"},
        "tsig_name": {"type": "str"},
        "tsig_secret": {"type": "str", "no_log": True},
        "tsig_algorithm": {"type": "str", "choices": list(ALGORITHMS), "default": ALGORITHMS[0]},
        "ttl": {"type": "int", "default": 3600},
    }
)
_AT_ONCE = 8
# Domains that Microsoft owns, and keeps the records of.
_INITIAL = (".onmicrosoft.com", ".onmicrosoft.us", ".onmschina.cn")
_NAME = re.compile(r"(?=.{4,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")


class Spf:
    """module spf"""

    name = "spf"
    spec = TENANT | DNS | WANTED | JOURNAL | PUBLISHING

    def check(self, params: dict[str, Any]) -> list[str]:
        return _input_problems(params) + _publishing_problems(params)

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        resolver, provider = dns.Resolver(params["dns_servers"] or []), provider_of(params)
        records = read(tenant, params, resolver, provider)
        steps: list[tuple[Answer, str]] = []
        if provider is None:
            return Plan({}, {}, [], {"records": [record for record, _answer in records]}, _notes(records))
        broken = [
            problem["text"]
            for record, _answer in records
            if not (record["usable"] or record["published"])
            for problem in record["problems"]
        ]
        if broken:
            raise InvalidInput(*broken, "Nothing was published.")
        before, after = {}, {}
        for record, answer in records:
            if not record["published"]:
                domain = record["domain"]
                steps.append((answer, record["wanted"]))
                if record["present"]:
                    before[domain] = record["present"] if len(record["present"]) > 1 else record["present"][0]
                after[domain] = record["wanted"]
                record["published"] = True
        return Plan(before, after, list(steps), {"records": [record for record, _answer in records]}, _problem_notes(records))

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        provider = provider_of(params)
        if provider:
            for answer, text in plan.steps:
                provider.replace(answer, text, params["ttl"])
        return plan.outcome


class SpfInfo:
    """module spf_info"""

    name = "spf_info"
    spec = TENANT | DNS | WANTED | Spec({"addresses": {"type": "list", "elements": "str", "default": []}}, writes=False)

    def check(self, params: dict[str, Any]) -> list[str]:
        return _input_problems(params) + _address_problems("addresses", params["addresses"])

    def plan(self, tenant: Tenant, params: dict[str, Any], check_mode: bool) -> Plan:
        resolver = dns.Resolver(params["dns_servers"] or [])
        records = [record for record, _answer in read(tenant, params, resolver, None)]
        return Plan(outcome={"records": records, "checks": list(_checks(records, params["addresses"], resolver))})

    def apply(self, tenant: Tenant, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        return plan.outcome


RESOURCE = Spf()
INFO = SpfInfo()


def provider_of(params: dict[str, Any]) -> Provider | None:
    if params["provider"] == "none":
        return None
    key = (params["tsig_name"], params["tsig_secret"], params["tsig_algorithm"]) if params["tsig_name"] else None
    return Rfc2136(params["server"], params["zone"] or "", key)


# -- input ------------------------------------------------------------------------------------------------------------


def _input_problems(params: dict[str, Any]) -> list[str]:
    found = dns.problems("dns_servers", params["dns_servers"] or [])
    for option in ("ip4", "ip6"):
        found += [problem for text in params[option] for problem in _network_problems(option, text)]
    for option in ("domains", "includes"):
        for text in params[option] or []:
            if not _NAME.fullmatch(text):
                found.append(f"{option} holds {text!r}, which is no domain name: give the name alone, such as spf.example.com.")
    return found


def _network_problems(option: str, text: str) -> list[str]:
    version = int(option[-1])
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return [f"{option} holds {text!r}, which is no IPv{version} address or network."]
    if network.version != version:
        return [f"{option} holds {text}, an IPv{network.version} address: it belongs into ip{network.version}."]
    if "/" in text and str(network.network_address) != text.partition("/")[0].lower():
        return [f"{option} holds {text}, which is an address inside a network: write {network} or the address alone."]
    if is_within(network, PRIVATE):
        return [f"{option} holds {text}, which is not a public address: name the one that others see the mail come from."]
    return []


def _address_problems(option: str, texts: Iterable[str]) -> list[str]:
    found = []
    for text in texts:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            found.append(f"{option} holds {text!r}, which is no IP address.")
    return found


def _publishing_problems(params: dict[str, Any]) -> list[str]:
    if params["provider"] == "none":
        return []
    found = []
    if not params["server"]:
        found.append("provider is rfc2136, and server is not set: name the address of the zone's primary server.")
    else:
        found += dns.problems("server", [params["server"]])
    if bool(params["tsig_name"]) != bool(params["tsig_secret"]):
        found.append("tsig_name and tsig_secret go together: set both, or neither where the server takes unsigned updates.")
    if params["tsig_secret"]:
        found += key_problems("tsig_secret", params["tsig_secret"])
    if params["zone"] and not _NAME.fullmatch(params["zone"].rstrip(".")):
        found.append(f"zone is {params['zone']!r}, which is no domain name.")
    if not 0 < params["ttl"] <= 0x7FFFFFFF:
        found.append(f"ttl is {params['ttl']}: give seconds, 3600 for example.")
    return found


# -- reading and computing --------------------------------------------------------------------------------------------


def read(tenant: Tenant, params: dict[str, Any], answers: dns.Resolver, provider: Provider | None) -> list[tuple[dict[str, Any], Answer]]:
    """Every domain's result, with what DNS holds: asked of the provider's own server, where there is one."""
    domains = mail_domains(tenant, params["domains"])
    found = provider.read(domains) if provider else answers.ask_all([(domain, "TXT") for domain in domains])
    includes = list(params["includes"]) + ([tenant.cloud.spf_include] if params["cloud_include"] else [])
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        records = list(pool.map(lambda answer: record_of(answer, answers, {**params, "includes": includes}), found))
    return list(zip(records, found, strict=True))


def mail_domains(tenant: Tenant, wanted: list[str] | None) -> list[str]:
    """The domains that are asked for, else all accepted ones but Microsoft's own."""
    accepted = addresses.accepted_domains(tenant.exchange)
    if wanted is None:
        return sorted(domain for domain in accepted if not domain.endswith(_INITIAL))
    listed = list(dict.fromkeys(domain.lower().rstrip(".") for domain in wanted))
    foreign = [one for one in listed if one not in accepted and not any(one.endswith(f".{domain}") for domain in accepted)]
    if foreign:
        raise InvalidInput(f"domains holds {', '.join(foreign)}, no accepted domain of this tenant ({', '.join(sorted(accepted))}).")
    return listed


def record_of(answer: Answer, answers: Answers, params: dict[str, Any]) -> dict[str, Any]:
    """One domain: what it has, what it should have, what that costs, and what is wrong."""
    domain, present = answer.name, list(answer.spf)
    result: dict[str, Any] = {"domain": domain, "present": present, "wanted": "", "lookups": 0, "voids": 0, "terms": []}
    if answer.problem:
        problems = [Problem("unread", f"{domain}: {answer.problem}")]
        return result | {"problems": [one.as_result() for one in problems], "published": False, "usable": False, "ttl": 0, "txt": []}
    costs = [_spf.cost_of(domain, text, answers) for text in present]
    wanted = _spf.wanted_record(
        present,
        ip4=params["ip4"],
        ip6=params["ip6"],
        includes=params["includes"],
        policy=params["policy"],
        exclusive=params["exclusive"],
        reached=set().union(*(cost.reached() for cost in costs)),
    )
    published = present == [wanted]
    cost = costs[0] if published else _spf.cost_of(domain, wanted, answers)
    problems = _spf.judge(domain, [wanted], cost)
    usable = not any(problem.breaks for problem in problems)
    if not published:
        problems = _before(domain, present, costs, problems) + problems
    others = [value for value in answer.values if value not in present]
    return result | {
        "wanted": wanted,
        "lookups": cost.lookups,
        "voids": cost.voids,
        "terms": cost.as_result(),
        "problems": [one.as_result() for one in problems],
        "published": published,
        "usable": usable,
        "ttl": answer.ttl,
        "txt": [*others, wanted],
    }


def _before(domain: str, present: list[str], costs: list[Cost], known: list[Problem]) -> list[Problem]:
    """The problems of the present record that the wanted one does not have."""
    found = _spf.judge(domain, present, costs[0] if len(costs) == 1 else None) if present else []
    names = {problem.name for problem in known}
    return [problem for problem in found if problem.name not in names]


def _checks(records: list[dict[str, Any]], wanted: list[str], answers: Answers) -> Iterable[dict[str, Any]]:
    """Whether each address may send for each domain, as receivers judge it now."""
    for record in records:
        for address in wanted:
            verdict = _spf.check_host(address, record["domain"], answers)
            yield {
                "domain": record["domain"],
                "address": address,
                "result": verdict.result,
                "by": list(verdict.by),
                "why": verdict.why,
            }


# -- what the user is told --------------------------------------------------------------------------------------------


def _notes(records: list[tuple[dict[str, Any], Answer]]) -> list[str]:
    """Without a provider: what is to be published, and what is wrong."""
    found = []
    for record, _answer in records:
        if record["usable"] and not record["published"]:
            has = f"in place of {' and '.join(record['present'])}" if record["present"] else "where it has none"
            found.append(f"{record['domain']}: publish the TXT record {record['wanted']} ({record['lookups']} DNS look-ups) {has}.")
    return found + _problem_notes(records)


def _problem_notes(records: list[tuple[dict[str, Any], Answer]]) -> list[str]:
    return [problem["text"] for record, _answer in records for problem in record["problems"]]
