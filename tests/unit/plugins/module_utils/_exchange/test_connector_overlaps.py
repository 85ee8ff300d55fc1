# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.connector_overlaps import match_same_hosts, overlaps
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector
from hypothesis import given
from hypothesis import strategies as st


def by_address(*texts: str, **more: Any) -> Connector:
    return replace(Connector("x", sender_ip_addresses=texts), **more)


def by_certificate(name: str) -> Connector:
    return Connector("x", tls_sender_certificate_name=name)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("203.0.113.10", "203.0.113.10", True),
    ("203.0.113.10", "203.0.113.10/32", True),
    ("203.0.113.10", "203.0.113.0/28", True),
    ("203.0.113.0/24", "203.0.113.10", True),
    ("203.0.113.0/28", "203.0.113.0/255.255.255.0", True),
    ("203.0.113.16", "203.0.113.0/28", False),
    ("203.0.113.0/28", "203.0.113.16/28", False),
    ("203.0.113.10", "2001:db8::10", False),
    ("203.0.113.10", "203.0.113.1-203.0.113.20", False),
])  # fmt: skip
def test_networks_are_compared_as_networks(one: str, other: str, same: bool) -> None:
    for left, right in ((one, other), (other, one)):
        listed = overlaps(by_address("198.51.100.1", left), by_address(right, "192.0.2.1"))
        assert listed == ([("sender_ip_addresses", left, right)] if same else [])


def test_an_ipv6_network_of_both() -> None:
    assert overlaps(by_address("2001:db8::/64"), by_address("2001:db8::25")) == [("sender_ip_addresses", "2001:db8::/64", "2001:db8::25")]
    assert overlaps(by_address("2001:db8:0:1::/64"), by_address("2001:db8::25")) == []


@given(st.ip_addresses(v=4), st.integers(24, 32), st.ip_addresses(v=4), st.integers(24, 32))
def test_any_two_networks(one: ipaddress.IPv4Address, first: int, other: ipaddress.IPv4Address, second: int) -> None:
    left, right = (str(ipaddress.ip_network((address, length), strict=False)) for address, length in ((one, first), (other, second)))
    expected = ipaddress.ip_network(left).overlaps(ipaddress.ip_network(right))
    assert match_same_hosts(by_address(left), by_address(right)) == expected


@pytest.mark.parametrize(("one", "other", "same"), [
    ("relay.contoso.com", "Relay.Contoso.COM", True),
    ("relay.contoso.com", "*.contoso.com", True),
    ("*.contoso.com", "*.contoso.com", True),
    ("*.eu.contoso.com", "*.contoso.com", True),
    ("relay.contoso.com", "<I>CN=CA, O=X<S>CN=relay.contoso.com", True),
    ("<I>CN=CA<S>CN=relay.contoso.com", "<I>CN=CA<S>CN=*.contoso.com", True),
    ("<I>CN=CA<S>CN=relay.contoso.com", "<I>CN=Other<S>CN=relay.contoso.com", False),
    ("relay.contoso.com", "gate.contoso.com", False),
    ("contoso.com", "*.contoso.com", False),
    ("relay.notcontoso.com", "*.contoso.com", False),
    ("relay.contoso.com", "", False),
])  # fmt: skip
def test_certificate_names(one: str, other: str, same: bool) -> None:
    for left, right in ((one, other), (other, one)):
        listed = overlaps(by_certificate(left), by_certificate(right))
        assert listed == ([("tls_sender_certificate_name", left, right)] if same else [])


@pytest.mark.parametrize(("setting", "same"), [
    ({"enabled": False}, False),
    ({"type": "Partner"}, False),
    ({"sender_domains": ("fabrikam.com", "*.fabrikam.com")}, False),
    ({"sender_domains": ("fabrikam.com", "contoso.com")}, True),
    ({"sender_domains": ("*",)}, True),
    ({"sender_domains": ()}, True),
    ({"tls_sender_certificate_name": "relay.contoso.com"}, True),
])  # fmt: skip
def test_what_tells_the_mail_of_two_connectors_apart(setting: dict[str, Any], same: bool) -> None:
    own = by_address("203.0.113.10", sender_domains=("contoso.com",))
    other = by_address("203.0.113.10", **setting)
    assert (bool(overlaps(own, other)), bool(overlaps(other, own))) == (same, same)
    assert match_same_hosts(own, other)
