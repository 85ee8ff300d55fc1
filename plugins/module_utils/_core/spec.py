# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a module. The module and the in-process action read the same Spec.

A spec is data; _entry_points/arguments.py turns it into Ansible's argument_spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict


class Option(TypedDict, total=False):
    """One option, in Ansible's argument_spec form, with keys of this collection: `variable` and those below it (see Spec)."""

    type: str
    elements: str
    required: bool
    default: object
    choices: list[str]
    no_log: bool
    options: dict[str, Option]
    mutually_exclusive: list[tuple[str, ...]]
    required_one_of: list[tuple[str, ...]]
    required_together: list[tuple[str, ...]]
    required_if: list[tuple[Any, ...]]
    variable: str
    env: tuple[str, ...]
    prefixes: tuple[str, ...]
    values: tuple[str, ...]
    secrets: str
    hosts: bool


@dataclass(frozen=True)
class Spec:
    """Options by name, in Ansible's argument_spec form, with more keys for an option that is left out.

    `variable`: the host variable to use; `env`: the environment variables to use after it; `prefixes`: the option becomes the list of
    the names, never the values, of the host variables that begin so; `values`: it becomes a mapping of these host variables, without
    their secrets, which the option named in `secrets` holds; `hosts`: it becomes the list of the inventory's hosts. `log_options`: a module
    on a host writes its options to the system log. `journal`: a change is recorded in the journal.
    """

    options: dict[str, Option]
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    writes: bool = field(default=True)
    log_options: bool = field(default=True)
    journal: bool = field(default=True)

    def __or__(self, other: Spec) -> Spec:
        """Both together; the right one's options win."""
        return Spec(
            {**self.options, **other.options},
            self.mutually_exclusive + other.mutually_exclusive,
            self.required_one_of + other.required_one_of,
            self.required_together + other.required_together,
            self.required_if + other.required_if,
            other.writes,
            self.log_options and other.log_options,
            self.journal and other.journal,
        )

    def variables(self) -> dict[str, str]:
        """Option -> host variable, for the options that have one."""
        return {name: option["variable"] for name, option in self.options.items() if "variable" in option}

    def prefixes(self) -> dict[str, tuple[str, ...]]:
        """Option -> beginnings of host variables, for the options that hold such names."""
        return {name: option["prefixes"] for name, option in self.options.items() if "prefixes" in option}

    def values(self) -> dict[str, tuple[tuple[str, ...], str]]:
        """Option -> host variables, and the option for their secrets; for the options that hold values of host variables."""
        return {name: (option["values"], option["secrets"]) for name, option in self.options.items() if "values" in option}

    def hosts(self) -> list[str]:
        """The options that hold the inventory's hosts."""
        return [name for name, option in self.options.items() if option.get("hosts")]

    def secrets(self, params: Mapping[str, object]) -> list[str]:
        """The values of the options with no_log, those inside lists included."""
        return list(_secrets(self.options, params))


def _secrets(options: Mapping[str, Option], params: Mapping[str, object]) -> Iterator[str]:
    for name, option in options.items():
        value = params.get(name)
        if option.get("no_log") and value:
            yield from _leaves(value)
        if "options" in option:
            for item in value if isinstance(value, list) else [value]:
                yield from _secrets(option["options"], item) if isinstance(item, dict) else ()


def _leaves(value: Any) -> Iterator[str]:
    """Every single value in a structure, as text."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


# How the automation signs in; auto chooses by the options and the platform (_identity/methods.py).
AUTH_METHODS = ("auto", "client_secret", "certificate", "federated", "managed_identity", "device_code")

# The tenant and the credential: every module of a tenant has these options.
TENANT = Spec(
    {
        "tenant": {"type": "str", "variable": "m365_tenant", "env": ("AZURE_TENANT_ID", "AZURE_TENANT")},
        "cloud": {"type": "raw", "variable": "m365_cloud", "default": "global"},
        "auth_method": {"type": "str", "variable": "m365_auth_method", "default": "auto", "choices": list(AUTH_METHODS)},
        "client_id": {"type": "str", "variable": "m365_client_id", "env": ("AZURE_CLIENT_ID",)},
        "client_secret": {
            "type": "str",
            "no_log": True,
            "variable": "m365_client_secret",
            "env": ("AZURE_CLIENT_SECRET", "AZURE_SECRET"),
        },
        "certificate_path": {
            "type": "path",
            "variable": "m365_certificate_path",
            "env": ("AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_X509_CERTIFICATE_PATH"),
        },
        "certificate_password": {
            "type": "str",
            "no_log": True,
            "variable": "m365_certificate_password",
            "env": ("AZURE_CLIENT_CERTIFICATE_PASSWORD",),
        },
        # The path of a token, not the token: with no_log Ansible would hide it.
        "federated_token_file": {
            "type": "path",
            "no_log": False,
            "variable": "m365_federated_token_file",
            "env": ("AZURE_FEDERATED_TOKEN_FILE",),
        },
        "federated_token_variable": {"type": "str", "no_log": False, "variable": "m365_federated_token_variable"},
        "federated_request_url": {"type": "str", "variable": "m365_federated_request_url", "env": ("ACTIONS_ID_TOKEN_REQUEST_URL",)},
        "federated_request_token": {
            "type": "str",
            "no_log": True,
            "variable": "m365_federated_request_token",
            "env": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN",),
        },
        "managed_identity_client_id": {"type": "str", "variable": "m365_managed_identity_client_id"},
        "wait_timeout": {"type": "int", "variable": "m365_wait_timeout", "default": 300},
    },
    writes=False,
)

# Mailboxes that an earlier task of the real run creates: in check mode they may be missing.
EXPECTED = Spec(
    {"expected_mailboxes": {"type": "list", "elements": "str", "variable": "m365_expected_mailboxes", "default": []}}, writes=False
)

# For modules that write.
JOURNAL = Spec({"journal_dir": {"type": "path", "variable": "m365_journal_dir", "env": ("MAILOPS_JOURNAL_DIR",)}})

# For modules that use keys which this collection creates.
KEY_DIRECTORY: Option = {"type": "path", "variable": "m365_key_directory", "env": ("MAILOPS_KEY_DIRECTORY",)}

# For modules that query DNS.
DNS = Spec({"dns_servers": {"type": "list", "elements": "str", "variable": "m365_dns_servers"}}, writes=False)
