# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of all tenants: the end of the run for people, and JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._audit.names import BASIC_OFF, SEVERITIES, VERDICTS
from .._core.json_types import JsonObject
from .audit_files import comparison, merging, timetables
from .audit_files.comparison import FORMAT
from .table import HEADING, Column, Line, details, rows

MODULE = "audit_info"
MOST = 20  # rows of a table
_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": None, "info": "green"}


@dataclass(frozen=True)
class Audits:
    """The audits by tenant, and the reasons of the tenants that were not audited.

    `earlier`: the report.json to compare with. `others`: those of other runs, whose tenants are added.
    """

    audited: Mapping[str, JsonObject]
    failed: Mapping[str, str]
    earlier: JsonObject | None = None
    others: Sequence[JsonObject] = ()

    @property
    def empty(self) -> bool:
        return not (self.audited or self.failed)

    @property
    def totals(self) -> dict[str, int]:
        """The number of senders by verdict, of all tenants."""
        sums: Counter[str] = Counter()
        for audit in self.audited.values():
            sums.update(audit["totals"])
        return {name: sums[name] for name in VERDICTS}

    @property
    def timetable(self) -> list[JsonObject]:
        """The announcements, as of the date of the latest audit."""
        return timetables.latest(audit["timetable"] for audit in self.audited.values())

    def as_json(self, started: str) -> JsonObject:
        """The document mailops.audit/1, with the tenants of other runs, compared with the earlier one."""
        tenants: dict[str, JsonObject] = {host: {"audited": False, "reason": reason} for host, reason in self.failed.items()}
        for host, audit in self.audited.items():
            tenants[host] = {"audited": True, **{name: value for name, value in audit.items() if name != "timetable"}}
        numbers = {"audited": len(self.audited), "not_audited": len(self.failed)}
        document: JsonObject = {
            "format": FORMAT,
            "started": started,
            "totals": {"tenants": numbers, "senders": self.totals},
            "timetable": self.timetable,
            "tenants": dict(sorted(tenants.items())),
        }
        if self.others:
            document = merging.merged(document, self.others)
        return comparison.compared(document, self.earlier) if self.earlier else document

    def lines(self, width: int, full: bool) -> Iterator[Line]:
        """The state in two sentences, then the senders that need something to be done, and the findings; all of them in full."""
        yield "AUDIT", HEADING
        yield from ((line, None) for text in self._sentences() for line in textwrap.wrap(text, width))
        senders = [(host, row) for host, audit in self.audited.items() for row in audit["senders"]]
        findings = [(host, row) for host, audit in self.audited.items() for row in audit["findings"]]
        yield from _sender_lines(_most_severe(senders, full, ("low", "info")), width, full)
        yield from _finding_lines(_most_severe(findings, full, ("low", "info")), width, full)

    def _sentences(self) -> Iterator[str]:
        entry = next((one for one in self.timetable if one["id"] == BASIC_OFF), None)
        if entry:
            days = entry["days"]
            when = f"{days} days until" if days > 0 else f"{-days} days since"
            yield f"{when} {entry['first_day']} ({entry['when']}): {entry['what']}"
            if entry["stale"]:
                yield f"This announcement was checked on {entry['checked']}: read it again."
        breaking = sum(1 for audit in self.audited.values() if audit["totals"]["breaks"])
        counts = ", ".join(f"{number} {name}" for name, number in self.totals.items() if number) or "none"
        yield f"{breaking} of {len(self.audited)} tenants have senders that break. Senders: {counts}."
        document = self.as_json("") if self.others or self.earlier else {}
        if self.others:
            numbers = document["totals"]["tenants"]
            yield f"With the tenants of other reports: {numbers['audited']} audited, {numbers['not_audited']} not audited."
        if self.earlier:
            yield comparison.sentence(document["comparison"])
        if self.failed:
            yield f"Not audited: {', '.join(sorted(self.failed))}."


def _most_severe(every: Sequence[tuple[str, JsonObject]], full: bool, left_out: Sequence[str]) -> list[tuple[str, JsonObject]]:
    """The rows of all tenants, the most severe first; without those of low severity, unless in full."""
    selected = [item for item in every if full or item[1]["severity"] not in left_out]
    return sorted(selected, key=lambda item: (SEVERITIES.index(item[1]["severity"]), item[0]))


def _sender_lines(selected: Sequence[tuple[str, JsonObject]], width: int, full: bool) -> Iterator[Line]:
    listed = selected if full else selected[:MOST]
    if not listed:
        return
    heading, *texts = rows(
        Column("TENANT", [host for host, _row in listed]),
        Column("ADDRESS", [row["address"] for _host, row in listed]),
        Column("SENDER", [row["name"] or "not in the inventory" for _host, row in listed]),
        Column("METHOD", [row["method"] or "-" for _host, row in listed]),
        Column("VERDICT", [row["verdict"] for _host, row in listed]),
        Column("SEVERITY", [row["severity"] for _host, row in listed]),
    )
    yield from (("", None), (heading, HEADING))
    for text, (_host, row) in zip(texts, listed, strict=True):
        yield text, _COLOURS[row["severity"]]
        yield from ((line, None) for line in details(f"{row['reason']} {row['remedy']}".rstrip(), width))
    yield from _rest(len(selected) - len(listed))


def _finding_lines(selected: Sequence[tuple[str, JsonObject]], width: int, full: bool) -> Iterator[Line]:
    listed = selected if full else selected[:MOST]
    if not listed:
        return
    heading, *texts = rows(
        Column("TENANT", [host for host, _row in listed]),
        Column("FINDING", [row["subject"] for _host, row in listed]),
        Column("SEVERITY", [row["severity"] for _host, row in listed]),
    )
    yield from (("", None), (heading, HEADING))
    for text, (_host, row) in zip(texts, listed, strict=True):
        yield text, _COLOURS[row["severity"]]
        yield from ((line, None) for line in details(f"{row['problem']} {row['remedy']}".rstrip(), width))
    yield from _rest(len(selected) - len(listed))


def _rest(number: int) -> Iterator[Line]:
    if number:
        yield f"    and {number} more (-v lists them)", None
