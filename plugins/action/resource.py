# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process action: runs a resource module in Ansible's worker process, without a subprocess.

meta/runtime.yml routes every resource module to this action. On a connection that is not local the module itself is sent
to the host, with the options filled in here.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._core.json_types import JsonObject
from ansible_collections.mailops.m365.plugins.module_utils._core.option_values import check, without_unset
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import Spec
from ansible_collections.mailops.m365.plugins.module_utils._engine.remote_host import HostFailed, RemoteHost
from ansible_collections.mailops.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.mailops.m365.plugins.module_utils._engine.run import failed_result, is_tenant_resource
from ansible_collections.mailops.m365.plugins.module_utils._engine.tenant_engine import run
from ansible_collections.mailops.m365.plugins.module_utils._engine.windows_engine import OnWindowsHost
from ansible_collections.mailops.m365.plugins.module_utils._engine.windows_engine import run as run_on_windows
from ansible_collections.mailops.m365.plugins.module_utils._entry_points import windows_connection
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import argument_spec, plain
from ansible_collections.mailops.m365.plugins.module_utils._planning.inventory import split_secrets
from ansible_collections.mailops.m365.plugins.module_utils._report import artifacts

display = Display()
_RESOURCES = "ansible_collections.mailops.m365.plugins.module_utils.resources"
_CREDENTIALS = ("client_secret", "certificate_path", "federated_token_file", "federated_token_variable", "federated_request_url")


def resource_of(module: str) -> Resource[Any, Any, Any]:
    """The resource of a module's name: `x` and `x_info` share the file x.py."""
    name = module.rpartition(".")[2]
    stem = name.removesuffix("_info")
    file = importlib.import_module(f"{_RESOURCES}.{stem}")
    resource: Resource[Any, Any, Any] = file.INFO if name.endswith("_info") else file.RESOURCE
    return resource


@contextlib.contextmanager
def _environment(variables: Mapping[str, Any]) -> Iterator[None]:
    """The variables of the keyword `environment` of play and task, in this process as in a module's: proxies, CA bundles, AZURE_*."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class ActionModule(ActionBase):
    """Fills options from host variables, validates them, and runs the resource.

    A resource of a host always runs as a module on that host, as the user that `become` names: never in this process.
    """

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        module = self._task.resolved_action or self._task.action
        resource = resource_of(module)
        environment: dict[str, Any] = {}
        compute: Any = self._compute_environment_string
        compute(environment)
        with _environment(environment):
            statistics = artifacts.statistics() if module == "mailops.m365.tenant" else {}
            return result | statistics | self._result(module, resource, task_vars or {})

    def _result(self, module: str, resource: Resource[Any, Any, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._task.args = self._with_variables(resource, task_vars)
        _values, problems = check(resource.spec, self._task.args, resource.spec.variables())
        if problems:
            return failed_result(InvalidInput(*problems))
        if isinstance(resource, OnWindowsHost):
            return self._on_windows(resource, task_vars)
        remote = self._connection.transport != "local"
        on_host = remote and hasattr(resource, "host_module")
        if not on_host and (remote or not is_tenant_resource(resource.spec) or not self._in_process(task_vars)):
            result: dict[str, Any] = self._execute_module(module_name=module, module_args=self._task.args, task_vars=task_vars)
            return result
        validate: Any = self.validate_argument_spec
        _validation, params = validate(**argument_spec(resource.spec))
        result = run(
            resource,
            plain(params),
            check_mode=bool(self._task.check_mode),
            # Ansible creates this directory once a run, shares it among the workers, and removes it at the end.
            token_directory=os.path.join(str(vars(constants)["DEFAULT_LOCAL_TMP"]), "mailops-tokens"),
            prompt=display.display,  # it shows a worker's text immediately, too
            remote_host=self._remote_host(task_vars) if on_host else None,
        )
        return _with_warnings(result)

    def _on_windows(self, resource: Any, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of a resource of a Windows host, whose scripts the connection of the inventory carries."""
        name = str(self._task.delegate_to or task_vars.get("inventory_hostname"))
        obstacle = windows_connection.problem(self._connection, name)
        if obstacle:
            return failed_result(InvalidInput(obstacle))
        validate: Any = self.validate_argument_spec
        _validation, params = validate(**argument_spec(resource.spec))
        execute = windows_connection.executor(self._connection)
        return _with_warnings(run_on_windows(resource, plain(params), name, execute, check_mode=bool(self._task.check_mode)))

    def _remote_host(self, task_vars: dict[str, Any]) -> RemoteHost:
        """The host that the task is delegated to."""
        name = str(self._task.delegate_to or task_vars.get("inventory_hostname"))

        def run_module(module: str, options: JsonObject) -> JsonObject:
            try:
                result: JsonObject = self._execute_module(module_name=f"mailops.m365.{module}", module_args=options, task_vars=task_vars)
            except AnsibleConnectionFailure as error:
                raise HostFailed(error.message) from error
            if result.get("failed") or "senders" not in result:
                raise HostFailed(" ".join(str(result.get("msg") or result.get("module_stderr") or "the module has no result").split()))
            return result

        return RemoteHost(name, run_module)

    def _in_process(self, task_vars: dict[str, Any]) -> bool:
        """The host variable m365_in_process: false runs the module as a subprocess, as on any other host."""
        return bool(boolean(self._templar.template(task_vars.get("m365_in_process", True))))

    def _with_variables(self, resource: Resource[Any, Any, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The task's options; an option that is left out is taken from its host variable, if that is set."""
        args: dict[str, Any] = dict(self._task.args)
        for option, variable in resource.spec.variables().items():
            if args.get(option) is None and task_vars.get(variable) is not None:
                value = self._templar.template(task_vars[variable])
                if isinstance(value, str) and not value:
                    continue
                args[option] = value
        self._with_inventory(resource.spec, args, task_vars)
        args = {**without_unset(args)}
        if "tenant" in resource.spec.options:
            args |= self._precedence(args, resource.spec.variables())
        if "tenant" in resource.spec.options and args.get("tenant") == "":
            raise AnsibleActionFail("The option tenant is empty.")
        return args

    def _precedence(self, args: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
        """Options of credentials to unset: an explicit one precedes another kind in the environment, an extra var the inventory."""
        explicit = [name for name in _CREDENTIALS if args.get(name)]
        extra_vars = load_extra_vars(self._loader)
        of_task = {name for name in self._task.args if self._task.args[name] is not None}
        extra = [name for name in explicit if variables.get(name) in extra_vars and name not in of_task]
        unset: dict[str, Any] = {}
        if extra and not of_task & {*_CREDENTIALS, "auth_method"}:
            explicit = extra
            if variables["auth_method"] not in extra_vars:
                unset["auth_method"] = "auto"
        if extra or len(explicit) == 1:
            unset |= {name: None for name in _CREDENTIALS if name not in explicit}
        return unset

    def _with_inventory(self, spec: Spec, args: dict[str, Any], task_vars: dict[str, Any]) -> None:
        """Fill the options that hold names or values of the host's variables. A variable that is None is unset."""
        variables = task_vars.get("hostvars", {}).get(task_vars.get("inventory_hostname"), {})
        values: dict[str, Any] = {}
        for option, (names, secrets) in spec.values().items():
            if args.get(option) is None:
                read = {name: _host_variable(variables, name) for name in names if name in variables}
                values |= read
                args[option], args[secrets] = split_secrets({name: value for name, value in read.items() if value is not None})
        for option in spec.hosts():
            if args.get(option) is None:
                args[option] = list(task_vars.get("groups", {}).get("all", []))
        for option, prefixes in spec.prefixes().items():
            if args.get(option) is None:
                listed = [name for name in variables if name.startswith(prefixes)]
                args[option] = sorted(name for name in listed if values.get(name, name) is not None)


def _with_warnings(result: dict[str, Any]) -> dict[str, Any]:
    """A result whose notes are displayed as warnings."""
    for note in result.pop("notes", []):
        display.warning(note)
    return result


def _host_variable(variables: Mapping[str, Any], name: str) -> Any:
    """The value of a variable, as plain data."""
    try:
        return plain(variables[name])
    except AnsibleError as error:
        raise AnsibleActionFail(f"The variable {name} cannot be evaluated: {error.message}") from error
