# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of 3 and of 100 tenants in 120 columns: each line fits, and what many tenants have is printed once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.results import Hosts

from .test_summary import FAILED_SENDER, RECORD, SENDER, Run, result, texts

COLUMNS = 119  # Ansible leaves the last column of a terminal free
LONG = "the warehouse in Rotterdam, which sends to suppliers, customers and the customs authority of the Netherlands every night"


def refused(problem: str, remedy: str = "") -> dict[str, Any]:
    return {"failed": True, "failure": {"problems": [problem], "remedy": remedy}, "msg": problem}


def fleet(tenants: int) -> Run:
    """Tenants of which each kind of result is one of ten, in three tenants at the beginning."""
    report = Run(seconds=2345.6, width=COLUMNS)
    for number in range(tenants):
        host, domain = f"tenant{number:03}", f"tenant{number}.example"
        values = result(1234, changed=number % 3 == 1)
        values["attention"] = [
            {"kind": "orphan", "subject": f"crm@{domain}", "problem": "No listed sender needs it.", "remedy": "Remove it or keep it."}
        ]
        kind = number % 10
        if kind == 2:
            values = refused(f"m365_senders: {LONG}: public_addresses holds '10.0.0.{number}', which is not a public address.")
        report.task(host, "Plan and configure the tenant", "tenant", values)
        senders = [SENDER | {"name": "ERP", "address": f"erp@{domain}"}, FAILED_SENDER | {"name": LONG, "address": f"w@{domain}"}]
        senders += [SENDER | {"name": "Scanner", "status": "not_verifiable", "reason": "No answer on port 25."}]
        report.task(host, "Verify", "smtp_probe", result(9, senders=senders))
        record = RECORD | {"domain": domain, "current": [], "published": False}
        report.task(host, "Publish SPF", "spf", result(3, records=[record]))
    report.hosts = Hosts(failed={f"tenant{n:03}" for n in range(tenants) if n % 10 == 2})
    report.hosts.unreachable = {f"tenant{n:03}" for n in range(tenants) if n % 50 == 49}
    return report


@pytest.mark.parametrize("tenants", [3, 100])
def test_every_line_fits(tenants: int) -> None:
    report = fleet(tenants)
    lines = texts(report)
    assert [line for line in lines if len(line) > COLUMNS] == []
    assert [line for line in lines if line != line.rstrip()] == []
    whole = texts(report, full=True)
    assert any(LONG in line for line in whole), "-v shortens no name"
    assert [line for line in whole[: whole.index("", 3)] if len(line) > COLUMNS] == []
    assert texts(report)[1].startswith(f"tenants: {'1' if tenants == 3 else '59'} unchanged, ")


def test_the_line_of_totals_breaks_at_a_semicolon() -> None:
    report = fleet(100)
    report.width = 79
    first = texts(report)[1 : texts(report).index("", 1)]
    assert [line.endswith(";") for line in first] == [True] * (len(first) - 1) + [False]
    assert len(first) > 1
    assert all(line.startswith("  ") for line in first[1:])


def test_what_a_hundred_tenants_have_fits_on_a_screen() -> None:
    lines = texts(fleet(100))
    begin = lines.index("NEEDS ATTENTION")
    block = lines[begin : lines.index("", begin)]
    assert len(block) <= 75, "some lines for each kind of problem, and not for each tenant"
    assert sum("No listed sender needs it." in line for line in block) == 1
    assert sum("No answer on port 25." in line for line in block) == 1
    assert sum("which is not a public address" in " ".join(block[number : number + 3]) for number in range(len(block))) <= 3
