# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: relay_windows
short_description: Compute the configuration of a relay on a Windows host
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Validates the variables of role P(mailops.m365.relay_windows#role) and computes the options of its modules.
  - The result holds passwords. Do not make it a fact.
options:
  _input:
    description:
      - The role's variables by name, with C(inventory_hostname).
      - C(variable_names) lists the names of all variables of the host. A misspelt one is a problem.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Validate role variables
  ansible.builtin.assert:
    that: (__relay_windows_variables | mailops.m365.relay_windows).problems | length == 0
"""

RETURN = r"""
---
_value:
  description:
    - C(state), C(product), and the options of M(mailops.m365.windows_relay_firewall) (C(firewall)) and of the product's module,
      M(mailops.m365.windows_smtp_server) (C(smtp_server)) or M(mailops.m365.windows_hmailserver) (C(hmailserver)).
    - C(problems) lists every problem with the variables; where it is not empty, it is the only key.
  type: dict
"""

import typing as t

from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.arguments import plain
from ansible_collections.mailops.m365.plugins.module_utils._entry_points.option_problems import option_problems
from ansible_collections.mailops.m365.plugins.module_utils._relay.config import windows, windows_variables
from ansible_collections.mailops.m365.plugins.module_utils.resources import windows_hmailserver, windows_smtp_server

_RESOURCES: dict[str, t.Any] = {"smtp_server": windows_smtp_server.RESOURCE, "hmailserver": windows_hmailserver.RESOURCE}


def relay_windows(variables: object) -> dict[str, t.Any]:
    """Options of the role's modules, or every problem with the variables, those that a module would find among them."""
    values: t.Any = plain(variables)
    try:
        options = windows.parse(values)
    except InvalidInput as error:
        return {"problems": error.problems}
    upstream = str(values.get("relay_upstream"))
    own: list[tuple[t.Any, t.Any]] = [(resource, options[name]) for name, resource in _RESOURCES.items() if name in options]
    problems = [windows_variables.sentence(text, upstream) for resource, given in own for text in option_problems(resource, given)]
    return {"problems": problems} if problems else {"problems": [], **options}


class FilterModule:
    """Entry point of the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"relay_windows": relay_windows}
