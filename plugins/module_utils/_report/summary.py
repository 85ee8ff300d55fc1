# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: tables for people and JSON for pipelines. The callback collects the results."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from .._core.json_types import JsonObject
from .._verification import statuses
from . import relay_hosts, spf
from .senders import PlanRow, SenderRow, plan_lines, sender_lines
from .table import HEADING, Column, Line, rows


@dataclass(frozen=True)
class TaskReport:
    """One task's result as the JSON report has it. Only documented return values are kept, none of which is a secret."""

    tenant: str
    task: str
    module: str
    check_mode: bool
    changed: bool
    failed: bool
    diff: JsonObject | None
    cost: JsonObject
    senders: list[JsonObject]
    plan: list[JsonObject]
    relay: JsonObject | None
    records: list[JsonObject]
    failure: JsonObject | None
    msg: str | None


@dataclass(frozen=True)
class TenantTotals:
    """The sums of one tenant's tasks. `waited`: seconds. `verified` and `senders_failed` of `senders`."""

    changed: int
    failed: int
    requests: int
    retries: int
    waited: float
    verified: int
    senders: int
    senders_failed: int

    @property
    def verification(self) -> str:
        return f"{self.verified} of {self.senders} verified" if self.senders else "-"


@dataclass
class Report:
    """The results of a run's tasks, in their order. `width`: characters of a line."""

    tasks: list[TaskReport] = field(default_factory=list)
    width: int = 118

    def add(self, host: str, name: str, module: str, result: JsonObject, check_mode: bool) -> None:
        self.tasks.append(
            TaskReport(
                tenant=host,
                task=name,
                module=module,
                check_mode=check_mode,
                changed=bool(result.get("changed")),
                failed=bool(result.get("failed")),
                diff=result.get("diff") or None,
                cost=result.get("cost") or {},
                senders=result.get("senders") or [],
                plan=result.get("plan") or [],
                relay=result.get("relay") if module == "relay_status" else None,
                records=(result.get("records") or []) if module in ("spf", "spf_info") else [],
                failure=result.get("failure"),
                msg=result.get("msg") if result.get("failed") else None,
            )
        )

    def as_json(self) -> JsonObject:
        return {
            "tenants": {host: asdict(totals) for host, totals in self._totals().items()},
            "tasks": [asdict(task) for task in self.tasks],
        }

    def _totals(self) -> dict[str, TenantTotals]:
        hosts = sorted({task.tenant for task in self.tasks if task.module != "relay_status"})
        return {host: _totals([task for task in self.tasks if task.tenant == host]) for host in hosts}

    def lines(self) -> list[Line]:
        """The tables that have rows, each after an empty line."""
        tasks = sorted(self.tasks, key=lambda task: task.tenant)
        plans = [PlanRow.of(task.tenant, entry) for task in tasks if task.check_mode for entry in task.plan]
        senders = [SenderRow.of(task.tenant, result) for task in tasks for result in task.senders]
        records = {
            (task.tenant, record["domain"]): spf.SpfRow.of(task.tenant, record, task.check_mode)
            for task in self.tasks
            for record in task.records
        }
        relays = {task.tenant: relay_hosts.RelayRow.of(task.tenant, task.relay) for task in tasks if task.relay}
        tables = [
            list(self._tenant_lines()),
            list(plan_lines(plans, self.width)) if plans else [],
            list(sender_lines(senders, self.width)) if senders else [],
            list(spf.lines([records[key] for key in sorted(records)], self.width)) if records else [],
            list(relay_hosts.lines(list(relays.values()), self.width)) if relays else [],
            list(self._failure_lines()),
        ]
        return [line for table in tables if table for line in [("", None), *table]]

    def _tenant_lines(self) -> Iterator[Line]:
        totals = self._totals()
        if not totals:
            return
        check_mode = all(task.check_mode for task in self.tasks)
        heading, *texts = rows(
            Column("TENANT", list(totals)),
            Column("WOULD CHANGE" if check_mode else "CHANGED", [str(row.changed) for row in totals.values()], right=True),
            Column("REQUESTS", [str(row.requests) for row in totals.values()], right=True),
            Column("RETRIES", [str(row.retries) for row in totals.values()], right=True),
            Column("WAITED", [f"{row.waited:.1f} s" for row in totals.values()], right=True),
            Column("SENDERS", [row.verification for row in totals.values()]),
        )
        yield heading, HEADING
        for row, text in zip(totals.values(), texts, strict=True):
            problem = row.failed or row.senders_failed
            yield text, "red" if problem else "yellow" if row.changed else "green"

    def _failure_lines(self) -> Iterator[Line]:
        """Failed tasks that no other table explains."""
        failed = [task for task in self.tasks if task.failed and not task.senders and not task.relay]
        if failed:
            yield "FAILED", HEADING
        for task in failed:
            for number, text in enumerate(textwrap.wrap(f"{task.tenant}: {task.msg}", self.width - 2)):
                yield ("" if number == 0 else "  ") + text, "red"


def _totals(tasks: list[TaskReport]) -> TenantTotals:
    senders = [sender for task in tasks for sender in task.senders]
    return TenantTotals(
        changed=sum(task.changed for task in tasks),
        failed=sum(task.failed for task in tasks),
        requests=sum(task.cost.get("requests", 0) for task in tasks),
        retries=sum(task.cost.get("retries", 0) for task in tasks),
        waited=round(sum(task.cost.get("waited", 0.0) for task in tasks), 1),
        verified=sum(sender["status"] == statuses.VERIFIED for sender in senders),
        senders=len(senders),
        senders_failed=sum(sender["status"] == statuses.FAILED for sender in senders),
    )
