# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where implementations differ: prefix lengths, domain specifications, octets that are not ASCII, IPv4 in IPv6 (RFC 7208, 5 to 7, 12)."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._clients.dns import plain
from ansible_collections.mailops.m365.plugins.module_utils._spf import check_host

from .table import Table

FOUR, SIX = {"mail.example.net": ["192.0.2.25"]}, {"mail.example.net": ["2001:db8::25"]}


def result(record: str, address: str = "192.0.2.25") -> str:
    return check_host(address, "contoso.com", Table(A=FOUR, AAAA=SIX), record=record).result


@pytest.mark.parametrize(
    "term",
    [
        "ip4:192.0.2.25/032", "ip4:192.0.2.0/024", "ip4:192.0.2.0/255.255.255.0", "ip4:192.0.2.25/33", "ip4:192.0.2.25/", "ip4:192.0.2",
        "ip6:2001:db8::/032", "ip6:2001:db8::/129", "ip6:fe80::1%eth0", "ip6:192.0.2.25", "a:mail.example.net/032", "a:mail.example.net/08",
        "a:mail.example.net//064", "a/33", "mx//129", "a:mail.example.-com", "a:mail.example.com-", "a:mail.example.123", "include:-com",
        "include:net", "a:", "a:/24", "include", "exists:%{c}.example.net", "a:%{t}.example.net", "exists:%{i0}.example.net",
        "exists:%{x}.net",
        "redirect=mail.example.-com", "a:mail\u00e9.example.net", "a:mail.example.\u0663x", "ip4:192.0.2.\u0662", "moo\u00e9=x",
        "moo=\u00e9",
        "all:x", "-all/8", "\u017fpf", "inc\u212alude:x.example",
    ],
)  # fmt: skip
def test_a_wrong_term_makes_the_record_a_permanent_error(term: str) -> None:
    assert result(f"v=spf1 {term} ?all") == "permerror"


@pytest.mark.parametrize(
    "term",
    [
        "ip4:192.0.2.25/32", "ip4:192.0.2.0/24", "ip4:0.0.0.0/0", "a:mail.example.net", "a:mail.example.net/0",
        "a:mail.example.net/32//0", "moo=%{c} ip4:192.0.2.25", "exists:none.a--b.example.xn--p1ai ip4:192.0.2.25",
        "a:no:colon/slash.example.net ip4:192.0.2.25", "exists:%{i1r-}.none.example.net ip4:192.0.2.25",
    ],
)  # fmt: skip
def test_a_valid_term_matches(term: str) -> None:
    assert result(f"v=spf1 {term} -all") == "pass"


@pytest.mark.parametrize("term", ["a:mail.example.net.", "+A:MAIL.example.net", "a:x-1.example.n-t"])
def test_a_valid_term_is_no_error(term: str) -> None:
    assert result(f"v=spf1 {term} ?all") != "permerror"


@pytest.mark.parametrize(
    ("record", "expected"), [("ip4:192.0.2.25", "pass"), ("a:mail.example.net", "pass"), ("ip6:::ffff:0:0/96", "fail")]
)
def test_an_ipv4_mapped_client_is_one_of_ipv4(record: str, expected: str) -> None:
    assert result(f"v=spf1 {record} -all", "::ffff:192.0.2.25") == expected


@pytest.mark.parametrize(
    "octets", [b"v=spf1 a:mail\x96.example.net ?all", b"v=spf1 a\xc3\xa9 ?all", b"v=spf1 ip4:192.0.2.25 moo=\xff ?all"]
)
def test_octets_that_are_not_ascii_are_a_permanent_error(octets: bytes) -> None:
    assert result(plain([octets])) == "permerror"


def test_a_record_that_does_not_begin_with_the_version_is_none() -> None:
    table = Table({"contoso.com": ["\u017fpf1 -all", "v=\u017fpf1 -all", "\ufeffv=spf1 -all", "v=spf10 -all"]})
    assert check_host("192.0.2.25", "contoso.com", table).result == "none"
