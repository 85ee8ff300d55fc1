# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: what Microsoft has announced, and the ends of keys, as positions on a line and as a list."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...._core.json_types import JsonObject
from ..timetables import counted_from

_LEAST_DAYS, _MOST_DAYS = 90, 400  # of the line
_GAP = 6.0  # per cent between two marks of one level
_MARGIN = 4.0  # per cent at each end
# strftime would give those of the user's language.
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = 8  # labels at most


@dataclass(frozen=True)
class Mark:
    """An announcement on the line: its number in the list, its position in per cent, and the level above the line (from 0)."""

    number: int
    position: float
    level: int
    text: str


@dataclass(frozen=True)
class Entry:
    """An announcement of the list; `number` is 0 if it is not on the line."""

    number: int
    when: str
    what: str
    days: str
    source: str
    stale: bool
    status: str


@dataclass(frozen=True)
class Timeline:
    today: str
    marks: Sequence[Mark]
    months: Sequence[tuple[float, str, str]]
    keys: Sequence[tuple[float, str]]
    entries: Sequence[Entry]
    former: Sequence[Entry]
    description: str

    @property
    def levels(self) -> int:
        return max((mark.level for mark in self.marks), default=0) + 1


def timeline(document: JsonObject) -> Timeline:
    """The timeline of a document mailops.audit/1, from the date to which the days of its timetable are counted."""
    today = _today(document)
    dated = sorted((one for one in document["timetable"] if _is_ahead(one)), key=lambda one: (one["first_day"], one["id"]))
    undated = [one for one in document["timetable"] if one["status"] == "undated"]
    former = [one for one in document["timetable"] if one["status"] in ("done", "void")]
    ends = _key_ends(document)
    last = max([_day(one["first_day"]) for one in dated if _day(one["first_day"]) <= today + datetime.timedelta(_MOST_DAYS)], default=today)
    span = max((last - today).days + 20, _LEAST_DAYS)

    def position(day: datetime.date) -> float:
        return round(_MARGIN + (100 - 2 * _MARGIN) * (day - today).days / span, 2)

    on_line = [one for one in dated if 0 <= (_day(one["first_day"]) - today).days <= span]
    marks = _marks([(position(_day(one["first_day"])), f"{one['when']}: {one['what']}") for one in on_line])
    entries = [*(_entry(number, one) for number, one in enumerate(on_line, 1))]
    entries += [_entry(0, one) for one in dated if one not in on_line] + [_entry(0, one) for one in undated]
    keys = [
        (position(day), f"{number} {'key ends' if number == 1 else 'keys end'} on {day}")
        for day, number in sorted(ends.items())
        if 0 <= (day - today).days <= span
    ]
    months = [(position(day), name, year) for day, name, year in _months(today, span)]
    description = "; ".join(f"{entry.when}: {entry.what}" for entry in entries if entry.number)
    return Timeline(today.isoformat(), marks, months, keys, entries, [_entry(0, one) for one in former], description)


def _today(document: JsonObject) -> datetime.date:
    """The date of the timetable; without one, the start of the run: no tenant was audited."""
    return _day(counted_from(document["timetable"]) or document["started"][:10])


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def _is_ahead(one: JsonObject) -> bool:
    return one["status"] in ("planned", "started") and bool(one["first_day"])


def _key_ends(document: JsonObject) -> Counter[datetime.date]:
    """How many keys of applications end on a day."""
    ends: Counter[datetime.date] = Counter()
    for audit in document["tenants"].values():
        applications = (audit.get("configuration") or {}).get("applications") or ()
        for application in applications:
            ends.update(_day(str(key["expires"])[:10]) for key in application.get("credentials") or () if key.get("expires"))
    return ends


def _marks(positions: Sequence[tuple[float, str]]) -> list[Mark]:
    """The marks, each on the lowest level on which it does not touch the one before it."""
    ends: list[float] = []
    marks = []
    for number, (position, text) in enumerate(positions, 1):
        level = next((level for level, end in enumerate(ends) if position - end >= _GAP), len(ends))
        ends[level : level + 1] = [position]
        marks.append(Mark(number, position, level, text))
    return marks


def _entry(number: int, one: JsonObject) -> Entry:
    days = one["days"]
    text = (
        ""
        if days is None or one["status"] == "void"
        else "today"
        if days == 0
        else f"in {days:,} days"
        if days > 0
        else f"{-days:,} days ago"
    )
    source = f"{one['source']}, {one['published']}" if one["published"] else one["source"]
    text = f"started {text}" if one["status"] == "started" and days < 0 else text
    return Entry(number, one["when"], one["what"], text, f"{source} (checked {one['checked']})", one["stale"], one["status"])


def _months(today: datetime.date, span: int) -> Iterator[tuple[datetime.date, str, str]]:
    """The first days of months within the line, so many that their labels have room; the year at its first month."""
    first = (today.replace(day=1) + datetime.timedelta(32)).replace(day=1)
    days = []
    while (first - today).days <= span:
        days.append(first)
        first = (first + datetime.timedelta(32)).replace(day=1)
    step = -(-len(days) // _MONTHS) or 1
    for day in days[::step]:
        yield day, _NAMES[day.month - 1], str(day.year) if day.month <= step else ""
