# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point of a module that manages the host that it runs on. It imports no client of a tenant."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._engine.host_engine import HostResource, run
from .arguments import argument_spec, plain
from .result import end


def run_host_module(resource: HostResource[Any, Any]) -> None:
    """A module's main()."""
    module = AnsibleModule(supports_check_mode=True, no_log=not resource.spec.log_options, **argument_spec(resource.spec))
    result = run(resource, plain(module.params), check_mode=module.check_mode)
    if not resource.spec.log_options:
        result["invocation"] = {}  # instead of the options, which AnsibleModule would add
    end(module, result)
