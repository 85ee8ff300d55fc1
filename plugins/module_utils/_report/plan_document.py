# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a check run as data, mailops.plan/1: what the run would change in each tenant and on each other host.

_composition/reviewed_plan.py compares a later run with it; plan_markdown.py and plan_junit.py render it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._composition.reviewed_plan import FAILED, FORMAT
from .._composition.risks import ADD, CHANGE, REMOVE, RESTORE
from .._core.json_types import JsonObject
from .results import OtherChange, TaskReport
from .totals import CHANGED, UNCHANGED, Totals

ACTIONS = (ADD, CHANGE, REMOVE, RESTORE)
_COMPOSED = "tenant"  # the module whose result has its changes as data


@dataclass(frozen=True)
class HostPlan:
    """One host. `changes`: records of module tenant (Change.as_result); `tasks`: other tasks that would change something.

    `problems`: those of a host that failed, {task, problems, remedy} each; its plan is not complete then.
    """

    name: str
    state: str
    changes: Sequence[JsonObject] = ()
    tasks: Sequence[JsonObject] = ()
    problems: Sequence[JsonObject] = ()
    warnings: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        return bool(self.changes or self.tasks)

    @property
    def failed(self) -> bool:
        return self.state in FAILED

    @property
    def totals(self) -> dict[str, int]:
        """The number of changes by action, and of other tasks."""
        return _totals([self])

    def as_json(self) -> dict[str, object]:
        return {
            "state": self.state,
            "totals": self.totals,
            "changes": list(self.changes),
            "tasks": list(self.tasks),
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class PlanDocument:
    """The plan of a run. `started`: its start in UTC; `status`: running, ok or failed; `others`: hosts of neither group."""

    started: str
    status: str
    tenants: Sequence[HostPlan] = ()
    relays: Sequence[HostPlan] = ()
    others: Sequence[HostPlan] = ()

    @property
    def hosts(self) -> list[HostPlan]:
        return [*self.tenants, *self.relays, *self.others]

    @property
    def changed(self) -> bool:
        return any(host.changed for host in self.hosts)

    @property
    def totals(self) -> dict[str, int]:
        return _totals(self.hosts)

    def as_json(self) -> dict[str, object]:
        states = Counter(host.state for host in self.hosts)
        return {
            "format": FORMAT,
            "started": self.started,
            "status": self.status,
            "changes": self.changed,
            "totals": self.totals | {"hosts": len(self.hosts), "failed": sum(states[state] for state in FAILED)},
            "tenants": {host.name: host.as_json() for host in self.tenants},
            "relays": {host.name: host.as_json() for host in self.relays},
            "others": {host.name: host.as_json() for host in self.others},
        }


@dataclass
class _Parts:
    """What is collected of one host."""

    changes: list[JsonObject] = field(default_factory=list)
    tasks: list[JsonObject] = field(default_factory=list)
    problems: list[JsonObject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def of_run(started: str, status: str, tasks: Iterable[TaskReport], others: Iterable[OtherChange], sums: Totals) -> PlanDocument:
    """The plan of a check run from the results of its tasks, with the hosts in the order of their names."""
    parts: dict[str, _Parts] = {host: _Parts() for host in sums.hosts}
    for task in tasks:
        _add(parts.setdefault(task.tenant, _Parts()), task)
    for other in others:
        parts.setdefault(other.host, _Parts()).tasks.append(_task(other.task, other.module))
    tenants, relays = (_plans(rows, {host: row.state for host, row in rows.items()}, parts) for rows in (sums.tenants, sums.relays))
    rest = [name for name in parts if name not in sums.hosts]
    return PlanDocument(started, status, tenants, relays, _plans(rest, dict.fromkeys(rest, CHANGED), parts))


def _add(parts: _Parts, task: TaskReport) -> None:
    parts.warnings += [text for text in dict.fromkeys(task.warnings) if text not in parts.warnings]
    if task.failed:
        parts.problems.append({"task": task.task, "problems": task.problems, "remedy": task.remedy})
    elif task.module == _COMPOSED:
        parts.changes += task.changes
    elif task.changed and not task.is_component:
        parts.tasks.append(_task(task.task, task.module, task.diff))


def _task(name: str, module: str, diff: object = None) -> JsonObject:
    return {"task": name, "module": module, "diff": diff}


def _plans(names: Iterable[str], states: Mapping[str, str], parts: Mapping[str, _Parts]) -> list[HostPlan]:
    return [_plan(name, states[name], parts[name]) for name in sorted(names)]


def _plan(name: str, state: str, parts: _Parts) -> HostPlan:
    """A failure that was rescued or ignored is no problem of the host."""
    plan = HostPlan(name, state, parts.changes, parts.tasks, parts.problems, parts.warnings)
    if plan.failed:
        return plan
    return HostPlan(name, CHANGED if plan.changed else UNCHANGED, parts.changes, parts.tasks, (), parts.warnings)


def _totals(hosts: Iterable[HostPlan]) -> dict[str, int]:
    every = list(hosts)
    actions = Counter(change["action"] for host in every for change in host.changes)
    return {action: actions[action] for action in ACTIONS} | {"tasks": sum(len(host.tasks) for host in every)}
