#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sign_in_log_info
short_description: Gather sign-ins with Basic authentication from the sign-in log
description:
  - Counts the sign-ins of mailboxes with Basic authentication at SMTP AUTH, by user. Rows are not kept.
  - Requires Microsoft Entra ID P1, AuditLog.Read.All and Directory.Read.All.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options:
  days:
    description:
      - How many days of the sign-in log to read, at most 30.
      - Falls back to the host variable C(audit_days).
    type: int
    default: 30
seealso:
  - module: mailops.m365.audit_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read who signed in with Basic authentication
  mailops.m365.sign_in_log_info:
    days: 14
  register: read
"""

RETURN = r"""
---
readable:
  description: Whether all of it was readable.
  returned: success
  type: bool
reason:
  description: Why it, or a part of it, was not readable; empty otherwise.
  returned: success
  type: str
  sample: "Could not read the sign-in log: the tenant has no licence of Microsoft Entra ID P1."
sign_ins:
  description:
    - The users with such sign-ins, with C(succeeded), C(failed), C(last_succeeded), C(last_failed) and up to five C(addresses).
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample: [{user: crm@contoso.com, succeeded: 812, failed: 0, last_succeeded: "2026-11-27", last_failed: null, addresses: [203.0.113.9]}]
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
from ..module_utils.resources import sign_in_log


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(sign_in_log.INFO)


if __name__ == "__main__":
    main()
