# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit compared with an earlier one: which entries are new, still there, fixed, or can no longer be compared."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..._core.errors import InvalidInput
from ..._core.json_types import JsonObject
from .items import CHANGE, FINDING, NEW, SENDER, STILL, Item, Key, items
from .timetables import counted_from

FORMAT = "mailops.audit/1"
FIXED, UNKNOWN = "fixed", "unknown"  # gone; appeared or gone, and one of the audits could not have shown it
_NAME_ANOTHER = "Name the report.json of an audit."


def load(path: Path) -> JsonObject:
    """The document of another report.json. Raises InvalidInput with one sentence, which names the file."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}. {_NAME_ANOTHER}") from error
    except ValueError as error:
        raise InvalidInput(f"{path}: it is not JSON. {_NAME_ANOTHER}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput(f"{path}: its format is not {FORMAT}. {_NAME_ANOTHER}")
    if not _is_complete(document):
        raise InvalidInput(f"{path}: it is incomplete, or was changed. {_NAME_ANOTHER}")
    return document


def _is_complete(document: JsonObject) -> bool:
    """Whether a document has what is read of another report: its start, its timetable, and the tenants with the keys of their rows."""
    tenants = document.get("tenants")
    try:
        datetime.datetime.fromisoformat(document["started"])
        list(items(document))
        counted_from(document["timetable"])
        for audit in tenants.values() if isinstance(tenants, dict) else ():
            if audit["audited"]:
                sum(audit["totals"].values())
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return isinstance(tenants, dict) and isinstance(document.get("timetable"), list) and isinstance(document.get("totals"), dict)


def compared(document: JsonObject, earlier: JsonObject) -> JsonObject:
    """The document with `comparison`, and with `change` (new, still or unknown) of each sender and finding that is not of severity info.

    An entry that appeared is new if its tenant was audited then, and no source has become readable since. One that is gone is fixed if
    every source that was readable then is readable now. Otherwise they are unknown. `now`: whether the entry is in this audit.
    """
    now, then = _problems(document), _problems(earlier)
    appeared = {key: _appeared(one, document, earlier) for key, one in now.items() if key not in then}
    tenants = {name: _marked(name, audit, now, appeared) for name, audit in document["tenants"].items()}
    gone = {key: _gone(one, document, earlier) for key, one in then.items() if key not in now}
    kinds = [*appeared.values(), *gone.values()]
    counts = {change: kinds.count(change) for change in (NEW, FIXED, UNKNOWN)}
    changes = [_change(change, now[key], is_now=True) for key, change in appeared.items()]
    changes += [_change(change, then[key], is_now=False) for key, change in gone.items()]
    comparison = {
        "earlier": earlier["started"],
        **counts,
        STILL: len(now.keys() & then.keys()),
        "changes": changes,
    }
    return {**document, "tenants": tenants, "comparison": comparison}


def sentence(comparison: JsonObject) -> str:
    """The comparison in a sentence."""
    numbers = f"{comparison[NEW]} new, {comparison[FIXED]} fixed, {comparison[STILL]} still there"
    unknown = f", {comparison[UNKNOWN]} not comparable" if comparison[UNKNOWN] else ""
    return f"Compared with the audit of {comparison['earlier']}: {numbers}{unknown}."


def _problems(document: JsonObject) -> dict[Key, Item]:
    return {one.key: one for one in items(document) if one.kind in (SENDER, FINDING) and one.severity != "info"}


def _marked(tenant: str, audit: JsonObject, now: Mapping[Key, Item], appeared: Mapping[Key, str]) -> JsonObject:
    """The audit of a tenant, whose senders and findings say whether they are new. `appeared`: of those that were not there then."""

    def rows(kind: str, name: str, subject: str) -> Iterator[JsonObject]:
        for row in audit[name]:
            key = (tenant, kind, "" if kind == SENDER else row["id"], row[subject].lower())
            yield row | {CHANGE: appeared.get(key, STILL)} if key in now else row

    if not audit["audited"]:
        return audit
    return {**audit, "senders": list(rows(SENDER, "senders", "address")), "findings": list(rows(FINDING, "findings", "subject"))}


def _appeared(one: Item, document: JsonObject, earlier: JsonObject) -> str:
    """Whether an entry that was not there then is new, or may have been there unseen."""
    audit = earlier["tenants"].get(one.tenant)
    if not audit or not audit["audited"]:
        return UNKNOWN
    unreadable = {source["name"] for source in audit["sources"] if not source["readable"]}
    return UNKNOWN if unreadable & _readable(document["tenants"][one.tenant]) else NEW


def _gone(one: Item, document: JsonObject, earlier: JsonObject) -> str:
    """Whether an entry that is no longer there was fixed."""
    audit = document["tenants"].get(one.tenant)
    if not audit or not audit["audited"]:
        return UNKNOWN
    return FIXED if _readable(earlier["tenants"][one.tenant]) <= _readable(audit) else UNKNOWN


def _readable(audit: JsonObject) -> set[str]:
    return {source["name"] for source in audit["sources"] if source["readable"]}


def _change(change: str, one: Item, *, is_now: bool) -> JsonObject:
    row = {"tenant": one.tenant, "kind": one.kind, "id": one.id, "subject": one.subject, "severity": one.severity, "problem": one.problem}
    return {CHANGE: change, "now": is_now, **row}
