# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast door: runs a resource module's core in Ansible's worker process, without a subprocess.

meta/runtime.yml gives every resource module to this action. On a connection that is not local the module itself is
shipped, with the options filled in here.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.mailops.m365.plugins.module_utils._engine.engine import Resource, of_a_tenant, run
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.module import argument_spec, plain

display = Display()
_RESOURCES = "ansible_collections.mailops.m365.plugins.module_utils.resources"
_CREDENTIALS = ("client_secret", "certificate_path", "federated_token_file", "federated_token_variable", "federated_request_url")


def resource_of(module: str) -> Resource:
    """The resource behind a module's name: `x` and `x_info` share the file x.py."""
    name = module.rpartition(".")[2]
    stem = name.removesuffix("_info")
    file = importlib.import_module(f"{_RESOURCES}.{stem}")
    return file.INFO if name.endswith("_info") else file.RESOURCE


class ActionModule(ActionBase):
    """Fills the connection's options from host variables, validates, and runs the core.

    What is about a machine runs there, as the user that `become` names: never in this process.
    """

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        module = self._task.resolved_action or self._task.action
        resource = resource_of(module)
        self._task.args = self._filled(resource, task_vars or {})
        if self._connection.transport != "local" or not of_a_tenant(resource) or not self._in_process(task_vars or {}):
            return result | self._execute_module(module_name=module, module_args=self._task.args, task_vars=task_vars)
        _validation, params = self.validate_argument_spec(**argument_spec(resource.spec))
        result |= run(
            resource,
            plain(params),
            check_mode=bool(self._task.check_mode),
            # The run's own directory: made once in the parent, shared by its workers, gone with it.
            token_directory=os.path.join(str(vars(constants)["DEFAULT_LOCAL_TMP"]), "mailops-tokens"),
            prompt=display.display,  # from a worker too it reaches the screen at once
        )
        for note in result.pop("notes", []):
            display.warning(note)
        return result

    def _in_process(self, task_vars: dict[str, Any]) -> bool:
        """The host variable m365_in_process: false runs the module as a subprocess, as on any other machine."""
        return boolean(self._templar.template(task_vars.get("m365_in_process", True)))

    def _filled(self, resource: Resource, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The task's options; one that is left out comes from the tenant's host variable, if that is set."""
        args = dict(self._task.args)
        for option, variable in resource.spec.variables().items():
            if args.get(option) is None and task_vars.get(variable) is not None:
                value = self._templar.template(task_vars[variable])
                if isinstance(value, str) and not value:
                    continue
                args[option] = value
        for option, prefixes in resource.spec.prefixes().items():
            if args.get(option) is None:
                known = task_vars.get("hostvars", {}).get(task_vars.get("inventory_hostname"), {})
                args[option] = sorted(name for name in known if name.startswith(prefixes))
        # An explicit credential comes before another kind in the environment.
        given = [name for name in _CREDENTIALS if args.get(name)]
        if len(given) == 1:
            args |= {name: None for name in _CREDENTIALS if name not in given}
        if "tenant" in resource.spec.options and args.get("tenant") == "":
            raise AnsibleActionFail("The option tenant is empty.")
        return args
