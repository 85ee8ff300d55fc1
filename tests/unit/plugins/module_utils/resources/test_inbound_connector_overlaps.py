# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors made by hand or of another owner that match the hosts of a listed one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources.inbound_connector import RESOURCE

from ....conftest import Play
from .test_inbound_connector import Organization

OFFICE = {"Name": "Office", "ConnectorType": "OnPremises", "SenderIPAddresses": ["203.0.113.0/28"], "SenderDomains": ["*"]}
RELAY = {"name": "Relay", "sender_ip_addresses": ["203.0.113.5"]}
PLANT = {"name": "mailops Plant", "comment": "mailops.m365 [mailops] Plant"}


def by_hand(**more: Any) -> dict[str, Any]:
    return OFFICE | more


@pytest.mark.parametrize("addresses", [["203.0.113.5"], ["203.0.113.0/28"], ["203.0.113.0/24"], ["198.51.100.1", "203.0.113.8/29"]])
def test_networks_of_a_connector_made_by_hand_are_refused(play: Play, addresses: list[str]) -> None:
    service = Organization(by_hand())
    result = play(RESOURCE, service, connectors=[{**RELAY, "sender_ip_addresses": addresses}, {"name": "Other", "state": "absent"}])
    by = "" if addresses[-1] == "203.0.113.0/28" else " by 203.0.113.0/28"
    assert result["msg"] == (
        f"connectors: Relay: sender_ip_addresses holds {addresses[-1]}, which the connector Office matches{by}, too: list that connector "
        "instead, or disable or remove that connector."
    )
    assert (service.writes, service.requests) == ([], 1)


@pytest.mark.parametrize(("name", "theirs"), [
    ("relay.contoso.com", "RELAY.contoso.com"),
    ("relay.contoso.com", "*.contoso.com"),
    ("*.contoso.com", "gate.contoso.com"),
])  # fmt: skip
def test_certificate_names_of_a_connector_made_by_hand_are_refused(play: Play, name: str, theirs: str) -> None:
    service = Organization(by_hand(SenderIPAddresses=[], TlsSenderCertificateName=theirs))
    result = play(RESOURCE, service, connectors=[{"name": "Relay", "tls_sender_certificate_name": name}])
    assert f"tls_sender_certificate_name is {name}, which the connector Office matches" in result["msg"]
    assert service.writes == []


@pytest.mark.parametrize("other", [
    by_hand(SenderIPAddresses=["203.0.113.16/28"]),
    by_hand(SenderIPAddresses=["not an address"]),
    by_hand(Enabled=False),
    by_hand(ConnectorType="Partner"),
    by_hand(SenderIPAddresses=[], TlsSenderCertificateName="relay.contoso.com"),
])  # fmt: skip
def test_connectors_of_other_hosts_are_no_problem(play: Play, other: dict[str, Any]) -> None:
    service = Organization(other)
    result = play(RESOURCE, service, connectors=[RELAY])
    assert ("failed" not in result, result.get("notes"), service.requests) == (True, None, 3)
    assert sorted(item["Name"] for item in service.connectors) == ["Office", "Relay"]


def test_a_connector_that_the_same_task_removes_or_disables_does_not_count(play: Play) -> None:
    for change in ({"state": "absent"}, {"enabled": False}, {"sender_ip_addresses": ["198.51.100.1"]}):
        service = Organization(by_hand())
        assert "failed" not in play(RESOURCE, service, connectors=[RELAY, {"name": "Office", **change}])


def test_two_listed_connectors_of_the_same_hosts_are_refused(play: Play) -> None:
    service = Organization()
    result = play(RESOURCE, service, connectors=[RELAY, {"name": "Gate", "sender_ip_addresses": ["203.0.113.0/24"]}])
    assert result["msg"].endswith("which the connector Gate matches by 203.0.113.0/24, too: name each host in one of the two connectors.")
    assert service.writes == []


def test_a_change_that_causes_the_overlap_is_refused_and_an_existing_one_is_a_warning(play: Play) -> None:
    """A tenant in which two connectors match the same hosts already stays as it is."""
    service = Organization(by_hand(), by_hand(Name="Relay", SenderIPAddresses=["203.0.113.5"]))
    kept = play(RESOURCE, service, connectors=[{**RELAY, "comment": "of the office"}])
    [warning] = kept["notes"]
    assert "connectors: Relay: sender_ip_addresses holds 203.0.113.5, which the connector Office matches by 203.0.113.0/28" in warning
    assert service.writes == ["Set-InboundConnector"]
    refused = play(RESOURCE, service, connectors=[{**RELAY, "sender_ip_addresses": ["203.0.113.5", "203.0.113.6"]}])
    assert "sender_ip_addresses holds 203.0.113.6" in refused["msg"]
    disabled = Organization(by_hand(), by_hand(Name="Relay", SenderIPAddresses=["203.0.113.5"], Enabled=False))
    assert "notes" not in play(RESOURCE, disabled, connectors=[{**RELAY, "enabled": False}])
    assert "203.0.113.5" in play(RESOURCE, disabled, connectors=[{**RELAY, "enabled": True}])["msg"]
    assert disabled.writes == []


# -- in the words of a sender, where an owner is named ----------------------------------------------------------------


def test_a_senders_hosts_that_a_connector_made_by_hand_matches_are_refused(play: Play) -> None:
    service = Organization(by_hand())
    result = play(RESOURCE, service, owner="mailops", connectors=[{**PLANT, "sender_ip_addresses": ["203.0.113.5"]}])
    assert result["msg"] == (
        "m365_senders: Plant: public_addresses holds 203.0.113.5, which the connector Office matches by 203.0.113.0/28, too: "
        "set connector: Office for the sender, which adopts it, or disable or remove that connector."
    )
    adopted = play(RESOURCE, service, owner="mailops", connectors=[{**PLANT, "name": "Office", "sender_ip_addresses": ["203.0.113.5"]}])
    assert ("notes" in adopted, [item["Name"] for item in service.connectors]) == (False, ["Office"])
    assert service.connectors[0]["Comment"] == PLANT["comment"]


def test_a_senders_hosts_that_a_connector_of_another_owner_matches_are_refused(play: Play) -> None:
    service = Organization(by_hand(Name="branch Gate", Comment="mailops.m365 [branch] Gate"))
    for option, value in (("sender_ip_addresses", ["203.0.113.5"]), ("tls_sender_certificate_name", "gate.contoso.com")):
        service.connectors[0]["TlsSenderCertificateName"] = "*.contoso.com"
        result = play(RESOURCE, service, owner="mailops", connectors=[{**PLANT, option: value}])
        assert "which the connector branch Gate of m365_owner branch matches by" in result["msg"]
        assert "too: list the senders of a host in the inventory of one owner." in result["msg"]
    own = play(RESOURCE, service, owner="branch", connectors=[])
    assert (own["changed"], service.connectors) == (True, [])


def test_a_connector_of_another_owner_is_not_adopted_by_its_name(play: Play) -> None:
    service = Organization(by_hand(Name="Gate", Comment="mailops.m365 [branch] Gate"))
    result = play(RESOURCE, service, owner="mailops", connectors=[{**PLANT, "name": "gate", "sender_ip_addresses": ["203.0.113.5"]}])
    assert "connectors: Gate exists, and its comment has the mark of m365_owner branch" in result["msg"]
    assert service.writes == []


def test_an_inventory_variable_is_named_where_no_sender_has_the_connector(play: Play) -> None:
    service = Organization(by_hand())
    result = play(RESOURCE, service, owner="mailops", connectors=[RELAY])
    assert result["msg"].startswith("inbound_connector_connectors: Relay: sender_ip_addresses holds 203.0.113.5, which")


def test_the_owners_connector_that_is_removed_does_not_count(play: Play) -> None:
    service = Organization(by_hand(Name="mailops Old", Comment="mailops.m365 [mailops] Old"), by_hand(Name="x", SenderIPAddresses=[]))
    listed = {**PLANT, "sender_ip_addresses": ["203.0.113.0/24"]}
    assert "failed" not in play(RESOURCE, service, owner="mailops", connectors=[listed])
    assert sorted(item["Name"] for item in service.connectors) == ["mailops Plant", "x"]
