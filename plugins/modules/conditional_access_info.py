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
  - Reads the tenant's Conditional Access policies and evaluates every sender's sign-in against each of them.
  - A policy with a condition that only the sign-in decides, such as a location, may block.
  - Every finding is a warning, too, with a remedy. Policies are never changed.
  - Needs the Graph permission C(Policy.Read.All); users, groups and roles are read with C(Directory.Read.All) where policies name them.
    Without it such policies are reported as ones that may block.
options:
  senders:
    description: The senders to evaluate.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the sender. By default its address.
        type: str
      address:
        description: The address of the mailbox that it signs in to.
        type: str
        required: true
      method:
        description:
          - How the sender signs in. V(oauth) and V(acs) are an application's own sign-in, V(basic) a password, V(delegated) a user's
            own OAuth sign-in, V(hve) an application's sign-in where one is given, else a password.
          - V(connector) and V(direct_send) do not sign in, so that no policy applies.
        type: str
        choices: [oauth, basic, delegated, hve, acs, connector, direct_send]
        default: oauth
      app_unique_name:
        description: The unique name of the application that it signs in as.
        type: str
      app_id:
        description: The client id of that application, instead of its unique name.
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
- name: Evaluate the policies that block the senders
  mailops.m365.conditional_access_info:
    senders:
      - {address: labels@contoso.com, method: basic}
      - {address: erp@contoso.com, app_unique_name: mailops-smtp-sender}
  register: judged

- name: Fail if a sender is blocked
  ansible.builtin.assert:
    that: judged.conditional_access.senders | selectattr('verdict', 'eq', 'blocked') | length == 0
"""

RETURN = r"""
---
conditional_access:
  description: The policies and what they mean for each sender.
  returned: success
  type: dict
  contains:
    policies:
      description: All policies, with C(id), C(name) and C(state).
      type: list
      elements: dict
    senders:
      description: The senders in the order given.
      type: list
      elements: dict
      contains:
        name:
          description: What the sender is called, if it was given.
          type: str
        address:
          description: Its address.
          type: str
        method:
          description: How it signs in.
          type: str
        verdict:
          description: blocked, may be blocked, or not blocked. Policies in report-only mode do not count.
          type: str
        findings:
          description:
            - The policies that block or may block it, each with C(policy), C(id), C(effect) (blocks, may block), C(reason), and C(state)
              (enabled, report-only).
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
