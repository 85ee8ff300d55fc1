# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.spf import INFO, RESOURCE

from ....conftest import Play, problems_of
from ....nameserver import KEY, SECRET, NameServer
from ....services import Exchange

MICROSOFT = '"v=spf1 ip4:40.92.0.0/15 -all"'
INCLUDE = "include:spf.protection.outlook.com"
NEW = f"v=spf1 ip4:203.0.113.10 {INCLUDE} ~all"
OLD = "v=spf1 include:spf.protection.outlook.com -all"


def organization(*domains: str) -> Exchange:
    accepted_domains = [
        {"DomainName": name} for name in (domains or ("Contoso.com", "contoso.onmicrosoft.com", "contoso.mail.onmicrosoft.com"))
    ]
    return Exchange(Get_AcceptedDomain=lambda parameters: accepted_domains)


@pytest.fixture
def named() -> Iterator[NameServer]:
    made = NameServer({("spf.protection.outlook.com", "TXT"): [MICROSOFT], ("contoso.com", "TXT"): ['"MS=ms12345"']})
    yield made
    made.close()


def options(named: NameServer, **more: Any) -> dict[str, Any]:
    return {"dns_servers": [named.address], "ip4": ["203.0.113.10"]} | more


def publishing(named: NameServer, **more: Any) -> dict[str, Any]:
    provider = {"provider": "rfc2136", "server": named.address, "tsig_name": KEY, "tsig_secret": SECRET}
    return options(named, **provider | more)


# -- without a provider -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_a_provider_it_reports_and_changes_nothing(play: Play, named: NameServer, journal_dir: Path, check_mode: bool) -> None:
    result = play(RESOURCE, organization(), check_mode=check_mode, **options(named))
    assert result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"] == ""
    assert result["records"] == [
        {
            "domain": "contoso.com",
            "current": [],
            "desired": NEW,
            "dns_lookups": 1,
            "void_lookups": 0,
            "terms": [{"term": INCLUDE, "dns_lookups": 1, "terms": []}],
            "problems": [],
            "published": False,
            "valid": True,
            "ttl": 300,
            "txt": ["MS=ms12345", NEW],
        }
    ]
    assert result["notes"] == [f"contoso.com: publish the TXT record {NEW} (1 DNS lookups) as its first SPF record."]
    assert not journal_dir.exists()
    assert named.updates == []


def test_an_up_to_date_record_has_no_note(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"].append(f'"{NEW}"')
    result = play(RESOURCE, organization(), **options(named))
    assert (result["records"][0]["published"], "notes" in result) == (True, False)


def test_obsolete_include_of_a_hosted_relay_is_kept_and_noted(play: Play, named: NameServer) -> None:
    named.records |= {
        ("contoso.com", "TXT"): [f'"{OLD.replace("-all", "include:spf.smtp2go.com -all")}"'],
        ("spf.smtp2go.com", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
    }
    result = play(RESOURCE, organization(), **options(named))
    assert "include:spf.smtp2go.com" in result["records"][0]["desired"]
    assert "SMTP2GO does not need include:spf.smtp2go.com any more" in result["notes"][-1]


def test_each_name_is_queried_once(play: Play, named: NameServer) -> None:
    domains = [f"d{n}.example" for n in range(20)]
    named.records |= {(domain, "TXT"): [f'"{OLD}"'] for domain in domains}
    service = organization(*domains)
    result = play(RESOURCE, service, **options(named))
    assert [record["domain"] for record in result["records"]] == sorted(domains)
    assert sorted(named.asked) == sorted((name, "TXT", "udp") for name in [*domains, "spf.protection.outlook.com"])
    assert service.requests == 1


def test_the_include_of_the_cloud(play: Play, named: NameServer) -> None:
    other = {"cloud": "china"}
    [record] = play(RESOURCE, organization(), **options(named, **other))["records"]
    assert "include:spf.protection.partner.outlook.cn" in record["desired"]
    assert [problem["name"] for problem in record["problems"]] == ["invalid_include"]
    [record] = play(RESOURCE, organization(), **options(named, cloud_include=False, policy="hardfail"))["records"]
    assert record["desired"] == "v=spf1 ip4:203.0.113.10 -all"


def test_an_include_of_the_redirect_target_is_not_repeated(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"] = ['"v=spf1 redirect=_spf.contoso.com"']
    named.records["_spf.contoso.com", "TXT"] = [f'"v=spf1 ip4:203.0.113.0/24 {INCLUDE} -all"']
    [record] = play(RESOURCE, organization(), **options(named, ip4=[]))["records"]
    assert (record["published"], record["dns_lookups"]) == (True, 2)


def test_subdomains_of_accepted_domains_are_allowed(play: Play, named: NameServer) -> None:
    result = play(RESOURCE, organization(), **options(named, domains=["News.Contoso.com", "contoso.onmicrosoft.com", "news.contoso.com"]))
    assert [record["domain"] for record in result["records"]] == ["news.contoso.com", "contoso.onmicrosoft.com"]
    refused = play(RESOURCE, organization(), **options(named, domains=["contoso.com", "notcontoso.com", "x.example"]))
    assert "domains holds notcontoso.com, x.example, no accepted domain of this tenant (contoso.com, " in refused["msg"]


def test_a_failed_dns_query_is_reported(play: Play, named: NameServer) -> None:
    named.faults["contoso.com", "TXT"] = "SERVFAIL"
    result = play(RESOURCE, organization(), **options(named))
    [record] = result["records"]
    assert (record["desired"], record["published"], record["valid"], record["problems"][0]["name"]) == ("", False, False, "dns_error")
    assert "the DNS servers answered SERVFAIL" in result["notes"][0]


# -- with a provider --------------------------------------------------------------------------------------------------


def test_a_record_is_published_as_predicted_and_once(play: Play, named: NameServer, journal_dir: Path) -> None:
    named.records["contoso.com", "TXT"].append(f'"{OLD}"')
    desired = f"v=spf1 ip4:203.0.113.10 {INCLUDE} -all"
    planned = play(RESOURCE, organization(), check_mode=True, **publishing(named))
    assert (planned["changed"], named.updates, journal_dir.exists()) == (True, [], False)
    done = play(RESOURCE, organization(), **publishing(named))
    assert (done["diff"], done["records"]) == (planned["diff"], planned["records"])
    assert (done["diff"]["before"], done["diff"]["after"]) == ({"contoso.com": OLD}, {"contoso.com": desired})
    assert sorted(named.txt("contoso.com")) == ['"MS=ms12345"', f'"{desired}"']
    again = play(RESOURCE, organization(), **publishing(named))
    assert (again["changed"], again["diff"]["after"], len(named.updates)) == (False, "", 1)
    assert again["records"][0]["published"] is True
    [file] = journal_dir.glob("*.jsonl")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(entry["phase"], entry.get("before")) for entry in entries] == [("before", {"contoso.com": OLD}), ("done", None)]
    assert SECRET not in file.read_text() + json.dumps([planned, done, again])


def test_several_records_are_merged_into_one(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"] = [f'"{OLD}"', '"v=spf1 mx -all"']
    result = play(RESOURCE, organization(), **publishing(named, ip4=[]))
    assert result["diff"]["before"] == {"contoso.com": [OLD, "v=spf1 mx -all"]}
    assert named.txt("contoso.com") == [f'"v=spf1 {INCLUDE} mx -all"']
    assert "contoso.com has 2 SPF records" in result["notes"][0]


def test_nothing_is_published_where_one_record_would_be_invalid(play: Play, named: NameServer) -> None:
    many = [f"i{n}.example" for n in range(11)]
    named.records |= {(name, "TXT"): ['"v=spf1 -all"'] for name in many}
    named.records["b.example", "TXT"] = ['"v=spf1 ' + " ".join(f"include:{name}" for name in many) + ' -all"']
    named.records["c.example", "TXT"] = ['"v=spf1 ip4:300.1.1.1 -all"']
    result = play(RESOURCE, organization("contoso.com", "b.example", "c.example"), **publishing(named))
    assert (result["failed"], result["changed"], named.updates) == (True, False, [])
    problems = result["failure"]["problems"]
    assert "b.example: the record requires 12 DNS lookups; the limit is 10" in problems[0]
    assert all(problem.startswith("domains: ") for problem in problems)
    assert any("'ip4:300.1.1.1' is not an IPv4 address" in problem for problem in result["failure"]["problems"])
    assert result["failure"]["remedy"] == "Nothing was published."


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("target", ["hosting.example", "contoso.com"])
def test_an_alias_is_refused_with_what_to_do(play: Play, named: NameServer, check_mode: bool, target: str) -> None:
    named.records |= {("hosting.example", "TXT"): ['"v=spf1 -all"'], ("news.contoso.com", "CNAME"): [f"{target}."]}
    result = play(RESOURCE, organization(), check_mode=check_mode, **publishing(named, domains=["news.contoso.com"]))
    assert (result["failed"], named.updates) == (True, [])
    [problem] = result["failure"]["problems"]
    assert f"news.contoso.com is an alias (CNAME) of {target}: it cannot have an SPF record of its own" in problem
    assert "replace the CNAME by A, AAAA and MX records, or leave news.contoso.com out of spf_domains" in problem
    assert result["failure"]["remedy"] == "Nothing was published."


def test_an_alias_is_no_problem_where_the_record_of_its_target_is_the_desired_one(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"] = [f'"v=spf1 {INCLUDE} -all"']
    named.records["news.contoso.com", "CNAME"] = ["contoso.com."]
    result = play(RESOURCE, organization(), **publishing(named, domains=["news.contoso.com"], ip4=[]))
    assert (result["changed"], result["records"][0]["problems"]) == (False, [])


def test_an_alias_is_not_to_be_published_by_hand(play: Play, named: NameServer) -> None:
    named.records["news.contoso.com", "CNAME"] = ["hosting.example."]
    result = play(RESOURCE, organization(), **options(named, domains=["news.contoso.com"]))
    assert result["records"][0]["valid"] is False
    assert not any("publish the TXT record" in note for note in result["notes"])
    assert "is an alias (CNAME) of hosting.example" in result["notes"][0]


def test_an_unchanged_invalid_record_is_only_reported(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"] = [f'"v=spf1 {INCLUDE} include:gone.example -all"']
    result = play(RESOURCE, organization(), **publishing(named, ip4=[]))
    assert (result["changed"], result["records"][0]["published"], result["records"][0]["valid"]) == (False, True, False)
    assert "gone.example has no SPF record" in result["notes"][0]


def test_a_zone_that_cannot_be_read_is_not_written(play: Play, named: NameServer) -> None:
    named.faults["contoso.com", "TXT"] = "REFUSED"
    result = play(RESOURCE, organization(), **publishing(named))
    assert "the DNS servers answered REFUSED" in result["msg"]
    assert named.updates == []


def test_a_concurrent_change_is_an_error(play: Play, named: NameServer, journal_dir: Path) -> None:
    named.changes = lambda: named.records["contoso.com", "TXT"].append('"v=spf1 -all"')
    result = play(RESOURCE, organization(), **publishing(named))
    assert "have changed since they were read (NXRRSET). Run the task again" in result["msg"]
    assert result["changed"] is True, "writing had begun"
    assert '"phase": "failed"' in next(journal_dir.glob("*.jsonl")).read_text()


def test_wrong_secret_is_not_in_the_error(play: Play, named: NameServer) -> None:
    wrong = "d3JvbmctYW5kLXNlY3JldA=="
    result = play(RESOURCE, organization(), **publishing(named, tsig_secret=wrong))
    assert "the TSIG key's secret is wrong (BADSIG). Correct spf_tsig_secret." in result["msg"]
    assert wrong not in json.dumps(result)


# -- input ------------------------------------------------------------------------------------------------------------


def test_all_input_problems_are_reported_at_once() -> None:
    problems = problems_of(
        RESOURCE,
        dns_servers=["ns.example.com"],
        ip4=["10.0.0.7", "203.0.113.9/24", "x", "2001:db8::1", "203.0.113.10"],
        ip6=["fd00::1", "2001:db8::1"],
        domains=["contoso", "contoso.com"],
        includes=["include:sendgrid.net", "_spf.google.com"],
        provider="rfc2136",
        tsig_secret="no base64!",
        zone="contoso com",
        ttl=0,
    )
    starts = [
        "dns_servers holds 'ns.example.com'",
        "ip4 holds '10.0.0.7', which is not a public address",
        "ip4 holds '203.0.113.9/24', which is an address inside a network: write 203.0.113.0/24",
        "ip4 holds 'x', which is no IPv4 address or network",
        "ip4 holds '2001:db8::1', which is an IPv6 address: give an IPv4 address",
        "ip6 holds 'fd00::1', which is not a public address",
        "domains holds 'contoso', which is not a domain name",
        "includes holds 'include:sendgrid.net', which is not a domain name",
        "provider is rfc2136, and server is not set",
        "tsig_name and tsig_secret go together",
        "tsig_secret is no base64",
        "zone is 'contoso com'",
        "ttl is 0",
    ]
    assert len(problems) == len(starts), problems
    for problem, start in zip(problems, starts, strict=True):
        assert problem.startswith(start)
    assert "no base64!" not in " ".join(problems)
    assert problems_of(RESOURCE) == []
    assert problems_of(INFO, addresses=["x"]) == ["addresses holds 'x', which is not an IP address."]


# -- the info module --------------------------------------------------------------------------------------------------


def test_the_info_module_evaluates_addresses(play: Play, named: NameServer) -> None:
    named.records["contoso.com", "TXT"] = [f'"{OLD}"']
    result = play(INFO, organization(), **options(named, addresses=["40.92.1.1", "203.0.113.10"]))
    assert [(check["address"], check["result"], check["matched"]) for check in result["checks"]] == [
        ("40.92.1.1", "pass", [INCLUDE, "ip4:40.92.0.0/15"]),
        ("203.0.113.10", "fail", ["-all"]),
    ]
    assert result["records"][0]["current"] == [OLD]
    assert (result["changed"], "notes" in result) == (False, False)
