# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two doors to the core: what Ansible wants of a spec, and a module's main().

Private to the collection. The only file here that imports Ansible.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .._core.spec import Spec
from .._engine.engine import Resource, run


def argument_spec(spec: Spec) -> dict[str, Any]:
    """AnsibleModule's keyword arguments for a spec, but for the check mode."""
    options: dict[str, Any] = {}
    for name, option in spec.options.items():
        converted = {key: value for key, value in option.items() if key not in ("env", "variable", "prefixes")}
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
    """Plain data out of Ansible's tagged values, so that nothing below this line meets them."""
    return json.loads(json.dumps(value))


def run_module(resource: Resource) -> None:
    """A module's main()."""
    module = AnsibleModule(supports_check_mode=True, **argument_spec(resource.spec))
    result = run(resource, plain(module.params), check_mode=module.check_mode)
    for note in result.pop("notes", []):
        module.warn(note)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
