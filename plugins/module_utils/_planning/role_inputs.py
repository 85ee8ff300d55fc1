# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that a tenant's roles run, from the roles' variables. The same as roles/*/tasks, which a test compares.

Option mailboxes of module entra_app is left out: the following tasks of the role have the same mailboxes, and check them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ENTRA_APP_PERMISSIONS = [{"name": "SMTP.SendAsApp"}]
DELEGATED_PERMISSIONS = [
    {"name": "SMTP.Send", "api": "exchange", "type": "delegated"},
    {"name": "offline_access", "api": "graph", "type": "delegated"},
]
# Variables of roles that no module takes as an option.
OTHER_VARIABLES = ("spf_provider_tasks", "delegated_sign_in_app_register", "delegated_sign_in_users")


@dataclass(frozen=True)
class RoleInput:
    """The options of one task of a role. `variables`: option -> the inventory's variable that sets it.

    `item`: of a list variable that the role's task loops over, which is `item_of`; it sets the other options.
    `restores`: keys of the objects that get their settings from before (see _composition/changes.py).
    """

    role: str
    module: str
    options: dict[str, object] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    item: str = ""
    item_of: str = ""
    restores: frozenset[str] = frozenset()

    def name_of(self, option: str) -> str:
        """What the user calls an option."""
        return self.variables.get(option, option)


@dataclass(frozen=True)
class _Task:
    """A task whose options are variables of its role: `option` is the variable `<role>_<option>`, unless `renamed` says otherwise.

    `computed`: option -> value from all variables. `when`: whether the role runs the task.
    """

    module: str
    options: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    when: Callable[[Mapping[str, Any]], bool] = lambda _variables: True


def _is_rbac(variables: Mapping[str, Any]) -> bool:
    return variables.get("entra_app_authorization") == "rbac"


def _has_mailboxes(variables: Mapping[str, Any]) -> bool:
    return bool(variables.get("entra_app_full_access"))


def is_true(value: Any) -> bool:
    """Whether a variable of the inventory, which may be a text, is true."""
    return str(value).strip().lower() in ("true", "yes", "on", "1", "y", "t")


_TASKS: dict[str, tuple[_Task, ...]] = {
    "shared_mailbox": (_Task("shared_mailbox", ("mailboxes", "exclusive")),),
    "entra_app": (
        _Task(
            "entra_app",
            (
                "unique_name",
                "display_name",
                "permissions",
                "certificate",
                "certificates",
                "retired_certificates",
                "public_client",
                "authorization",
                "exclusive",
            ),
        ),
        _Task(
            "federated_credential",
            ("unique_name", "credentials", "exclusive"),
            renamed={"credentials": "entra_app_federated_credentials"},
            when=lambda variables: bool(variables.get("entra_app_federated_credentials")),
        ),
        _Task(
            "exchange_service_principal",
            ("unique_name", "display_name", "full_access", "send_as"),
            computed={
                "full_access": lambda variables: [] if _is_rbac(variables) else variables.get("entra_app_full_access"),
            },
        ),
        _Task(
            "rbac_for_applications",
            ("unique_name", "scope", "mailboxes", "recipient_filter", "settle_time"),
            renamed={"mailboxes": "entra_app_full_access"},
            # Without mailboxes the application keeps no scope; it is not migrated back to mailbox permissions.
            computed={"replace": _has_mailboxes, "state": lambda variables: "present" if _has_mailboxes(variables) else "absent"},
            when=_is_rbac,
        ),
    ),
    "hve_account": (_Task("hve_account", ("accounts", "billing_policy", "password", "exclusive")),),
    "acs_smtp_username": (
        _Task(
            "acs_smtp_username",
            ("subscription_id", "resource_group", "communication_service", "usernames", "app", "assign_role", "exclusive"),
        ),
    ),
    "smtp_auth": (_Task("smtp_auth", ("organization", "mailboxes", "exclusive")),),
    "authentication_policy": (_Task("authentication_policy", ("policies", "organization", "exclusive")),),
    "inbound_connector": (_Task("inbound_connector", ("connectors",)),),
    "direct_send": (_Task("direct_send", ("rejected", "senders")),),
    "spf": (
        _Task(
            "spf",
            (
                "domains",
                "ip4",
                "ip6",
                "includes",
                "cloud_include",
                "policy",
                "exclusive",
                "provider",
                "server",
                "zone",
                "tsig_name",
                "tsig_secret",
                "tsig_algorithm",
                "ttl",
            ),
        ),
    ),
    "verify": (
        _Task(
            "smtp_probe",
            (
                "senders",
                "app_unique_name",
                "user_app_unique_name",
                "app_client_secret",
                "app_certificate_path",
                "app_certificate_password",
                "passwords",
                "wait",
                "required",
                "reachability",
            ),
        ),
    ),
}
# The roles' own defaults that decide what a module checks and that differ from the module's: none but these.
_DEFAULTS = {"entra_app_permissions": ENTRA_APP_PERMISSIONS, "smtp_auth_mailboxes": [], "authentication_policy_policies": []}


def role_inputs(roles: Iterable[str], variables: Mapping[str, Any]) -> list[RoleInput]:
    """The options of each task of the roles, in their order. `variables`: the roles' variables as they run; None is unset."""
    present = _DEFAULTS | {name: value for name, value in variables.items() if value is not None}
    return [task for role in roles for task in _tasks_of(role, present)]


def _tasks_of(role: str, variables: Mapping[str, Any]) -> Iterator[RoleInput]:
    if role == "delegated_sign_in":
        yield from _delegated_sign_in(variables)
    for task in _TASKS.get(role, ()):
        if not task.when(variables):
            continue
        names = {option: task.renamed.get(option, f"{role}_{option}") for option in task.options}
        options = {option: variables[name] for option, name in names.items() if variables.get(name) is not None}
        computed = {option: value(variables) for option, value in task.computed.items()}
        yield RoleInput(role, task.module, options | {name: value for name, value in computed.items() if value is not None}, names)


def _delegated_sign_in(variables: Mapping[str, Any]) -> Iterator[RoleInput]:
    """The registration of the application, and one sign-in for each user."""
    app = "delegated_sign_in_app_unique_name"
    if is_true(variables.get("delegated_sign_in_app_register", True)):
        options = {"unique_name": variables.get(app), "display_name": variables.get("delegated_sign_in_app_display_name")}
        names = {"unique_name": app, "display_name": "delegated_sign_in_app_display_name"}
        yield RoleInput("delegated_sign_in", "entra_app", options | {"public_client": True, "permissions": DELEGATED_PERMISSIONS}, names)
    users = variables.get("delegated_sign_in_users")
    names = {"app_unique_name": app, "sign_in_timeout": "delegated_sign_in_timeout"}
    for user in users if isinstance(users, list) else []:
        own = {option: value for option, value in user.items() if value is not None} if isinstance(user, Mapping) else {"user": user}
        shared = {option: variables[name] for option, name in names.items() if variables.get(name) is not None}
        item = str(own.get("user", ""))
        yield RoleInput("delegated_sign_in", "delegated_sign_in", shared | own, names, item=item, item_of="delegated_sign_in_users")


# Every variable of the tenant's roles.
VARIABLES = tuple(
    dict.fromkeys(
        [
            *(task.renamed.get(option, f"{role}_{option}") for role, tasks in _TASKS.items() for task in tasks for option in task.options),
            "entra_app_send_as",
            "delegated_sign_in_app_unique_name",
            "delegated_sign_in_app_display_name",
            "delegated_sign_in_timeout",
            *OTHER_VARIABLES,
        ]
    )
)
