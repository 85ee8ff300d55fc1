# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report of several runs."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.comparison import compared
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.merging import merged
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page import render
from ansible_collections.mailops.m365.plugins.module_utils._report.audit_files.page.timeline import timeline

from .documents import SAFE, SENDER, TIMETABLE, UNLISTED, audited, document

NOW = document("2026-11-28T16:00:00Z", contoso=audited(SENDER))


def test_the_tenants_of_other_reports_are_added_and_counted() -> None:
    other = document("2026-11-28T15:00:00Z", adatum=audited(SAFE, UNLISTED), northwind="The secret is wrong.")
    both = merged(NOW, [other])
    assert list(both["tenants"]) == ["adatum", "contoso", "northwind"]
    assert both["totals"]["tenants"] == {"audited": 2, "not_audited": 1}
    assert {name: number for name, number in both["totals"]["senders"].items() if number} == {"breaks": 1, "unknown": 1, "safe": 1}
    assert both["started"] == NOW["started"]
    assert "1 of 2 tenants have senders that break" in render(both)


def test_of_a_tenant_in_several_reports_the_latest_counts() -> None:
    first = document("2026-11-26T00:00:00Z", contoso="refused", adatum=audited(SENDER))
    second = document("2026-11-27T00:00:00Z", adatum=audited(SAFE))
    for others in ([first, second], [second, first]):
        tenants = merged(NOW, others)["tenants"]
        assert tenants["contoso"]["audited"] is True
        assert tenants["adatum"]["senders"] == [SAFE]


def test_what_the_other_report_was_compared_with_is_dropped() -> None:
    other = compared(document(adatum=audited(SENDER)), document(adatum=audited(SENDER)))
    assert merged(NOW, [other])["tenants"]["adatum"]["senders"] == [SENDER]


def test_the_timetable_of_another_report_is_used_where_no_tenant_was_audited() -> None:
    none = document(contoso="refused") | {"timetable": []}
    assert merged(none, [document(adatum=audited(SAFE))])["timetable"] == TIMETABLE
    assert merged(none, [none])["timetable"] == []


def dated(date: str, days: int, started: str, **tenants: dict[str, Any]) -> dict[str, Any]:
    """A report of this date, `days` before the first announcement of its timetable."""
    of_date = {name: audit | {"date": date} for name, audit in tenants.items()}
    return document(started, **of_date) | {"timetable": [TIMETABLE[0] | {"days": days}, TIMETABLE[1]]}


def test_the_timeline_is_that_of_the_latest_date_and_each_tenant_keeps_its_own() -> None:
    older = dated("2026-11-20", 41, "2026-11-20T16:00:00Z", adatum=audited(SAFE))
    newer = dated("2026-12-02", 29, "2026-12-02T16:00:00Z", contoso=audited(SENDER))
    for one, other in ((newer, older), (older, newer)):
        both = merged(one, [other])
        assert {name: audit["date"] for name, audit in both["tenants"].items()} == {"adatum": "2026-11-20", "contoso": "2026-12-02"}
        assert both["timetable"] == newer["timetable"]
        line = timeline(both)
        assert (line.today, line.entries[0].days) == ("2026-12-02", "in 29 days")
        assert "29 days until Microsoft disables" in render(both)
    third = dated("2026-12-02", 29, "2026-12-01T16:00:00Z", fabrikam=audited(SAFE)) | {"timetable": newer["timetable"][:1]}
    assert merged(older, [third, newer])["timetable"] == newer["timetable"], "of two with one date, the later report"
