# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One report of several runs, each of which audited a part of the fleet (a slice of the inventory)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..._core.json_types import JsonObject
from . import timetables
from .items import CHANGE


def merged(document: JsonObject, others: Sequence[JsonObject]) -> JsonObject:
    """The document with the tenants of other reports that it does not have. Of a tenant in several, the latest report counts.

    Its totals are those of all tenants. Its timetable is that with the latest date; each tenant keeps the date of its own audit.
    """
    by_start = sorted(others, key=lambda one: str(one["started"]))
    tenants = {name: audit for one in (*by_start, document) for name, audit in one["tenants"].items()}
    senders: Counter[str] = Counter(dict.fromkeys(document["totals"]["senders"], 0))
    audits = [audit for audit in tenants.values() if audit["audited"]]
    for audit in audits:
        senders.update(audit["totals"])
    numbers = {"audited": len(audits), "not_audited": len(tenants) - len(audits)}
    return {
        **document,
        "totals": {"tenants": numbers, "senders": dict(senders)},
        "timetable": timetables.latest(one["timetable"] for one in (document, *reversed(by_start))),
        "tenants": dict(sorted((name, _without_change(audit)) for name, audit in tenants.items())),
    }


def _without_change(audit: JsonObject) -> JsonObject:
    """A tenant without what its report was compared with."""
    if not audit["audited"]:
        return audit
    rows = {name: [{key: value for key, value in row.items() if key != CHANGE} for row in audit[name]] for name in ("senders", "findings")}
    return {**audit, **rows}
