#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hve_account_info
short_description: Gather information about High Volume Email accounts in Exchange Online
description:
  - Reads the High Volume Email accounts that are listed, or all, and the tenant's billing policies for them.
  - Applications are identified by the object id of the enterprise application. Addresses of other recipients are omitted from the result.
options:
  accounts:
    description: Addresses. Without them, all accounts are read.
    type: list
    elements: str
seealso:
  - module: mailops.m365.hve_account
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read all High Volume Email accounts
  mailops.m365.hve_account_info:
  register: read
"""

RETURN = r"""
---
hve_accounts:
  description: The accounts, by address. C(billing_status) is Exchange's own word for whether the account may send.
  returned: success
  type: dict
  sample:
    alarms@contoso.com:
      display_name: Alarm centre
      reply_to: it@contoso.com
      apps: [0f8e6c1a-0000-4000-8000-000000000001]
      billing_policy: Pay as you go
      billing_status: BillingPolicyValid
billing_policies:
  description: The tenant's billing policies for High Volume Email.
  returned: success
  type: list
  elements: dict
  sample: [{id: 1f8e6c1a-0000-4000-8000-000000000002, name: Pay as you go}]
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
    run_module(hve_account.INFO)


if __name__ == "__main__":
    main()
