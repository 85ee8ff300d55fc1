# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: tenant_variables
short_description: Merge a tenant's plan with the role variables of its inventory
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Returns the variables that role tenant passes to the other roles. A variable of the inventory takes precedence over the plan's.
  - Certificates of relay hosts are appended to those that the inventory lists.
positional: inventory
options:
  _input:
    description: The result of module M(mailops.m365.sender_plan).
    type: dict
    required: true
  inventory:
    description: The host variables of the tenant.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Configure SMTP AUTH
  ansible.builtin.include_role:
    name: mailops.m365.smtp_auth
  vars:
    smtp_auth_mailboxes: "{{ (plan | mailops.m365.tenant_variables(hostvars[inventory_hostname])).smtp_auth_mailboxes }}"
"""

RETURN = r"""
---
_value:
  description: Role variables by name.
  type: dict
"""

import typing as t

from ansible_collections.mailops.m365.plugins.module_utils._planning import role_variables


class FilterModule:
    """Entry point of the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_variables": role_variables.with_inventory}
