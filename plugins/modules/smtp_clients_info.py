#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: smtp_clients_info
short_description: Gather senders from an export of the report SMTP AUTH clients
description:
  - Reads a CSV file that a person exported from the Exchange admin center (Reports, Mail flow, SMTP AUTH clients), which has no API.
  - Sends no request. UTF-8 and UTF-16 are read, with commas, semicolons or tabs.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options:
  csv_directory:
    description:
      - A directory on the controller with exports of the report, named by the tenant as in O(tenant), such as C(contoso.com.csv).
      - Falls back to the host variable C(audit_csv_directory).
    type: path
    required: true
  csv_headers:
    description:
      - The names of the export's columns in a localized portal, by C(sender), C(protocol), C(tls10), C(tls11) and C(messages).
      - Falls back to the host variable C(audit_csv_headers).
    type: dict
    default: {}
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
- name: Read the export of the tenant
  mailops.m365.smtp_clients_info:
    csv_directory: exports
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
senders:
  description:
    - The senders, with C(basic) and C(oauth) (null without the column), C(messages) and C(old_tls), the versions of TLS before 1.2.
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample: [{address: crm@contoso.com, basic: true, oauth: false, messages: 812, old_tls: ["TLS 1.0"]}]
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
from ..module_utils.resources import smtp_clients


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(smtp_clients.INFO)


if __name__ == "__main__":
    main()
