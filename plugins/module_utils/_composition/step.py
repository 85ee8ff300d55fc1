# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a composed plan: planned in order against the state that the earlier ones will leave, then applied in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.errors import InvalidInput, MailopsError
from .._core.json_types import JsonObject
from .._engine.journal import Journal
from .._engine.resource import Plan, Resource, UnmetAssumptions
from .._engine.run import apply_journaled, params_of
from .._engine.tenant import Tenant
from .._planning.role_inputs import RoleInput

Plans = Mapping[str, Plan[Any]]  # of the earlier steps, by the step's label
Worded = Callable[["Step", str], str]  # a step and a problem of it in its resource's words -> the problem in those of the inventory


def _unchanged(_step: Step, problem: str) -> str:
    return problem


@dataclass(frozen=True)
class Step:
    """One resource with its options. `input`: what they were before they were checked, and the variables that set them.

    `provides`: names of what the step may create or change, each with a function that says so of its changes. A later step that `needs`
    one of them is planned again before it is applied, since only the service assigns ids; not for those that it `completes`: the resource
    looks them up itself when it is applied. `applies`: whether the step belongs to the plan, by the plans of the earlier steps.
    `predicts`: makes later reads answer as after the step's changes. `internal`: it is no part of the diff. `mailboxes`: addresses that
    exist after the step. `restores`: keys of the objects that get their settings from before (see Change.key).
    """

    component: str
    resource: Resource[Tenant, Any, Any]
    options: JsonObject
    subject: str = ""
    input: RoleInput | None = None
    provides: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    completes: frozenset[str] = frozenset()
    internal: bool = False
    mailboxes: frozenset[str] = frozenset()
    restores: frozenset[str] = frozenset()
    applies: Callable[[Plans], bool] | None = None
    predicts: Callable[[Tenant, Any], None] | None = None

    @property
    def label(self) -> str:
        return f"{self.component}/{self.resource.name}/{self.subject}"

    @property
    def params(self) -> Any:
        return params_of(self.resource, self.options)

    @property
    def secrets(self) -> list[str]:
        return self.resource.spec.secrets(self.options)


@dataclass
class Prediction:
    """What earlier steps of this run create: addresses of mailboxes, and what steps provide."""

    mailboxes: set[str] = field(default_factory=set)
    provided: set[str] = field(default_factory=set)

    def add(self, step: Step, plan: Plan[Any] | None) -> None:
        """Add what a step creates. Without a plan, which is refused then, all that it may create: later steps add no problems for it."""
        if plan is None:
            self.mailboxes |= step.mailboxes
            self.provided |= step.provides.keys()
        elif plan.changed:
            self.mailboxes |= {address for address in step.mailboxes if address in plan.after and not plan.before[address]}
            self.provided |= {name for name, is_provided in step.provides.items() if is_provided(plan.changes)}


@dataclass
class PlannedStep:
    """A step with its plan. `predicted`: the step is planned again when the ids are assigned that its plan needs."""

    step: Step
    plan: Plan[Any]
    params: Any
    predicted: bool
    status: str

    @property
    def name(self) -> str:
        return self.step.resource.name

    @property
    def is_applied(self) -> bool:
        """Whether `apply_steps` visits the step."""
        return self.plan.changed or self.predicted

    @property
    def restored(self) -> list[str]:
        """The names of the objects that get their settings from before."""
        return sorted(key.partition(":")[2] for key in self.step.restores)

    def as_result(self) -> dict[str, object]:
        diff = {"before": self.plan.before or {}, "after": self.plan.after or {}} if self.plan.changed else None
        return {
            "component": self.step.component,
            "module": self.name,
            "subject": self.step.subject,
            "status": self.status,
            "changed": self.plan.changed,
            "diff": diff,
            "result": self.plan.outcome,
        }


UNCHANGED, PLANNED, APPLIED, FAILED, NOT_APPLIED = "unchanged", "planned", "applied", "failed", "not applied"


def plan_steps(
    tenant: Tenant, steps: Sequence[Step], prediction: Prediction, check_mode: bool, worded: Worded = _unchanged
) -> list[PlannedStep]:
    """The plans of all steps, without a write; one InvalidInput with the problems of all of them, each once."""
    planned: list[PlannedStep] = []
    problems: list[str] = []
    plans: dict[str, Plan[Any]] = {}
    for step in steps:
        if step.applies and not step.applies(plans):
            continue
        try:
            one = _plan(tenant, step, prediction, check_mode)
        except InvalidInput as error:
            problems += [worded(step, problem) for problem in error.problems]
            prediction.add(step, None)
            continue
        plans[step.label] = one.plan
        if step.predicts and one.plan.changed:
            step.predicts(tenant, one.plan.pending)
        prediction.add(step, one.plan)
        planned.append(one)
    if problems:
        raise InvalidInput(*dict.fromkeys(problems))
    return planned


def _plan(tenant: Tenant, step: Step, prediction: Prediction, check_mode: bool) -> PlannedStep:
    """The plan of a step. UnmetAssumptions where it assumes what no earlier step provides: nothing else creates it during the run."""
    params, expects = _with_expected_mailboxes(step, prediction)
    provided = step.needs & prediction.provided
    plan = step.resource.plan(tenant, params, check_mode or bool(provided) or expects)
    if missing := [one for one in plan.assumptions if one.needed not in provided]:
        raise UnmetAssumptions(*missing)
    again = bool(provided - step.completes)
    return PlannedStep(step, plan, params, again, PLANNED if plan.changed else UNCHANGED)


def _with_expected_mailboxes(step: Step, prediction: Prediction) -> tuple[Any, bool]:
    """The parameters, and whether the resource has the option expected_mailboxes and there are some."""
    params = step.params
    if "expected_mailboxes" not in step.resource.spec.options or not prediction.mailboxes:
        return params, False
    return replace(params, expected_mailboxes=tuple(sorted(prediction.mailboxes))), True


class StepError(MailopsError):
    """A step failed; `outcome` says what was applied and what was not."""

    def __init__(self, cause: MailopsError, planned: Sequence[PlannedStep], outcome: Mapping[str, object]) -> None:
        self.cause, self.outcome = cause, outcome
        self.applied = [one.name for one in planned if one.status == APPLIED and not one.step.internal]
        self.not_applied = [one.name for one in planned if one.status == NOT_APPLIED and not one.step.internal]
        sentences = [str(cause)]
        if self.applied:
            sentences.append(f"Applied before it: {', '.join(self.applied)}.")
        if self.not_applied:
            sentences.append(f"Not applied: {', '.join(self.not_applied)}; the next run applies what is missing.")
        super().__init__(" ".join(sentences))
        self.may_have_changed = cause.may_have_changed or bool(self.applied)

    def as_result(self) -> dict[str, object]:
        return {**self.cause.as_result(), "applied": self.applied, "not_applied": self.not_applied}


def apply_steps(
    tenant: Tenant,
    planned: Sequence[PlannedStep],
    prediction: Prediction,
    journal: Journal,
    failure: Callable[[], Mapping[str, object]],
    worded: Worded = _unchanged,
) -> list[str]:
    """Apply the changed steps in order, each with its entries in the journal; their warnings.

    A predicted step is planned again first, with the ids that now exist. StepError at the first failure; `failure` returns the
    outcome of the task then.
    """
    changed = [one for one in planned if one.is_applied]
    warnings: list[str] = []
    for number, one in enumerate(changed):
        try:
            if one.predicted:
                _plan_again(tenant, one, prediction, worded)
            if one.plan.changed:
                secrets = [*tenant.secrets, *one.step.secrets]
                one.plan.outcome, unnoted = apply_journaled(one.step.resource, tenant, one.params, one.plan, journal, secrets)
                warnings += unnoted
                one.status = APPLIED
            warnings += one.plan.warnings
        except MailopsError as error:
            one.status = FAILED
            for later in changed[number + 1 :]:
                later.status = NOT_APPLIED
            raise StepError(error, planned, failure()) from error
    return warnings


def _plan_again(tenant: Tenant, one: PlannedStep, prediction: Prediction, worded: Worded) -> None:
    """Plan a step whose ids exist now. InvalidInput where the earlier steps have not created what the plan assumes."""
    one.params, expects = _with_expected_mailboxes(one.step, prediction)
    try:
        with tenant.kept.planning():
            one.plan = one.step.resource.plan(tenant, one.params, expects)
        if one.plan.assumptions:
            raise UnmetAssumptions(*one.plan.assumptions)
    except InvalidInput as error:
        raise InvalidInput(*(worded(one.step, problem) for problem in error.problems), remedy=error.remedy) from error
    one.status = PLANNED if one.plan.changed else UNCHANGED
