# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a run's tasks, as the callback collects them and the JSON report has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from .._core.json_types import JsonObject
from . import audit
from .failures import Failure

WINDOWS_STATUS = "windows_relay_info"
RELAY_MODULES = (
    "relay_agent", "relay_probe", "relay_status", "windows_hmailserver", "windows_relay_firewall", "windows_relay_probe",
    "windows_smtp_server", WINDOWS_STATUS,
)  # fmt: skip
_RECORDS = ("spf", "spf_info")


@dataclass(frozen=True)
class TaskReport:
    """One task's result. Only documented return values are kept, none of which is a secret.

    `tenant`: the host, a tenant or a relay host. A refused write is `failed`, not `changed`. `problems`, `remedy`: those of a failed task.
    `warnings`: those that Ansible shows for the task. `is_component`: it is a part of a task of module tenant.
    """

    tenant: str
    task: str
    module: str
    check_mode: bool
    changed: bool
    failed: bool
    unreachable: bool
    diff: Mapping[str, object] | None
    cost: JsonObject
    senders: list[JsonObject]
    plan: list[JsonObject]
    relay: JsonObject | None
    records: list[JsonObject]
    changes: list[JsonObject]
    attention: list[JsonObject]
    audit: JsonObject | None
    failure: JsonObject | None
    msg: str | None
    problems: list[str]
    remedy: str
    warnings: list[str]
    is_component: bool = False

    @classmethod
    def of(cls, host: str, name: str, module: str, result: JsonObject, check_mode: bool, source: str = "") -> TaskReport:
        """`module`: name without the collection for modules of this collection, else as Ansible has it; `source`: see Failure.of."""
        unreachable = bool(result.get("unreachable"))
        failed = unreachable or bool(result.get("failed"))
        failure = Failure.of(result, source) if failed else Failure(())
        return cls(
            tenant=host,
            task=name,
            module=module,
            check_mode=check_mode,
            changed=bool(result.get("changed")) and not failed,
            failed=failed,
            unreachable=unreachable,
            diff=result.get("diff") or None,
            cost=result.get("cost") or {},
            senders=result.get("senders") or [],
            plan=result.get("plan") or [],
            relay=_relay(module, result),
            records=(result.get("records") or []) if module in _RECORDS else [],
            changes=(result.get("changes") or []) if module == "tenant" else [],
            attention=result.get("attention") or [],
            audit=result.get("audit") if module == audit.MODULE else None,
            failure=result.get("failure"),
            msg=str(result.get("msg") or "") if failed else None,
            problems=list(failure.problems),
            remedy=failure.remedy,
            warnings=result.get("warnings") or [],
        )

    @classmethod
    def of_another(cls, host: str, name: str, module: str, result: JsonObject, check_mode: bool, source: str = "") -> TaskReport:
        """A failed task of a module that is not of this collection: only the failure is kept."""
        kept = ("msg", "censored", "unreachable", "argument_errors", "validate_args_context", "rc", "stderr")
        return cls.of(host, name, module, {key: result[key] for key in kept if key in result} | {"failed": True}, check_mode, source)


def _relay(module: str, result: JsonObject) -> JsonObject | None:
    """The status of a relay host: that of module relay_status, or with `read_at` that of windows_relay_info."""
    if module == WINDOWS_STATUS and result.get("windows_relay"):
        return {**result["windows_relay"], "read_at": result.get("read_at")}
    return result.get("relay") if module == "relay_status" else None


@dataclass(frozen=True)
class OtherChange:
    """A task of a module that is not of this collection and that changed its host."""

    host: str
    task: str
    module: str


@dataclass
class Hosts:
    """The hosts of a run by their end: what Ansible's statistics say.

    `failed`, `unreachable`: hosts that ended so, and not those whose failure was rescued or ignored; `not_run`: hosts of a play that the
    run ended before; `changed`: hosts with changed tasks, of any module; `tenants`, `relays`: members of these groups.
    """

    failed: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    not_run: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    tenants: set[str] = field(default_factory=set)
    relays: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class HostTotals:
    """The sums of one host's tasks. `waited`: seconds; `senders`: all of them.

    `state`: unchanged, changed, failed, unreachable or not_run.
    """

    state: str
    changed: int
    failed: int
    requests: int
    retries: int
    waited: float
    verified: int
    senders: int
    senders_failed: int
    not_verifiable: int
    not_verified: int

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @property
    def attention(self) -> bool:
        """Whether the host failed, or one of its senders."""
        return self.state in ("failed", "unreachable", "not_run") or bool(self.senders_failed)
