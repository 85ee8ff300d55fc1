# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reviewed plan (plan.json of a check run), and how the changes of a tenant differ from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._core.errors import InvalidInput
from .._core.json_types import JsonObject
from .._entra.renewal import NEW_CERTIFICATE

FORMAT = "mailops.plan/1"
VARIABLE = "m365_plan_expected"
RUNNING, FAILED = "running", ("failed", "unreachable", "not_run")  # statuses of a plan; states of a host
_COMPARED = {"action", "kind", "object", "key", "before", "after"}  # the fields of a change
_MOST = 20  # differences in a message
_LONGEST = 100  # characters of a value in a sentence
_PLAN_AGAIN = "make a plan again (check run with MAILOPS_PLAN), have it reviewed, and give that file."


def problems(path: str) -> list[str]:
    """Why a file is no plan that this collection reads, as one sentence; empty where it is one."""
    try:
        _read(path)
    except InvalidInput as error:
        return error.problems
    return []


def refuse_another(path: str, host: str, changes: Sequence[Mapping[str, Any]]) -> None:
    """InvalidInput with one sentence for each difference, where `changes` are not those that the plan has for this host.

    `changes`: records as Change.as_result returns them. None are needed no more than a plan: nothing is written then. The date of a
    certificate that does not exist yet is no difference: it follows from the day of the run.
    """
    if not changes:
        return
    reviewed = _of_host(path, host)
    differences = list(_differences(_by_key(reviewed), _by_key(changes)))
    if differences:
        more = [f"And {len(differences) - _MOST} more."] if len(differences) > _MOST else []
        remedy = f"This is not the plan in {VARIABLE} ({path}): nothing was changed. Make a plan again, review it and apply that one."
        raise InvalidInput(*differences[:_MOST], *more, remedy=remedy)


def _read(path: str) -> JsonObject:
    try:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
    except OSError as error:
        raise InvalidInput(f"{VARIABLE} is {path}, which cannot be read ({error.strerror}): give the path of the reviewed plan.") from error
    except ValueError as error:
        raise InvalidInput(f"{VARIABLE} is {path}, which is not JSON ({error}): {_PLAN_AGAIN}") from error
    found = plan.get("format") if isinstance(plan, dict) else None
    if found != FORMAT:
        named = f"has the format {found!r}" if found else "has no format"
        raise InvalidInput(f"{VARIABLE} is {path}, which {named}; this version reads {FORMAT!r}: {_PLAN_AGAIN}")
    if not _is_complete(plan):
        raise InvalidInput(f"{VARIABLE} is {path}, in which fields are missing or damaged: {_PLAN_AGAIN}")
    if plan["status"] == RUNNING:
        raise InvalidInput(f"{VARIABLE} is {path}, which is the plan of a run that has not ended: {_PLAN_AGAIN}")
    return dict(plan)


def _is_complete(plan: Mapping[str, Any]) -> bool:
    """Whether the plan has the fields that are compared."""
    tenants = plan.get("tenants")
    if "status" not in plan or not isinstance(tenants, dict):
        return False
    for host in tenants.values():
        changes = host.get("changes") if isinstance(host, dict) and "state" in host else None
        if not isinstance(changes, list) or not all(isinstance(change, dict) and change.keys() >= _COMPARED for change in changes):
            return False
    return True


def _of_host(path: str, host: str) -> list[JsonObject]:
    """The reviewed changes of a host."""
    planned = _read(path)["tenants"].get(host)
    if planned is None:
        raise InvalidInput(
            f"{VARIABLE} is {path}, which has no plan of {host}: limit this run to the tenants of the plan (--limit), or {_PLAN_AGAIN}"
        )
    if planned["state"] in FAILED:
        raise InvalidInput(f"{VARIABLE} is {path}, in which {host} has no plan, because its check run failed: {_PLAN_AGAIN}")
    return list(planned["changes"])


def _by_key(changes: Sequence[Mapping[str, Any]]) -> dict[str, JsonObject]:
    plain: list[JsonObject] = json.loads(NEW_CERTIFICATE.sub("new certificate", json.dumps(changes, default=str)))
    return {f"{change['action']} {change['key']}": change for change in plain}


def _differences(reviewed: Mapping[str, JsonObject], fresh: Mapping[str, JsonObject]) -> Iterator[str]:
    for key, change in fresh.items():
        if key not in reviewed:
            yield f"{_named(change)} is not in the reviewed plan."
            continue
        for side in ("before", "after"):
            was, now = reviewed[key][side], change[side]
            if was != now:
                yield f"{_named(change)}: {side} is {_value(now)}, and {_value(was)} in the reviewed plan."
    for key, change in reviewed.items():
        if key not in fresh:
            yield f"{_named(change)} is in the reviewed plan, and no longer needed."


def _named(change: Mapping[str, Any]) -> str:
    return f"{change['kind']} {change['object']} ({change['action']})"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
