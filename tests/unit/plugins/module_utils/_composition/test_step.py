# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a composed plan with toy resources: prediction, all problems at once, application in order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._composition.step import (
    Prediction,
    Step,
    StepError,
    apply_steps,
    plan_steps,
)
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import ExchangeError, InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import EXPECTED, TENANT, Spec
from ansible_collections.mailops.m365.plugins.module_utils._engine.journal import Journal
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Assumption, Plan
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant import Tenant

from ....conftest import CLIENT, SECRET
from ....conftest import TENANT as TENANT_ID


@dataclass(frozen=True)
class Params:
    expected_mailboxes: tuple[str, ...]
    value: str


@dataclass
class Toy:
    """Sets one value. `refusals`: what plan refuses; `failure`: what apply raises; `events`: calls with their check mode."""

    name: str
    events: list[str]
    current: str = "old"
    refusals: tuple[str, ...] = ()
    failure: Exception | None = None
    assumptions: list[Assumption] = field(default_factory=list)
    spec = TENANT | EXPECTED | Spec({"value": {"type": "str"}})
    params_type = Params

    def validate(self, params: Params) -> list[str]:
        return [f"{self.name}: the value is bad."] if params.value == "bad" else []

    def plan(self, tenant: Any, params: Params, check_mode: bool) -> Plan[str]:
        self.events.append(f"plan {self.name}{' predicted' if check_mode else ''} {' '.join(params.expected_mailboxes)}".rstrip())
        if self.refusals:
            raise InvalidInput(*self.refusals)
        change = params.value if params.value != self.current else None
        assumed = self.assumptions if check_mode else []
        return Plan({"value": self.current}, {"value": params.value}, change, {"value": params.value}, assumptions=assumed)

    def apply(self, tenant: Any, params: Params, plan: Plan[str]) -> dict[str, Any]:
        self.events.append(f"apply {self.name}")
        if self.failure:
            raise self.failure
        self.current = plan.pending
        return {"value": self.current}


NO_APPLICATION = Assumption("There is no application a yet.", "There is no application a: register it.", "application a")


def step(resource: Any, value: str = "new", **more: Any) -> Step:
    return Step(resource.name, resource, {"expected_mailboxes": [], "value": value}, **more)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant({"tenant": TENANT_ID, "client_id": CLIENT, "client_secret": SECRET, "cloud": "global"})


def apply(tenant: Tenant, planned: Any, prediction: Prediction, directory: Path) -> None:
    apply_steps(tenant, planned, prediction, Journal(str(directory), tenant.name), lambda: {"components": []})


def test_steps_are_planned_before_the_first_is_applied(tenant: Tenant, tmp_path: Path) -> None:
    events: list[str] = []
    toys = [Toy(name, events) for name in ("one", "two")]
    prediction = Prediction()
    planned = plan_steps(tenant, [step(toy) for toy in toys], prediction, check_mode=False)
    apply(tenant, planned, prediction, tmp_path)
    assert events == ["plan one", "plan two", "apply one", "apply two"]
    assert [one.status for one in planned] == ["applied", "applied"]


def test_a_step_that_needs_what_is_created_is_planned_again_before_it_is_applied(tenant: Tenant, tmp_path: Path) -> None:
    events: list[str] = []
    first, second, third = Toy("first", events), Toy("second", events, assumptions=[NO_APPLICATION]), Toy("third", events)
    provides = {"application a": lambda changes: True, "application b": lambda changes: False}
    steps = [
        step(first, provides=provides),
        step(second, needs=frozenset({"application a"})),
        step(third, needs=frozenset({"application b"})),
    ]
    prediction = Prediction()
    planned = plan_steps(tenant, steps, prediction, check_mode=False)
    apply(tenant, planned, prediction, tmp_path)
    assert events == [
        *("plan first", "plan second predicted", "plan third"),
        *("apply first", "plan second", "apply second", "apply third"),
    ]


def test_an_unchanged_provider_makes_no_prediction(tenant: Tenant) -> None:
    events: list[str] = []
    steps = [step(Toy("first", events, current="new"), provides={"a": bool}), step(Toy("second", events), needs=frozenset({"a"}))]
    plan_steps(tenant, steps, Prediction(), check_mode=False)
    assert events == ["plan first", "plan second"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_plan_that_assumes_what_no_step_provides_is_refused(tenant: Tenant, check_mode: bool) -> None:
    """Also where the step is a prediction because of another need, which an earlier step provides."""
    other = Assumption("No b yet.", "There is no application b: register it.", "application b")
    first = step(Toy("first", []), provides={"application a": bool})
    needs = frozenset({"application a", "application b"})

    def plan(*assumptions: Assumption) -> None:
        plan_steps(tenant, [first, step(Toy("later", [], assumptions=[*assumptions]), needs=needs)], Prediction(), check_mode)

    plan(NO_APPLICATION)
    with pytest.raises(InvalidInput) as refused:
        plan(NO_APPLICATION, other)
    assert refused.value.problems == ["There is no application b: register it."]


def worded(step: Step, problem: str) -> str:
    return f"{step.component}: {problem}"


def test_problems_of_a_step_are_worded_for_the_inventory(tenant: Tenant, tmp_path: Path) -> None:
    """Also those of a step that is planned again while the plan is applied."""
    steps = [step(Toy("one", [], refusals=("No mailbox x.",))), step(Toy("two", [], assumptions=[NO_APPLICATION]))]
    with pytest.raises(InvalidInput) as refused:
        plan_steps(tenant, steps, Prediction(), check_mode=True, worded=worded)
    assert refused.value.problems == ["one: No mailbox x.", "two: There is no application a: register it."]
    first, second = Toy("first", []), Toy("second", [])
    steps = [step(first, provides={"application a": bool}), step(second, needs=frozenset({"application a"}))]
    prediction = Prediction()
    planned = plan_steps(tenant, steps, prediction, check_mode=False)
    second.refusals = ("No mailbox y.",)
    with pytest.raises(StepError, match=r"^second: No mailbox y\. Applied before it: first\."):
        apply_steps(tenant, planned, prediction, Journal(str(tmp_path), tenant.name), dict, worded)


def test_mailboxes_of_an_earlier_step_are_expected_by_the_later_ones(tenant: Tenant) -> None:
    events: list[str] = []

    class Mailboxes(Toy):
        def plan(self, tenant: Any, params: Params, check_mode: bool) -> Plan[str]:
            super().plan(tenant, params, check_mode)
            states = {"a@contoso.com": None, "b@contoso.com": {"x": 1}}
            return Plan(states, {"a@contoso.com": {}, "b@contoso.com": {}}, "changes")

    made = step(Mailboxes("mailboxes", events), mailboxes=frozenset({"a@contoso.com", "b@contoso.com", "c@contoso.com"}))
    plan_steps(tenant, [made, step(Toy("grants", events))], Prediction(), check_mode=False)
    assert events == ["plan mailboxes", "plan grants predicted a@contoso.com"]


def test_the_problems_of_all_steps_are_one_refusal_each_once(tenant: Tenant) -> None:
    events: list[str] = []
    toys = [Toy("one", events, refusals=("No mailbox x.", "No y.")), Toy("two", events), Toy("three", events, refusals=("No mailbox x.",))]
    steps = [step(toys[0], provides={"a": bool}), step(toys[1], needs=frozenset({"a"})), step(toys[2])]
    with pytest.raises(InvalidInput) as refused:
        plan_steps(tenant, steps, Prediction(), check_mode=False)
    assert refused.value.problems == ["No mailbox x.", "No y."]
    assert "plan two predicted" in events, "a refused step adds no problems to those that need it"


def test_a_step_may_depend_on_the_plan_of_another(tenant: Tenant) -> None:
    events: list[str] = []
    first = step(Toy("first", events))
    later = [step(Toy(name, events), applies=lambda plans, name=name: plans[first.label].outcome["value"] == name) for name in ("new", "x")]
    planned = plan_steps(tenant, [first, *later], Prediction(), check_mode=True)
    assert [one.name for one in planned] == ["first", "new"]


def test_a_failure_stops_and_says_what_was_applied(tenant: Tenant, tmp_path: Path) -> None:
    events: list[str] = []
    failure = ExchangeError("create it", f"refused {SECRET}", code="Refused")
    toys = [Toy("one", events), Toy("same", events, current="new"), Toy("two", events, failure=failure), Toy("three", events)]
    prediction = Prediction()
    planned = plan_steps(tenant, [step(toy) for toy in toys], prediction, check_mode=False)
    with pytest.raises(StepError) as failed:
        apply(tenant, planned, prediction, tmp_path)
    assert str(failed.value).startswith("Could not create it: the service answered Refused")
    assert str(failed.value).endswith("Applied before it: one. Not applied: three; the next run applies what is missing.")
    assert failed.value.may_have_changed
    assert failed.value.as_result() | {"service_message": ""} == failure.as_result() | {
        "service_message": "",
        "applied": ["one"],
        "not_applied": ["three"],
    }
    assert [one.status for one in planned] == ["applied", "unchanged", "failed", "not applied"]
    entries = [json.loads(line) for line in next(tmp_path.glob("*.jsonl")).read_text().splitlines()]
    assert [(entry["phase"], entry.get("resource")) for entry in entries] == [
        ("before", "one"),
        ("done", None),
        ("before", "two"),
        ("failed", None),
    ]
    assert SECRET not in json.dumps(entries, ensure_ascii=False)


def test_a_journal_that_cannot_be_written_changes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    events: list[str] = []
    (tmp_path / "file").write_text("")
    prediction = Prediction()
    planned = plan_steps(tenant, [step(Toy("one", events))], prediction, check_mode=False)
    with pytest.raises(StepError) as failed:
        apply(tenant, planned, prediction, tmp_path / "file" / "x")
    assert "m365_journal_dir" in str(failed.value)
    assert not failed.value.may_have_changed
    assert events == ["plan one"]
