# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migration of an application between mailbox permissions and RBAC for Applications, without an interruption of sending.

A token with the role SMTP.SendAsApp is authorized by mailbox permissions, a token without it by RBAC for Applications. A change
reaches SMTP within two hours, and a token stays valid after the permission that it was issued for is removed. Therefore a step has
to settle before the next one relies on it. A tag of the enterprise application holds the phase and its start, because Exchange and
Entra do not record them.

Sources: "Role Based Access Control for Applications in Exchange Online" (up to two hours); "Configurable token lifetimes
in the Microsoft identity platform" (60 to 90 minutes).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

TAG_PREFIX = "mailops-rbac:"
SETTLE_TIME = 7200  # seconds
# To RBAC: the assignment was made (assigned), consent was withdrawn (withdrawn), mailbox permissions were removed (alone).
# Back: mailbox permissions were granted (granted), consent was given (consented), and with the assignment goes the tag.
PHASES = ("assigned", "withdrawn", "alone", "granted", "consented")
LATER = {
    "assigned": "The role assignment may take until {0} to reach SMTP: consent to SMTP.SendAsApp is withdrawn by a run after that.",
    "withdrawn": "Tokens with SMTP.SendAsApp may be in use until {0}: FullAccess is removed by a run after that.",
    "granted": "FullAccess may take until {0} to reach SMTP: consent to SMTP.SendAsApp is given by a run after that.",
    "consented": "Tokens without SMTP.SendAsApp may be in use until {0}: the role assignment is removed by a run after that.",
}


@dataclass(frozen=True)
class Phase:
    """One of PHASES, and when it began, in seconds since 1970."""

    name: str
    since: float

    def tag(self) -> str:
        return f"{TAG_PREFIX}{self.name}@{iso_time(self.since)}"


def iso_time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_phase(tags: Iterable[str]) -> Phase | None:
    """The phase that a tag holds; None where no tag holds a valid one."""
    for tag in tags:
        name, _at, since = tag.removeprefix(TAG_PREFIX).partition("@")
        if not tag.startswith(TAG_PREFIX) or name not in PHASES:
            continue
        try:
            return Phase(name, datetime.datetime.fromisoformat(since).timestamp())
        except ValueError:
            continue
    return None


def with_phase(tags: Iterable[str], phase: Phase | None) -> list[str]:
    """The tags with this phase instead of any other."""
    return [tag for tag in tags if not tag.startswith(TAG_PREFIX)] + ([phase.tag()] if phase else [])


class Action(Enum):
    """What a step does."""

    WRITE = "write scopes and role assignments"
    WITHDRAW = "withdraw consent"
    REVOKE = "remove mailbox permissions"
    CONSENT = "give consent"
    REMOVE = "remove scopes and role assignments"
    WAIT = "wait"
    ENTER_PHASE = "enter a phase"


@dataclass(frozen=True)
class Step:
    """One step of a migration. `seconds`: of WAIT; `phase`: the name of the phase to enter, empty to leave the last one."""

    action: Action
    seconds: float = 0.0
    phase: str = ""


@dataclass
class MigrationPlan:
    """The steps of one run in their order. `due`: when a later run may continue, in seconds since 1970."""

    phase: Phase | None
    now: float
    settle: float
    budget: float  # seconds that this run may wait
    steps: list[Step] = field(default_factory=list)
    due: float | None = None

    @property
    def actions(self) -> set[Action]:
        return {step.action for step in self.steps}

    def add_step(self, action: Action) -> None:
        self.steps.append(Step(action))

    def enter_phase(self, name: str) -> None:
        """Begin a phase now, instead of a phase that has no other step; an empty name ends the migration."""
        if self.steps and self.steps[-1].action is Action.ENTER_PHASE:
            self.steps.pop()
        self.steps.append(Step(Action.ENTER_PHASE, phase=name))
        self.phase = Phase(name, self.now) if name else None

    def has_settled(self) -> bool:
        """Whether the phase is old enough, after a wait that this run can afford."""
        if self.phase is None:
            return False
        need = max(0.0, self.phase.since + self.settle - self.now)
        if need > self.budget:
            self.due = self.phase.since + self.settle
            return False
        if need:
            self.steps.append(Step(Action.WAIT, need))
            self.now += need
            self.budget -= need
        return True

    def notes(self) -> list[str]:
        """One sentence on what a later run does, and when; none where the migration is complete."""
        return [LATER[self.phase.name].format(iso_time(self.due))] if self.phase and self.due else []

    def to_rbac(self, *, consented: bool, permissions: bool, write: bool) -> None:
        """Add the steps to RBAC: assign the role, withdraw consent, remove mailbox permissions."""
        name = self.phase.name if self.phase else ""
        if write:
            self.add_step(Action.WRITE)
        if consented:
            if write or name != "assigned":
                self.enter_phase("assigned")
            if not self.has_settled():
                return
            self.add_step(Action.WITHDRAW)
            self.enter_phase("withdrawn")
        elif name not in ("withdrawn", "alone"):
            self.enter_phase("withdrawn")
        if self.phase and self.phase.name == "withdrawn":
            if permissions:
                if not self.has_settled():
                    return
                self.add_step(Action.REVOKE)
            self.enter_phase("alone")

    def to_permissions(self, *, consented: bool) -> None:
        """Add the steps back to mailbox permissions, which exist already: give consent, remove the role assignment."""
        name = self.phase.name if self.phase else ""
        if not consented:
            if name != "granted":
                self.enter_phase("granted")
            if not self.has_settled():
                return
            self.add_step(Action.CONSENT)
            self.enter_phase("consented")
        elif name != "consented":
            self.enter_phase("consented")
        if self.has_settled():
            self.add_step(Action.REMOVE)
            self.enter_phase("")
