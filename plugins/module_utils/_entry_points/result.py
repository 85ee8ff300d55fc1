# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a module: warnings, then success or failure."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .._core.json_types import JsonObject


def end(module: AnsibleModule, result: JsonObject) -> None:
    """Show the result's notes as warnings and end the module with the result."""
    for note in result.pop("notes", []):
        module.warn(note)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
