#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: smtp_auth
short_description: Manage SMTP AUTH of the organization and of mailboxes
description:
  - Sets the organization's SMTP AUTH and any number of mailboxes to enabled, disabled or inherit.
  - Up to 50 mailboxes are read by name in batches, more by one paged read of all mailboxes; only differences are written, in batches.
  - A mailbox with Basic authentication is refused while Entra Security Defaults, which block it, are enabled.
options:
  organization:
    description: SMTP AUTH of the organization, which applies to mailboxes set to inherit. If omitted, it is not changed.
    type: str
    choices: [enabled, disabled]
  mailboxes:
    description: The mailboxes to set.
    type: list
    elements: dict
    suboptions:
      address:
        description: Any address of the mailbox.
        type: str
        required: true
      smtp_auth:
        description: Whether this mailbox may use SMTP AUTH, whatever the organization says, or follows it.
        type: str
        choices: [enabled, disabled, inherit]
        default: enabled
      sign_in:
        description: How the sender authenticates. V(basic), a password, is refused while Security Defaults are enabled.
        type: str
        choices: [oauth, basic]
        default: oauth
  exclusive:
    description: Whether to return every mailbox that is not named to inherit. Needs O(mailboxes), which may be empty.
    type: bool
    default: false
seealso:
  - module: mailops.m365.smtp_auth_info
  - module: mailops.m365.security_defaults_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.expected
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Disable SMTP AUTH for all mailboxes but two
  mailops.m365.smtp_auth:
    organization: disabled
    mailboxes:
      - address: erp@contoso.com
      - address: scanner@contoso.com
    exclusive: true
"""

RETURN = r"""
---
smtp_auth:
  description: The organization's switch as it is now, and what was changed.
  returned: success
  type: dict
  contains:
    organization:
      description: enabled or disabled; null where it was neither read nor set.
      type: str
    changed_mailboxes:
      description: The new setting of every mailbox that was changed (in check mode, would be).
      type: dict
      sample: {erp@contoso.com: enabled}
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
from ..module_utils.resources import smtp_auth


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(smtp_auth.RESOURCE)


if __name__ == "__main__":
    main()
