# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a task, the same for every resource: validate, plan, write the journal, apply, shape the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .._core.errors import InvalidInput, MailopsError, ServiceError
from .._core.json_types import JsonObject
from .._core.params import fields_of, make_params
from .._core.redaction import hide, hide_in_own
from .._core.spec import JOURNAL, TENANT, Spec
from .._core.waiting import Cost
from .journal import Journal
from .resource import C, P, Plan, Resource

_OF_THE_ENGINE = TENANT.options.keys() | JOURNAL.options.keys()


class Connected(Protocol):
    """What the engine needs of a tenant or the local host."""

    name: str
    cost: Cost

    def check_credential(self) -> None:
        """Read the credential, without a request."""

    def close(self) -> None:
        """Close the connections."""


T = TypeVar("T", bound=Connected)


def is_tenant_resource(spec: Spec) -> bool:
    """Whether a resource with these options belongs to a tenant, and not to the host that it runs on."""
    return "tenant" in spec.options


def params_of(resource: Resource[Any, P, Any], options: Mapping[str, object]) -> P:
    """The resource's own parameters. The options of TENANT and JOURNAL are left out, unless its dataclass names them."""
    names = {one.name for one in fields_of(resource.params_type)}
    own = {name: value for name, value in options.items() if name in names or name not in _OF_THE_ENGINE}
    return make_params(resource.params_type, own)


def run(
    resource: Resource[T, P, C],
    connect: Callable[[], T],
    options: Mapping[str, object],
    check_mode: bool,
    journal_directory: str = "",
    *,
    refuse: Callable[[T, Plan[C]], None] | None = None,
) -> JsonObject:
    """A task's result; a failure has `failed`, `msg` as one sentence or a list of problems, and `failure` with its parts.

    `connect` makes the target, after the options are validated. `journal_directory`: of a resource without the option journal_dir.
    `refuse` raises InvalidInput for a plan that cannot be applied; it is called in check mode, too.
    """
    target: T | None = None
    try:
        params = params_of(resource, options)
        problems = resource.validate(params)
        if problems:
            raise InvalidInput(*problems)
        target = connect()
        target.check_credential()
        plan = resource.plan(target, params, check_mode)
        if refuse:
            refuse(target, plan)
        return _result(resource, target, params, plan, options, check_mode, journal_directory)
    except MailopsError as error:
        secrets = resource.spec.secrets(options)
        _hide_in_service_message(error, secrets)
        failure: JsonObject = hide_in_own(failed_result(error, target), secrets)
        return failure
    finally:
        if target:
            target.close()


def _hide_in_service_message(error: MailopsError, secrets: Sequence[str]) -> None:
    if isinstance(error, ServiceError):
        error.replace_service_message(hide(error.service_message, secrets))


def failed_result(error: MailopsError, target: Connected | None = None) -> JsonObject:
    """The result of a failed task. Ansible names the host beside it, so that `msg` does not."""
    result: JsonObject = {"failed": True, "changed": error.may_have_changed, "failure": error.as_result(), "msg": _text(error)}
    return result | getattr(error, "outcome", {}) | ({"cost": target.cost.as_result()} if target else {})


def _text(error: MailopsError) -> str:
    """The error's sentence; several problems are a list, one a line."""
    problems = error.problems if isinstance(error, InvalidInput) else []
    if len(problems) < 2:
        return str(error)
    remedy = error.remedy if isinstance(error, InvalidInput) else ""
    return "\n".join([f"{len(problems)} problems:", *(f"- {problem}" for problem in problems), *([remedy] if remedy else [])])


def _result(
    resource: Resource[T, P, C],
    target: T,
    params: P,
    plan: Plan[C],
    options: Mapping[str, object],
    check_mode: bool,
    journal_directory: str,
) -> JsonObject:
    outcome, unnoted = plan.outcome, list[str]()
    if plan.changed and not check_mode:
        if plan.steps or not resource.spec.journal:
            outcome = resource.apply(target, params, plan)
        else:
            directory = journal_directory or str(options.get("journal_dir") or "")
            journal = Journal(directory, target.name, configurable=not journal_directory)
            outcome, unnoted = apply_journaled(resource, target, params, plan, journal, resource.spec.secrets(options))
    # `apply` adds warnings to the plan: those of steps that were planned again, and of what could not be done.
    is_applied = plan.steps and plan.changed and not check_mode
    notes = [*([] if is_applied else [one.note for one in plan.assumptions]), *plan.warnings, *unnoted]
    result: JsonObject = {"changed": plan.changed, **outcome, "cost": target.cost.as_result()}
    if plan.steps:
        result["diff"] = [_diff(target.name, step.name, step.plan, step.restored) for step in plan.steps if step.plan.changed]
    elif resource.spec.writes:
        result["diff"] = _diff(target.name, resource.name, plan)
    if notes:
        result["notes"] = notes
    return result


def apply_journaled(
    resource: Resource[T, P, C], target: T, params: P, plan: Plan[C], journal: Journal, secrets: Sequence[str]
) -> tuple[JsonObject, list[str]]:
    """Apply a plan with an entry in the journal before and after; its outcome and warnings. `secrets` are hidden in the journal."""
    number = journal.before(resource.name, plan.before, plan.after)
    try:
        outcome = resource.apply(target, params, plan)
    except MailopsError as error:
        _hide_in_service_message(error, secrets)
        journal.end(number, hide_in_own(str(error), secrets))
        error.may_have_changed = True
        raise
    unnoted = journal.end(number)
    return outcome, [unnoted] if unnoted else []


def _diff(target: str, name: str, plan: Plan[Any], restored: Sequence[str] = ()) -> JsonObject:
    header = f"{target} {name}"
    note = f" (restored: {', '.join(restored)})" if restored else ""
    return {"before_header": header, "after_header": header + note, "before": plan.before or "", "after": plan.after or ""}
