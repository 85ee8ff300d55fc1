# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._report.components import results


def part(module: str, status: str, **result: Any) -> dict[str, Any]:
    return {"component": "x", "module": module, "subject": "", "status": status, "changed": True, "diff": {"before": {}}, "result": result}


def test_each_component_is_the_result_of_its_module() -> None:
    parts = [part("smtp_auth", "applied"), part("spf", "unchanged", records=[{"domain": "a"}]), part("direct_send", "failed")]
    task = {"changed": True, "failed": True, "msg": "No.", "cost": {"requests": 2}, "components": parts, "records": [1], "diff": []}
    assert list(results("Configure", "tenant", task)) == [
        ("Configure: smtp_auth", "smtp_auth", {"changed": True, "diff": {"before": {}}}),
        ("Configure: spf", "spf", {"records": [{"domain": "a"}], "changed": False, "diff": {"before": {}}}),
        ("Configure: direct_send", "direct_send", {"changed": False, "diff": {"before": {}}}),
        ("Configure", "tenant", {"failed": True, "msg": "No.", "cost": {"requests": 2}}),
    ]


def test_a_result_without_components_stays_as_it_is() -> None:
    task = {"changed": True, "diff": {"before": 1}, "records": [1]}
    assert list(results("Publish", "spf", task)) == [("Publish", "spf", task)]
