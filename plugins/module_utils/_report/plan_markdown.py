# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as the comment of a pull request or merge request, within a number of bytes.

GitHub refuses a comment of more than 65,536 characters. A plan that is too long loses its details in steps, and says so at its beginning.
The first line is a hidden marker, by which a pipeline finds its comment to update it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._composition.reviewed_plan import RUNNING
from .._core.json_types import JsonObject
from .._core.markdown_text import code, fenced, prose, shortened, summary, table, visible
from .plan_document import ACTIONS, HostPlan, PlanDocument

MARKER = "<!-- mailops.plan -->"
BUDGET = 60_000  # bytes in UTF-8
_VALUE, _PROBLEM, _NAMES = 400, 600, 12  # characters of a value and of a problem; names in a list
_HEAD = ("Host", "Add", "Change", "Remove", "Restore", "Other tasks", "Risks")

Level = Callable[[PlanDocument], Iterator[str]]


def markdown(plan: PlanDocument, path: str = "", budget: int = BUDGET) -> str:
    """The comment. `path`: the file of the whole plan, if it is written."""
    text = ""
    for level, left_out in _LEVELS:
        text = "\n".join([MARKER, *_beginning(plan, left_out, path), *level(plan)]) + "\n"
        if len(text.encode()) <= budget:
            break
    return text


def relative_path(path: str | None) -> str:
    """The path of a file as people read it who are not on this host: relative to the current directory."""
    return os.path.relpath(path) if path and os.path.realpath(path).startswith(os.getcwd() + os.sep) else path or ""


def _beginning(plan: PlanDocument, left_out: str, path: str) -> Iterator[str]:
    whole = f"The whole plan is in {code(path)}." if path else "Set MAILOPS_PLAN to get the whole plan as a file."
    if left_out:
        yield from (f"**Too long for a comment: {left_out} left out. {whole}**", "")
    yield from (f"## Plan: {_counts(plan.totals) or 'no changes'}", "")
    failed = [host for host in plan.hosts if host.failed]
    if plan.status == RUNNING:
        yield from ("**The run has not ended: this is no plan.**", "")
    if failed:
        yield from (f"**{_number(len(failed), 'host')} failed: the plan is not complete.**", "")
    if plan.changed and path:
        yield from (f"`-e m365_plan_expected={path}` applies exactly this plan.", "") if _is_plain(path) else ()


def _is_plain(path: str) -> bool:
    return code(path) == f"`{path}`"


# -- levels, from all details to none ---------------------------------------------------------------------------------


def _full(plan: PlanDocument) -> Iterator[str]:
    yield from _overview(plan)
    yield from _failures(plan)
    for host in plan.hosts:
        if host.changed:
            yield from _details(host, [*table(_CHANGE_HEAD, _rows(host)), "", *fenced("diff", list(_diff(host)))])
    yield from _unchanged(plan)


def _without_values(plan: PlanDocument) -> Iterator[str]:
    yield from _overview(plan)
    yield from _failures(plan)
    for host in plan.hosts:
        if host.changed:
            yield from _details(host, list(table((*_CHANGE_HEAD, "What differs"), _rows(host, names=True))))
    yield from _unchanged(plan)


def _counts_of_hosts(plan: PlanDocument) -> Iterator[str]:
    yield from _overview(plan)
    yield from _failures(plan)
    yield from _unchanged(plan)


def _sums(plan: PlanDocument) -> Iterator[str]:
    changed = [host.name for host in plan.hosts if host.changed]
    failed = [host.name for host in plan.hosts if host.failed]
    yield from (f"Changes: {_names(changed)}.", "") if changed else ()
    yield from (f"Failed: {_names(failed)}.", "") if failed else ()
    yield from _unchanged(plan)


_LEVELS: Sequence[tuple[Level, str]] = (
    (_full, ""),
    (_without_values, "the values before and after are"),
    (_counts_of_hosts, "the changes of each host are"),
    (_sums, "everything but the sums is"),
)


# -- parts ------------------------------------------------------------------------------------------------------------

_CHANGE_HEAD = ("Action", "Kind", "Object", "Reason", "Risk")


def _overview(plan: PlanDocument) -> Iterator[str]:
    changed = [host for host in plan.hosts if host.changed]
    if changed:
        cells = [(code(host.name), *(str(number) for number in host.totals.values()), _risks(host)) for host in changed]
        yield from (*table(_HEAD, cells), "")


def _risks(host: HostPlan) -> str:
    return ", ".join(dict.fromkeys(str(change["risk"]) for change in host.changes if change["risk"]))


def _failures(plan: PlanDocument) -> Iterator[str]:
    """The problems of hosts that failed. Hosts with the same problems are one entry."""
    hosts: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for host in plan.hosts:
        if host.failed:
            problems = tuple(str(problem) for failed in host.problems for problem in failed["problems"] if problem.strip())
            remedy = " ".join(dict.fromkeys(str(failed["remedy"]) for failed in host.problems)).strip()
            hosts.setdefault((problems or (f"{host.state.replace('_', ' ')}.",), remedy), []).append(host.name)
    if hosts:
        yield from ("### Failed", "")
    for (problems, remedy), names in hosts.items():
        yield f"- {_names(names)}"
        yield from (f"  - {prose(problem, _PROBLEM)}" for problem in problems[:_NAMES])
        yield from (f"  - and {len(problems) - _NAMES} more",) if len(problems) > _NAMES else ()
        yield from (f"  - {prose(remedy, _PROBLEM)}",) if remedy else ()
    if hosts:
        yield ""


def _details(host: HostPlan, lines: Iterable[str]) -> Iterator[str]:
    yield from (f"<details><summary>{summary(host.name)}: {_counts(host.totals)}</summary>", "", *lines, "", "</details>", "")


def _rows(host: HostPlan, *, names: bool = False) -> Iterator[tuple[str, ...]]:
    for change in host.changes:
        cells = (change["action"], code(change["kind"]), code(change["object"]), code(change["reason"]), change["risk"])
        yield (*cells, code(", ".join(_differing(change)))) if names else cells
    for task in host.tasks:
        cells = ("task", code(task["module"]), code(task["task"]), "", "")
        yield (*cells, "") if names else cells


def _differing(change: JsonObject) -> list[str]:
    return list(dict.fromkeys(name for side in ("before", "after") for name in _members(change[side]) if name))


def _members(value: Any) -> Mapping[str, Any]:
    """The properties of a side; one without a name where the object is a value, none where there is no object."""
    if isinstance(value, Mapping):
        return value
    return {} if value is None or value == "" else {"": value}


def _diff(host: HostPlan) -> Iterator[str]:
    for change in host.changes:
        yield from _sides(f"{change['action']} {change['kind']} {change['object']}", change["before"], change["after"])
    for task in host.tasks:
        for part in task["diff"] if isinstance(task["diff"], list) else [task["diff"] or {}]:
            yield from _sides(f"task {task['task']}", part.get("before"), part.get("after"))


def _sides(heading: str, before: Any, after: Any) -> Iterator[str]:
    """The lines of one object. Each value is JSON on one line, so that no value can look like a line of its own."""
    yield shortened(f"  {visible(heading)}", _VALUE)
    was, will = _members(before), _members(after)
    for name in dict.fromkeys([*was, *will]):
        for mark, side in (("-", was), ("+", will)):
            if name in side and side[name] is not None:
                label = f"{visible(str(name))}: " if name else ""
                yield shortened(f"{mark}   {label}{visible(json.dumps(side[name], ensure_ascii=False, default=str))}", _VALUE)


def _unchanged(plan: PlanDocument) -> Iterator[str]:
    number = sum(not host.changed and not host.failed for host in plan.hosts)
    if number:
        yield f"{_number(number, 'host')}: nothing to change."


def _counts(totals: Mapping[str, int]) -> str:
    words = [f"{totals[action]} to {action}" for action in ACTIONS if totals[action]]
    return ", ".join([*words, *([_number(totals["tasks"], "other task")] if totals["tasks"] else [])])


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(code(name, 60) for name in names[:_NAMES])
    return listed + (f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else "")
