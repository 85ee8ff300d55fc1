# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import FORMAT, Report

SENDER: dict[str, Any] = {
    "name": "ERP", "method": "oauth", "address": "erp@contoso.com", "verify_recipient": "x@example.net", "status": "verified",
    "seconds": 0.25, "stage": "sent", "code": "", "reason": "", "remedy": "", "transient": False, "accepted_by": "",
}  # fmt: skip
FAILED_SENDER = SENDER | {
    "status": "failed", "stage": "sign-in", "code": "535 5.7.139", "reason": "SMTP AUTH is disabled for this mailbox",
    "remedy": "Enable it.",
}  # fmt: skip
SPF_RECORD = "v=spf1 ip4:203.0.113.10 include:spf.protection.outlook.com -all"
RECORD: dict[str, Any] = {
    "domain": "contoso.com", "current": [SPF_RECORD], "desired": SPF_RECORD, "dns_lookups": 1, "published": True, "valid": True,
    "problems": [],
}  # fmt: skip


def result(requests: int = 2, **more: Any) -> dict[str, Any]:
    return {"changed": False, "cost": {"requests": requests, "retries": 1, "waited": 0.25}} | more


class Run(Report):
    """A report with results of the collection's modules."""

    def task(self, host: str, name: str, module: str, values: dict[str, Any], check_mode: bool = False) -> None:
        self.check_mode = check_mode
        self.add(host, name, module, values, check_mode)


def texts(report: Report, full: bool = False) -> list[str]:
    return [text for text, _colour in report.lines(full)]


def colours(report: Report, full: bool = False) -> dict[str, str | None]:
    """The colour of each line, by its first word."""
    return {text.split()[0]: colour for text, colour in report.lines(full) if text.strip()}


def table(report: Report, heading: str, full: bool = False) -> list[list[str]]:
    """The words of the rows below the heading that starts with this word."""
    lines = texts(report, full)
    start = next(number for number, text in enumerate(lines) if text.startswith(heading))
    return [text.split() for text in lines[start:] if text][: lines[start:].index("") if "" in lines[start:] else None]


# -- totals -----------------------------------------------------------------------------------------------------------


def test_tasks_are_summed_up_per_tenant() -> None:
    report = Run()
    report.task("fabrikam", "a task", "smtp_auth", result(5, changed=True))
    report.task("contoso", "a task", "smtp_auth", result())
    report.task("contoso", "another", "smtp_probe", result(3, senders=[SENDER, FAILED_SENDER | {"name": "Scanner"}]))
    tenants = report.as_json()["tenants"]
    assert list(tenants) == ["contoso", "fabrikam"]
    assert tenants["contoso"] == {
        "state": "unchanged", "changed": 0, "failed": 0, "requests": 5, "retries": 2, "waited": 0.5, "verified": 1, "senders": 2,
        "senders_failed": 1, "not_verifiable": 0, "not_verified": 0,
    }  # fmt: skip
    assert (tenants["fabrikam"]["state"], tenants["fabrikam"]["changed"]) == ("changed", 1)


def test_the_first_line_has_the_totals() -> None:
    report = Run(seconds=72.4)
    for number in range(97):
        report.task(f"tenant-{number:03}", "a task", "smtp_auth", result(10))
    report.task("tenant-097", "a task", "smtp_auth", result(500, changed=True))
    statuses = ("verified", "failed", "not_verifiable", "not_verifiable")
    senders = [FAILED_SENDER | {"name": str(number), "status": status} for number, status in enumerate(statuses)]
    report.task("tenant-001", "Verify", "smtp_probe", result(0, senders=senders))
    failed = {"failed": True, "failure": {"problems": ["No."]}, "msg": "No."}
    report.task("tenant-098", "a task", "smtp_auth", failed)
    report.task("tenant-099", "a task", "smtp_auth", failed | {"unreachable": True})
    line = "tenants: 97 unchanged, 1 changed, 2 failed; senders: 1 verified, 1 failed, 2 not verifiable; 72 s, 1,470 requests"
    assert texts(report)[:3] == ["", line, ""]
    assert report.lines()[1][1] == "red"
    assert report.as_json()["totals"] == {
        "tenants": {"unchanged": 97, "changed": 1, "failed": 1, "unreachable": 1, "not_run": 0},
        "relays": {"unchanged": 0, "changed": 0, "failed": 0, "unreachable": 0, "not_run": 0},
        "senders": {"verified": 1, "failed": 1, "not_verifiable": 2, "not_verified": 0},
        "requests": 1470, "retries": 99, "waited": 24.8, "seconds": 72.4,
    }  # fmt: skip


def test_tenants_without_changes_are_one_line() -> None:
    report = Run(seconds=4.21)
    for number in range(100):
        report.task(f"tenant-{number:03}", "Verify", "smtp_probe", result(10, senders=[SENDER]))
    assert report.lines() == [("", None), ("tenants: 100 unchanged; senders: 100 verified; 4.2 s, 1,000 requests", "green")]
    assert len(table(report, "TENANT", full=True)) == 101


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (31.4, "31 s"), (72.4, "72 s"), (725, "12 min"), (7500, "2 h 5 min")])
def test_durations(seconds: float, text: str) -> None:
    report = Run(seconds=seconds)
    report.task("contoso", "a task", "smtp_auth", result(1))
    assert texts(report)[1] == f"tenants: 1 unchanged; {text}, 1 request"


def test_a_refused_write_is_no_change() -> None:
    report = Run()
    failure = {"attempted": "set SMTP AUTH", "cause": "the app lacks a role", "code": "Forbidden", "remedy": "Grant it."}
    report.task("contoso", "Configure SMTP AUTH", "smtp_auth", result(failed=True, changed=True, failure=failure, msg="x"))
    tenant = report.as_json()["tenants"]["contoso"]
    assert (tenant["state"], tenant["changed"], tenant["failed"]) == ("failed", 0, 1)
    assert texts(report)[4:] == [
        "contoso  Configure SMTP AUTH: Could not set SMTP AUTH: the app lacks a role (Forbidden).",
        "           Grant it. Part of the change may be in effect: the next run compares again and completes it.",
    ]


# -- needs attention --------------------------------------------------------------------------------------------------


def failed_by_ansible(report: Run, host: str, values: dict[str, Any], source: str = "") -> None:
    name = "mailops.m365.tenant : Validating arguments against arg spec 'main' - Configure a tenant"
    report.add_failure(host, name, "ansible.builtin.validate_argument_spec", values, False, source)


def test_failures_of_every_cause_are_listed_with_their_remedy() -> None:
    report = Run()
    failed_by_ansible(
        report, "args", {"argument_errors": ["kind is wrong", "address is missing"], "validate_args_context": {"name": "tenant"}}
    )
    failed_by_ansible(report, "undefined", {"msg": "Task failed: 'x' is undefined"}, source="/i/hosts.yml:5")
    off = "Task failed: Failed to connect to the host via ssh: ssh: connect to host h port 22: No route to host"
    failed_by_ansible(report, "off", {"unreachable": True, "msg": off})
    failed_by_ansible(report, "command", {"msg": "non-zero return code", "rc": 3, "stderr": "one\n\nlast\n"})
    failed_by_ansible(report, "secret", {"censored": "the output has been hidden due to 'no_log: true'"})
    assert texts(report)[3:] == [
        "NEEDS ATTENTION",
        "args       Validate role variables: 2 problems",
        "             - Kind is wrong.",
        "             - Address is missing.",
        "             Correct the host's variables (role tenant); nothing was changed.",
        "command    Validate role variables: Non-zero return code (exit status 3): last.",
        "off        Validate role variables: Unreachable: ssh: connect to host h port 22: No route to host.",
        "             Check that the host is on, that its address is correct and that Ansible can sign in to it.",
        "secret     Validate role variables: The output has been hidden due to 'no_log: true'.",
        "undefined  Validate role variables: 'x' is undefined.",
        "             Define the variable, or correct its name (/i/hosts.yml:5).",
    ]
    tasks = {task["tenant"]: task for task in report.as_json()["tasks"]}
    assert tasks["args"]["problems"] == ["Kind is wrong.", "Address is missing."]
    assert all(task["failed"] for task in tasks.values())
    assert [entry["hosts"] for entry in report.as_json()["attention"]] == [["args"], ["command"], ["off"], ["secret"], ["undefined"]]


def test_a_failure_of_several_hosts_is_one_entry() -> None:
    report = Run()
    values = {
        "failed": True,
        "msg": "x",
        "failure": {"attempted": "sign in", "cause": "no answer", "code": "", "remedy": "Check the proxy."},
    }
    for number in range(40):
        report.task(f"tenant-{number:02}", "Plan sending methods", "sender_plan", values)
    lines = texts(report)[3:]
    assert lines[:2] == ["NEEDS ATTENTION", "40 hosts  Plan sending methods: Could not sign in: no answer."]
    assert lines[-2:] == ["            tenant-09, tenant-10, tenant-11 and 28 more", "            Check the proxy."]
    assert len(lines) == 5
    assert len(report.as_json()["attention"][0]["hosts"]) == 40


def test_a_failed_sender_is_explained_once() -> None:
    report = Run()
    failed = result(senders=[SENDER, FAILED_SENDER | {"name": "Scanner"}], failed=True, msg="1 of 2 senders cannot send: ...", failure={})
    report.task("contoso", "Verify", "smtp_probe", failed)
    assert texts(report)[3:6] == [
        "NEEDS ATTENTION",
        "contoso  Sender Scanner (OAuth, erp@contoso.com): SMTP AUTH is disabled for this mailbox (535 5.7.139).",
        "           Enable it.",
    ]
    assert sum("SMTP AUTH" in text for text in texts(report)) == 1
    assert table(report, "TENANT   STATUS")[1] == ["contoso", "failed", "2", "1", "0.2", "s", "1", "of", "2", "verified"]
    assert table(report, "TENANT   SENDER")[1:] == [["contoso", "Scanner", "OAuth", "erp@contoso.com", "failed:", "sign-in"]]
    assert colours(report)["contoso"] == "red"
    assert sum(row[1] == "ERP" for row in table(report, "TENANT   SENDER", full=True)) == 1


def test_a_host_that_did_not_run_and_one_without_a_reason_are_listed() -> None:
    report = Run(hosts=Hosts(failed={"contoso"}, not_run={"fabrikam"}, unreachable=set()))
    assert texts(report)[1] == "tenants: 1 failed, 1 not run; 0.0 s, 0 requests"
    assert texts(report)[3:] == [
        "NEEDS ATTENTION",
        "contoso   Failed: the output of the run has the cause.",
        "fabrikam  Not run: the run ended before it.",
        "            Run again with the hosts that are left.",
    ]


def test_a_rescued_failure_needs_no_attention() -> None:
    report = Run(hosts=Hosts())
    report.task("contoso", "a task", "smtp_auth", {"failed": True, "msg": "x", "failure": {}})
    assert report.as_json()["attention"] == []
    assert report.as_json()["tenants"]["contoso"]["state"] == "unchanged"


def test_entries_that_a_module_declares_come_after_failures() -> None:
    report = Run()
    entries = [
        {"kind": "orphan", "subject": "Mailbox old@contoso.com", "problem": "no sender needs it", "remedy": "Set m365_remove_orphans."},
        {"kind": "key", "subject": "Certificate a.pem", "problem": "expires in 5 days", "remedy": "Renew it."},
    ]
    report.task("contoso", "a task", "tenant", result(attention=entries))
    report.task("fabrikam", "a task", "tenant", {"failed": True, "msg": "No.", "failure": {}})
    assert texts(report)[3:] == [
        "NEEDS ATTENTION",
        "fabrikam  a task: No.",
        "contoso   Certificate a.pem: Expires in 5 days.",
        "            Renew it.",
        "contoso   Mailbox old@contoso.com: No sender needs it.",
        "            Set m365_remove_orphans.",
    ]
    assert colours(report)["contoso"] == "yellow"


@pytest.mark.parametrize(("stage", "words"), [("input", "failed"), ("recipient", "failed: recipient"), ("queue", "failed: still queued")])
def test_the_status_of_a_sender_that_cannot_send(stage: str, words: str) -> None:
    report = Run()
    report.task("contoso", "Verify", "smtp_probe", result(senders=[FAILED_SENDER | {"stage": stage, "transient": True}]))
    assert " ".join(table(report, "TENANT   SENDER")[1]).endswith(words)
    assert any(text.endswith("Waiting may help.") for text in texts(report))


def test_senders_that_are_not_verifiable_need_attention_without_failing_the_run() -> None:
    report = Run()
    senders = [
        SENDER | {"name": "Plant", "status": "not_verifiable", "reason": "only a host at 203.0.113.10 can verify it."},
        SENDER | {"name": "ERP", "status": "verified", "accepted_by": "connector"},
        SENDER | {"name": "UPS", "status": "not_verified", "stage": "recipient", "reason": "it has no verify_recipient"},
    ]
    report.task("contoso", "Verify", "smtp_probe", result(senders=senders))
    assert texts(report)[4] == (
        f"contoso  Sender Plant (OAuth, {SENDER['address']}): Not verifiable: only a host at 203.0.113.10 can verify it."
    )
    assert [text for text, colour in report.lines() if colour == "red"] == []
    assert report.lines()[1][1] == "yellow"
    rows = table(report, "TENANT")
    assert [row[1] for row in rows if row[0] == "contoso"] == ["Plant", "UPS"]
    [erp] = [row for row in table(report, "TENANT   SENDER", full=True) if row[1] == "ERP"]
    assert erp[4:] == ["verified", "in", "0.25", "s,", "accepted", "by", "a", "connector"]
    assert ["It", "has", "no", "verify_recipient."] in rows
    assert report.as_json()["tenants"]["contoso"]["not_verifiable"] == 1


def test_a_check_run_does_not_explain_each_sender() -> None:
    skipped = SENDER | {"status": "not_verified", "reason": "a check run sends no message", "stage": "check_mode"}
    report = Run()
    report.task("contoso", "Verify", "smtp_probe", result(senders=[skipped]), True)
    assert len(texts(report)) == 2
    assert texts(report, full=True)[-1].endswith("skipped")


def test_only_some_senders_that_are_not_verifiable_are_rows() -> None:
    report = Run()
    for number in range(30):
        failed = [FAILED_SENDER | {"name": "ERP"}] if number == 29 else []
        plant = SENDER | {"name": "Plant", "status": "not_verifiable", "reason": f"only a host at 203.0.113.{number % 2} can verify it."}
        report.task(f"tenant-{number:02}", "Verify", "smtp_probe", result(senders=[plant, *failed]))
    rows = [text for text in texts(report)[texts(report).index("") + 1 :] if "Plant" in text or "ERP" in text or text.startswith("    ")]
    in_table = rows[rows.index(next(row for row in rows if row.startswith("tenant-29  ERP"))) :]
    assert len(in_table) == 1 + 10 + 1, "failed ones first, and the rest as a number; the reasons are under NEEDS ATTENTION"
    assert sum("nly a host at" in text for text in texts(report)) == 2, "each reason once"
    assert in_table[-1] == "    20 more senders are not verified: -v lists all, with the reason."
    assert sum("Plant" in text and text.endswith("not verifiable from here") for text in texts(report, full=True)) == 30


# -- warnings ---------------------------------------------------------------------------------------------------------


def test_warnings_have_their_hosts_and_come_last() -> None:
    report = Run()
    for host in ("contoso", "fabrikam"):
        report.task(host, "a task", "tenant", result(warnings=["UPS: without addresses its mail may be spam", f"Odd {host}."]))
    assert texts(report)[3:] == [
        "WARNINGS",
        "2 hosts   UPS: Without addresses its mail may be spam.",
        "            contoso, fabrikam",
        "contoso   Odd contoso.",
        "fabrikam  Odd fabrikam.",
    ]
    assert colours(report)["2"] == "yellow"
    document = report.as_json()
    assert document["attention"] == []
    assert document["warnings"][0] == {
        "hosts": ["contoso", "fabrikam"], "subject": "UPS", "warning": "Without addresses its mail may be spam.",
    }  # fmt: skip
    assert document["tasks"][0]["warnings"] == ["UPS: without addresses its mail may be spam", "Odd contoso."]


def test_a_warning_of_a_record_is_not_repeated() -> None:
    report = Run()
    problem = {"name": "x", "message": "contoso.com: include:a.example is a permanent error."}
    record = RECORD | {"current": ["v=spf1 -all"], "published": False, "valid": False, "problems": [problem]}
    texts_of_module = [problem["message"], f"contoso.com: publish the TXT record {SPF_RECORD} (1 DNS lookups)."]
    report.task("contoso", "SPF", "spf", result(records=[record], warnings=texts_of_module))
    assert texts(report)[3:] == [
        "NEEDS ATTENTION",
        "contoso  SPF record of contoso.com: include:a.example is a permanent error.",
        f"           {SPF_RECORD}",
    ]


def test_a_warning_of_an_entry_that_needs_attention_is_not_repeated() -> None:
    entry = {"kind": "key", "subject": "Certificate a.pem", "problem": "expires in 5 days.", "remedy": "Renew it."}
    report = Run()
    report.task("contoso", "a task", "tenant", result(attention=[entry], warnings=["Certificate a.pem: expires in 5 days. Renew it."]))
    assert texts(report)[3:] == ["NEEDS ATTENTION", "contoso  Certificate a.pem: Expires in 5 days.", "           Renew it."]
    assert report.as_json()["warnings"] == []


# -- tables -----------------------------------------------------------------------------------------------------------


def test_a_check_run_shows_method_and_reason_of_every_sender_of_a_tenant_that_would_change() -> None:
    reason = "it supports Basic authentication only; " + "; ".join(["not this, because of that"] * 8)
    plan = [{"name": "ERP", "method": "oauth", "reason": "it signs in with OAuth"}, {"name": "Old", "method": "basic", "reason": reason}]
    report = Run()
    report.task("contoso", "Plan", "sender_plan", result(plan=plan), True)
    report.task("contoso", "Configure", "smtp_auth", result(changed=True), True)
    report.task("fabrikam", "Plan", "sender_plan", result(plan=plan), True)
    rendered = texts(report)
    assert rendered[1].startswith("tenants: 1 unchanged, 1 would change;")
    assert rendered[6].split() == ["TENANT", "SENDER", "METHOD", "REASON"]
    assert rendered[7] == "contoso  ERP     OAuth                 it signs in with OAuth"
    assert rendered[8].startswith("contoso  Old     Basic authentication  it supports Basic authentication only;")
    assert " ".join(line[39:] for line in rendered[8:]) == reason
    assert any(text.startswith("fabrikam  ERP") for text in texts(report, full=True))
    assert report.as_json()["tasks"][0]["plan"] == plan


def test_a_real_run_shows_no_plans() -> None:
    report = Run()
    report.task("contoso", "Plan", "sender_plan", result(plan=[{"name": "ERP", "method": "oauth", "reason": "it can"}], changed=True))
    assert not any("REASON" in text for text in texts(report, full=True))


def test_a_check_run_shows_what_would_change() -> None:
    report = Run()
    report.task("contoso", "a task", "smtp_auth", result(changed=True), True)
    report.task("contoso", "Verify", "smtp_probe", result(senders=[SENDER | {"status": "not_verified", "stage": "tls"}]), True)
    assert table(report, "TENANT")[1] == ["contoso", "would", "change", "4", "2", "0.5", "s", "0", "of", "1", "verified", "smtp_auth"]
    assert texts(report, full=True)[-1].endswith("reachable")
    assert colours(report)["TENANT"] == "bright gray"
    assert colours(report)["contoso"] == "yellow"


def test_the_modules_that_changed_something_are_named() -> None:
    report = Run(width=80)
    names = ["shared_mailbox", "entra_app", "exchange_service_principal", "inbound_connector", "smtp_auth", "spf"]
    for name in names:
        report.task("contoso", "a task", name, {"changed": True, "cost": {"requests": 1, "retries": 0, "waited": 0.0}})
    rows = texts(report)[3:]
    assert rows[0] == "TENANT   STATUS   REQUESTS  CHANGES"
    assert " ".join(row[28:].strip() for row in rows[1:]) == ", ".join(names)
    assert all(len(row) <= 80 for row in rows)


def test_restored_settings_are_counted() -> None:
    report = Run(width=100)
    changes = [{"action": action} for action in ("remove", "restore", "restore")]
    report.task("contoso", "Configure the tenant: smtp_auth", "smtp_auth", result(changed=True))
    report.task("contoso", "Configure the tenant", "tenant", result(changes=changes))
    assert texts(report)[4].endswith("smtp_auth (2 restored)")
    assert report.as_json()["tasks"][-1]["changes"] == changes


def test_only_documented_values_are_kept() -> None:
    report = Run()
    report.task("contoso", "a task", "entra_app", result(app={"app_id": "x"}, diff={"before": "", "after": {"a": 1}}))
    failed_by_ansible(report, "fabrikam", {"msg": "No.", "stdout": "x", "argument_spec_data": {"a": "b"}, "cost": {}, "plan": [{}]})
    document = json.loads(json.dumps(report.as_json()))
    task, failed = document["tasks"]
    assert task["diff"] == {"before": "", "after": {"a": 1}}
    assert "app" not in task
    assert not failed.keys() & {"stdout", "argument_spec_data"}
    assert failed["plan"] == []


def test_the_json_report_has_a_format_and_a_status() -> None:
    report = Run(started="2026-11-28T16:00:00Z")
    report.task("contoso", "a task", "smtp_auth", result())
    assert (FORMAT, report.as_json()["format"]) == ("mailops.report/1", "mailops.report/1")
    assert report.as_json()["status"] == "running"
    report.hosts = Hosts()
    assert report.as_json()["status"] == "ok"
    report.hosts = Hosts(not_run={"fabrikam"})
    assert report.as_json()["status"] == "failed"


def test_records_to_publish_can_be_copied() -> None:
    report = Run()
    long = SPF_RECORD.replace(" -all", " include:_spf.example.com" * 5 + " -all")
    records = [RECORD, RECORD | {"domain": "sales.contoso.com", "current": [], "desired": long, "dns_lookups": 6, "published": False}]
    report.task("contoso", "SPF", "spf", result(records=records))
    assert texts(report)[3:] == [
        "NEEDS ATTENTION",
        "contoso  SPF record of sales.contoso.com: To be published (there is none).",
        f"           {long}",
    ]
    rows = table(report, "TENANT   DOMAIN", full=True)
    assert rows[0] == ["TENANT", "DOMAIN", "DNS", "LOOKUPS", "SPF"]
    assert rows[1] == ["contoso", "contoso.com", "1", "up", "to", "date"]
    assert rows[2] == ["contoso", "sales.contoso.com", "6", "update", "required"]
    assert texts(report, full=True)[-2:] == ["    current     none", f"    desired     {long}"]
    assert report.as_json()["tasks"][0]["records"] == records


@pytest.mark.parametrize(
    ("check_mode", "state", "titles"),
    [(False, "published", ("previous", "published")), (True, "would be published", ("current", "desired"))],
)
def test_a_record_that_this_run_publishes(check_mode: bool, state: str, titles: tuple[str, str]) -> None:
    report = Run()
    report.task("contoso", "SPF", "spf", result(changed=True, records=[RECORD | {"current": ["v=spf1 -all"]}]), check_mode)
    rendered = texts(report)
    assert "NEEDS ATTENTION" not in rendered
    assert rendered[7].endswith(state)
    assert rendered[8:] == [f"    {titles[0]:10}  v=spf1 -all", f"    {titles[1]:10}  {SPF_RECORD}"]


def test_a_published_record_that_is_invalid() -> None:
    report = Run()
    report.task("contoso", "SPF", "spf", result(records=[RECORD | {"valid": False}]))
    text = "contoso  SPF record of contoso.com: Invalid: receivers evaluate it as a permanent error (permerror)."
    assert (text, "red") in report.lines()
    assert texts(report, full=True)[-1].endswith("invalid (permerror)")


def test_the_problem_of_a_record_is_printed_in_red() -> None:
    report = Run()
    problem = {"name": "dns_error", "message": "The TXT records could not be read."}
    record = RECORD | {"current": [], "desired": "", "published": False, "valid": False, "problems": [problem]}
    report.task("contoso", "SPF", "spf_info", result(records=[record]))
    assert ("contoso  SPF record of contoso.com: The TXT records could not be read.", "red") in report.lines()
    assert texts(report, full=True)[-1] == "contoso  contoso.com            -  invalid (permerror)"
    report.task("contoso", "another", "entra_app", result(records=[record]))
    assert report.as_json()["tasks"][1]["records"] == [], "another module's records are its own"
