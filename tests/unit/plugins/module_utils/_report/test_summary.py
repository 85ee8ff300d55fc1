# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report

SENDER: dict[str, Any] = {
    "name": "ERP", "method": "oauth", "address": "erp@contoso.com", "verify_recipient": "x@example.net", "status": "verified",
    "accepted_by": "submission", "seconds": 0.25, "stage": "sent", "code": "", "reason": "", "remedy": "", "transient": False,
}  # fmt: skip
FAILED_SENDER = SENDER | {
    "status": "failed", "accepted_by": "", "stage": "sign-in", "code": "535 5.7.139", "reason": "SMTP AUTH is disabled for this mailbox",
    "remedy": "Enable it.",
}  # fmt: skip


def result(requests: int = 2, **more: Any) -> dict[str, Any]:
    return {"changed": False, "cost": {"requests": requests, "retries": 1, "waited": 0.25}} | more


def texts(report: Report) -> list[str]:
    return [text for text, _colour in report.lines()]


def colours(report: Report) -> dict[str, str | None]:
    """The colour of each line, by its first word."""
    return {text.split()[0]: colour for text, colour in report.lines() if text.strip()}


def test_tasks_are_summed_up_per_tenant() -> None:
    report = Report()
    report.add("fabrikam", "a task", "smtp_auth", result(5, changed=True), False)
    report.add("contoso", "a task", "smtp_auth", result(), False)
    report.add("contoso", "another", "smtp_probe", result(3, senders=[SENDER, FAILED_SENDER]), False)
    totals = report.as_json()["tenants"]
    assert list(totals) == ["contoso", "fabrikam"]
    assert totals["contoso"] == {
        "changed": 0,
        "failed": 0,
        "requests": 5,
        "retries": 2,
        "waited": 0.5,
        "verified": 1,
        "senders": 2,
        "senders_failed": 1,
    }
    assert totals["fabrikam"]["changed"] == 1


def test_the_table_of_senders_has_status_and_cause() -> None:
    report = Report()
    report.add("contoso", "Verify", "smtp_probe", result(senders=[SENDER, FAILED_SENDER | {"name": "Scanner"}]), False)
    rendered = texts(report)
    assert rendered[1].split() == ["TENANT", "CHANGED", "REQUESTS", "RETRIES", "WAITED", "SENDERS"]
    assert rendered[2].split() == ["contoso", "0", "2", "1", "0.2", "s", "1", "of", "2", "verified"]
    assert rendered[5].split() == [
        "contoso",
        "ERP",
        "OAuth",
        "erp@contoso.com",
        "verified",
        "in",
        "0.25",
        "s,",
        "accepted",
        "by",
        "submission",
    ]
    assert rendered[6].endswith("failed: sign-in")
    assert rendered[7] == "    SMTP AUTH is disabled for this mailbox (535 5.7.139). Enable it."
    assert colours(report)["contoso"] == "red"


def test_a_check_run_shows_method_and_reason_of_every_sender() -> None:
    reason = "it supports Basic authentication only; " + "; ".join(["not this, because of that"] * 8)
    plan = [{"name": "ERP", "method": "oauth", "reason": "it signs in with OAuth"}, {"name": "Old", "method": "basic", "reason": reason}]
    report = Report()
    report.add("contoso", "Plan", "sender_plan", result(plan=plan), True)
    rendered = texts(report)
    assert rendered[4].split() == ["TENANT", "SENDER", "METHOD", "REASON"]
    assert rendered[5] == "contoso  ERP     OAuth                 it signs in with OAuth"
    assert rendered[6].startswith("contoso  Old     Basic authentication  it supports Basic authentication only;")
    assert " ".join(line[39:] for line in rendered[6:]) == reason
    assert report.as_json()["tasks"][0]["plan"] == plan


def test_a_real_run_shows_no_plans() -> None:
    report = Report()
    report.add("contoso", "Plan", "sender_plan", result(plan=[{"name": "ERP", "method": "oauth", "reason": "it can"}]), False)
    assert not any("REASON" in text for text in texts(report))


def test_a_check_run_shows_what_would_change() -> None:
    report = Report()
    report.add("contoso", "a task", "smtp_auth", result(changed=True), True)
    report.add("contoso", "Verify", "smtp_probe", result(senders=[SENDER | {"status": "not_verified", "stage": "tls"}]), True)
    rendered = texts(report)
    assert "WOULD CHANGE" in rendered[1]
    assert rendered[5].endswith("reachable")
    assert colours(report)["TENANT"] == "bright gray"
    assert {colour for text, colour in report.lines() if text.startswith("contoso")} == {"yellow", None}


def test_failed_task_is_printed_once() -> None:
    report = Report()
    report.add("contoso", "a task", "smtp_auth", {"failed": True, "msg": "contoso.com: it is " + "long " * 40, "failure": {}}, False)
    rendered = texts(report)
    assert "FAILED" in rendered
    assert rendered[rendered.index("FAILED") + 1].startswith("contoso: contoso.com: it is long")
    assert all(len(text) <= 118 for text in rendered)
    assert report.as_json()["tenants"]["contoso"]["failed"] == 1


@pytest.mark.parametrize(("stage", "words"), [("input", "failed"), ("recipient", "failed: recipient"), ("queue", "queued")])
def test_the_status_of_a_sender_that_cannot_send(stage: str, words: str) -> None:
    report = Report()
    report.add("contoso", "Verify", "smtp_probe", result(senders=[FAILED_SENDER | {"stage": stage, "transient": True}]), False)
    assert texts(report)[5].endswith(words)
    assert texts(report)[6].endswith("Waiting may help.")


NOT_VERIFIABLE = SENDER | {
    "status": "not_verifiable", "accepted_by": "", "stage": "source", "reason": "this host sends from 198.51.100.7",
    "remedy": "Use another.",
}  # fmt: skip


def test_a_sender_that_is_not_verified_has_its_reason_and_does_not_make_the_tenant_red() -> None:
    without = SENDER | {
        "status": "not_verified",
        "accepted_by": "",
        "stage": "input",
        "reason": "there is no recipient",
        "remedy": "Set it.",
    }
    report = Report()
    report.add("contoso", "Verify", "smtp_probe", result(senders=[NOT_VERIFIABLE, without, SENDER]), False)
    rendered = [line.strip() for line in texts(report)[5:]]
    assert rendered[0].endswith("not verifiable from here")
    assert rendered[1] == "This host sends from 198.51.100.7. Use another."
    assert rendered[2].endswith("not verified")
    assert rendered[3] == "There is no recipient. Set it."
    assert [colour for _text, colour in report.lines()][5:] == ["yellow", "yellow", None, None, "green"]
    assert [colour for _text, colour in report.lines()][2] == "green"


def test_only_documented_values_are_kept() -> None:
    report = Report()
    report.add("contoso", "a task", "entra_app", result(app={"app_id": "x"}, diff={"before": "", "after": {"a": 1}}), False)
    [task] = json.loads(json.dumps(report.as_json()))["tasks"]
    assert task["diff"] == {"before": "", "after": {"a": 1}}
    assert "app" not in task


SPF_RECORD = "v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com -all"
RECORD: dict[str, Any] = {
    "domain": "contoso.com", "current": [SPF_RECORD], "desired": SPF_RECORD, "dns_lookups": 1, "published": True, "valid": True,
    "problems": [],
}  # fmt: skip


def test_spf_records_are_printed_so_that_they_can_be_copied() -> None:
    report = Report()
    long = SPF_RECORD.replace(" -all", " include:_spf.example.com" * 5 + " -all")
    records = [RECORD, RECORD | {"domain": "sales.contoso.com", "current": [], "desired": long, "dns_lookups": 6, "published": False}]
    report.add("contoso", "SPF", "spf", result(records=records), False)
    rendered = texts(report)
    assert rendered[4].split() == ["TENANT", "DOMAIN", "DNS", "LOOKUPS", "SPF"]
    assert rendered[5].split() == ["contoso", "contoso.com", "1", "up", "to", "date"]
    assert rendered[6].split() == ["contoso", "sales.contoso.com", "6", "update", "required"]
    assert rendered[7:] == ["    current     none", f"    desired     {long}"]
    assert report.as_json()["tasks"][0]["records"] == records


@pytest.mark.parametrize(
    ("check_mode", "state", "titles"),
    [(False, "published", ("previous", "published")), (True, "would be published", ("current", "desired"))],
)
def test_a_record_that_this_run_publishes(check_mode: bool, state: str, titles: tuple[str, str]) -> None:
    report = Report()
    report.add("contoso", "SPF", "spf", result(changed=True, records=[RECORD | {"current": ["v=spf1 -all"]}]), check_mode)
    rendered = texts(report)
    assert rendered[5].endswith(state)
    assert rendered[6:] == [f"    {titles[0]:10}  v=spf1 -all", f"    {titles[1]:10}  {SPF_RECORD}"]


def test_a_published_record_that_is_invalid() -> None:
    report = Report()
    report.add("contoso", "SPF", "spf", result(records=[RECORD | {"valid": False}]), False)
    assert texts(report)[5].endswith("invalid (permerror)")


def test_problem_of_a_record_is_printed_in_red() -> None:
    report = Report()
    problem = {"name": "dns_error", "message": "contoso.com: the TXT records could not be read."}
    record = RECORD | {"current": [], "desired": "", "published": False, "valid": False, "problems": [problem]}
    report.add("contoso", "SPF", "spf_info", result(records=[record]), False)
    assert texts(report)[5:] == [
        "contoso  contoso.com            -  invalid (permerror)",
        "    contoso.com: the TXT records could not be read.",
    ]
    assert [colour for _text, colour in report.lines()][5:] == ["red", "red"]
    report.add("contoso", "another", "entra_app", result(records=[record]), False)
    assert report.as_json()["tasks"][1]["records"] == [], "another module's records are its own"


def relay_state(*problems: dict[str, Any], messages: int = 0) -> dict[str, Any]:
    queue = {"messages": messages, "held": 1 if messages else 0, "oldest": 900.0 if messages else None}
    return {
        "read_at": 1000.0, "queue": queue, "problems": list(problems), "token": {"expires": 3400.0},
        "mailboxes": [{"last_sent": None}, {"last_sent": 940.0}],
    }  # fmt: skip


def test_relay_hosts_have_a_table_with_their_problems() -> None:
    problem = {
        "subject": "scanner@contoso.com", "cause": "SMTP AUTH is disabled for this mailbox", "remedy": "Enable it.", "code": "535 5.7.139",
        "messages": 3, "severity": "high",
    }  # fmt: skip
    report = Report()
    report.add("relay2", "Read", "relay_status", result(0, relay=relay_state(problem, messages=3)), False)
    report.add("relay1", "Read", "relay_status", result(0, relay=relay_state()), False)
    rendered = [line.split() for line in texts(report)]
    assert rendered[1:4] == [
        ["RELAY", "QUEUE", "OLDEST", "LAST", "SENT", "TOKEN", "STATE"],
        ["relay1", "0", "-", "1", "min", "ago", "40", "min", "left", "healthy"],
        ["relay2", "3,", "1", "held", "2", "min", "1", "min", "ago", "40", "min", "left", "1", "to", "solve"],
    ]
    assert texts(report)[4:] == [
        "    scanner@contoso.com, 3 messages: SMTP AUTH is disabled for this mailbox (535 5.7.139). Enable it.",
    ]
    assert (colours(report)["relay1"], colours(report)["relay2"]) == ("green", "red")
    assert report.as_json()["tenants"] == {}
