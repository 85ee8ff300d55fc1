# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migration of an application between mailbox permissions and RBAC for Applications, without an interruption of sending.

A token that has the role
SMTP.SendAsApp is judged by mailbox permissions, one that has not by RBAC for Applications. What is changed reaches SMTP
within two hours, and tokens outlive what they were issued for; so each step is left alone for a while before the one that
relies on it. When a step was made is kept in a tag of the enterprise application, since Exchange and Entra do not tell.

Sources: "Role Based Access Control for Applications in Exchange Online" (up to two hours); "Configurable token lifetimes
in the Microsoft identity platform" (60 to 90 minutes).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

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
    name: str
    since: float

    def tag(self) -> str:
        return f"{TAG_PREFIX}{self.name}@{iso_time(self.since)}"


def iso_time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_phase(tags: Iterable[str]) -> Phase | None:
    """The phase that a tag tells; None where there is none, or one that nobody can read."""
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


@dataclass
class MigrationPlan:
    """How far one run gets: each step in order, what is awaited between them, and when the next one may follow.

    A step is (name, seconds): write, withdraw, revoke, consent, remove, wait, or phase:NAME (phase: for none).
    """

    phase: Phase | None
    now: float
    settle: float
    budget: float  # seconds that this run may wait
    steps: list[tuple[str, float]] = field(default_factory=list)
    due: float | None = None

    def add_step(self, step: str) -> None:
        self.steps.append((step, 0.0))

    def enter_phase(self, name: str) -> None:
        """Begin a phase now; one that nothing was done in is passed over."""
        if self.steps and self.steps[-1][0].startswith("phase:"):
            self.steps.pop()
        self.add_step(f"phase:{name}")
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
            self.steps.append(("wait", need))
            self.now += need
            self.budget -= need
        return True

    def notes(self) -> list[str]:
        """What a later run will do, and when."""
        return [LATER[self.phase.name].format(iso_time(self.due))] if self.phase and self.due else []

    def to_rbac(self, *, consented: bool, permissions: bool, write: bool) -> None:
        """Assignment, then no consent, then no permissions."""
        name = self.phase.name if self.phase else ""
        if write:
            self.add_step("write")
        if consented:
            if write or name != "assigned":
                self.enter_phase("assigned")
            if not self.has_settled():
                return
            self.add_step("withdraw")
            self.enter_phase("withdrawn")
        elif name not in ("withdrawn", "alone"):
            self.enter_phase("withdrawn")
        if self.phase and self.phase.name == "withdrawn":
            if permissions:
                if not self.has_settled():
                    return
                self.add_step("revoke")
            self.enter_phase("alone")

    def to_permissions(self, *, consented: bool) -> None:
        """Permissions, which are there, then consent, then no assignment."""
        name = self.phase.name if self.phase else ""
        if not consented:
            if name != "granted":
                self.enter_phase("granted")
            if not self.has_settled():
                return
            self.add_step("consent")
            self.enter_phase("consented")
        elif name != "consented":
            self.enter_phase("consented")
        if self.has_settled():
            self.add_step("remove")
            self.enter_phase("")
