# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs somebody's attention after a run: one entry a problem, its remedy below."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._core.json_types import JsonObject
from .failures import sentence
from .relay_hosts import RelayRow
from .results import Hosts, TaskReport
from .senders import FAILED, SenderRow
from .spf import SpfRow
from .table import HEADING, Line

# The order in which entries are listed.
KINDS = ("tenant", "relay", "sender", "permission", "key", "dns", "orphan", "other")
_URGENT = ("tenant", "relay", "sender")
_HOST_WIDTH, _MOST_HOSTS, _LEAST_TEXT = 28, 12, 40
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
        *(_sender(row) for row in rows.senders if row.status == FAILED),
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
    return Item("sender", (row.tenant,), f"Sender {row.sender} ({row.method}, {row.address})", (row.problem,), row.remedy)


def _relay_problems(row: RelayRow) -> Iterator[Item]:
    for problem in row.problems:
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


def task_title(name: str) -> str:
    """A task's name without its role; Ansible's name for the validation of role variables is replaced by a shorter one."""
    return _VALIDATION.sub("Validate role variables", name.rpartition(" : ")[2])


# -- text -------------------------------------------------------------------------------------------------------------


def lines(entries: Sequence[Item], line_width: int) -> Iterator[Line]:
    """The entries: the host in a column of its own, the problem beside it, the remedy below."""
    yield "NEEDS ATTENTION", HEADING
    labels = [_label(item) for item in entries]
    indent = min(max(len(label) for label in labels), _HOST_WIDTH) + 2
    for item, label in zip(entries, labels, strict=True):
        colour = "red" if item.urgent else "yellow"
        (head, _bullet), *rest = _texts(item)
        first = f"{label:{indent}}"
        yield from ((text, colour) for text in _wrap(head, line_width, first if len(first) <= indent else f"{label}  ", " " * indent))
        for text, bullet in rest:
            yield from ((line, None) for line in _wrap(text, line_width, " " * (indent + 2) + bullet, " " * (indent + 2 + len(bullet))))
        if item.copy:
            yield f"{' ' * (indent + 2)}{item.copy}", colour


def _label(item: Item) -> str:
    return item.hosts[0] if len(item.hosts) == 1 else f"{len(item.hosts)} hosts"


def _texts(item: Item) -> Iterator[tuple[str, str]]:
    """The headline, and the lines below it, each with its bullet."""
    subject = f"{item.subject}: " if item.subject else ""
    if len(item.problems) == 1:
        yield subject + item.problems[0], ""
    else:
        yield f"{subject}{len(item.problems)} problems", ""
        yield from ((problem, "- ") for problem in item.problems)
    if len(item.hosts) > 1:
        more = len(item.hosts) - _MOST_HOSTS
        yield ", ".join(item.hosts[:_MOST_HOSTS]) + (f" and {more} more" if more > 0 else ""), ""
    if item.remedy:
        yield item.remedy, ""


def _wrap(text: str, line_width: int, first: str, rest: str) -> list[str]:
    room = max(line_width, len(rest) + _LEAST_TEXT)
    return textwrap.wrap(text, room, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
