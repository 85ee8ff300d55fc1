# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit at the end of a run, and its JSON."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._report.audit import FORMAT
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts
from ansible_collections.mailops.m365.plugins.module_utils._report.summary import Report

SENDER: dict[str, Any] = {
    "name": "ERP", "address": "erp@contoso.com", "listed": True, "method": "basic", "smtp_auth": True, "basic_allowed": True, "basic": None,
    "verdict": "breaks", "severity": "high", "date": "2026-12-31", "reason": "Its method is basic.", "remedy": "Move it.",
}  # fmt: skip
SAFE = SENDER | {"name": "Shop", "address": "shop@contoso.com", "verdict": "safe", "severity": "info", "reason": "Safe.", "remedy": ""}
UNLISTED = SENDER | {"name": "", "address": "crm@contoso.com", "method": None, "verdict": "unknown", "severity": "medium"}
FINDING = {"id": "spf", "severity": "medium", "subject": "contoso.com", "problem": "It has no SPF record.", "remedy": "Publish it."}
OFF = {
    "id": "smtp_basic_off_existing", "when": "end of December 2026", "what": "It is disabled by default.", "first_day": "2026-12-31",
    "days": 33, "stale": False, "checked": "2026-11-28",
}  # fmt: skip
NAMES = ("breaks", "refused", "expires", "unknown", "unlisted", "outdated", "unverified", "unused", "safe")


def result(*senders: dict[str, Any], findings: tuple[dict[str, Any], ...] = (), **off: Any) -> dict[str, Any]:
    audit = {
        "date": "2026-11-28", "days": 30, "timetable": [OFF | off], "sources": [], "senders": list(senders), "findings": list(findings),
        "configuration": {}, "totals": {name: sum(one["verdict"] == name for one in senders) for name in NAMES},
    }  # fmt: skip
    return {"changed": False, "cost": {"requests": 9, "retries": 0, "waited": 0.0}, "audit": audit}


def report(**hosts: dict[str, Any]) -> Report:
    done = Report()
    for host, values in hosts.items():
        done.add(host, "Report", "audit_info", values, False)
    return done


def text(done: Report, full: bool = False) -> str:
    return "\n".join(line for line, _colour in done.lines(full))


def test_the_end_of_the_run_says_who_breaks_and_when() -> None:
    lines = text(report(contoso=result(SENDER, SAFE, UNLISTED, findings=(FINDING,)), fabrikam=result(SAFE)))
    assert "33 days until 2026-12-31 (end of December 2026): It is disabled by default." in lines
    assert "1 of 2 tenants have senders that break. Senders: 1 breaks, 1 unknown, 2 safe." in lines
    rows = [line.split() for line in lines.splitlines()]
    assert ["contoso", "erp@contoso.com", "ERP", "basic", "breaks", "high"] in rows
    assert ["contoso", "crm@contoso.com", "not", "in", "the", "inventory", "-", "unknown", "medium"] in rows
    assert "shop@contoso.com" not in lines
    assert "It has no SPF record. Publish it." in lines


def test_all_rows_are_listed_in_full_and_else_twenty() -> None:
    done = report(contoso=result(*(SENDER | {"address": f"s{number:02}@contoso.com"} for number in range(25)), SAFE))
    assert "and 5 more (-v lists them)" in text(done)
    assert "shop@contoso.com" in text(done, full=True)
    assert "s24@contoso.com" in text(done, full=True)


def test_after_the_date_and_with_an_old_check() -> None:
    lines = text(report(contoso=result(SENDER, days=-3, stale=True)))
    assert "3 days since 2026-12-31" in lines
    assert "checked on 2026-11-28: read it again" in lines


def test_the_announcements_are_those_of_the_latest_date() -> None:
    done = report(contoso=result(SAFE), fabrikam=result(SAFE, days=31), northwind=result(SAFE, days=32))
    assert "31 days until 2026-12-31" in text(done)
    document: Any = done.audits.as_json("2026-11-30T16:00:00Z")
    assert document["timetable"] == [OFF | {"days": 31}]


def test_a_tenant_that_failed_is_not_audited_and_never_safe() -> None:
    done = report(contoso=result(SENDER), fabrikam={"failed": True, "msg": "The secret is wrong.", "failure": {}})
    done.hosts = Hosts(failed={"fabrikam"}, not_run={"northwind"})
    assert "Not audited: fabrikam, northwind." in text(done)
    document: Any = done.audits.as_json("2026-11-28T16:00:00Z")
    assert document["format"] == FORMAT
    assert document["totals"]["tenants"] == {"audited": 1, "not_audited": 2}
    assert document["totals"]["senders"] == dict.fromkeys(NAMES, 0) | {"breaks": 1}
    assert document["tenants"]["fabrikam"] == {"audited": False, "reason": "The secret is wrong."}
    assert document["tenants"]["contoso"]["senders"] == [SENDER]
    assert document["timetable"] == [OFF]
    assert "timetable" not in document["tenants"]["contoso"]


def test_a_run_without_an_audit_has_none() -> None:
    done = Report()
    done.add("contoso", "Read", "smtp_auth_info", {"changed": False, "cost": {"requests": 1}, "audit": "x"}, False)
    done.hosts = Hosts(not_run={"fabrikam"})
    assert done.audits.empty
    assert "AUDIT" not in text(done)
