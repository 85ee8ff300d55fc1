# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.connector_spf import outside_spf
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector

from tests.unit.plugins.module_utils._spf.table import Table

TXT: dict[str, str | list[str]] = {
    "contoso.com": "v=spf1 ip4:203.0.113.0/28 a:relay.contoso.com include:_spf.contoso.com -all",
    "_spf.contoso.com": "v=spf1 ip6:2001:db8:1::/48 -all",
    "fabrikam.com": "v=spf1 ip4:192.0.2.25 ~all",
    "adatum.com": "v=spf1 ip4:203.0.113 -all",
}
DOMAINS = ("contoso.com", "fabrikam.com")


def zone(*broken: str) -> Table:
    return Table(TXT, broken, A={"relay.contoso.com": ["198.51.100.7"]})


def office(*addresses: str, **more: Any) -> Connector:
    return Connector("Office", sender_ip_addresses=addresses, **more)


@pytest.mark.parametrize(
    ("address", "is_outside"),
    [
        ("203.0.113.4", False),
        ("203.0.113.0/28", False),
        ("203.0.113.0/27", True),
        ("198.51.100.7", False),
        ("198.51.100.6", True),
        ("198.51.100.6/31", True),
        ("2001:db8:1:2::/64", False),
        ("2001:db8:2::1", True),
        ("192.0.2.25", False),
        ("192.0.2.26", True),
        ("no address", False),
    ],
)
def test_addresses_are_evaluated_with_every_record(address: str, is_outside: bool) -> None:
    assert outside_spf([office(address)], DOMAINS, zone()) == ({"Office": [address]} if is_outside else {})


def test_only_the_addresses_outside_are_named() -> None:
    assert outside_spf([office("203.0.113.4", "192.0.2.26", "198.51.100.6")], DOMAINS, zone()) == {"Office": ["192.0.2.26", "198.51.100.6"]}


@pytest.mark.parametrize("setting", [{"enabled": False}, {"type": "Partner"}])
def test_connectors_that_relay_nothing_are_not_evaluated(setting: dict[str, Any]) -> None:
    assert outside_spf([office("192.0.2.26", **setting)], DOMAINS, zone()) == {}


def test_a_failed_query_is_no_evidence() -> None:
    assert outside_spf([office("198.51.100.6")], DOMAINS, zone("relay.contoso.com")) == {}
    assert outside_spf([office("198.51.100.6")], ["fabrikam.com"], zone("relay.contoso.com")) == {"Office": ["198.51.100.6"]}


def test_an_invalid_record_lets_nothing_pass() -> None:
    assert outside_spf([office("203.0.113.4")], ["adatum.com"], zone()) == {"Office": ["203.0.113.4"]}


def test_without_any_record_nothing_is_outside() -> None:
    assert outside_spf([office("203.0.113.4")], [], zone()) == {}
