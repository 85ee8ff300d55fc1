# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV for spreadsheets: the senders, the findings, and a plan of action to fill in.

RFC 4180, in UTF-8 with a byte order mark, without which Excel and Windows PowerShell 5.1 read another encoding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ..._core.json_types import JsonObject
from .items import CHANGE, FINDING, SENDER, Item

_SENDER_FIELDS = ("address", "name", "method", "verdict", "severity", "date", "reason", "remedy")
_FINDING_FIELDS = ("id", "severity", "date", "subject", "problem", "remedy")
# Of the evidence by source: the key of the sender, what its columns begin with, and its values.
_EVIDENCE = (
    ("basic", "basic", ("succeeded", "failed", "last_succeeded", "last_failed", "addresses")),
    ("mail", "trace", ("messages", "recipients", "external_recipients", "recipients_per_day", "last", "sources")),
    ("clients", "report", ("basic", "oauth", "messages", "old_tls")),
)
# A spreadsheet takes a cell that begins with one of these as a formula. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: object) -> str:
    """A value as the text of a cell: no formula, one line, "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return cell(" ".join(str(part) for part in value))
    text = str(value)
    guarded = f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
    return " ".join(guarded.split())


def text(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The text of a file, with its byte order mark."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(heading)
    writer.writerows([cell(value) for value in row] for row in rows)
    return "\ufeff" + buffer.getvalue()


def senders(document: JsonObject) -> str:
    """senders.csv: one row for each sender of the audited tenants. What was not read is empty, and zero is 0."""
    evidence = [f"{prefix}_{name}" for _key, prefix, names in _EVIDENCE for name in names]
    heading = ["tenant", *_SENDER_FIELDS, "in_inventory", "connector", *evidence, CHANGE]
    return text(heading, ([tenant, *_sender(row)] for tenant, row in _rows(document, "senders")))


def findings(document: JsonObject) -> str:
    """findings.csv: one row for each finding of the audited tenants."""
    rows = ([tenant, *(row.get(name) for name in _FINDING_FIELDS), row.get(CHANGE)] for tenant, row in _rows(document, "findings"))
    return text(["tenant", *_FINDING_FIELDS, CHANGE], rows)


def action_plan(every: Iterable[Item]) -> str:
    """action-plan.csv: what has to be done, the most severe first, with empty columns for who, when and the decision."""
    heading = ["tenant", "severity", "date", "kind", "subject", "name", "problem", "remedy", CHANGE, "owner", "due", "decision"]
    rows = (
        [one.tenant, one.severity, one.date, one.rule, one.subject, one.name, one.problem, one.remedy, one.change, "", "", ""]
        for one in every
        if one.severity != "info" and (one.remedy or one.kind not in (SENDER, FINDING))
    )
    return text(heading, rows)


def _rows(document: JsonObject, name: str) -> Iterable[tuple[str, JsonObject]]:
    return ((tenant, row) for tenant, audit in document["tenants"].items() for row in audit.get(name, ()))


def _sender(row: JsonObject) -> list[object]:
    evidence = [(row.get(key) or {}).get(name) for key, _prefix, names in _EVIDENCE for name in names]
    return [*(row.get(name) for name in _SENDER_FIELDS), row.get("listed"), row.get("connector"), *evidence, row.get(CHANGE)]
