# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callbacks read of Ansible's events: plays and results of tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

COLLECTION = "mailops.m365."


def parts(result: Any) -> tuple[str, Any, dict[str, Any]]:
    """Host, task and result; the attributes are public since ansible-core 2.19."""
    if hasattr(result, "result"):
        return result.host.get_name(), result.task, result.result
    return result._host.get_name(), result._task, result._result


def inventory_directory(result: Any) -> str:
    host = result.host if hasattr(result, "result") else result._host
    return str(host.vars.get("inventory_dir") or "")


def warnings_of(result: Any) -> list[str]:
    """The warnings of a task. Ansible's callback removes them from the result when it has displayed them."""
    return [str(warning.event.msg) for warning in getattr(result, "warnings", ())]


def source_of(result: Any) -> str:
    """`file:line` of the innermost cause of a failure, where Ansible names it."""
    event, source = getattr(getattr(result, "exception", None), "event", None), ""
    while event is not None:
        first = str(getattr(event, "formatted_source_context", None) or "").partition("\n")[0]
        if first.startswith("Origin: ") and "<unknown>" not in first:
            source = first.removeprefix("Origin: ").rpartition(":")[0]
        event = getattr(getattr(event, "chain", None), "event", None)
    return source


def hosts_of(play: Any) -> list[str]:
    """The hosts of a play within the limit of the command line. For Ansible, a play with an empty list of hosts has all hosts."""
    return list(play.get_variable_manager().get_vars(play=play).get("ansible_play_hosts_all") or []) if play.hosts else []


def is_concerned(play: Any) -> bool:
    """Whether a play names a role or a module of this collection."""
    roles = [str(role.get_name(include_role_fqcn=True)) for role in play.get_roles()]
    return any(name.startswith(COLLECTION) for name in [*roles, *actions_of(play.pre_tasks + play.tasks + play.post_tasks)])


def actions_of(blocks: Any) -> Iterator[str]:
    """The modules and included roles of a play's tasks."""
    for item in blocks:
        for part in ("block", "rescue", "always"):
            yield from actions_of(getattr(item, part, None) or [])
        if hasattr(item, "action"):
            yield str(item.action)
            yield str(getattr(item, "_role_name", None) or "")
