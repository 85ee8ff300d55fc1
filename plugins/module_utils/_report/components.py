# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of module tenant as results of the modules that it is composed of."""

from __future__ import annotations

from collections.abc import Iterator

from .._core.json_types import JsonObject

_OF_COMPONENTS = ("components", "records", "diff", "changed")
_CHANGED = ("planned", "applied")


def results(task: str, module: str, result: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    """Task name, module and result of each component, then of the task itself without what its components have.

    A result without components is returned as it is.
    """
    parts = result.get("components") or []
    for part in parts:
        values = part["result"] | {"changed": part["status"] in _CHANGED, "diff": part["diff"]}
        yield f"{task}: {part['module']} {part['subject']}".rstrip(), part["module"], values
    yield task, module, {name: value for name, value in result.items() if not (parts and name in _OF_COMPONENTS)}
