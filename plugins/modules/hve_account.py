#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hve_account
short_description: Manage High Volume Email accounts in Exchange Online
description:
  - Creates, updates and removes High Volume Email accounts, which send large amounts of mail to internal recipients.
  - Allows applications to send with them, sets the address for replies, and assigns the billing policy.
  - No API creates a billing policy. Where the tenant has none, a warning describes how to create one in the admin center.
options:
  accounts:
    description: The accounts. Options that are omitted are not changed.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description:
          - The account's address, in an accepted domain. The name and alias of a new one come from its local part.
          - Where another recipient has them, they come from the whole address.
        type: str
        required: true
      was:
        description:
          - The former address. The account that has it gets O(accounts[].address) as the primary address and keeps the former one as a
            secondary address. Without such an account the option has no effect; where both addresses are accounts, it is refused.
        type: str
      display_name:
        description: The display name. A new account without one gets the local part of its address.
        type: str
      reply_to:
        description: The address for replies, because the account has no mailbox; an empty text removes it.
        type: str
      apps:
        description:
          - The applications that may send with the account, by unique name or client id, at most ten.
          - Each needs the application permission Mail.Send of Office 365 Exchange Online (module M(mailops.m365.entra_app)).
        type: list
        elements: str
      withdrawn_apps:
        description:
          - Applications, by unique name or client id, that may no longer send with the account. One that does not exist is ignored.
        type: list
        elements: str
      billing_policy:
        description: The billing policy, by name or id, or V(none). Without one the account sends nothing.
        type: str
      password:
        description: The account's password, used once, when it is created. It is never changed afterwards.
        type: str
      state:
        description: Whether the account exists.
        type: str
        choices: [present, absent]
        default: present
  billing_policy:
    description: The billing policy of the accounts without one of their own.
    type: str
  password:
    description: The password of new accounts that have none of their own.
    type: str
  exclusive:
    description: Whether accounts that are not listed are removed, and of those listed the applications that are not.
    type: bool
    default: false
seealso:
  - module: mailops.m365.hve_account_info
  - module: mailops.m365.entra_app
  - module: mailops.m365.smtp_probe
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Create an account for the alarm centre
  mailops.m365.hve_account:
    billing_policy: Pay as you go
    accounts:
      - address: alarms@contoso.com
        display_name: Alarm centre
        reply_to: it@contoso.com
        apps: [mailops-smtp-sender]
        password: "{{ vault_alarms_password }}"
"""

RETURN = r"""
---
hve_accounts:
  description: The accounts of the task as they are now (in check mode, as they will be), by address.
  returned: success
  type: dict
  sample:
    alarms@contoso.com:
      {display_name: Alarm centre, reply_to: it@contoso.com, apps: [mailops-smtp-sender], billing_policy: Pay as you go}
notes:
  description: Conditions that prevent correctly configured accounts from sending.
  returned: when there is something to note
  type: list
  elements: str
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
from ..module_utils.resources import hve_account


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(hve_account.RESOURCE)


if __name__ == "__main__":
    main()
