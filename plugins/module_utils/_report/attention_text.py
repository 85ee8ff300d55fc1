# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of NEEDS ATTENTION as text. The same problem of several hosts or senders is printed once, with all that have it."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .attention import Item
from .table import HEADING, Line

_HOST_WIDTH, _MOST_MEMBERS, _LEAST_TEXT = 28, 12, 40
# From this number of entries on, problems that differ only in ids, addresses and domain names are printed as one.
_LEAST_ALIKE = 3
# GUIDs, IPv4 addresses and networks, mail addresses and domain names.
_NAMES = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d+)?|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[\w.+-]+@[\w.-]+\w|\b[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"
)
_VALUE = " with the value "  # a problem that has it names a record to publish, which is printed as it is
_ANY, _ELLIPSIS = "\0", "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class _Group:
    """Entries that are printed as one. `problems`: names that differ are replaced by an ellipsis."""

    items: tuple[Item, ...]
    problems: tuple[str, ...]

    @property
    def first(self) -> Item:
        return self.items[0]

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(host for item in self.items for host in item.hosts))

    @property
    def subjects(self) -> list[str]:
        return list(dict.fromkeys(item.subject for item in self.items))

    @property
    def label(self) -> str:
        return self.hosts[0] if len(self.hosts) == 1 else f"{len(self.hosts)} hosts"

    def members(self) -> list[str]:
        """The hosts as one text where all have the same subject; else a line for each host and subject.

        Of subjects that differ only in names, which the headline has in common, a line for each host has the names.
        """
        hosts, several = self.hosts, [(host, item.subject) for item in self.items for host in item.hosts]
        if len(self.subjects) == 1:
            return hosts if len(hosts) > 1 else []
        if self.are_alike:
            several = [(host, ", ".join(self._names(host))) for host in hosts]
        return [text if len(hosts) == 1 else f"{host}  {text}".rstrip() for host, text in several]

    @property
    def are_alike(self) -> bool:
        """Whether the subjects differ only in names."""
        return bool(self.subjects[0]) and len({_NAMES.sub(_ANY, subject) for subject in self.subjects}) == 1

    def _names(self, host: str) -> list[str]:
        """The names in which a host's subjects differ from the others."""
        columns = list(zip(*(_NAMES.findall(subject) for subject in self.subjects), strict=True))
        own = [_NAMES.findall(item.subject) for item in self.items if host in item.hosts]
        return list(dict.fromkeys(name for names in own for name, column in zip(names, columns, strict=True) if len(set(column)) > 1))


def lines(title: str, entries: Sequence[Item], line_width: int, full: bool = False, most: int | None = None) -> Iterator[Line]:
    """The entries below a title: the host in a column of its own, the problem beside it, who has it and the remedy below.

    `full`: all hosts and senders that have a problem, and problems as they are; `most`: number of entries that are printed.
    """
    groups = _exact(entries) if full else _groups(entries)
    rest = len(groups) - most if most and not full else 0
    groups = groups[:most] if rest > 0 else groups
    yield title, HEADING
    indent = min(max(len(group.label) for group in groups), _HOST_WIDTH) + 2
    for group in groups:
        yield from _group_lines(group, indent, line_width, full)
    if rest > 0:
        yield f"{' ' * indent}{rest:,} more: -v lists all.", None


def _group_lines(group: _Group, indent: int, line_width: int, full: bool) -> Iterator[Line]:
    colour = "red" if group.first.urgent else "yellow"
    (head, _bullet), *rest = _texts(group, full)
    first = f"{group.label:{indent}}"
    yield from ((text, colour) for text in _wrap(head, line_width, first if len(first) <= indent else f"{group.label}  ", " " * indent))
    for text, bullet in rest:
        yield from ((line, None) for line in _wrap(text, line_width, " " * (indent + 2) + bullet, " " * (indent + 2 + len(bullet))))
    if group.first.copy:
        yield f"{' ' * (indent + 2)}{group.first.copy}", colour


def _texts(group: _Group, full: bool) -> Iterator[tuple[str, str]]:
    """The headline, and the lines below it, each with its bullet. Subjects that differ only in names are one, as problems are."""
    common = _common(group.subjects) if group.are_alike else ""
    subject = f"{common}: " if common.strip(_ELLIPSIS) else ""
    if len(group.problems) == 1:
        yield subject + group.problems[0], ""
    else:
        yield f"{subject}{len(group.problems)} problems", ""
        yield from ((problem, "- ") for problem in group.problems)
    members = group.members()
    shown = members if full else members[:_MOST_MEMBERS]
    more = f"and {len(members) - len(shown):,} more" if len(shown) < len(members) else ""
    if len(group.subjects) > 1:
        yield from ((member, "") for member in [*shown, *([more] if more else [])])
    elif shown:
        yield f"{', '.join(shown)} {more}".rstrip(), ""
    if group.first.remedy:
        yield group.first.remedy, ""


def _wrap(text: str, line_width: int, first: str, rest: str) -> list[str]:
    room = max(line_width, len(rest) + _LEAST_TEXT)
    return textwrap.wrap(text, room, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)


# -- groups -----------------------------------------------------------------------------------------------------------


def _exact(entries: Iterable[Item]) -> list[_Group]:
    """One group for each distinct problem, in the order of the entries."""
    groups: dict[Item, list[Item]] = {}
    for item in entries:
        groups.setdefault(replace(item, hosts=(), subject=""), []).append(item)
    return [_Group(tuple(items), key.problems) for key, items in groups.items()]


def _groups(entries: Iterable[Item]) -> list[_Group]:
    """As `_exact`; problems that many share count alone, and those that differ only in names count as the same."""
    groups: dict[Item, list[_Group]] = {}
    for group in _exact(_without_shared(list(entries))):
        pattern = tuple(text if _VALUE in text else _NAMES.sub(_ANY, text) for text in group.problems)
        alike = replace(group.first, hosts=(), subject="", problems=pattern)
        groups.setdefault(alike, []).append(group)
    return [group for alike in groups.values() for group in ([_merged(alike)] if len(alike) >= _LEAST_ALIKE else alike)]


def _merged(groups: Sequence[_Group]) -> _Group:
    items = tuple(item for group in groups for item in group.items)
    return _Group(items, tuple(_common(texts) for texts in zip(*(group.problems for group in groups), strict=True)))


def _common(texts: Sequence[str]) -> str:
    """What texts of one pattern have in common: the first one, names that differ replaced by an ellipsis."""
    names = [_NAMES.findall(text) for text in texts]
    equal = iter([len(set(column)) == 1 for column in zip(*names, strict=True)])
    return _NAMES.sub(lambda match: match[0] if next(equal) else _ELLIPSIS, texts[0])


def _without_shared(entries: Sequence[Item]) -> Iterator[Item]:
    """The entries; a problem of a list that another entry has, too, becomes an entry of its own."""
    count = Counter((item.kind, item.remedy, problem) for item in entries for problem in item.problems)
    for item in entries:
        shared = [problem for problem in item.problems if count[item.kind, item.remedy, problem] > 1]
        if item.copy or len(item.problems) == 1 or not shared:
            yield item
            continue
        own = tuple(problem for problem in item.problems if problem not in shared)
        if own:
            yield replace(item, problems=own)
        yield from (replace(item, problems=(problem,)) for problem in shared)
