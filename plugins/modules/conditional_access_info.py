#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: conditional_access_info
short_description: Gather information about Conditional Access policies for senders
description:
  - Reads the Conditional Access policies of a tenant and evaluates which of them block the sign-in of each sender.
  - A policy whose conditions depend on the sign-in itself, such as a location, is reported as one that may block.
  - Each policy that blocks or may block a sender is also a warning with a remedy. Policies are never changed.
  - Requires the Microsoft Graph permission C(Policy.Read.All), and C(Directory.Read.All) if policies include or exclude users, groups or
    roles. Without C(Directory.Read.All) such policies are reported as ones that may block.
options:
  senders:
    description: The senders to evaluate.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the sender. Defaults to its address.
        type: str
      address:
        description: The address of the mailbox that the sender authenticates as.
        type: str
        required: true
      method:
        description:
          - How the sender signs in. With V(oauth) and V(acs) an application signs in, with V(basic) a user with a password, with
            V(delegated) a user with OAuth. With V(hve) an application signs in if O(senders[].app_unique_name) or O(senders[].app_id) is
            set, and otherwise a user with a password.
          - V(connector) and V(direct_send) do not sign in. No policy applies to them.
        type: str
        choices: [oauth, basic, delegated, hve, acs, connector, direct_send]
        default: oauth
      app_unique_name:
        description: The unique name of the application that the sender signs in as.
        type: str
      app_id:
        description: The client ID of that application, as an alternative to O(senders[].app_unique_name).
        type: str
seealso:
  - module: mailops.m365.security_defaults_info
  - module: mailops.m365.authentication_policy_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read which Conditional Access policies block the senders
  mailops.m365.conditional_access_info:
    senders:
      - {address: labels@contoso.com, method: basic}
      - {address: erp@contoso.com, app_unique_name: mailops-smtp-sender}
  register: policies

- name: Fail if a sender is blocked
  ansible.builtin.assert:
    that: policies.conditional_access.senders | selectattr('verdict', 'eq', 'blocked') | length == 0
"""

RETURN = r"""
---
conditional_access:
  description: The policies of the tenant and their effect on each sender.
  returned: success
  type: dict
  contains:
    policies:
      description: All policies of the tenant with the keys C(id), C(name) and C(state).
      type: list
      elements: dict
    senders:
      description: One entry per sender, in the order of O(senders).
      type: list
      elements: dict
      contains:
        name:
          description: The name of the sender, if O(senders[].name) is set.
          type: str
        address:
          description: The address of the sender.
          type: str
        method:
          description: The method of the sender.
          type: str
        verdict:
          description:
            - C(blocked), C(may be blocked) or C(not blocked). Policies in report-only mode do not change it.
          type: str
        findings:
          description:
            - The policies that block or may block the sender with the keys C(policy), C(id), C(effect) (C(blocks) or C(may block)),
              C(reason) and C(state) (C(enabled) or C(report-only)).
          type: list
          elements: dict
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import conditional_access


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(conditional_access.INFO)


if __name__ == "__main__":
    main()
