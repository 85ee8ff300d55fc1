# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the roles' tasks, compared with the tasks themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_inputs import VARIABLES, RoleInput, role_inputs
from ansible_collections.mailops.m365.plugins.module_utils._planning.role_variables import ROLES

from tests.static.tree import REPO

ALL = list(dict.fromkeys(role for role, _variable in ROLES))
# Every task of every role runs.
FULL: dict[str, Any] = dict.fromkeys(VARIABLES, "x") | {
    "entra_app_authorization": "rbac",
    "entra_app_federated_credentials": [{}],
    "delegated_sign_in_app_register": "true",
    "delegated_sign_in_users": [{"user": "u@contoso.com", "token_store": {"kind": "file"}, "state": "present"}],
}
# State decides between two inputs of one task; the other tasks of role entra_app have the same mailboxes.
NOT_OF_THE_PLAN = {("entra_app", "mailboxes"), *((module, "state") for module in ("delegated_sign_in", "rbac_for_applications"))}


def tasks(role: str) -> dict[str, dict[str, Any]]:
    """The collection's modules in a role's tasks and in its blocks, with their options. The section `always` repeats those of `block`."""
    listed = yaml.safe_load((REPO / "roles" / role / "tasks/main.yml").read_text())
    listed = [inner for task in listed for inner in task.get("block", [task])]
    return {key.rpartition(".")[2]: value for task in listed for key, value in task.items() if key.startswith("mailops.m365.")}


@pytest.mark.parametrize("role", ALL)
def test_options_and_variables_are_those_of_the_roles_tasks(role: str) -> None:
    inputs = {task.module: task for task in role_inputs([role], FULL)}
    written = tasks(role)
    assert list(inputs) == list(written)
    for module, options in written.items():
        missing = {option for of, option in NOT_OF_THE_PLAN if of == module}
        assert inputs[module].options.keys() - missing == options.keys() - missing, module
        for option, variable in inputs[module].variables.items():
            assert re.search(rf"\b{variable}\b", str(options[option])), f"{module}: {option} is not {variable}"


def test_unset_variables_are_left_out() -> None:
    [task] = role_inputs(["hve_account"], {"hve_account_accounts": [], "hve_account_password": None})
    assert task == RoleInput("hve_account", "hve_account", {"accounts": []}, task.variables)
    assert task.name_of("password") == "hve_account_password"


def test_conditional_tasks() -> None:
    def modules(**variables: Any) -> list[str]:
        return [task.module for task in role_inputs(["entra_app", "delegated_sign_in"], {"entra_app_unique_name": "app", **variables})]

    assert modules(delegated_sign_in_app_register="no") == ["entra_app", "exchange_service_principal"]
    assert modules(entra_app_authorization="rbac") == ["entra_app", "exchange_service_principal", "rbac_for_applications", "entra_app"]


def test_mailboxes_of_rbac_get_no_permission_of_their_own() -> None:
    variables = {"entra_app_full_access": ["a@contoso.com"], "entra_app_send_as": ["b@contoso.com"], "entra_app_authorization": "rbac"}
    _app, principal, rbac = role_inputs(["entra_app"], variables)
    assert principal.options["full_access"] == []
    assert rbac.options["mailboxes"] == ["a@contoso.com"]
