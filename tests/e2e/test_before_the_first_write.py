"""Module tenant against the emulator: what a plan reports before its first write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.conftest import Start

from .tenant_play import Play

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


# -- user mailboxes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_full_access_on_a_user_mailbox_is_reported_as_exposed(play: Play, check_mode: bool) -> None:
    senders = [ERP, {"name": "Robot", "kind": "erp", "address": "ops@contoso.com"}]
    inventory = {"entra_app_full_access": ["erp@contoso.com", "ops@contoso.com", "user003@contoso.com"]}
    result = play(*senders, check_mode=check_mode, inventory=inventory)
    assert "failed" not in result, result
    risks = {change["object"]: change["risk"] for change in result["changes"] if change["kind"] == "mailbox_permission"}
    exposed = "FullAccess of mailops-smtp-sender on user003@contoso.com"
    assert risks[exposed] == "exposes"
    assert risks["FullAccess of mailops-smtp-sender on ops@contoso.com"] == "grants", "the sender's own mailbox"
    assert risks["FullAccess of mailops-smtp-sender on erp@contoso.com"] == "grants", "a shared mailbox"
    assert [entry["subject"] for entry in result["attention"]] == [exposed]
    assert len([note for note in result["notes"] if note.startswith(f"{exposed}: This is a user mailbox")]) == 1
    if not check_mode:
        assert play(*senders, inventory=inventory)["attention"] == []


def test_a_mailbox_with_the_senders_address_as_an_alias_is_not_the_senders_own(start: Start, tmp_path: Path) -> None:
    play = Play(start(tenant={"mailboxes": [{"address": "jane@contoso.com", "aliases": ["alerts@contoso.com"]}]}), tmp_path)
    result = play({"name": "Alerts", "kind": "erp", "address": "alerts@contoso.com"}, check_mode=True)
    assert [entry["kind"] for entry in result["attention"]] == ["permission"], result
