# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS lookups, problems and evaluation of a record (RFC 7208, sections 4.6.4, 5 and 7)."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._spf import check_host, count_lookups, find_problems

from .table import Table

MS = "include:spf.protection.outlook.com"
MANY = {f"spf{n}.example.net": "v=spf1 mx a ip4:192.0.2.1 -all" for n in range(4)}
HOSTS = {
    "MX": {f"spf{n}.example.net": ["mail.example.net"] for n in range(4)},
    "A": {f"spf{n}.example.net": ["192.0.2.7"] for n in range(4)} | {"mail.example.net": ["192.0.2.8"]},
}


@pytest.mark.parametrize(
    ("text", "lookups"),
    [
        ("v=spf1 -all", 0),
        ("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all", 0),
        (f"v=spf1 {MS} -all", 1),
        (f"v=spf1 {MS} include:spf0.example.net -all", 4),
        ("v=spf1 a:spf0.example.net mx:spf1.example.net exists:%{i}.example.net ptr -all", 4),
        ("v=spf1 redirect=spf0.example.net", 3),
        ("v=spf1 -all redirect=spf0.example.net", 0),
        ("v=spf1 -all include:spf0.example.net", 0),
        ("v=spf1 include:%{d}.example.net -all", 1),
        (f"v=spf1 {' '.join(f'include:{name}' for name in MANY)} -all", 12),
    ],
)
def test_dns_lookups_of_a_record(text: str, lookups: int) -> None:
    assert count_lookups("contoso.com", text, Table(MANY, **HOSTS)).lookups == lookups


def test_too_many_lookups_are_reported_by_term_with_the_remedy() -> None:
    text = f"v=spf1 {MS} {' '.join(f'include:{name}' for name in MANY)} -all"
    tree = count_lookups("contoso.com", text, Table(MANY, **HOSTS))
    [problem] = find_problems("contoso.com", [text], tree)
    assert (problem.name, problem.invalidates) == ("too_many_lookups", True)
    assert "requires 13 DNS lookups; the limit is 10" in problem.message
    assert "include:spf0.example.net 3, include:spf1.example.net 3" in problem.message
    assert f"{MS} 1." in problem.message
    assert "send from a subdomain" in problem.message
    assert tree.as_result()[1]["terms"] == [{"term": "mx", "dns_lookups": 1, "terms": []}, {"term": "a", "dns_lookups": 1, "terms": []}]


LOOP = {"a.example.net": "v=spf1 include:b.example.net -all", "b.example.net": "v=spf1 include:a.example.net -all"}
PROBLEMS = {
    "include_loop": (f"v=spf1 {MS} include:a.example.net -all", LOOP, "includes a.example.net in a loop"),
    "invalid_include": ("v=spf1 include:gone.example.net -all", {}, "because gone.example.net has no SPF record"),
    "too_many_void_lookups": (
        "v=spf1 a:x.example.net mx:y.example.net exists:z.example.net -all", {},
        "3 DNS lookups return no record; the limit is 2: a:x.example.net, mx:y.example.net, exists:z.example.net.",
    ),
    "ptr": ("v=spf1 ptr -all", {}, "slow and unreliable"),
    "passes_all": ("v=spf1 mx:m.example.net +all", {}, "authorizes every host to send"),
    "no_policy": (f"v=spf1 {MS}", {}, "no host fails"),
    "terms_after_all": (f"v=spf1 -all {MS}", {}, f"{MS} after all is ignored"),
    "redirect_ignored": ("v=spf1 -all redirect=x.example.net", {}, "redirect= is ignored"),
    "syntax": ("v=spf1 ip4:300.1.1.1 -all", {}, "'ip4:300.1.1.1' is not an IPv4 address or network"),
    "too_long": (f"v=spf1 {' '.join(f'ip4:192.0.2.{n}' for n in range(40))} -all", {}, "more than 450"),
    "dns_error": ("v=spf1 include:broken.example.net -all", {}, "the TXT records of broken.example.net could not be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_is_reported_by_name(name: str) -> None:
    text, txt, sentence = PROBLEMS[name]
    answers = Table(txt, broken=("broken.example.net",), MX={"m.example.net": ["a.m.example.net"]})
    problems = find_problems("contoso.com", [text], count_lookups("contoso.com", text, answers))
    assert [problem.name for problem in problems] == [name]
    assert sentence in problems[0].message
    assert problems[0].invalidates is (name not in ("ptr", "passes_all", "no_policy", "terms_after_all", "redirect_ignored", "too_long"))


def test_included_domain_with_two_records_and_with_an_invalid_one() -> None:
    answers = Table({"two.example.net": ["v=spf1 -all", "v=spf1 mx -all"], "bad.example.net": "v=spf1 foo -all"})
    tree = count_lookups("contoso.com", text := "v=spf1 include:two.example.net include:bad.example.net -all", answers)
    sentences = [problem.message for problem in find_problems("contoso.com", [text], tree)]
    assert "because two.example.net has 2 SPF records" in sentences[0]
    assert "the record of bad.example.net, included by include:bad.example.net, is invalid: 'foo'" in sentences[1]


def test_an_endless_include_tree_is_bounded() -> None:
    wide = {f"n{n}.example.net": "v=spf1 " + " ".join(f"include:n{m}.example.net" for m in range(20) if m != n) for n in range(20)}
    answers = Table(wide)
    assert 10 < count_lookups("contoso.com", "v=spf1 include:n0.example.net -all", answers).lookups <= 60
    assert len(answers.asked) <= 60


def test_eleven_mx_hosts_are_too_many() -> None:
    answers = Table(MX={"contoso.com": [f"m{n}.example.net" for n in range(11)]})
    [problem] = find_problems("contoso.com", ["v=spf1 mx -all"], count_lookups("contoso.com", "v=spf1 mx -all", answers))
    assert problem.name == "too_many_hosts"


def test_passing_domains() -> None:
    answers = Table(
        {"_spf.example.net": f"v=spf1 {MS} ~include:soft.example.net -all", "soft.example.net": "v=spf1 include:deep.example.net"}
    )
    passing = count_lookups("contoso.com", "v=spf1 redirect=_spf.example.net", answers).passing_domains()
    assert {"_spf.example.net", "spf.protection.outlook.com"} <= passing
    assert not {"soft.example.net", "deep.example.net"} & passing


# -- check_host -------------------------------------------------------------------------------------------------------

WORLD = Table(
    {
        "contoso.com": f"v=spf1 ip4:203.0.113.10 mx {MS} ~all",
        "fabrikam.com": "v=spf1 redirect=_spf.fabrikam.com",
        "_spf.fabrikam.com": "v=spf1 a:out.fabrikam.com/28 ?ip6:2001:db8::/32 -all",
        "macro.example": "v=spf1 exists:%{ir}.%{l1r-}.%{d2}._spf.example -all",
        "two.example": ["v=spf1 -all", "v=spf1 +all"],
        "open.example": "v=spf1 include:contoso.com",
        "bad.example": "v=spf1 foo -all",
        "lost.example": "v=spf1 include:none.example -all",
        "chain.example": "v=spf1 " + " ".join(f"include:spf{n}.example.net" for n in range(4)) + " -all",
        "void.example": "v=spf1 a:v1.example a:v2.example a:v3.example -all",
        "unread.example": "v=spf1 include:broken.example -all",
    }
    | MANY,
    broken=("broken.example",),
    MX={"contoso.com": ["mx1.contoso.com"]} | HOSTS["MX"],
    A={
        "mx1.contoso.com": ["198.51.100.5"],
        "out.fabrikam.com": ["198.51.100.16"],
        "10.113.0.203.erp.macro.example._spf.example": ["127.0.0.2"],
    }
    | {"10.2.0.192.erp.macro.example._spf.example": ["127.0.0.2"]}
    | HOSTS["A"],
)


@pytest.mark.parametrize(
    ("address", "domain", "result", "matched"),
    [
        ("203.0.113.10", "contoso.com", "pass", ("ip4:203.0.113.10",)),
        ("198.51.100.5", "contoso.com", "pass", ("mx",)),
        ("40.93.1.1", "contoso.com", "pass", (MS, "ip4:40.92.0.0/15")),
        ("2a01:111:f400::1", "contoso.com", "pass", (MS, "ip6:2a01:111:f400::/48")),
        ("192.0.2.1", "contoso.com", "softfail", ("~all",)),
        ("198.51.100.20", "fabrikam.com", "pass", ("redirect=_spf.fabrikam.com", "a:out.fabrikam.com/28")),
        ("198.51.100.99", "fabrikam.com", "fail", ("redirect=_spf.fabrikam.com", "-all")),
        ("2001:db8::7", "fabrikam.com", "neutral", ("redirect=_spf.fabrikam.com", "?ip6:2001:db8::/32")),
        ("192.0.2.10", "macro.example", "pass", ("exists:%{ir}.%{l1r-}.%{d2}._spf.example",)),
        ("192.0.2.11", "macro.example", "fail", ("-all",)),
        ("192.0.2.1", "nothing.example", "none", ()),
        ("192.0.2.1", "two.example", "permerror", ()),
        ("192.0.2.1", "open.example", "neutral", ()),
        ("192.0.2.1", "bad.example", "permerror", ()),
        ("192.0.2.1", "lost.example", "permerror", ()),
        ("192.0.2.99", "chain.example", "permerror", ()),
        ("192.0.2.99", "void.example", "permerror", ()),
        ("192.0.2.99", "unread.example", "temperror", ()),
    ],
)
def test_check_host(address: str, domain: str, result: str, matched: tuple[str, ...]) -> None:
    check = check_host(address, domain, WORLD, sender=f"erp@{domain}")
    assert (check.result, check.matched) == (result, matched), check.reason


def test_a_record_that_is_not_published_can_be_evaluated() -> None:
    assert check_host("192.0.2.1", "contoso.com", WORLD, record="v=spf1 ip4:192.0.2.0/24 -all").result == "pass"
