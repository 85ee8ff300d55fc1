# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of a composed plan as data: one record for each object that differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .objects import objects_of
from .risks import ADD, CHANGE, EXPOSES, REMOVE, RESTORE, Difference, risk_of
from .step import PlannedStep


@dataclass(frozen=True)
class Change:
    """One object that differs. `key` is the same in every run. `before` and `after` hold only what differs; None: there is no object.

    `action`: add, change, remove, or restore, which gives an object the settings that it had before this collection changed them.

    `reason`: the senders that need it, or the inventory's variable. `risk`: opens or closes a way to send, grants a permission, exposes
    a user's mailbox to an application, removes an object or a permission, or changes a key; empty otherwise.
    """

    action: str
    kind: str
    object: str
    key: str
    before: Any
    after: Any
    reason: str
    risk: str

    def as_result(self) -> dict[str, Any]:
        return asdict(self)


Reason = Callable[[PlannedStep, str, str], str]  # of a step, a kind and an object


def changes_of(planned: PlannedStep, reason: Reason) -> Iterator[Change]:
    """The changes of one step, in the order of its plan: those of existing objects first."""
    if not planned.plan.changed:
        return
    subject = planned.step.subject
    before, after = (
        {(one.kind, one.name.lower()): (one, values) for one, values in objects_of(planned.name, subject, side or {})}
        for side in (planned.plan.before, planned.plan.after)
    )
    exposed = {entry["subject"] for entry in planned.plan.outcome.get("attention") or () if entry["kind"] == "permission"}
    for key in dict.fromkeys([*before, *after]):
        one, _values = after.get(key) or before[key]
        was, will = _differing(before[key][1] if key in before else None, after[key][1] if key in after else None)
        if was == will:
            continue
        action = _action(was, will)
        risk = EXPOSES if one.name in exposed else risk_of(one.kind, Difference(action, was, will, planned.plan))
        why = reason(planned, one.kind, one.name)
        name = key_of(one.kind, one.name)
        yield Change(RESTORE if name in planned.step.restores else action, one.kind, one.name, name, was, will, why, risk)


def key_of(kind: str, name: str) -> str:
    """The key of a change: the same in every run."""
    return f"{kind}:{name.lower()}"


def _action(before: Any, after: Any) -> str:
    """The action of a change. An object that was deleted and can be restored has a date `deleted`."""
    if before is None or after is None:
        return REMOVE if after is None else ADD
    return RESTORE if isinstance(before, Mapping) and before.get("deleted") else CHANGE


def _differing(before: Any, after: Any) -> tuple[Any, Any]:
    """The members that differ, where both are mappings."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return before, after
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
