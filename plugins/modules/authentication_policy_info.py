#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: authentication_policy_info
short_description: Gather information about authentication policies in Exchange Online
description:
  - Reads the authentication policies, the organization's default, and which mailboxes have a policy of their own.
options:
  mailboxes:
    description: Addresses of the mailboxes to read. If omitted, all mailboxes with a policy of their own.
    type: list
    elements: str
seealso:
  - module: mailops.m365.authentication_policy
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the authentication policies
  mailops.m365.authentication_policy_info:
  register: read
"""

RETURN = r"""
---
authentication_policy:
  description: The policies and who has them.
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
    mailboxes:
      description:
        - By address, C(policy), which is null where the organization's default counts, and C(allow_basic_smtp), whether the
          effective policy allows Basic authentication.
      type: dict
      sample: {labels@contoso.com: {policy: Label printers, allow_basic_smtp: true}}
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
    run_module(authentication_policy.INFO)


if __name__ == "__main__":
    main()
