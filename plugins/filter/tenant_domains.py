# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: tenant_domains
short_description: List the mail domains of tenants
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Lists the domains of the addresses in C(m365_senders), and C(m365_tenant) where that is a domain.
options:
  _input:
    description: The host variables of tenants.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Diagnose the network towards the tenants' MX hosts
  mailops.m365.mail_path_probe:
    domains: "{{ groups.tenants | map('extract', hostvars) | mailops.m365.tenant_domains }}"
"""

RETURN = r"""
---
_value:
  description: The domains, each once.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.mailops.m365.plugins.module_utils._planning import mail_domains


class FilterModule:
    """Entry point of the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_domains": mail_domains.of_inventory}
