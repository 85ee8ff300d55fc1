"""Connectors that were made by hand, or that another owner has, in the plan of a whole tenant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play

PLANT: Document = {"name": "Plant", "method": "connector", "address": "noreply@contoso.com"}
SCAN: Document = {"name": "Scan", "kind": "scanner", "method": "oauth", "address": "scan@contoso.com"}
OFFICE: Document = {
    "name": "Office",
    "SenderIPAddresses": ["203.0.113.0/28"],
    "SenderDomains": ["smtp:*;1"],
    "Comment": "made in 2019",
    "ConnectorType": "OnPremises",
}
CERTIFICATE: Document = OFFICE | {"SenderIPAddresses": [], "TlsSenderCertificateName": "*.contoso.com"}


class Recorded(Play):
    """A tenant whose requests are on record."""

    def writes(self) -> list[str]:
        lines = [json.loads(line) for line in (self.directory / "requests.log").read_text().splitlines()]
        return [line["path"] for line in lines if line["write"]]


def recorded(start: Start, directory: Path, *connectors: Document) -> Recorded:
    directory.mkdir(exist_ok=True)
    return Recorded(start(tenant={"inbound_connectors": list(connectors)}, record=directory / "requests.log"), directory)


@pytest.mark.parametrize(("source", "other", "words"), [
    ({"public_addresses": ["203.0.113.0/28"]}, OFFICE, "public_addresses holds 203.0.113.0/28, which the connector Office matches, too"),
    ({"public_addresses": ["203.0.113.9"]}, OFFICE, "holds 203.0.113.9, which the connector Office matches by 203.0.113.0/28, too"),
    ({"public_addresses": ["203.0.113.0/24"]}, OFFICE, "holds 203.0.113.0/24, which the connector Office matches by 203.0.113.0/28, too"),
    ({"certificate_name": "plant.contoso.com"}, CERTIFICATE, "certificate_name is plant.contoso.com, which the connector Office matches"),
    ({"certificate_name": "*.contoso.com"}, CERTIFICATE, "certificate_name is *.contoso.com, which the connector Office matches, too"),
])  # fmt: skip
@pytest.mark.parametrize("check_mode", [True, False])
def test_hosts_of_a_connector_made_by_hand_refuse_the_tenant(
    start: Start, tmp_path: Path, source: Document, other: Document, words: str, check_mode: bool
) -> None:
    play = recorded(start, tmp_path, other)
    before = play.state()
    refused = play(PLANT | source, SCAN, check_mode=check_mode)
    assert refused["msg"].startswith("m365_senders: Plant: ")
    assert words in refused["msg"]
    assert "set connector: Office for the sender, which adopts it, or disable or remove that connector." in refused["msg"]
    assert (play.state(), play.writes(), play.journal()) == (before, [], [])


def test_the_connector_is_adopted_or_disabled_as_the_sentence_says(start: Start, tmp_path: Path) -> None:
    listed = PLANT | {"public_addresses": ["203.0.113.0/28"]}
    adopting = recorded(start, tmp_path / "adopt", OFFICE)
    guid = adopting.state()["inbound_connectors"][0]["guid"]
    adopted = adopting(listed | {"connector": "Office"})
    assert "failed" not in adopted, adopted
    assert [(one["name"], one["guid"]) for one in adopting.state()["inbound_connectors"]] == [("Office", guid)]
    assert not adopting(listed | {"connector": "Office"})["changed"]
    disabled = recorded(start, tmp_path / "disable", OFFICE)
    disabled.api.admin.change(TENANT, "inbound_connectors", "Office", Enabled=False)
    assert "failed" not in disabled(listed)
    assert sorted(one["name"] for one in disabled.state()["inbound_connectors"]) == ["Office", "mailops Plant"]
    assert not disabled(listed)["changed"]


@pytest.mark.parametrize("source", [{"public_addresses": ["203.0.113.16/28", "198.51.100.20"]}, {"certificate_name": "a.fabrikam.com"}])
def test_other_hosts_are_no_conflict(start: Start, tmp_path: Path, source: Document) -> None:
    play = recorded(start, tmp_path, OFFICE, CERTIFICATE | {"name": "Gate"})
    first = play(PLANT | source)
    assert ("failed" in first, first.get("notes", [])) == (False, [])
    second = play(PLANT | source)
    assert not second["changed"]


def test_a_connector_that_somebody_makes_later_is_a_warning(start: Start, tmp_path: Path) -> None:
    """Two connectors that match the same hosts already stop nothing; the next change of these hosts is refused."""
    play = recorded(start, tmp_path, OFFICE | {"SenderIPAddresses": ["198.51.100.20"]})
    listed = PLANT | {"public_addresses": ["203.0.113.9"]}
    play(listed)
    requests = play(listed)["cost"]["requests"]
    play.api.admin.change(TENANT, "inbound_connectors", "Office", SenderIPAddresses=["203.0.113.0/28"])
    kept = play(listed)
    assert (kept["changed"], kept["cost"]["requests"]) == (False, requests), "no request more for the comparison"
    assert any("public_addresses holds 203.0.113.9, which the connector Office matches by 203.0.113.0/28" in note for note in kept["notes"])
    assert "holds 203.0.113.10" in play(PLANT | {"public_addresses": ["203.0.113.9", "203.0.113.10"]})["msg"]


def test_two_owners_of_the_same_hosts(start: Start, tmp_path: Path) -> None:
    play = recorded(start, tmp_path)
    branch = PLANT | {"name": "Gate", "public_addresses": ["203.0.113.0/28"]}
    assert "failed" not in play(branch, owner="branch")
    before = play.state()
    refused = play(PLANT | {"public_addresses": ["203.0.113.9"]}, SCAN)
    assert "which the connector branch Gate of m365_owner branch matches by 203.0.113.0/28, too: list the senders" in refused["msg"]
    taken = play(PLANT | {"public_addresses": ["198.51.100.20"], "connector": "branch Gate"}, SCAN)
    assert "branch Gate exists, and its comment has the mark of m365_owner branch" in taken["msg"]
    assert play.state() == before
    assert not play(branch, owner="branch")["changed"]
