# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record to publish, as a table: current records, options, desired record."""

# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._spf import check_host, desired_record, is_spf, parse
from hypothesis import given
from hypothesis import strategies as st

from .table import Table

MS = {"includes": ["spf.protection.outlook.com"]}
INCLUDE = "include:spf.protection.outlook.com"
RELAY = MS | {"ip4": ["203.0.113.10"]}

CASES: dict[str, tuple[str | list[str], dict[str, Any], str]] = {
    "where it had no say": (
        f"v=spf1 -ip4:203.0.113.0/24 ip4:203.0.113.10 {INCLUDE} -all",
        RELAY,
        f"v=spf1 ip4:203.0.113.10 -ip4:203.0.113.0/24 {INCLUDE} -all",
    ),
    "a first record is soft": ([], RELAY, f"v=spf1 ip4:203.0.113.10 {INCLUDE} ~all"),
    "a first record, hard": ([], RELAY | {"policy": "hardfail"}, f"v=spf1 ip4:203.0.113.10 {INCLUDE} -all"),
    "nothing sends": ([], {"policy": "hardfail"}, "v=spf1 -all"),
    "IPv6 and third parties": (
        [],
        {"ip6": ["2001:db8::1"], "includes": ["sendgrid.net", "mailgun.org"]},
        "v=spf1 ip6:2001:db8::1 include:sendgrid.net include:mailgun.org ~all",
    ),
    "up to date": (f"v=spf1 ip4:203.0.113.10 {INCLUDE} -all", RELAY, f"v=spf1 ip4:203.0.113.10 {INCLUDE} -all"),
    "the same in other letters": (f"V=SPF1  +IP4:203.0.113.10/32 {INCLUDE.upper()} -ALL", RELAY, f"V=SPF1  +IP4:203.0.113.10/32 {INCLUDE.upper()} -ALL"),
    "others' terms stay, in their order": (
        "v=spf1 mx include:_spf.google.com a:web.example.com -all",
        RELAY,
        f"v=spf1 ip4:203.0.113.10 mx include:_spf.google.com a:web.example.com {INCLUDE} -all",
    ),
    "others' terms go": ("v=spf1 mx include:_spf.google.com ?all", RELAY | {"exclusive": True}, f"v=spf1 ip4:203.0.113.10 {INCLUDE} ?all"),
    "the policy is changed": (f"v=spf1 {INCLUDE} ~all", MS | {"policy": "hardfail"}, f"v=spf1 {INCLUDE} -all"),
    "no policy is kept": (f"v=spf1 {INCLUDE}", MS, f"v=spf1 {INCLUDE}"),
    "no policy is kept beside something new": ("v=spf1 mx", MS, f"v=spf1 mx {INCLUDE}"),
    "a qualifier that does not pass": (f"v=spf1 ~{INCLUDE} -ip4:203.0.113.10 -all", RELAY, f"v=spf1 {INCLUDE} ip4:203.0.113.10 -all"),
    "a network that holds the address": (f"v=spf1 ip4:203.0.113.0/24 {INCLUDE} -all", RELAY, f"v=spf1 ip4:203.0.113.0/24 {INCLUDE} -all"),
    "a network that does not let it pass": (
        f"v=spf1 -ip4:203.0.113.0/24 {INCLUDE} -all", RELAY, f"v=spf1 ip4:203.0.113.10 -ip4:203.0.113.0/24 {INCLUDE} -all"
    ),
    "a desired address in a desired network": ([], {"ip4": ["203.0.113.10", "203.0.113.0/24", "203.0.113.0/24"]}, "v=spf1 ip4:203.0.113.0/24 ~all"),
    "the same twice": (f"v=spf1 mx {INCLUDE} MX {INCLUDE} -all", MS, f"v=spf1 mx {INCLUDE} -all"),
    "behind all": (f"v=spf1 {INCLUDE} -all mx", MS, f"v=spf1 {INCLUDE} -all"),
    "two records": (
        [f"v=spf1 {INCLUDE} -all", "v=spf1 include:sendgrid.net ~all"], RELAY, f"v=spf1 ip4:203.0.113.10 {INCLUDE} include:sendgrid.net -all"
    ),
    "a redirect stays": ("v=spf1 redirect=_spf.example.com", RELAY, f"v=spf1 ip4:203.0.113.10 {INCLUDE} redirect=_spf.example.com"),
    "a redirect that holds it all": (
        "v=spf1 redirect=_spf.example.com", MS | {"passing_domains": ["spf.protection.outlook.com"]}, "v=spf1 redirect=_spf.example.com"
    ),
    "a redirect and a policy": ("v=spf1 redirect=_spf.example.com", MS | {"policy": "hardfail"}, f"v=spf1 {INCLUDE} include:_spf.example.com -all"),
    "a redirect goes": ("v=spf1 redirect=_spf.example.com", MS | {"exclusive": True}, f"v=spf1 {INCLUDE} ~all"),
    "a void redirect": (f"v=spf1 {INCLUDE} -all redirect=_spf.example.com", MS, f"v=spf1 {INCLUDE} -all"),
    "modifiers stay": (f"v=spf1 exp=why.example.com {INCLUDE} -all x=1", MS, f"v=spf1 exp=why.example.com {INCLUDE} -all x=1"),
    "modifiers move behind": ("v=spf1 exp=why.example.com -all", MS, f"v=spf1 {INCLUDE} -all exp=why.example.com"),
    "reached through another include": (
        "v=spf1 include:_spf.example.com -all", MS | {"passing_domains": ["spf.protection.outlook.com"]}, "v=spf1 include:_spf.example.com -all"
    ),
    "reached, and there already": (
        f"v=spf1 include:_spf.example.com {INCLUDE} -all",
        MS | {"passing_domains": ["spf.protection.outlook.com"]},
        f"v=spf1 include:_spf.example.com {INCLUDE} -all",
    ),
    "an invalid term is kept": ("v=spf1 ip4:300.1.1.1 -all", MS, f"v=spf1 ip4:300.1.1.1 {INCLUDE} -all"),
    "macros keep their letters": ("v=spf1 exists:%{I}._spf.%{D} -all", MS, f"v=spf1 exists:%{{I}}._spf.%{{D}} {INCLUDE} -all"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_record_to_publish(name: str) -> None:
    current, options, expected = CASES[name]
    listed = [current] if isinstance(current, str) else current
    record = desired_record(listed, **options)
    assert record == expected
    assert desired_record([record], **options) == record, "a second run finds nothing to do"


WORDS = [
    "mx", "a", "~a:web.example.com/24", "include:spf.protection.outlook.com", "-include:spf.protection.outlook.com", "include:sendgrid.net",
    "ip4:203.0.113.10", "?ip4:203.0.113.0/24", "ip4:198.51.100.0/24", "-all", "~all", "+all", "redirect=_spf.example.com", "exp=why.example.com",
    "x=1", "ip4:300.1.1.1", "MX", "ip6:2001:db8::/32",
]  # fmt: skip
records = st.lists(st.sampled_from(WORDS), max_size=7).map(lambda words: " ".join(["v=spf1", *words]))
task_options = st.fixed_dictionaries(
    {
        "ip4": st.lists(st.sampled_from(["203.0.113.10", "203.0.113.0/25", "192.0.2.1"]), max_size=3),
        "ip6": st.lists(st.sampled_from(["2001:db8::1", "2001:db8:1::/48"]), max_size=2),
        "includes": st.lists(st.sampled_from(["spf.protection.outlook.com", "sendgrid.net"]), max_size=2),
        "policy": st.sampled_from(["keep", "hardfail", "softfail", "neutral"]),
        "exclusive": st.booleans(),
    }
)


@given(st.lists(records, max_size=2), task_options)
def test_the_desired_record_is_one_record_and_idempotent(current: list[str], options: dict[str, Any]) -> None:
    record = desired_record(current, **options)
    assert is_spf(record)
    assert desired_record([record], **options) == record
    terms = parse(record).terms
    assert len({term.key for term in terms}) == len(terms)
    assert sum(term.kind == "all" for term in terms) <= 1


@given(st.lists(records, max_size=2), task_options)
def test_desired_addresses_pass(current: list[str], options: dict[str, Any]) -> None:
    text_of_record = desired_record(current, **options)
    record = parse(text_of_record)
    if record.problems:
        return
    answers = Table({"sendgrid.net": "v=spf1 ip4:192.0.2.99 ~all", "_spf.example.com": "v=spf1 ip4:192.0.2.98 ~all"})
    for text in [*options["ip4"], *options["ip6"]]:
        check = check_host(text.partition("/")[0], "contoso.com", answers, record=text_of_record)
        assert check.result == "pass", (text_of_record, text)


@given(records, task_options.filter(lambda options: not options["exclusive"]))
def test_other_terms_are_kept(current: str, options: dict[str, Any]) -> None:
    keys = {term.key for term in parse(desired_record([current], **options)).terms}
    for term in parse(current).effective:
        assert term.kind == "all" or term.key in keys
