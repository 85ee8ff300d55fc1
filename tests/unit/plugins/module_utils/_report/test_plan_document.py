# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report

Document = dict[str, Any]
COST = {"requests": 2, "retries": 0, "waited": 0.0}


def change(name: str, action: str = "add") -> Document:
    sides = {"before": None, "after": {"display_name": name}}
    return {"action": action, "kind": "mailbox", "object": name, "key": f"mailbox:{name}", "reason": "sender ERP", "risk": ""} | sides


def planned(*changes: Document, **more: Any) -> Document:
    """A result of module tenant with one component."""
    part = {"component": "identity", "module": "shared_mailbox", "subject": "", "status": "planned", "changed": True, "result": {}}
    parts = [part | {"diff": {"before": {}, "after": {}}}] if changes else []
    return {"changed": bool(changes), "changes": list(changes), "components": parts, "cost": COST} | more


def report_of(**results: Document) -> Report:
    """A check run of module tenant, with a result for each tenant."""
    report = Report(started="2026-11-29T10:00:00Z", check_mode=True)
    for host, result in results.items():
        report.add(host, "Plan", "tenant", result, check_mode=True)
    report.hosts = Hosts(failed={host for host, result in results.items() if result.get("failed")}, tenants=set(results))
    return report


def test_the_plan_has_the_changes_of_each_tenant_and_their_sums() -> None:
    plan = report_of(b=planned(change("x"), change("y", "remove")), a=planned()).plan.as_json()
    assert (plan["format"], plan["started"], plan["status"], plan["changes"]) == ("mailops.plan/1", "2026-11-29T10:00:00Z", "ok", True)
    assert list(plan["tenants"]) == ["a", "b"]
    assert plan["tenants"]["a"] | {"totals": None} == {
        "state": "unchanged", "totals": None, "changes": [], "tasks": [], "problems": [], "warnings": [],
    }  # fmt: skip
    assert plan["tenants"]["b"]["changes"] == [change("x"), change("y", "remove")]
    assert plan["tenants"]["b"]["totals"] == {"add": 1, "change": 0, "remove": 1, "restore": 0, "tasks": 0}
    assert plan["totals"] == {"add": 1, "change": 0, "remove": 1, "restore": 0, "tasks": 0, "hosts": 2, "failed": 0}
    assert json.loads(json.dumps(plan)) == plan


def test_nothing_to_change_is_no_change() -> None:
    plan = report_of(a=planned()).plan
    assert (plan.changed, plan.as_json()["changes"]) == (False, False)


def test_a_failed_tenant_has_its_problems_and_no_changes() -> None:
    failure = {"problems": ["m365_senders: UPS: direct_send is impossible."]}
    plan = report_of(a={"failed": True, "failure": failure, "msg": "x", "cost": COST}, b=planned(change("x"))).plan.as_json()
    assert (plan["status"], plan["totals"]["failed"]) == ("failed", 1)
    assert plan["tenants"]["a"]["problems"] == [{"task": "Plan", "problems": failure["problems"], "remedy": ""}]


def test_tasks_of_other_modules_are_counted() -> None:
    report = report_of(a=planned())
    report.add("a", "Enable", "smtp_auth", {"changed": True, "diff": {"before": 1, "after": 2}, "cost": COST}, check_mode=True)
    report.add("relay", "Deploy", "relay_files", {"changed": True, "diff": {"before": "", "after": "x"}, "cost": COST}, check_mode=True)
    report.add_change("relay", "Install", "ansible.builtin.apt")
    report.add_change("other", "Copy", "ansible.builtin.copy")
    assert report.hosts
    report.hosts.relays = {"relay"}
    plan = report.plan.as_json()
    assert plan["tenants"]["a"]["tasks"] == [{"task": "Enable", "module": "smtp_auth", "diff": {"before": 1, "after": 2}}]
    assert plan["tenants"]["a"]["state"] == "changed"
    assert [task["task"] for task in plan["relays"]["relay"]["tasks"]] == ["Deploy", "Install"]
    assert plan["others"]["other"]["tasks"] == [{"task": "Copy", "module": "ansible.builtin.copy", "diff": None}]
    assert plan["totals"]["tasks"] == 4


def test_warnings_are_listed_once() -> None:
    report = report_of(a=planned(warnings=["UPS: no SPF.", "UPS: no SPF."]))
    assert report.plan.as_json()["tenants"]["a"]["warnings"] == ["UPS: no SPF."]


def test_before_the_end_the_plan_is_running() -> None:
    assert Report(check_mode=True).plan.as_json()["status"] == "running"


def test_a_failure_that_was_rescued_is_no_problem() -> None:
    report = report_of(a=planned(change("x")))
    report.add_failure("a", "Try", "ansible.builtin.command", {"msg": "no"}, check_mode=True)
    plan = report.plan.as_json()
    assert (plan["tenants"]["a"]["state"], plan["tenants"]["a"]["problems"]) == ("changed", [])
