# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core import networks
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("text", "written"), [
    ("203.0.113.7", "203.0.113.7"),
    (" 203.0.113.7/32 ", "203.0.113.7"),
    ("203.0.113.7/255.255.255.255", "203.0.113.7"),
    ("198.51.100.64/255.255.255.192", "198.51.100.64/26"),
    ("198.51.100.64/026", "198.51.100.64/26"),
    ("198.51.100.64/0.0.0.63", "198.51.100.64/26"),
    ("2001:DB8:0::0001/128", "2001:db8::1"),
    ("2001:db8:0:0::/064", "2001:db8::/64"),
])  # fmt: skip
def test_a_network_is_written_from_its_value(text: str, written: str) -> None:
    assert networks.written(networks.parse(text)) == written
    assert networks.normalized([text, written]) == [written]


@pytest.mark.parametrize(
    "text", ["", "x", "203.0.113.007", "203.0.113.0/33", "fe80::1%eth0", "2001:db8::1%2/64", "203.0.113", "1.2.3.4/", "٣.1.1.1"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        networks.parse(text)
    assert networks.problem(text, 4).startswith("which is ")


@pytest.mark.parametrize(
    "text", ["240.1.1.1", "255.255.255.255", "224.0.0.9", "198.19.3.3", "192.0.0.8", "0.0.0.0/0", "192.0.0.0/8", "100.127.255.255"]
)
def test_only_global_unicast_addresses_are_public(text: str) -> None:
    assert "which is not a public address" in networks.problem(text, 4)


@pytest.mark.parametrize("text", ["ff02::1", "fe80::9", "::1", "::", "fd12::/16", "::ffff:203.0.113.7", "fec0::1"])
def test_only_global_unicast_addresses_are_public_in_ipv6(text: str) -> None:
    assert "which is not a public address" in networks.problem(text, 6)


def test_an_address_inside_of_a_listed_network_is_dropped() -> None:
    assert networks.normalized(["203.0.113.9", "203.0.113.0/28", "203.0.113.0/255.255.255.240", "203.0.113.16/32"]) == [
        "203.0.113.0/28",
        "203.0.113.16",
    ]


@given(st.ip_addresses(v=4), st.integers(8, 32), st.ip_addresses(v=4), st.integers(8, 32))
def test_overlap_is_that_of_networks(one: ipaddress.IPv4Address, first: int, other: ipaddress.IPv4Address, second: int) -> None:
    left, right = (ipaddress.ip_network(f"{address}/{prefix}", strict=False) for address, prefix in ((one, first), (other, second)))
    assert networks.overlap(left, right) == left.overlaps(right)
