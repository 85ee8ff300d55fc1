"""The message trace as a source of audit_info: connectors, Direct Send, the draft, the cost, and no personal data."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange import message_trace

from tests.contract import check_contract
from tests.emulator.conftest import Start
from tests.emulator.test_exchange_message_trace import message

from .emulated import follow_clock
from .tenant_play import Play
from .test_audit import STATE, reasons, rows, run_audit
from .test_audit_draft import converge, loaded

CONNECTOR = {
    "name": "Office",
    "SenderIPAddresses": ["203.0.113.10", "203.0.113.11"],
    "Comment": "made in 2019",
    "ConnectorType": "OnPremises",
}
UNUSED = {"name": "Old site", "SenderIPAddresses": ["192.0.2.77"], "ConnectorType": "OnPremises"}
GROWN = STATE | {"inbound_connectors": [CONNECTOR, UNUSED], "smtp_client_authentication_disabled": False}
MESSAGES = [
    message("plant@contoso.com", "canary@customer.example", "ada@contoso.com"),
    message("plant@contoso.com", "canary@customer.example"),
    message("ups@contoso.com", "ada@contoso.com", via="direct-send", source="198.51.100.7"),
    message("ada@contoso.com", "canary@customer.example", via="submission", source="40.92.0.9"),
]
NETWORKS = {"spf.protection.outlook.com": ['@ TXT "v=spf1 ip4:40.92.0.0/15 -all"']}


def sender(result: dict[str, Any], address: str) -> dict[str, Any]:
    return next(dict(row) for row in result["audit"]["senders"] if row["address"] == address)


def test_senders_behind_connectors_and_direct_send_are_seen(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    api = start(tenant=GROWN, messages=MESSAGES, record=record)
    result = run_audit(api, tmp_path)
    assert set(reasons(result).values()) == {""}
    assert rows(result)["plant@contoso.com"] == ("unlisted", "medium")
    assert rows(result)["ups@contoso.com"] == ("unlisted", "medium")
    assert "ada@contoso.com" not in rows(result), "Microsoft's servers sent it"
    plant = sender(result, "plant@contoso.com")
    assert (plant["connector"], plant["mail"]["messages"], plant["mail"]["recipients"]) == ("Office", 2, 3)
    assert (plant["mail"]["external_recipients"], plant["mail"]["sources"]) == (2, ["203.0.113.10"])
    assert "through the inbound connector Office (2 messages until" in plant["reason"]
    assert "Direct Send, or somebody else in its name" in sender(result, "ups@contoso.com")["reason"]
    assert sender(result, "old@contoso.com")["mail"]["messages"] == 0, "zero, and not null"
    ups = sender(result, "ups@contoso.com")
    assert (ups["connector"], ups["mailbox"], ups["smtp_auth"]) == ("", False, None), "read: no connector, no mailbox"
    assert [one["subject"] for one in result["audit"]["findings"] if one["id"] == "connector_idle"] == ["Old site"]
    check_contract(record)


def test_connectors_that_are_not_readable_are_not_none(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = start(tenant=GROWN | {"reject_direct_send": True}, messages=MESSAGES)
    api.admin.fault("exchange", "throttled", match={"cmdlet": "Get-InboundConnector"}, count=1000)
    follow_clock(monkeypatch, api)
    result = run_audit(api, tmp_path)
    assert {name for name, reason in reasons(result).items() if reason} == {"connectors"}
    plant = sender(result, "plant@contoso.com")
    assert (plant["connector"], plant["verdict"]) == (None, "unlisted")
    assert "Whether through a connector could not be read." in plant["reason"]
    assert loaded(result["draft"]["text"])["m365_senders"] == []


def test_rejected_direct_send_is_refused(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN | {"reject_direct_send": True}, messages=MESSAGES)
    assert rows(run_audit(api, tmp_path))["ups@contoso.com"] == ("refused", "high")


def test_converging_the_draft_keeps_the_connector(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN, messages=MESSAGES)
    draft = run_audit(api, tmp_path, trace_days=30)["draft"]
    variables = loaded(draft["text"])
    listed = {one["address"]: one for one in variables["m365_senders"]}
    plant, ups = listed["plant@contoso.com"], listed["ups@contoso.com"]
    assert (plant["method"], plant["connector"], plant["public_addresses"]) == ("connector", "Office", ["203.0.113.10"])
    assert (plant["recipients_per_day"], "recipients" in plant) == (3, False), "it has external recipients"
    assert (ups["method"], ups["recipients"], ups["kind"], ups["public_addresses"]) == ("direct_send", "internal", "ups", ["198.51.100.7"])
    play = Play(api, tmp_path)
    before = play.state()
    assert converge(play, variables, check_mode=True)["changes"] == []
    converge(play, variables)
    assert converge(play, variables)["changed"] is False
    assert {**play.state(), "applications": before["applications"]} == before


DATA_CENTRE = {
    "name": "Data centre",
    "TlsSenderCertificateName": "relay.contoso.com",
    "RequireTls": True,
    "Comment": "made in 2021",
    "ConnectorType": "OnPremises",
}


def test_converging_the_draft_keeps_a_connector_by_certificate(start: Start, tmp_path: Path) -> None:
    """A sender whose IP address no connector matches, and which cannot sign in, sends to external recipients."""
    messages = [*MESSAGES, message("batch@contoso.com", "canary@customer.example", source="198.51.100.99")]
    api = start(tenant=GROWN | {"inbound_connectors": [CONNECTOR, UNUSED, DATA_CENTRE]}, messages=messages)
    result = run_audit(api, tmp_path)
    assert rows(result)["batch@contoso.com"] == ("unlisted", "medium")
    assert "through a connector matched by certificate (Data centre)" in sender(result, "batch@contoso.com")["reason"]
    variables = loaded(result["draft"]["text"])
    [batch] = [one for one in variables["m365_senders"] if one["address"] == "batch@contoso.com"]
    assert (batch["method"], batch["connector"], batch["certificate_name"]) == ("connector", "Data centre", "relay.contoso.com")
    play = Play(api, tmp_path)
    before = play.state()
    assert converge(play, variables, check_mode=True)["changes"] == []
    converge(play, variables)
    assert {**play.state(), "applications": before["applications"]} == before


def test_a_sender_with_oauth_is_drafted_in_comments(start: Start, tmp_path: Path) -> None:
    sent = message("crm@contoso.com", "canary@customer.example", via="submission", source="203.0.113.77")
    api = start(tenant=GROWN, messages=[*MESSAGES, sent])
    result = run_audit(api, tmp_path)
    assert rows(result)["crm@contoso.com"] == ("unlisted", "medium")
    text = result["draft"]["text"]
    assert "crm@contoso.com" not in {one["address"] for one in loaded(text)["m365_senders"]}
    assert "#     address: crm@contoso.com\n#     method: oauth" in text


def test_subjects_and_recipients_reach_no_file(start: Start, tmp_path: Path) -> None:
    api = start(tenant=GROWN, messages=MESSAGES)
    result = run_audit(api, tmp_path)
    assert "canary" not in json.dumps(result)
    assert "Invoice 17" not in json.dumps(result)
    for path in (path for path in (tmp_path / "run").rglob("*") if path.is_file()):
        assert b"canary" not in path.read_bytes(), path


def test_a_long_trace_is_read_in_rounds(start: Start, tmp_path: Path) -> None:
    """7,003 recipients at one moment: two queries, the first with five pages."""
    people = [message("plant@contoso.com", *(f"{number}@customer.example" for number in range(7_003)))]
    api = start(tenant=GROWN, messages=people)
    short = run_audit(start(tenant=GROWN, messages=MESSAGES), tmp_path)["cost"]["requests"]
    result = run_audit(api, tmp_path)
    assert sender(result, "plant@contoso.com")["mail"]["recipients"] == 7_003
    assert sender(result, "plant@contoso.com")["mail"]["messages"] == 1
    assert result["cost"]["requests"] == short + 4 + 1 + 2


def test_a_trace_that_was_read_in_part_is_not_zero_for_the_others(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 days only the newest ten are read: who sent before is not silent, no connector is idle, and no sender is only internal."""
    ups: dict[str, Any] = {"via": "direct-send", "source": "198.51.100.7"}
    old = [message("ups@contoso.com", "ada@contoso.com", ago=timedelta(days=day), **ups) for day in (1, 5)]
    scanner = {"name": "Scanner", "address": "noreply@contoso.com", "public_addresses": ["203.0.113.10"]}
    api = start(tenant=GROWN, messages=old)
    whole = run_audit(api, tmp_path, scanner, trace_days=30)
    assert "No message of it was seen in the message trace of 30 days" in sender(whole, "noreply@contoso.com")["reason"]
    assert "guess: no external recipient in 30 days" in run_audit(api, tmp_path, trace_days=30)["draft"]["text"]
    monkeypatch.setattr(message_trace, "REQUESTS", 1)
    result = run_audit(api, tmp_path, scanner, trace_days=30)
    assert "Only the newest messages of 30 days were read" in reasons(result)["message_trace"]
    assert sender(result, "noreply@contoso.com")["mail"] is None
    assert sender(result, "noreply@contoso.com")["verdict"] != "unverified"
    assert sender(result, "ups@contoso.com")["mail"]["messages"] == 2
    assert result["audit"]["configuration"]["idle_connectors"] is None
    assert "connector_idle" not in {one["id"] for one in result["audit"]["findings"]}
    text = run_audit(api, tmp_path, trace_days=30)["draft"]["text"]
    assert "guess: of 4 days" in text
    assert "no external recipient" not in text


def test_a_longer_period_is_read_in_windows_of_ten_days(start: Start, tmp_path: Path) -> None:
    old = [message("plant@contoso.com", "ada@contoso.com", ago=timedelta(days=day)) for day in (1, 15, 25, 35)]
    api = start(tenant=GROWN, messages=old)
    assert sender(run_audit(api, tmp_path, trace_days=30), "plant@contoso.com")["mail"]["messages"] == 3
    assert run_audit(api, tmp_path, trace_days=0)["audit"]["senders"][0]["mail"] is None, "not read"


def test_a_throttled_trace_is_one_sentence_and_the_rest_comes(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = start(tenant=GROWN, messages=MESSAGES)
    api.admin.fault("exchange", "throttled", match={"cmdlet": "Get-MessageTraceV2"}, count=1000)
    follow_clock(monkeypatch, api)
    result = run_audit(api, tmp_path)
    [unreadable] = [name for name, reason in reasons(result).items() if reason]
    assert unreadable == "message_trace"
    assert "Could not read the message trace" in reasons(result)["message_trace"]
    assert {row["mail"] for row in result["audit"]["senders"]} == {None}
    assert result["audit"]["configuration"]["idle_connectors"] is None
    assert result["audit"]["configuration"]["connectors"]
