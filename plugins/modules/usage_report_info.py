#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: usage_report_info
short_description: Gather which users sent with SMTP from the usage report of email apps
description:
  - Reads which user sent with SMTP in 180 days. The report does not tell Basic authentication from OAuth.
  - Requires Reports.Read.All, and no Microsoft Entra ID P1. Names in the report must not be concealed.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options: {}
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
- name: Read who sent with SMTP
  mailops.m365.usage_report_info:
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
users:
  description:
    - The users, and whether each sent with SMTP.
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample: [{user: crm@contoso.com, smtp: true}]
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
from ..module_utils.resources import usage_report


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(usage_report.INFO)


if __name__ == "__main__":
    main()
