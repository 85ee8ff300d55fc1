# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where implementations differ: prefix lengths, domain specifications, octets that are not ASCII, IPv4 in IPv6 (RFC 7208, 5 to 7, 12)."""

from __future__ import annotations

import ipaddress

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


REVERSE = {"25.2.0.192.in-addr.arpa": ["mail.example.net", "Web.Contoso.com"]}
REVERSE_SIX = {ipaddress.ip_address("2001:db8::25").reverse_pointer: ["mail.example.net"]}


@pytest.mark.parametrize(
    ("term", "address", "expected"),
    [
        ("ptr:example.net", "192.0.2.25", "pass"),
        ("ptr:EXAMPLE.Net", "192.0.2.25", "pass"),
        ("ptr:mail.example.net", "2001:db8::25", "pass"),
        ("ptr", "192.0.2.25", "pass"),  # web.contoso.com
        ("ptr", "2001:db8::25", "fail"),
        ("ptr:ample.net", "192.0.2.25", "fail"),  # no part of a label
        ("ptr:forged.example.org", "192.0.2.66", "fail"),  # whose name has another address
        ("ptr:example.net", "198.51.100.1", "fail"),
        ("exists:%{p}.allowed.example", "192.0.2.25", "pass"),  # a subdomain of contoso.com is preferred
        ("exists:%{p}.allowed.example", "198.51.100.1", "fail"),
    ],
)
def test_ptr_matches_validated_names_of_the_address(term: str, address: str, expected: str) -> None:
    """RFC 7208, sections 5.5 and 7.3."""
    hosts = FOUR | {"web.contoso.com": ["192.0.2.25"], "Web.Contoso.com": ["192.0.2.25"], "forged.example.org": ["192.0.2.1"]}
    hosts |= {"Web.Contoso.com.allowed.example": ["127.0.0.2"]}
    names = REVERSE | REVERSE_SIX | {"66.2.0.192.in-addr.arpa": ["forged.example.org"]}
    table = Table(A=hosts, AAAA=SIX, PTR=names)
    assert check_host(address, "contoso.com", table, record=f"v=spf1 {term} -all").result == expected


def test_at_most_ten_names_of_an_address_are_read_and_a_failed_query_is_no_match() -> None:
    """RFC 7208, sections 4.6.4 and 5.5."""
    names = [f"n{number}.example.net" for number in range(12)]
    table = Table(A={name: ["192.0.2.25"] for name in names[10:]}, PTR={"25.2.0.192.in-addr.arpa": names})
    assert check_host("192.0.2.25", "contoso.com", table, record="v=spf1 ptr:example.net -all").result == "fail"
    assert len([name for name, kind in table.asked if kind == "A"]) == 10
    unread = Table(broken=("25.2.0.192.in-addr.arpa",))
    assert check_host("192.0.2.25", "contoso.com", unread, record="v=spf1 ptr:example.net -all").result == "fail"


def test_a_name_without_an_address_is_not_a_void_lookup_of_ptr_but_a_missing_reverse_name_is_one() -> None:
    """RFC 7208, section 4.6.4: a third void lookup is a permanent error."""
    record = "v=spf1 ptr a:none.example.net exists:none.example.net -all"
    assert check_host("192.0.2.25", "contoso.com", Table(), record=record).result == "permerror"
    named = Table(PTR={"25.2.0.192.in-addr.arpa": ["void.example.net"]})
    assert check_host("192.0.2.25", "contoso.com", named, record=record).result == "fail"
