# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sums of a run: of each host, and of the run as one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._core.json_types import JsonObject
from . import senders
from .results import RELAY_MODULES, Hosts, HostTotals, TaskReport
from .table import Line

UNCHANGED, CHANGED, FAILED, UNREACHABLE, NOT_RUN = "unchanged", "changed", "failed", "unreachable", "not_run"


@dataclass(frozen=True)
class Totals:
    """The sums of a run. `seconds`: its duration; `waited`: seconds that its tasks waited, together."""

    tenants: Mapping[str, HostTotals]
    relays: Mapping[str, HostTotals]
    check_mode: bool
    seconds: float

    @property
    def hosts(self) -> Mapping[str, HostTotals]:
        return {**self.tenants, **self.relays}

    def count(self, name: str) -> float:
        """The sum of one number over all hosts."""
        return sum(float(getattr(row, name)) for row in self.hosts.values())

    @property
    def statuses(self) -> dict[str, int]:
        """Senders by status."""
        failed, unverifiable, unverified = (int(self.count(name)) for name in ("senders_failed", "not_verifiable", "not_verified"))
        return dict(zip(senders.STATUSES, (int(self.count("verified")), failed, unverifiable, unverified), strict=True))

    def as_json(self) -> dict[str, object]:
        return {
            "tenants": _states(self.tenants),
            "relays": _states(self.relays),
            "senders": self.statuses,
            "requests": int(self.count("requests")),
            "retries": int(self.count("retries")),
            "waited": round(self.count("waited"), 1),
            "seconds": round(self.seconds, 1),
        }

    def lines(self, line_width: int) -> Iterator[Line]:
        """The line of totals: red where something failed, yellow where something changed or a sender is not verifiable.

        A line that is too long is broken at a semicolon.
        """
        verified = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in self.statuses.items() if number)
        requests = int(self.count("requests"))
        parts = [
            f"tenants: {_words(self.tenants, self.check_mode)}" if self.tenants else "",
            f"relay hosts: {_words(self.relays, self.check_mode)}" if self.relays else "",
            f"senders: {verified}" if verified else "",
            f"{duration(self.seconds)}, {requests:,} request{'s' * (requests != 1)}",
        ]
        states = {row.state for row in self.hosts.values()}
        failed = any(row.attention for row in self.hosts.values())
        colour = "red" if failed else "yellow" if CHANGED in states or self.count("not_verifiable") else "green"
        line, *rest = [part for part in parts if part]
        for part in rest:
            if len(line) + len(part) + 3 > line_width:
                yield f"{line};", colour
                line = f"  {part}"
            else:
                line += f"; {part}"
        yield line, colour


def totals(tasks: Sequence[TaskReport], hosts: Hosts, check_mode: bool, seconds: float) -> Totals:
    """The sums of a run's tasks. A relay host is a member of the group `relays`, or has run a module of relay hosts only."""
    of_host = by_host(tasks)
    modules = {host: {task.module for task in of_host[host]} for host in of_host}
    every = sorted(modules.keys() | hosts.failed | hosts.unreachable | hosts.not_run | (hosts.changed & hosts.relays))
    relays = {host for host in every if host in hosts.relays or (modules.get(host, set()) and modules[host] <= set(RELAY_MODULES))}
    sums = {host: _host(host, of_host.get(host, ()), hosts, host in relays) for host in every}
    return Totals(
        tenants={host: row for host, row in sums.items() if host not in relays},
        relays={host: row for host, row in sums.items() if host in relays},
        check_mode=check_mode,
        seconds=seconds,
    )


def by_host(tasks: Iterable[TaskReport]) -> dict[str, list[TaskReport]]:
    """The tasks of each host, in their order."""
    of_host: dict[str, list[TaskReport]] = {}
    for task in tasks:
        of_host.setdefault(task.tenant, []).append(task)
    return of_host


def _host(host: str, tasks: Sequence[TaskReport], hosts: Hosts, relay: bool) -> HostTotals:
    statuses = Counter(senders.status_of(result) for result in latest_senders(tasks).values())
    changed = sum(task.changed for task in tasks)
    return HostTotals(
        state=_state(host, hosts, bool(changed) or (relay and host in hosts.changed)),
        changed=changed,
        failed=sum(task.failed for task in tasks),
        requests=sum(task.cost.get("requests", 0) for task in tasks),
        retries=sum(task.cost.get("retries", 0) for task in tasks),
        waited=round(sum(task.cost.get("waited", 0.0) for task in tasks), 2),
        verified=statuses[senders.VERIFIED],
        senders=statuses.total(),
        senders_failed=statuses[senders.FAILED],
        not_verifiable=statuses[senders.NOT_VERIFIABLE],
        not_verified=statuses[senders.NOT_VERIFIED],
    )


def _state(host: str, hosts: Hosts, changed: bool) -> str:
    for state, members in ((UNREACHABLE, hosts.unreachable), (FAILED, hosts.failed), (NOT_RUN, hosts.not_run)):
        if host in members:
            return state
    return CHANGED if changed else UNCHANGED


def latest_senders(tasks: Iterable[TaskReport]) -> dict[tuple[str, str, str], JsonObject]:
    """The last result of each sender by host, name and method: a run may verify a sender twice."""
    return {(task.tenant, result["name"], result["method"]): result for task in tasks for result in task.senders}


def _states(rows: Mapping[str, HostTotals]) -> dict[str, int]:
    states = Counter(row.state for row in rows.values())
    return {state: states[state] for state in (UNCHANGED, CHANGED, FAILED, UNREACHABLE, NOT_RUN)}


def _words(rows: Mapping[str, HostTotals], check_mode: bool) -> str:
    """`84 unchanged, 9 changed, 7 failed`, those that were unreachable among the latter."""
    number = _states(rows)
    failed = number[FAILED] + number[UNREACHABLE]
    words = [
        f"{number[UNCHANGED]:,} unchanged" if number[UNCHANGED] else "",
        f"{number[CHANGED]:,} {state_text(CHANGED, check_mode)}" if number[CHANGED] else "",
        f"{failed:,} failed" if failed else "",
        f"{number[NOT_RUN]:,} {state_text(NOT_RUN, check_mode)}" if number[NOT_RUN] else "",
    ]
    return ", ".join(word for word in words if word)


def state_text(state: str, check_mode: bool) -> str:
    """A host's state as tables have it."""
    return "would change" if state == CHANGED and check_mode else state.replace("_", " ")


def duration(seconds: float) -> str:
    """`4.2 s`, `72 s`, `12 min` or `2 h 5 min`: short, because it is part of the line of totals."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
