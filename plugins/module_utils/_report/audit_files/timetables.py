# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timetables of audits that have different dates: of tenants with another audit_date, after midnight, and of merged reports.

A report has one timetable, that of its latest audit: an earlier one would announce as planned what has begun.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from ..._core.json_types import JsonObject


def counted_from(timetable: Iterable[JsonObject]) -> str:
    """The date of the audit, as in 2026-11-28, from which the days of a timetable are counted; "" where it has no dates."""
    dated = next((one for one in timetable if one["first_day"] and one["days"] is not None), None)
    return str(datetime.date.fromisoformat(dated["first_day"]) - datetime.timedelta(dated["days"])) if dated else ""


def latest(timetables: Iterable[Sequence[JsonObject]]) -> list[JsonObject]:
    """The timetable of the latest date, the first of several; empty where all are."""
    return list(max(filter(None, timetables), key=counted_from, default=[]))
