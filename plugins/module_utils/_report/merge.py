# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports or plans of several runs as one, such as those of the slices of a job, each of which has a part of the inventory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._composition.reviewed_plan import FORMAT as PLAN_FORMAT
from .._composition.reviewed_plan import RUNNING
from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .plan_document import HostPlan, PlanDocument
from .summary import FORMAT as REPORT_FORMAT

_GROUPS = {PLAN_FORMAT: ("tenants", "relays", "others"), REPORT_FORMAT: ("tenants", "relays")}
_LONGEST = ("seconds",)  # sums of a run that are no sums of several runs at the same time


def merged(documents: Mapping[str, JsonObject]) -> JsonObject:
    """One document of the same format. `documents`: by the name of their file. InvalidInput where they are no parts of one run."""
    problems = list(_problems(documents))
    if problems:
        raise InvalidInput(*problems)
    every = list(documents.values())
    if every[0]["format"] == PLAN_FORMAT:
        return plan_of(_plan(every)).as_json()
    return _report(every)


def plan_of(document: JsonObject) -> PlanDocument:
    """The plan that a document holds."""
    groups = [[_host(name, values) for name, values in sorted(document[group].items())] for group in _GROUPS[PLAN_FORMAT]]
    return PlanDocument(document["started"], document["status"], *groups)


def _host(name: str, values: JsonObject) -> HostPlan:
    return HostPlan(name, *(values[part] for part in ("state", "changes", "tasks", "problems", "warnings")))


def _problems(documents: Mapping[str, JsonObject]) -> Iterable[str]:
    """Why the documents cannot be merged, one sentence each."""
    formats = {name: document.get("format") if isinstance(document, dict) else None for name, document in documents.items()}
    unknown = [name for name, found in formats.items() if found not in _GROUPS]
    yield from (f"{name} has the format {formats[name]!r}: give files of {PLAN_FORMAT} or of {REPORT_FORMAT}." for name in unknown)
    if unknown:
        return
    if len(set(formats.values())) > 1:
        yield "The files are plans and reports: give files of one format."
        return
    checks = {name: document.get("check_mode") for name, document in documents.items()}
    if len(set(checks.values())) > 1:
        yield "The files are of check runs and of others: give files of one kind of run."
    first: dict[str, str] = {}
    for name, document in documents.items():
        for host in [host for group in _GROUPS[document["format"]] for host in document[group]]:
            if host in first:
                yield f"{host} is in {first[host]} and in {name}: give each host's file once."
            first.setdefault(host, name)


def _status(documents: Sequence[JsonObject]) -> str:
    statuses = [document["status"] for document in documents]
    return RUNNING if RUNNING in statuses else "failed" if "failed" in statuses else "ok"


def _head(documents: Sequence[JsonObject]) -> JsonObject:
    started = min(document["started"] for document in documents)
    return {"format": documents[0]["format"], "started": started, "status": _status(documents)}


def _united(documents: Sequence[JsonObject], group: str) -> JsonObject:
    """The hosts of all documents, in the order of their names."""
    return dict(sorted((host, values) for document in documents for host, values in document[group].items()))


def _plan(documents: Sequence[JsonObject]) -> JsonObject:
    return _head(documents) | {group: _united(documents, group) for group in _GROUPS[PLAN_FORMAT]}


def _report(documents: Sequence[JsonObject]) -> JsonObject:
    return {
        **_head(documents),
        "check_mode": documents[0]["check_mode"],
        "totals": _totals([document["totals"] for document in documents]),
        "attention": _grouped(entry for document in documents for entry in document["attention"]),
        "warnings": _grouped(entry for document in documents for entry in document["warnings"]),
        **{group: _united(documents, group) for group in _GROUPS[REPORT_FORMAT]},
        "tasks": [task for document in documents for task in document["tasks"]],
    }


def _totals(totals: Sequence[JsonObject]) -> JsonObject:
    """Sums of the numbers, those by state or status included; the duration is that of the longest run."""
    result: JsonObject = {}
    for name, value in totals[0].items():
        values: list[Any] = [one[name] for one in totals]
        if isinstance(value, dict):
            counts: Counter[str] = Counter()
            for one in values:
                counts.update(one)
            result[name] = {key: counts[key] for key in value}
        else:
            result[name] = max(values) if name in _LONGEST else round(sum(values), 2)
    return result


def _grouped(entries: Iterable[JsonObject]) -> list[JsonObject]:
    """Entries that differ in their hosts only are one."""
    groups: dict[str, JsonObject] = {}
    for entry in entries:
        key = json.dumps({name: value for name, value in entry.items() if name != "hosts"}, sort_keys=True)
        group = groups.setdefault(key, entry | {"hosts": []})
        group["hosts"] = sorted({*group["hosts"], *entry["hosts"]})
    return list(groups.values())
