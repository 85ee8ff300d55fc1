# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run: text for people and JSON for pipelines. The callback collects the results."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from .._core.json_types import JsonObject
from . import attention, attention_text, audit, components, new_senders, plan_document, relay_hosts, spf
from .results import WINDOWS_STATUS, Hosts, HostTotals, OtherChange, TaskReport
from .senders import NOT_VERIFIED, VERIFIED, PlanRow, SenderRow, plan_lines, sender_lines
from .table import HEADING, Column, Line, rows, width
from .totals import CHANGED, UNCHANGED, Totals, by_host, latest_senders, state_text, totals

FORMAT = "mailops.report/1"
_LEAST_CHANGES = 30  # characters
_MOST_WARNINGS = 10
_COLOURS = {"unchanged": "green", "changed": "yellow"}


@dataclass
class Report:
    """The results of a run's tasks, in their order. `width`: characters of a line; `started`: start in UTC; `seconds`: duration.

    `hosts` is None until the run has ended. `others`: changes by modules that are not of this collection. `earlier_audit`: the report of an
    earlier audit; `other_audits`: those of other runs, whose tenants are added to the audit.
    """

    tasks: list[TaskReport] = field(default_factory=list)
    others: list[OtherChange] = field(default_factory=list)
    hosts: Hosts | None = None
    width: int = 118
    started: str = ""
    seconds: float = 0.0
    check_mode: bool = False
    earlier_audit: JsonObject | None = None
    other_audits: Sequence[JsonObject] = ()

    def add(self, host: str, name: str, module: str, result: JsonObject, check_mode: bool, source: str = "") -> None:
        """Add the result of a task of this collection, one of module tenant as those of its components; `source`: see Failure.of."""
        *parts, own = components.results(name, module, result)
        for task, part, values in parts:
            self.tasks.append(replace(TaskReport.of(host, task, part, values, check_mode, source), is_component=True))
        self.tasks.append(TaskReport.of(host, *own, check_mode, source))

    def add_failure(self, host: str, name: str, module: str, result: JsonObject, check_mode: bool, source: str = "") -> None:
        """Add a failed task of another module."""
        self.tasks.append(TaskReport.of_another(host, name, module, result, check_mode, source))

    def add_change(self, host: str, name: str, module: str) -> None:
        """Add a change by another module. Its values are unknown here: they may be secrets."""
        self.others.append(OtherChange(host, name, module))

    @property
    def ended(self) -> Hosts:
        """The hosts by their end; before the run has ended, those of the results."""
        if self.hosts is not None:
            return self.hosts
        failed = {task.tenant for task in self.tasks if task.failed}
        return Hosts(failed=failed, unreachable={task.tenant for task in self.tasks if task.unreachable})

    @property
    def totals(self) -> Totals:
        return totals(self.tasks, self.ended, self.check_mode, self.seconds)

    @property
    def empty(self) -> bool:
        """Whether no host ran a module of this collection, and none failed."""
        ended = self.ended
        return not (self.tasks or ended.failed or ended.unreachable or ended.not_run or ended.changed & ended.relays)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _sender_rows(self) -> list[SenderRow]:
        results = latest_senders(self.tasks)
        return sorted((SenderRow.of(key[0], result) for key, result in results.items()), key=lambda row: row.tenant)

    def _spf_rows(self) -> list[spf.SpfRow]:
        records = {
            (task.tenant, record["domain"]): spf.SpfRow.of(task.tenant, record, task.check_mode)
            for task in self.tasks
            for record in task.records
        }
        return [records[key] for key in sorted(records)]

    def _relay_rows(self) -> list[relay_hosts.RelayRow]:
        relays = {task.tenant: _relay_row(task, task.relay) for task in self.tasks if task.relay}
        return [row for _host, row in sorted(relays.items()) if row]

    def _items(self, sums: Totals) -> list[attention.Item]:
        """The entries of NEEDS ATTENTION."""
        problems = attention.Rows(self._sender_rows(), self._spf_rows(), self._relay_rows())
        return attention.items(self.tasks, self.ended, sums.relays, problems)

    @property
    def audits(self) -> audit.Audits:
        """The audits of the tenants, and why others were not audited."""
        audited = {task.tenant: task.audit for task in self.tasks if task.audit}
        failed = {task.tenant: " ".join(task.problems) for task in self.tasks if task.module == audit.MODULE and task.failed}
        if audited or failed:
            failed |= dict.fromkeys(
                (self.ended.unreachable | self.ended.not_run) - audited.keys() - failed.keys(), "The run ended before it."
            )
        return audit.Audits(dict(sorted(audited.items())), failed, self.earlier_audit, self.other_audits)

    def _warnings(self) -> list[attention.Item]:
        return attention.warnings(self.tasks, self._spf_rows())

    # -- JSON ---------------------------------------------------------------------------------------------------------

    def as_json(self) -> dict[str, object]:
        sums = self.totals
        return {
            "format": FORMAT,
            "started": self.started,
            "status": self._status(sums),
            "check_mode": self.check_mode,
            "totals": sums.as_json(),
            "attention": [item.as_json() for item in self._items(sums)],
            "warnings": [{"hosts": list(item.hosts), "subject": item.subject, "warning": item.problems[0]} for item in self._warnings()],
            "tenants": {host: row.as_json() for host, row in sums.tenants.items()},
            "relays": {host: row.as_json() for host, row in sums.relays.items()},
            "tasks": [asdict(task) for task in self.tasks],
        }

    @property
    def plan(self) -> plan_document.PlanDocument:
        """What a check run would change."""
        sums = self.totals
        return plan_document.of_run(self.started, self._status(sums), self.tasks, self.others, sums)

    def _status(self, sums: Totals) -> str:
        """Of the run: running, ok or failed."""
        if self.hosts is None:
            return "running"
        return "ok" if all(row.state in _COLOURS for row in sums.hosts.values()) else "failed"

    # -- text ---------------------------------------------------------------------------------------------------------

    def lines(self, full: bool = False) -> list[Line]:
        """The line of totals, NEEDS ATTENTION, the tables and WARNINGS, each after an empty line.

        `full`: all rows, not only those that changed or failed.
        """
        sums = self.totals
        problems, warnings = self._items(sums), self._warnings()
        blocks: list[list[Line]] = [
            list(sums.lines(self.width)),
            list(attention_text.lines("NEEDS ATTENTION", problems, self.width, full)) if problems else [],
            list(self.audits.lines(self.width, full)) if not self.audits.empty else [],
            list(self._tenant_lines(sums, full)),
            list(self._plan_lines(sums.tenants, full)),
            list(new_senders.lines(((task.tenant, entry) for task in self.tasks for entry in task.plan), self.width, full)),
            list(self._verification_lines(full)),
            list(self._record_lines(full)),
            list(relay_hosts.lines(relays)) if (relays := self._relay_rows()) else [],
            list(attention_text.lines("WARNINGS", warnings, self.width, full, _MOST_WARNINGS)) if warnings else [],
        ]
        return [line for block in blocks if block for line in [("", None), *block]]

    def _tenant_lines(self, sums: Totals, full: bool) -> Iterator[Line]:
        """Hosts that changed, and those whose senders are not all verified. A failure is explained under NEEDS ATTENTION, not here."""
        selected = {host: row for host, row in sums.hosts.items() if full or row.changed or row.state == CHANGED or row.senders_failed}
        if not selected:
            return
        columns = list(_tenant_columns(selected, sums.check_mode))
        of_host = by_host(self.tasks)
        changes = [_changed_modules(of_host.get(host, ())) for host in selected]
        indent = width(*columns)
        heading, *texts = rows(*columns)
        yield (f"{heading:{indent}}CHANGES" if any(changes) else heading), HEADING
        for row, text, names in zip(selected.values(), texts, changes, strict=True):
            colour = "red" if row.attention else _COLOURS[row.state]
            room = max(self.width, indent + _LEAST_CHANGES)
            wrapped = textwrap.wrap(names, room, initial_indent=f"{text:{indent}}", subsequent_indent=" " * indent) if names else [text]
            yield from ((line, colour) for line in wrapped)

    def _plan_lines(self, tenants: Mapping[str, HostTotals], full: bool) -> Iterator[Line]:
        """The planned methods of a check run."""
        planned = [task for task in self.tasks if task.check_mode and task.plan]
        selected = [task for task in planned if full or tenants[task.tenant].state != UNCHANGED]
        entries = [PlanRow.of(task.tenant, entry) for task in sorted(selected, key=lambda task: task.tenant) for entry in task.plan]
        return plan_lines(entries, self.width) if entries else iter(())

    def _verification_lines(self, full: bool) -> Iterator[Line]:
        """Senders that are not verified; those that a check run only reached or skipped, and verified ones, only in full."""
        rows_of_interest = (row for row in self._sender_rows() if row.status != VERIFIED and (row.status != NOT_VERIFIED or row.reason))
        selected = self._sender_rows() if full else list(rows_of_interest)
        return sender_lines(selected, self.width, full) if selected else iter(())

    def _record_lines(self, full: bool) -> Iterator[Line]:
        """Records that this run publishes. Those that somebody else has to publish are under NEEDS ATTENTION."""
        selected = [row for row in self._spf_rows() if full or (row.published and not row.up_to_date)]
        return spf.lines(selected) if selected else iter(())


def _relay_row(task: TaskReport, relay: JsonObject) -> relay_hosts.RelayRow | None:
    if task.module == WINDOWS_STATUS:
        return relay_hosts.RelayRow.of_windows(task.tenant, relay, task.attention)
    return relay_hosts.RelayRow.of(task.tenant, relay)


def _changed_modules(tasks: Iterable[TaskReport]) -> str:
    """The modules that changed something, in order, and how many settings from before were restored."""
    every = list(tasks)
    modules = ", ".join(dict.fromkeys(task.module for task in every if task.changed))
    restored = sum(change["action"] == "restore" for task in every for change in task.changes)
    return f"{modules} ({restored} restored)" if restored else modules


def _tenant_columns(selected: Mapping[str, HostTotals], check_mode: bool) -> Iterator[Column]:
    """Columns that are zero everywhere are left out."""
    yield Column("TENANT", list(selected))
    yield Column("STATUS", [state_text(row.state, check_mode) for row in selected.values()])
    yield Column("REQUESTS", [f"{row.requests:,}" for row in selected.values()], right=True)
    if any(row.retries for row in selected.values()):
        yield Column("RETRIES", [f"{row.retries:,}" for row in selected.values()], right=True)
    if any(row.waited for row in selected.values()):
        yield Column("WAITED", [f"{row.waited:.1f} s" for row in selected.values()], right=True)
    if any(row.senders for row in selected.values()):
        yield Column("SENDERS", [f"{row.verified} of {row.senders} verified" if row.senders else "-" for row in selected.values()])
