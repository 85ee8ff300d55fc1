# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A spec as Ansible's argument_spec, and plain data of Ansible's values: what the module and the in-process action share."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, TypedDict

from ansible.module_utils.basic import env_fallback

from .._core.spec import Spec

OWN_KEYS = ("env", "variable", "prefixes", "values", "secrets", "hosts")  # the keys of a Spec that Ansible does not have


class ModuleArguments(TypedDict):
    """Keyword arguments of AnsibleModule."""

    argument_spec: dict[str, dict[str, object]]
    mutually_exclusive: list[list[str]]
    required_one_of: list[list[str]]
    required_together: list[list[str]]
    required_if: list[list[Any]]


def argument_spec(spec: Spec) -> ModuleArguments:
    """AnsibleModule's keyword arguments for a spec, without supports_check_mode."""
    options: dict[str, dict[str, object]] = {}
    for name, option in spec.options.items():
        converted: dict[str, object] = {key: deepcopy(value) for key, value in option.items() if key not in OWN_KEYS}
        if option.get("env"):
            converted["fallback"] = (env_fallback, list(option["env"]))
        options[name] = converted
    return {
        "argument_spec": options,
        "mutually_exclusive": [list(group) for group in spec.mutually_exclusive],
        "required_one_of": [list(group) for group in spec.required_one_of],
        "required_together": [list(group) for group in spec.required_together],
        "required_if": [list(group) for group in spec.required_if],
    }


def plain(value: Any) -> Any:
    """The JSON data of Ansible's tagged values: the layers below get plain str, int, bool, None, list and dict."""
    return json.loads(json.dumps(value))
