#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: rbac_for_applications_info
short_description: Gather information about RBAC for Applications
description:
  - Reads the scopes within which an application has the role C(Application SMTP.SendAsApp), whether it has consent in Entra, and
    how far it was moved from one to the other.
  - Reports whether the listed mailboxes are in scope, as C(Test-ServicePrincipalAuthorization) returns it.
options:
  unique_name:
    description: The unique name of the application in Entra. Give this or O(app_id).
    type: str
  app_id:
    description: The client id of the application, instead of its unique name.
    type: str
  scope:
    description:
      - The name of the management scope, at most 45 characters. By default the beginning of O(unique_name) or O(app_id).
      - Where the mailboxes do not fit into one filter, further scopes follow it, with a number.
    type: str
  mailboxes:
    description: Addresses of mailboxes to test.
    type: list
    elements: str
seealso:
  - module: mailops.m365.rbac_for_applications
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Check whether the sender app may send as a mailbox
  mailops.m365.rbac_for_applications_info:
    unique_name: mailops-smtp-sender
    mailboxes: [erp@contoso.com]
  register: read
"""

RETURN = r"""
---
rbac:
  description: The authorization in the form that M(mailops.m365.rbac_for_applications) returns, or null where there is none.
  returned: success
  type: dict
in_scope:
  description: For each mailbox of the task, whether the application may send as it by RBAC. Empty where there is no such application.
  returned: success
  type: dict
  sample: {erp@contoso.com: true}
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
from ..module_utils.resources import rbac_for_applications


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(rbac_for_applications.INFO)


if __name__ == "__main__":
    main()
