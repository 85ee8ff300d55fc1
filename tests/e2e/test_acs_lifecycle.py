"""SMTP usernames of Azure Communication Services end with their senders: those that a run created, and the Azure role with the last one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import TENANT, Start, app_id

from .random_lists import AZURE, INVENTORY
from .tenant_play import Document, Play

SHOP: Document = {"name": "Web shop", "method": "acs", "address": "shop@contoso.com"}
BILLING: Document = {"name": "Billing", "method": "acs", "address": "erp@contoso.com"}
ACS: Document = {"inventory": INVENTORY | {"entra_app_unique_name": "mailops-smtp-sender"}}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(tenant={"azure": AZURE}), tmp_path)


def usernames(play: Play) -> dict[str, str]:
    [service] = play.api.admin.tenant(TENANT)["azure"]["communication_services"]
    return {one["name"]: one["username"] for one in service["smtp_usernames"]}


def roles(play: Play) -> int:
    """The Azure roles beside that of the automation app."""
    return len(play.api.admin.tenant(TENANT)["azure"]["role_assignments"]) - 1


def changes(result: Document) -> list[tuple[str, str, str, str]]:
    assert "failed" not in result, result
    listed = [one for one in result["changes"] if one["kind"].startswith("acs_")]
    return [(one["action"], one["kind"], one["object"], one["reason"]) for one in listed]


def test_a_removed_sender_loses_its_username_and_the_last_one_the_role(play: Play) -> None:
    assert changes(play(SHOP, BILLING, **ACS)) == [
        ("add", "acs_smtp_username", "billing", "sender Billing"),
        ("add", "acs_smtp_username", "web-shop", "sender Web shop"),
        ("add", "acs_role", "mailops-smtp-sender", "senders Web shop, Billing"),
    ]
    assert not play(SHOP, BILLING, **ACS)["changed"]
    planned = play(BILLING, check_mode=True, **ACS)
    one = play(BILLING, **ACS)
    assert one["changes"] == planned["changes"]
    assert changes(one) == [("remove", "acs_smtp_username", "web-shop", "no sender needs it")]
    assert (usernames(play), roles(play)) == ({"billing": "erp@contoso.com"}, 1)
    assert changes(play(**ACS)) == [
        ("remove", "acs_smtp_username", "billing", "no sender needs it"),
        ("remove", "acs_role", "mailops-smtp-sender", "no sender needs it"),
    ]
    assert (usernames(play), roles(play)) == ({}, 0)
    assert not play(**ACS)["changed"]


def test_a_username_moves_to_another_sender_and_two_senders_share_one(play: Play) -> None:
    """Azure refuses a second SMTP username of the same text."""
    play(SHOP, **ACS)
    moved = play(SHOP | {"name": "Shop 2"}, SHOP | {"name": "Shop 1"}, **ACS)
    assert [(action, name) for action, _kind, name, _reason in changes(moved)] == [("remove", "web-shop"), ("add", "shop-1")]
    assert usernames(play) == {"shop-1": "shop@contoso.com"}
    assert not play(SHOP | {"name": "Shop 1"}, **ACS)["changed"]


def test_the_variables_of_the_service_may_go_with_its_senders(play: Play) -> None:
    play(SHOP, **ACS)
    assert [change[:3] for change in changes(play())] == [
        ("remove", "acs_smtp_username", "web-shop"),
        ("remove", "acs_role", "mailops-smtp-sender"),
    ]
    assert (usernames(play), roles(play)) == ({}, 0)


def test_a_username_that_existed_before_stays(start: Start, tmp_path: Path) -> None:
    [service] = AZURE["communication_services"]
    own = {"name": "web-shop", "username": "shop@contoso.com", "app": app_id("manager")}
    azure = AZURE | {"communication_services": [service | {"smtp_usernames": [own, own | {"name": "other", "username": "other"}]}]}
    play = Play(start(tenant={"azure": azure}), tmp_path)
    play(SHOP, **ACS)
    assert "failed" not in play(**ACS)
    assert sorted(usernames(play)) == ["other", "web-shop"]


def test_a_service_that_is_gone_stops_nothing(start: Start, tmp_path: Path, state: dict[str, Any]) -> None:
    """With its Communication Services resource every username is gone, and the record forgets them."""
    place = f"{INVENTORY['acs_smtp_username_subscription_id']}/mail/gone"
    tags = ["mailops", f"mailops:mailops:smtp_username:web-shop:{place}", f"mailops:mailops:acs_role:mailops-smtp-sender:{place}"]
    record = {"display_name": "mailops.m365 record", "unique_name": "mailops-record", "properties": {"tags": tags}}
    play = Play(start(tenant={"azure": AZURE, "applications": [*state["tenants"][0]["applications"], record]}), tmp_path)
    assert changes(play()) == []
    [entry] = [one for one in play.state()["applications"] if one["unique_name"] == "mailops-record"]
    assert entry["properties"]["tags"] == ["mailops"]
    assert not play()["changed"]


def test_two_owners_share_the_role(play: Play) -> None:
    play(SHOP, **ACS)
    play(BILLING, owner="branch", **ACS)
    assert not play(SHOP, **ACS)["changed"]
    play(**ACS)
    assert (usernames(play), roles(play)) == ({"billing": "erp@contoso.com"}, 1)
    assert not play(BILLING, owner="branch", **ACS)["changed"]
    play(owner="branch", **ACS)
    assert (usernames(play), roles(play)) == ({}, 0)


def test_a_username_of_another_owner_is_refused_before_the_first_write(play: Play) -> None:
    play(SHOP, **ACS)
    before = play.state()
    refused = play(SHOP | {"name": "Shop 2"}, BILLING, owner="branch", **ACS)
    assert "shop-2: shop@contoso.com is the text of the SMTP username web-shop, too" in refused["msg"]
    assert play.state() == before


def test_offboard_removes_usernames_and_the_role(play: Play) -> None:
    play(SHOP, BILLING, **ACS)
    gone = play(SHOP, BILLING, state="absent", **ACS)
    assert "failed" not in gone, gone
    assert (usernames(play), roles(play)) == ({}, 0)
