"""What a tenant has depends on the list alone, not on the lists before it."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Start

from .tenant_play import Document, Play

SEEDS = int(os.environ.get("MAILOPS_LIFECYCLE_SEEDS", "6"))
PLANT = {"name": "Plant", "method": "connector", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
GATE = {"name": "Gate", "method": "connector", "address": "ops@contoso.com", "public_addresses": ["198.51.100.20"]}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def connectors(play: Play) -> dict[str, Any]:
    listed = play.state()["inbound_connectors"]
    return {one["name"]: {name: value for name, value in one.items() if name not in ("guid", "effective")} for one in listed}


def guids(play: Play) -> dict[str, str]:
    return {one["name"]: one["guid"] for one in play.state()["inbound_connectors"]}


def changed(result: Document) -> list[tuple[str, str]]:
    assert "failed" not in result, result
    return [(change["action"], change["object"]) for change in result["changes"] if change["kind"] == "inbound_connector"]


def test_a_new_address_changes_the_connector_in_place(play: Play) -> None:
    assert changed(play(PLANT)) == [("add", "mailops Plant")]
    first = guids(play)
    moved = play(PLANT | {"public_addresses": ["203.0.113.77"]})
    assert changed(moved) == [("change", "mailops Plant")]
    assert guids(play) == first
    assert [one["SenderIPAddresses"] for one in play.state()["inbound_connectors"]] == [["203.0.113.77"]]
    by_certificate = play(PLANT | {"public_addresses": [], "certificate_name": "plant.contoso.com"})
    assert changed(by_certificate) == [("change", "mailops Plant")]
    assert guids(play) == first
    assert not play(PLANT | {"public_addresses": [], "certificate_name": "plant.contoso.com"})["changed"]


def test_a_renamed_sender_keeps_its_connector(play: Play) -> None:
    play(PLANT)
    [guid] = guids(play).values()
    renamed = play(PLANT | {"name": "Plant 2"})
    assert changed(renamed) == [("change", "mailops Plant 2")]
    assert guids(play) == {"mailops Plant 2": guid}


def test_a_removed_sender_loses_its_connector_and_a_check_run_says_so(play: Play) -> None:
    play(PLANT, GATE)
    planned = play(GATE, check_mode=True)
    removal = [change for change in planned["changes"] if change["action"] == "remove"]
    assert [(one["object"], one["risk"], one["reason"]) for one in removal] == [("mailops Plant", "closes", "no sender needs it")]
    assert len(guids(play)) == 2
    play(GATE)
    assert list(guids(play)) == ["mailops Gate"]
    assert changed(play()) == [("remove", "mailops Gate")]
    assert guids(play) == {}
    assert not play()["changed"]


def test_two_owners_do_not_undo_each_other(play: Play) -> None:
    play(PLANT)
    play(GATE, owner="branch")
    assert sorted(guids(play)) == ["branch Gate", "mailops Plant"]
    assert not play(PLANT)["changed"]
    assert not play(GATE, owner="branch")["changed"]
    assert changed(play(owner="branch")) == [("remove", "branch Gate")]
    assert list(guids(play)) == ["mailops Plant"]


def test_a_connector_without_the_mark_is_neither_adopted_nor_removed(play: Play) -> None:
    play(PLANT)
    play.api.admin.change(TENANT, "inbound_connectors", "mailops Plant", Comment="Made by hand")
    refused = play(PLANT)
    assert "mailops Plant exists, and its comment does not have the mark of m365_owner mailops" in refused["msg"]
    assert not play()["changed"]
    assert list(guids(play)) == ["mailops Plant"]


# -- history does not matter ------------------------------------------------------------------------------------------

NAMES = ("Plant", "Gate", "Lab")
ADDRESSES = ("203.0.113.10", "203.0.113.11", "203.0.113.0/28", "198.51.100.20")


def senders(randomly: random.Random) -> list[Document]:
    """A random list: some of three senders, each with a random source."""
    chosen = [name for name in NAMES if randomly.random() < 0.7]
    randomly.shuffle(chosen)
    return [_sender(name, randomly) for name in chosen]


def _sender(name: str, randomly: random.Random) -> Document:
    sender = {"name": name, "method": "connector", "address": "noreply@contoso.com"}
    if randomly.random() < 0.3:
        return sender | {"certificate_name": randomly.choice(("a.contoso.com", "b.contoso.com"))}
    return sender | {"public_addresses": randomly.sample(ADDRESSES, randomly.randint(1, 2))}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_history_does_not_matter(start: Start, tmp_path: Path, seed: int) -> None:
    randomly = random.Random(seed)  # noqa: S311 - no secret
    first, second = senders(randomly), senders(randomly)
    alone = Play(start(), tmp_path / "alone")
    assert "failed" not in alone(*second)
    after = Play(start(), tmp_path / "after")
    assert "failed" not in after(*first)
    planned = after(*second, check_mode=True)
    applied = after(*second)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert connectors(after) == connectors(alone)
    assert not after(*second)["changed"]
