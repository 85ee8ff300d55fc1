# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource is: the knowledge about one kind of object, in typed form. It knows clients, and nothing of Ansible.

How to write a resource:

1. `resources/<name>.py` holds one class with `name` (the module's), `spec` (its options) and `params_type`, a frozen dataclass with the
   same options as fields (see _core/params.py). The spec of a tenant's resource is `TENANT | JOURNAL | OPTIONS`; TENANT and JOURNAL are
   the engine's and need no fields. The spec of a host's resource is OPTIONS alone.
2. `validate(params)` returns one sentence a problem, all of them at once, without a request.
3. `plan(target, params, check_mode)` reads the current state, compares it with the desired state and returns a `Plan[C]`; it never writes.
   C is a frozen dataclass that names the changes, such as ConnectorChanges(create, update, remove). Lists inside it are tuples.
   Where nothing changes, `changes` is None. `plan` raises InvalidInput for what only the current state shows to be wrong.
4. `apply(target, params, plan)` carries out `plan.pending` and returns the outcome. The engine calls it only where there are changes and
   check mode is off. It has to come to the same end when it is run again after a failure. It may append to `plan.warnings`.
   The outcome's `attention`, a list of {kind, subject, problem, remedy}, is listed in the summary (kinds: _report/attention.py), such as
   keys that expire and orphans.
5. A resource that only reads inherits ReadOnlyResource, and its `plan` returns `Plan(outcome=...)`, a `Plan[None]`.
6. `target` is a Tenant (TenantResource, in tenant_engine.py) or the LocalHost (HostResource, in host_engine.py). A host's resource is
   sent to that host with everything it imports, and runs there on Python 3.9: it imports neither tenant_engine nor a client of HTTP.
7. A resource that makes no request to Microsoft 365 has `signs_in = False`, and needs no credential of the tenant.

The module is `modules/<name>.py` (documentation, and a call of run_module or run_host_module); `meta/runtime.yml` routes its name to the
in-process action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._core.spec import Spec

C = TypeVar("C")
P = TypeVar("P")
Target_contra = TypeVar("Target_contra", contravariant=True)
P_contra = TypeVar("P_contra", contravariant=True)


class PlannedStep(Protocol):
    """A part of a composed plan: the resource's name and its plan, or the outcome where it is applied."""

    @property
    def name(self) -> str: ...

    @property
    def plan(self) -> Plan[Any]: ...

    @property
    def restored(self) -> Sequence[str]:
        """The names of the objects that get their settings from before."""


@dataclass(frozen=True)
class Assumption:
    """What a prediction assumes that an earlier task of the real run creates.

    `note`: the sentence of a check run. `refusal`: the sentence where nothing creates it. `needed`: what it is, as a step of a composed
    plan provides it.
    """

    note: str
    refusal: str = ""
    needed: str = ""


class UnmetAssumptions(InvalidInput):
    """A plan that is to be applied assumes what does not exist."""

    def __init__(self, *assumptions: Assumption) -> None:
        super().__init__(*(one.refusal for one in assumptions))


@dataclass
class Plan(Generic[C]):
    """What differs between the current and the desired state, and the changes that remove the difference.

    `before` and `after` are what the user sees as the diff: only what differs or was asked for, never a secret.
    `changes` is what `apply` carries out; None, or empty, where nothing is to be changed.
    `outcome` is the task's result as it will be; ids that only the service can assign are None until then.
    `assumptions`: what a prediction assumes that earlier tasks of the real run create.
    `steps`: the parts of a composed plan in their order; `apply` then writes the journal of each part itself.
    """

    before: Any = None
    after: Any = None
    changes: C | None = None
    outcome: JsonObject = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    steps: Sequence[PlannedStep] = ()

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    @property
    def pending(self) -> C:
        """The changes, for `apply`; ValueError where there are none."""
        if self.changes is None:
            raise ValueError("the plan has no changes")
        return self.changes


class Resource(Protocol[Target_contra, P, C]):
    """One kind of object, of a tenant or of the local host."""

    name: str
    spec: Spec
    params_type: type[P]

    def validate(self, params: P, /) -> list[str]:
        """What is wrong with the options: one sentence a problem, all problems at once, without a request."""

    def plan(self, target: Target_contra, params: P, check_mode: bool, /) -> Plan[C]:
        """Read and compare; never writes."""

    def apply(self, target: Target_contra, params: P, plan: Plan[C], /) -> dict[str, object]:
        """Carry out the plan's changes; the outcome as it is now."""


class ReadOnlyResource(Generic[P_contra]):
    """The base of resources that only read: nothing to validate, unless it is overridden, and nothing to apply."""

    def validate(self, params: P_contra, /) -> list[str]:
        return []

    def apply(self, target: Any, params: P_contra, plan: Plan[None], /) -> dict[str, object]:
        return plan.outcome
