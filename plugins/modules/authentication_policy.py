#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: authentication_policy
short_description: Manage authentication policies in Exchange Online
description:
  - Creates, updates and removes Exchange authentication policies, assigns them to mailboxes, and sets the organization's default.
  - An authentication policy allows or blocks Basic authentication for SMTP.
  - Only C(AllowBasicAuthSmtp) of a policy is managed. Its other settings stay as they are; a new policy allows nothing else.
  - Up to 50 mailboxes are read by name in batches, more by one paged read of all users; only differences are written, in batches.
  - Changes that allow are written first and changes that refuse last, so that no sender is refused in between.
  - A policy that allows Basic authentication is refused while Entra Security Defaults, which block it, are enabled.
options:
  policies:
    description: The policies to manage. Others stay as they are.
    type: list
    elements: dict
    suboptions:
      name:
        description: The policy's name.
        type: str
        required: true
      allow_basic_smtp:
        description:
          - Whether users with this policy may use Basic authentication for SMTP (C(AllowBasicAuthSmtp)). If omitted, it is not changed;
            a new policy does not allow it.
        type: bool
      mailboxes:
        description:
          - Any addresses of the mailboxes that get this policy. If omitted, no assignment is changed.
          - Mailboxes that have the policy and are not listed keep it, unless O(exclusive).
        type: list
        elements: str
      state:
        description: Whether the policy exists. With V(absent) its users return to the organization's default first.
        type: str
        choices: [present, absent]
        default: present
  organization:
    description:
      - The name of the default policy, for users without a policy of their own. If omitted, it is not changed. An empty string means none.
    type: str
  default_mailboxes:
    description: Any addresses of mailboxes that lose a policy of their own, so that the organization's default holds for them.
    type: list
    elements: str
    default: []
  exclusive:
    description: Whether every user who is not listed and has a policy of their own returns to the organization's default.
    type: bool
    default: false
  basic_auth_end_date:
    description:
      - The last day on which Basic authentication for SMTP is on by default, by Microsoft's timetable (end of December 2026). After it an
        administrator can turn it on again, until the final date, which Microsoft will announce in the second half of 2027.
        Afterwards a policy that allows it is refused; until then a warning names the day.
        Falls back to the host variable C(m365_basic_auth_end_date).
    type: str
    default: "2026-12-31"
  basic_reenabled:
    description:
      - Whether an administrator has turned Basic authentication for SMTP on again after that day. Falls back to the host variable
        C(m365_basic_reenabled).
    type: bool
    default: false
seealso:
  - module: mailops.m365.authentication_policy_info
  - module: mailops.m365.conditional_access_info
  - module: mailops.m365.smtp_auth
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.journal
  - mailops.m365.expected
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Allow Basic authentication for one label printer only
  mailops.m365.authentication_policy:
    policies:
      - name: No passwords
        allow_basic_smtp: false
      - name: Label printers
        allow_basic_smtp: true
        mailboxes: [labels@contoso.com]
    organization: No passwords
    exclusive: true
"""

RETURN = r"""
---
authentication_policy:
  description: The policies as they are now, and what was changed.
  returned: success
  type: dict
  contains:
    organization:
      description: The name of the organization's default; null where there is none.
      type: str
    policies:
      description: All policies by name, with C(allow_basic_smtp).
      type: dict
      sample: {Label printers: {allow_basic_smtp: true}}
    changed_mailboxes:
      description: The new policy of every mailbox that got another (in check mode, would get); null is the organization's default.
      type: dict
      sample: {labels@contoso.com: Label printers}
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
from ..module_utils.resources import authentication_policy


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(authentication_policy.RESOURCE)


if __name__ == "__main__":
    main()
