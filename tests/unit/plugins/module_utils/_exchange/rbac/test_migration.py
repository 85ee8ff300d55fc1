# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._exchange.rbac.migration import (
    Action,
    MigrationPlan,
    Phase,
    Step,
    read_phase,
    with_phase,
)

NOW = 1_800_000_000.0
OLD = NOW - 7200


def course(name: str = "", since: float = OLD, budget: float = 300.0) -> MigrationPlan:
    return MigrationPlan(Phase(name, since) if name else None, NOW, 7200, budget)


def names(plan: MigrationPlan) -> list[str]:
    """The actions in lower case; ENTER_PHASE as phase:NAME."""
    return [f"phase:{step.phase}" if step.action is Action.ENTER_PHASE else step.action.name.lower() for step in plan.steps]


def test_a_phase_is_kept_in_one_tag_among_others() -> None:
    phase = Phase("withdrawn", NOW)
    tags = with_phase(["mailops", "mailops-rbac:assigned@2026-01-01T00:00:00Z", "HideApp"], phase)
    assert tags == ["mailops", "HideApp", "mailops-rbac:withdrawn@2027-01-15T08:00:00Z"]
    assert read_phase(tags) == phase
    assert with_phase(tags, None) == ["mailops", "HideApp"]


@pytest.mark.parametrize("tag", ["mailops", "mailops-rbac:gone@2026-01-01T00:00:00Z", "mailops-rbac:alone", "mailops-rbac:alone@soon"])
def test_tag_without_a_phase(tag: str) -> None:
    assert read_phase([tag]) is None


@pytest.mark.parametrize(
    ("before", "consented", "permissions", "write", "steps"),
    [
        # An application that nothing authorized before.
        (course(), False, False, True, ["write", "phase:alone"]),
        (course(), False, False, False, ["phase:alone"]),
        (course("alone"), False, False, False, []),
        (course("alone"), False, False, True, ["write"]),
        # One that has consent: three runs, each a settling apart.
        (course(), True, True, True, ["write", "phase:assigned"]),
        (course("assigned", NOW - 6000), True, True, False, []),
        (course("assigned"), True, True, False, ["withdraw", "phase:withdrawn"]),
        (course("withdrawn", NOW - 6000), False, True, False, []),
        (course("withdrawn"), False, True, False, ["revoke", "phase:alone"]),
        (course("withdrawn", NOW - 6000), False, False, False, ["phase:alone"]),
        (course("assigned"), True, False, False, ["withdraw", "phase:alone"]),
        # A scope that changed has to arrive again; somebody who consented again starts anew.
        (course("assigned"), True, True, True, ["write", "phase:assigned"]),
        (course("alone"), True, False, False, ["phase:assigned"]),
        # Consent was withdrawn outside of this collection, at an unknown time.
        (course("assigned"), False, True, False, ["phase:withdrawn"]),
        (course(), False, True, True, ["write", "phase:withdrawn"]),
        # On the way back, and then not.
        (course("granted"), False, True, False, ["phase:withdrawn"]),
        (course("consented"), True, True, False, ["phase:assigned"]),
        # A little is waited for, and only as much as the run may wait.
        (course("assigned", NOW - 7000), True, True, False, ["wait", "withdraw", "phase:withdrawn"]),
        (course("assigned", OLD, 7200), True, True, False, ["withdraw", "phase:withdrawn", "wait", "revoke", "phase:alone"]),
    ],
)
def test_to_rbac(before: MigrationPlan, consented: bool, permissions: bool, write: bool, steps: list[str]) -> None:
    before.to_rbac(consented=consented, permissions=permissions, write=write)
    assert names(before) == steps
    waiting = before.phase is not None and before.phase.name in ("assigned", "withdrawn")
    assert bool(before.due) is bool(before.notes()) is waiting


@pytest.mark.parametrize(
    ("before", "consented", "steps"),
    [
        (course("alone"), False, ["phase:granted"]),
        (course("withdrawn"), False, ["phase:granted"]),
        (course("granted", NOW - 6000), False, []),
        (course("granted"), False, ["consent", "phase:consented"]),
        (course("consented", NOW - 6000), True, []),
        (course("consented"), True, ["remove", "phase:"]),
        (course("assigned"), True, ["phase:consented"]),
        (course(), True, ["phase:consented"]),
        (course("granted", OLD, 7200), False, ["consent", "phase:consented", "wait", "remove", "phase:"]),
    ],
)
def test_to_permissions(before: MigrationPlan, consented: bool, steps: list[str]) -> None:
    before.to_permissions(consented=consented)
    assert names(before) == steps
    assert bool(before.due) is bool(before.notes()) is (before.phase is not None)


def test_a_run_waits_no_longer_than_it_may() -> None:
    plan = course("assigned", NOW - 7000, budget=199.0)
    plan.to_rbac(consented=True, permissions=True, write=False)
    assert (plan.steps, plan.due) == ([], NOW + 200)
    assert plan.notes() == [
        "The role assignment may take until 2027-01-15T08:03:20Z to reach SMTP: consent to SMTP.SendAsApp is withdrawn by a run after that."
    ]
    plan = course("assigned", NOW - 7000, budget=200.0)
    plan.to_rbac(consented=True, permissions=True, write=False)
    assert plan.steps[0] == Step(Action.WAIT, 200.0)
    assert plan.budget == 0.0
