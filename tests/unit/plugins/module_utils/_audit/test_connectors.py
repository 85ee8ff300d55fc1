# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.connectors import findings
from ansible_collections.mailops.m365.plugins.module_utils._exchange.inbound_connectors import Connector


def office(*addresses: str, name: str = "Office", **more: Any) -> Connector:
    return Connector(name, sender_ip_addresses=addresses, **more)


def listed(*connectors: Connector, domains: Collection[str] | None = ("contoso.com",)) -> dict[str, tuple[str, str]]:
    """Severity and problem by id and subject."""
    return {f"{one.id} {one.subject}": (one.severity, one.problem) for one in findings(connectors, (), 10, domains, {})}


def test_overlapping_networks_are_one_finding_of_both_connectors() -> None:
    plant = office("203.0.113.10", name="Plant")
    problem = (
        "Both match the same hosts: Office has 203.0.113.0/28, and Plant has 203.0.113.10. "
        "Which of the two applies to a message is not certain."
    )
    for pair in ((plant, office("203.0.113.0/28")), (office("203.0.113.0/28"), plant)):
        assert listed(*pair) == {"connector_overlap Office, Plant": ("low", problem)}
    [equal] = listed(plant, office("203.0.113.10")).values()
    assert equal[1].startswith("Both match 203.0.113.10. ")


def test_each_pair_has_a_finding() -> None:
    three = [office("203.0.113.10", name=name) for name in ("c", "a", "b")]
    assert set(listed(*three)) == {"connector_overlap a, b", "connector_overlap a, c", "connector_overlap b, c"}


def test_many_addresses_are_cut() -> None:
    addresses = [f"203.0.113.{number}" for number in range(1, 7)]
    [(_severity, problem)] = listed(office(*addresses), office(*addresses, name="Plant")).values()
    assert "Both match 203.0.113.1, 203.0.113.2, 203.0.113.3 and 3 more." in problem


def test_connectors_with_one_certificate_name_match_the_same_hosts() -> None:
    pair = [Connector(name, tls_sender_certificate_name="relay.contoso.com") for name in ("Office", "Plant")]
    assert set(listed(*pair)) == {"connector_overlap Office, Plant"}


@pytest.mark.parametrize("setting", [{"enabled": False}, {"type": "Partner"}, {"sender_domains": ("fabrikam.com",)}])
def test_connectors_for_different_mail_do_not_overlap(setting: dict[str, Any]) -> None:
    other = office("203.0.113.10", name="Plant", **setting)
    every = listed(office("203.0.113.10", sender_domains=("contoso.com",)), other)
    assert not [name for name in every if name.startswith("connector_overlap")]
    assert listed(office("203.0.113.10"), office("203.0.113.11", name="Plant")) == {}


def test_two_partner_connectors_overlap() -> None:
    pair = [office("203.0.113.10", name=name, type="Partner") for name in ("Office", "Plant")]
    assert set(listed(*pair)) == {"connector_overlap Office, Plant"}


def test_a_certificate_outside_of_the_accepted_domains() -> None:
    [(severity, problem)] = listed(Connector("Office", tls_sender_certificate_name="relay.adatum.com")).values()
    assert severity == "low"
    assert "(relay.adatum.com) is not an accepted domain" in problem
    assert "550 5.7.64 ATTR36" in problem


@pytest.mark.parametrize(
    ("setting", "domains"),
    [
        ({"tls_sender_certificate_name": "relay.contoso.com"}, ("contoso.com",)),
        ({"tls_sender_certificate_name": "relay.adatum.com"}, None),
        ({"tls_sender_certificate_name": "relay.adatum.com", "type": "Partner"}, ("contoso.com",)),
        ({}, ("contoso.com",)),
    ],
)
def test_certificates_without_a_finding(setting: dict[str, Any], domains: Collection[str] | None) -> None:
    assert listed(Connector("Office", **setting), domains=domains) == {}


def test_a_disabled_connector_has_no_finding_about_its_certificate() -> None:
    off = Connector("Office", enabled=False, tls_sender_certificate_name="relay.adatum.com")
    assert set(listed(off)) == {"connector_disabled Office"}


def test_idle_connectors() -> None:
    [one] = findings((), ("Office",), 10, None, {})
    assert (one.id, one.severity, one.subject) == ("connector_idle", "info", "Office")
    assert "in 10 days" in one.problem


def test_addresses_outside_of_spf_are_one_finding_of_each_connector() -> None:
    addresses = [f"203.0.113.{number}" for number in range(1, 6)]
    office, plant = findings((), (), 10, None, {"Office": addresses, "Plant": ["2001:db8::/64"]})
    assert (office.id, office.severity, office.subject) == ("connector_spf", "low", "Office")
    assert "lets 203.0.113.1, 203.0.113.2, 203.0.113.3 and 2 more pass" in office.problem
    assert "lets 2001:db8::/64 pass" in plant.problem
    assert "spf_ip4, spf_ip6" in plant.remedy
