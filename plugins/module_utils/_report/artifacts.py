# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifacts of a job, which AWX hands to the next node of a workflow as extra variables.

The callback has them before Ansible forks its workers, which inherit them; results of tasks take them to Ansible's statistics, as those
of ansible.builtin.set_stats do. A callback cannot: that of ansible-runner reads the statistics before it.
"""

from __future__ import annotations

from .._core.json_types import JsonObject

_artifacts: dict[str, str] = {}


def publish_plan(path: str) -> None:
    """The plan of this check run is what a run of the next node applies."""
    _artifacts["m365_plan_expected"] = path


def statistics() -> JsonObject:
    """What the result of a task adds to the statistics of the run; {} without artifacts."""
    return {"ansible_stats": {"data": dict(_artifacts), "per_host": False, "aggregate": False}} if _artifacts else {}
