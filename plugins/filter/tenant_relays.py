# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: tenant_relays
short_description: Select the relay hosts of a tenant
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Selects the relay hosts, on Linux and on Windows, whose C(relay_tenant) is the tenant, and returns the option
    O(mailops.m365.sender_plan#module:relays).
  - A host of group C(windows_relays) runs on Windows. Where a relay host on Linux is its smart host, its mail leaves from there.
  - A relay host and those whose C(relay_peer_of) names it are one item. Passwords are not part of it.
positional: tenant
options:
  _input:
    description: The host variables of the inventory's relay hosts.
    type: list
    elements: dict
    required: true
  tenant:
    description: The tenant's name in the inventory.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Plan the tenant with its own relay hosts
  mailops.m365.sender_plan:
    relays: "{{ groups.relays | map('extract', hostvars) | mailops.m365.tenant_relays(inventory_hostname) }}"
"""

RETURN = r"""
---
_value:
  description: The option O(mailops.m365.sender_plan#module:relays).
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.mailops.m365.plugins.module_utils._planning import relay_hosts


class FilterModule:
    """Entry point of the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_relays": relay_hosts.of_inventory}
