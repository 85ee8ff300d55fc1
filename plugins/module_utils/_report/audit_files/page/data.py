# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the page as JSON: columns, in which each text that repeats is a number in a list of texts.

500 tenants with 50 senders each are 25,000 rows; as objects they would be three times as large.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...._audit.names import SEVERITIES, VERDICTS
from ...._core.json_types import JsonObject
from ..items import CHANGE
from . import fleet
from .configuration import configuration, cost_text
from .evidence import evidence
from .path import path
from .plain_text import plain

_SENDER_TEXTS = ("name", "method", "verdict", "severity", "date", "reason", "remedy", CHANGE)
_FINDING_TEXTS = ("id", "severity", "subject", "problem", "remedy", CHANGE)
# What the columns have already; the rest of a row is shown in its details, whatever it is.
_SHOWN = dict.fromkeys(("address", *_SENDER_TEXTS))
# What the page of a tenant shows in sections of its own.
_TENANT_SHOWN = ("audited", "reason", "senders", "findings", "sources", "totals", "timetable", "cost")
# Characters that would end the script element, or a line of JavaScript.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass
class Texts:
    """Texts, each once."""

    numbers: dict[str, int] = field(default_factory=dict)
    _plain: dict[str, int] = field(default_factory=dict)  # by the text before it was made plain

    def number(self, value: object) -> int:
        text = "" if value is None else str(value)
        if text not in self._plain:
            self._plain[text] = self.numbers.setdefault(plain(text), len(self.numbers))
        return self._plain[text]


def embedded(document: JsonObject) -> str:
    """The data for a script element of type application/json."""
    text = json.dumps(page_data(document), separators=(",", ":"))
    return text.translate(_ESCAPES)


def page_data(document: JsonObject) -> JsonObject:
    """The data of the page: the tenants in the order of the fleet, the rows of senders and findings as columns, and the texts."""
    texts, summary = Texts(), fleet.summary(document)
    audits = [document["tenants"][row.key] for row in summary.tenants]
    every = [[plain(hop) for hop in path(row)] for audit in audits for row in audit.get("senders", ())]
    paths = {tuple(hops): hops for hops in every}
    numbers = {hops: number for number, hops in enumerate(paths)}
    return {
        "started": document["started"],
        "checks": [list(check) for check in summary.checks],
        "tenants": [_tenant(row, audit) for row, audit in zip(summary.tenants, audits, strict=True)],
        "severities": list(SEVERITIES),
        "verdicts": list(VERDICTS),
        "paths": list(paths.values()),
        "senders": _columns(audits, "senders", _SENDER_TEXTS, texts)
        | {
            "path": [numbers[tuple(hops)] for hops in every],
            "address": [plain(row["address"]) for audit in audits for row in audit.get("senders", ())],
            "more": [_more(row, texts) for audit in audits for row in audit.get("senders", ())],
        },
        "findings": _columns(audits, "findings", _FINDING_TEXTS, texts),
        "gone": _gone(document),
        "texts": list(texts.numbers),
    }


def _tenant(row: fleet.TenantRow, audit: JsonObject) -> JsonObject:
    values: JsonObject = {"name": row.name, "audited": row.audited, "reason": row.reason, "totals": row.totals}
    values |= {"cells": row.cells, "date": row.first_date}
    if row.audited:
        sources = [[one["label"], one["readable"], plain(one["reason"])] for one in audit["sources"]]
        more = {name: value for name, value in audit.items() if name not in _TENANT_SHOWN}
        values |= {"sources": sources, "cost": cost_text(audit.get("cost")), "more": configuration(more)}
    return values


def _columns(audits: Iterable[JsonObject], name: str, fields: Iterable[str], texts: Texts) -> JsonObject:
    rows = [(number, row) for number, audit in enumerate(audits) for row in audit.get(name, ())]
    columns: JsonObject = {"tenant": [number for number, _row in rows]}
    return columns | {column: [texts.number(row.get(column)) for _number, row in rows] for column in fields}


def _more(row: JsonObject, texts: Texts) -> list[int]:
    """What else is known of a sender: names and values, as numbers of texts in turn."""
    return [texts.number(text) for pair in evidence(row, _SHOWN) for text in pair]


def _gone(document: JsonObject) -> list[list[str]]:
    """What an earlier report had and this one has not: change, tenant, subject, severity and problem."""
    changes = (document.get("comparison") or {}).get("changes", ())
    return [
        [one[CHANGE], *(plain(one[name]) for name in ("tenant", "subject", "severity", "problem"))] for one in changes if not one["now"]
    ]
