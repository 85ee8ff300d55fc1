# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._audit.timetable import BASIC_OFF, BASIC_REMOVAL, TIMETABLE, Announcement


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("first", "last", "today", "status"),
    [
        ("2026-12-31", None, "2026-12-30", "planned"),
        ("2026-12-31", None, "2026-12-31", "done"),
        ("2026-07-01", "2026-12-31", "2026-06-30", "planned"),
        ("2026-07-01", "2026-12-31", "2026-12-31", "started"),
        ("2026-07-01", "2026-12-31", "2027-01-01", "done"),
        (None, None, "2030-01-01", "undated"),
    ],
)
def test_status_on_a_date(first: str | None, last: str | None, today: str, status: str) -> None:
    first_day, last_day = day(first) if first else None, day(last) if last else None
    announcement = Announcement("x", "when", "what", "day", "source", first_day=first_day, last_day=last_day)
    assert announcement.status(day(today)) == status


def test_withdrawn_dates_are_void_and_not_counted_down() -> None:
    withdrawn = [one.as_result(day("2026-11-28")) for one in TIMETABLE if one.void]
    assert {one["id"] for one in withdrawn} == {"smtp_basic_former_dates", "external_recipients_mailbox"}
    assert {(one["status"], one["days"]) for one in withdrawn} == {("void", None)}


def test_what_is_ahead_on_a_date() -> None:
    ahead = {one.id: one.days(day("2026-11-28")) for one in TIMETABLE if one.status(day("2026-11-28")) == "planned"}
    assert ahead == {"smtp_basic_off_existing": 33, "smtp_basic_off_new": 34, "ews_off": 124, "smtp_basic_removal_announced": 215}


def test_days_are_counted_to_the_first_possible_day_and_the_wording_is_kept() -> None:
    result = BASIC_OFF.as_result(day("2026-11-28"))
    assert (result["days"], result["when"], result["precision"]) == (33, "end of December 2026", "month")
    assert "Administrators will still be able to enable it" in str(result["wording"])
    assert BASIC_REMOVAL.last_day == day("2027-12-31")


def test_an_old_check_is_stale() -> None:
    checked = BASIC_OFF.checked
    assert not BASIC_OFF.is_stale(checked + datetime.timedelta(days=180))
    assert BASIC_OFF.is_stale(checked + datetime.timedelta(days=181))


def test_every_announcement_names_source_and_precision() -> None:
    assert len({one.id for one in TIMETABLE}) == len(TIMETABLE)
    for one in TIMETABLE:
        assert one.source
        assert one.precision in ("day", "month", "period", "half-year", "none")
        assert (one.precision == "none") == (one.first_day is None)


def test_high_volume_email_for_external_recipients_has_ended() -> None:
    result = next(one for one in TIMETABLE if one.id == "hve_external_ended").as_result(day("2026-11-30"))
    assert (result["status"], result["first_day"], result["precision"], result["when"]) == ("done", "2025-06-01", "month", "June 2025")
    assert result["checked"] == "2026-11-30"
    assert "internal recipients only" in str(result["what"])
