"""Module tenant against the emulator: one plan before the first write, applied in order, and its changes as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.conftest import Start

from .tenant_play import Play

ERP = {"name": "ERP", "kind": "erp", "address": "erp@contoso.com"}
SCANNER = {"name": "Scanner", "kind": "scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}


@pytest.fixture
def play(start: Start, tmp_path: Path) -> Play:
    return Play(start(), tmp_path)


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {part["module"]: part["status"] for part in result["components"]}


def test_a_check_run_predicts_the_changes_of_the_real_run_and_a_second_run_has_none(play: Play) -> None:
    before = play.state()
    planned = play(ERP, SCANNER, check_mode=True)
    assert planned["changed"], planned
    assert play.state() == before
    assert play.journal() == []
    assert not [note for note in planned.get("notes", []) if "prediction" in note], "the plan itself creates what is missing"
    applied = play(ERP, SCANNER)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    expected = ("shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth", "inbound_connector")
    assert statuses(applied) == dict.fromkeys(expected, "applied") | {"spf": "unchanged"}
    journal = [entry["resource"] for entry in play.journal() if entry["phase"] == "before"]
    assert journal == ["record", *expected], "what is created is recorded before"
    assert applied["app"]["app_id"]
    assert not applied.keys() & {"sign_ins", "expected_mailboxes", "relay_certificates", "relay_retired_certificates"}
    again = play(ERP, SCANNER)
    assert (again["changed"], again["changes"]) == (False, [])
    assert set(statuses(again).values()) == {"unchanged"}
    assert "failed" not in play(ERP, SCANNER, check_mode=True)


def test_changes_say_what_why_and_which_risk(play: Play) -> None:
    result = play(ERP, SCANNER, check_mode=True)
    changes = {change["key"]: change for change in result["changes"]}
    assert changes["mailbox:erp@contoso.com"] | {"after": None} == {
        "action": "add",
        "kind": "mailbox",
        "object": "erp@contoso.com",
        "key": "mailbox:erp@contoso.com",
        "before": None,
        "after": None,
        "reason": "sender ERP",
        "risk": "",
    }
    risks = {(change["kind"], change["action"], change["risk"], change["reason"]) for change in result["changes"]}
    assert ("smtp_auth", "change", "opens", "sender ERP") in risks
    assert ("mailbox_permission", "add", "grants", "sender ERP") in risks
    assert ("inbound_connector", "add", "opens", "sender Scanner") in risks
    headers = [part["before_header"].split()[1] for part in result["diff"]]
    assert headers == ["shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth", "inbound_connector"]


def test_a_failure_in_the_middle_says_what_was_applied_and_the_next_run_applies_the_rest(play: Play) -> None:
    fault = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    play.api.admin.fault("exchange", match={"cmdlet": "New-InboundConnector"}, **fault)
    failed = play(ERP, SCANNER)
    assert failed["failed"]
    assert failed["changed"]
    assert "Applied before it: shared_mailbox, entra_app, exchange_service_principal, smtp_auth." in failed["msg"]
    assert statuses(failed)["inbound_connector"] == "failed"
    assert failed["failure"]["applied"] == ["shared_mailbox", "entra_app", "exchange_service_principal", "smtp_auth"]
    play.api.admin.clear_faults()
    done = play(ERP, SCANNER)
    assert {name for name, status in statuses(done).items() if status == "applied"} == {"inbound_connector"}


def test_what_follows_a_failure_is_not_applied(play: Play) -> None:
    fault = {"status": 400, "body": {"error": {"code": "BadRequest", "message": "|Microsoft.Exchange.Refused|No."}}}
    play.api.admin.fault("exchange", match={"cmdlet": "New-ServicePrincipal"}, **fault)
    failed = play(ERP, SCANNER)
    assert statuses(failed) == {
        "shared_mailbox": "applied",
        "entra_app": "applied",
        "exchange_service_principal": "failed",
        "smtp_auth": "not applied",
        "inbound_connector": "not applied",
        "spf": "unchanged",
    }, failed
    assert "Not applied: smtp_auth, inbound_connector; the next run applies what is missing." in failed["msg"]
    assert play.state()["inbound_connectors"] == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_alias_with_rbac_for_applications_is_the_mailbox_that_has_it(play: Play, check_mode: bool) -> None:
    shop = {"name": "Shop", "kind": "website", "address": "no-reply@contoso.com"}
    rbac = {"inventory": {"entra_app_authorization": "rbac", "entra_app_settle_time": 0}}
    result = play(shop, check_mode=check_mode, **rbac)
    assert "failed" not in result, result
    [change] = [change for change in result["changes"] if change["kind"] == "rbac_for_applications"]
    assert "noreply@contoso.com" in json.dumps(change["after"])
    assert "no-reply@contoso.com" not in json.dumps(change["after"])
    if not check_mode:
        assert not play(shop, **rbac)["changed"]


def test_an_application_and_what_needs_its_id_are_applied_in_one_run(play: Play) -> None:
    """The High Volume Email account allows an application that the same run registers."""
    sender = {"name": "Bulk", "kind": "erp", "method": "hve", "address": "bulk@contoso.com", "recipients": "internal"}
    options: dict[str, Any] = {"hve": True, "inventory": {"hve_account_password": "a-long-password"}}
    planned = play(sender, check_mode=True, **options)
    assert "failed" not in planned, planned
    applied = play(sender, **options)
    assert "failed" not in applied, applied
    assert applied["changes"] == planned["changes"]
    assert statuses(applied)["hve_account"] == "applied"
    assert "a-long-password" not in json.dumps(applied)
    assert not play(sender, **options)["changed"]


def test_a_relay_host_may_have_the_name_of_a_sender(play: Play) -> None:
    """Also where the sender had the name before."""
    plant = {"name": "Plant", "method": "connector", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.77"]}
    relay = {"name": "plant", "host": "plant.example.com", "public_addresses": ["203.0.113.40"], "managed": False}
    fax = {"name": "Fax", "method": "relay_host", "address": "noreply@contoso.com", "relay_host": "plant"}
    for first in ((), (plant,)):
        play(*first)
        assert "failed" not in play(plant, fax, relays=[relay])
        listed = {one["name"].lower(): one["SenderIPAddresses"] for one in play.state()["inbound_connectors"]}
        assert listed == {"mailops plant": ["203.0.113.40"], "mailops plant 2": ["203.0.113.77"]}
        assert not play(plant, fax, relays=[relay])["changed"]
        play()
        assert play.state()["inbound_connectors"] == []


def test_unused_access_is_disabled_without_any_sender(play: Play) -> None:
    applied = play(unused_access="disable")
    assert "failed" not in applied, applied
    assert play.state()["smtp_client_authentication_disabled"] is True
    assert {change["reason"] for change in applied["changes"]} == {"m365_unused_access"}
    assert not play(unused_access="disable")["changed"]


def test_a_new_mailbox_may_appear_late(play: Play) -> None:
    play.api.admin.fault("exchange", "stale_replica", match={"cmdlet": "Set-CASMailbox"}, count=1)
    applied = play(ERP)
    assert "failed" not in applied, applied
    assert statuses(applied)["smtp_auth"] == "applied"
