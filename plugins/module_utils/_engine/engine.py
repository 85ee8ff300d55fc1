# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one core behind both doors: check the input, plan, write the journal, apply, shape the result.

Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from .._core.errors import InvalidInput, MailopsError
from .._core.redaction import hide, hide_all
from .._core.spec import Spec
from .._identity.device_code import Prompt
from .journal import Journal
from .local_host import Machine
from .tenant import Tenant


@dataclass
class Plan:
    """What a resource found and what it means to do.

    `before` and `after` are what the user sees as the diff: only what differs or was asked for, never a secret.
    `steps` is the resource's own list of what to do; empty means that nothing is to be changed.
    `outcome` is the result as it will be; ids that only the service can give are None until then.
    """

    before: Any = None
    after: Any = None
    steps: list[Any] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.steps)


class Resource(Protocol):
    """The knowledge about one kind of object. It knows clients, and nothing of Ansible.

    `tenant` is the Tenant that its options name, or the Machine that it runs on, where its spec has no option tenant.
    """

    name: str
    spec: Spec

    def check(self, params: dict[str, Any]) -> list[str]:
        """What is wrong with the input, found without a request: one sentence a problem, all of them at once."""

    def plan(self, tenant: Any, params: dict[str, Any], check_mode: bool) -> Plan:
        """Read and compare; never writes."""

    def apply(self, tenant: Any, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        """Carry out the plan; the outcome as it is now."""


class Reading:
    """What a resource that only reads has of its own accord: no input to doubt, nothing to carry out."""

    def check(self, params: dict[str, Any]) -> list[str]:
        return []

    def apply(self, tenant: Any, params: dict[str, Any], plan: Plan) -> dict[str, Any]:
        return plan.outcome


def run(
    resource: Resource, params: dict[str, Any], *, check_mode: bool, token_directory: str | None = None, prompt: Prompt | None = None
) -> dict[str, Any]:
    """A task's result; a failure comes as `failed`, with `msg` one sentence and `failure` its parts.

    `prompt` shows a text to the person who runs it, where there is one.
    """
    tenant: Any = None
    try:
        problems = resource.check(params)
        if problems:
            raise InvalidInput(*problems)
        tenant = Tenant(params, token_directory, prompt=prompt) if of_a_tenant(resource) else Machine()
        tenant.check_credential()
        return _result(resource, tenant, params, check_mode)
    except MailopsError as error:
        return hide_all(_failure(error, params, tenant), resource.spec.secrets(params))
    finally:
        if tenant:
            tenant.close()


def of_a_tenant(resource: Resource) -> bool:
    """Whether a resource is about a tenant, and not about the machine that it runs on."""
    return "tenant" in resource.spec.options


def _failure(error: MailopsError, params: dict[str, Any], tenant: Tenant | Machine | None) -> dict[str, Any]:
    name = str(params.get("tenant") or "")
    result: dict[str, Any] = {"failed": True, "changed": error.begun, "failure": error.as_result()}
    result["msg"] = f"{name}: {error}" if name else str(error)
    return result | getattr(error, "outcome", {}) | ({"cost": tenant.cost.as_result()} if tenant else {})


def _result(resource: Resource, tenant: Tenant | Machine, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    plan = resource.plan(tenant, params, check_mode)
    outcome, notes = plan.outcome, list(plan.warnings)
    if plan.changed and not check_mode:
        journal = Journal(params.get("journal_dir"), tenant.name)
        number = journal.before(resource.name, plan.before, plan.after)
        try:
            outcome = resource.apply(tenant, params, plan)
        except MailopsError as error:
            journal.end(number, hide(str(error), resource.spec.secrets(params)))
            error.begun = True
            raise
        unnoted = journal.end(number)
        notes += [unnoted] if unnoted else []
    result: dict[str, Any] = {"changed": plan.changed, **outcome, "cost": tenant.cost.as_result()}
    if resource.spec.writes:
        header = f"{tenant.name} {resource.name}"
        result["diff"] = {"before_header": header, "after_header": header, "before": plan.before or "", "after": plan.after or ""}
    if notes:
        result["notes"] = notes
    return result
