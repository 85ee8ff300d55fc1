# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of a module that manages a Windows host. Only the in-process action can run it."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._engine.windows_engine import WindowsResource
from .arguments import argument_spec


def run_windows_module(resource: WindowsResource[Any, Any]) -> None:
    """A module's main(): one sentence, since the host's connection belongs to Ansible's worker process."""
    module = AnsibleModule(supports_check_mode=True, **argument_spec(resource.spec))
    name = f"mailops.m365.{resource.name}"
    module.fail_json(msg=f"{name} runs through its action plugin only: call it by this name in a task for a Windows host.")
