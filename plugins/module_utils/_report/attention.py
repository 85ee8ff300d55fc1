# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs somebody's attention after a run, and the warnings of its tasks: one entry per problem. attention_text.py renders them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._core.json_types import JsonObject
from .failures import sentence
from .relay_hosts import RelayRow
from .results import Hosts, TaskReport
from .senders import FAILED, NOT_VERIFIABLE, SenderRow
from .spf import SpfRow

# The order in which entries are listed.
KINDS = ("tenant", "relay", "sender", "permission", "key", "dns", "orphan", "other", "warning")
_URGENT = ("tenant", "relay", "sender")
_SUBJECT = re.compile(r"(?P<subject>(?:[^:.]|\.(?=\w)){1,40}): (?P<problem>.+)", re.DOTALL)
_VALIDATION = re.compile(r"Validating arguments against arg spec\b.*", re.DOTALL)
_NOT_RUN = "Not run: the run ended before it."


@dataclass(frozen=True)
class Item:
    """One entry. `copy`: a line that is shown as it is, such as a DNS record. `hosts`: several where all have the same problem."""

    kind: str
    hosts: tuple[str, ...]
    subject: str
    problems: tuple[str, ...]
    remedy: str = ""
    copy: str = ""
    urgent: bool = True

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "hosts": list(self.hosts),
            "subject": self.subject,
            "problems": list(self.problems),
            "remedy": self.remedy,
            "record": self.copy,
            "urgent": self.urgent,
        }


@dataclass(frozen=True)
class Rows:
    """The rows of a run's tables that can need attention."""

    senders: Sequence[SenderRow] = ()
    records: Sequence[SpfRow] = ()
    relays: Sequence[RelayRow] = ()


def items(tasks: Sequence[TaskReport], hosts: Hosts, relays: Iterable[str], rows: Rows) -> list[Item]:
    """The entries in order. A failure of the same kind, text and remedy on several hosts is one entry."""
    of_relays = set(relays)
    every = [
        *_failures(tasks, hosts, of_relays),
        *(_sender(row) for row in rows.senders if row.status in (FAILED, NOT_VERIFIABLE)),
        *(item for row in rows.relays for item in _relay_problems(row)),
        *(_declared(task.tenant, entry) for task in tasks for entry in task.attention),
        *(item for row in rows.records for item in _record(row)),
    ]
    return sorted(_grouped(every), key=lambda item: (KINDS.index(item.kind), not item.urgent, item.hosts))


def _failures(tasks: Sequence[TaskReport], hosts: Hosts, relays: set[str]) -> Iterator[Item]:
    """Hosts that failed, were unreachable or did not run. A failed verification is listed by its senders."""
    ended = hosts.failed | hosts.unreachable
    explained = set()
    for task in tasks:
        if not task.failed or task.tenant not in ended:
            continue
        explained.add(task.tenant)
        if not task.senders and not task.relay:
            yield Item(_kind(task.tenant, relays), (task.tenant,), task_title(task.task), tuple(task.problems), task.remedy)
    for host in sorted(ended - explained):
        yield Item(_kind(host, relays), (host,), "", ("Failed: the output of the run has the cause.",))
    for host in sorted(hosts.not_run - ended):
        yield Item(_kind(host, relays), (host,), "", (_NOT_RUN,), "Run again with the hosts that are left.")


def _kind(host: str, relays: set[str]) -> str:
    return "relay" if host in relays else "tenant"


def _sender(row: SenderRow) -> Item:
    """A sender that failed, or that is not verifiable, which does not fail the run."""
    failed = row.status == FAILED
    problems = (row.problem if failed else f"Not verifiable: {row.problem}",)
    return Item("sender", (row.tenant,), f"Sender {row.sender} ({row.method}, {row.address})", problems, row.remedy, urgent=failed)


def _relay_problems(row: RelayRow) -> Iterator[Item]:
    for problem in () if row.declared else row.problems:
        yield Item("relay", (row.host,), problem.subject, (problem.problem,), problem.remedy, urgent=problem.urgent)


def _declared(host: str, entry: JsonObject) -> Item:
    """An entry that a module returns as `attention`: kind, subject, problem, remedy."""
    kind = entry.get("kind") if entry.get("kind") in KINDS else "other"
    problem, subject = sentence(str(entry.get("problem") or "")), str(entry.get("subject") or "")
    return Item(str(kind), (host,), subject, (problem,), str(entry.get("remedy") or ""), urgent=kind in _URGENT)


def _record(row: SpfRow) -> Iterator[Item]:
    """A record that somebody has to publish, or that receivers refuse."""
    subject = f"SPF record of {row.domain}"
    if not row.valid:
        problems = row.problems or ("Invalid: receivers evaluate it as a permanent error (permerror).",)
        yield Item("dns", (row.tenant,), subject, problems, copy=row.desired if not row.up_to_date else "")
    elif not row.up_to_date and not row.published:
        current = "there is none" if not row.current else "there are several" if len(row.current) > 1 else "it differs"
        yield Item("dns", (row.tenant,), subject, (f"To be published ({current}).",), copy=row.desired, urgent=False)


def _grouped(every: Iterable[Item]) -> list[Item]:
    groups: dict[Item, list[str]] = {}
    for item in every:
        names = groups.setdefault(replace(item, hosts=()), [])
        names += [host for host in item.hosts if host not in names]
    return [replace(item, hosts=tuple(sorted(names))) for item, names in groups.items()]


def warnings(tasks: Sequence[TaskReport], records: Sequence[SpfRow]) -> list[Item]:
    """The warnings of all tasks, those of most hosts first. What is an entry of NEEDS ATTENTION is left out."""
    listed: dict[str, list[str]] = {}
    for task in tasks:
        listed.setdefault(task.tenant, []).extend(str(entry["problem"]) for entry in task.attention if entry.get("problem"))
    for row in records:
        listed.setdefault(row.tenant, []).extend([*row.problems, *([row.desired] if row.desired and not row.up_to_date else [])])
    every = [
        _warning(task.tenant, text)
        for task in tasks
        for text in task.warnings
        if not any(part.rstrip(".").lower() in text.lower() for part in listed.get(task.tenant, ()))
    ]
    return sorted(_grouped(every), key=lambda item: (-len(item.hosts), item.hosts))


def _warning(host: str, text: str) -> Item:
    """Many warnings begin with what they are about: a sender, a domain, a connector."""
    match = _SUBJECT.fullmatch(text)
    subject, problem = (match["subject"], match["problem"]) if match else ("", text)
    return Item("warning", (host,), subject, (sentence(problem),), urgent=False)


def task_title(name: str) -> str:
    """A task's name without its role; Ansible's name for the validation of role variables is replaced by a shorter one."""
    return _VALIDATION.sub("Validate role variables", name.rpartition(" : ")[2])
