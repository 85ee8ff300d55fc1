#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: exchange_service_principal
short_description: Manage service principals and their mailbox permissions in Exchange Online
description:
  - Registers the application in Exchange with the object id of its ENTERPRISE application, which it looks up in Entra.
    A registration with another object id (that of the app registration, the classic mistake) is replaced.
  - Grants it FullAccess on the mailboxes that it signs in as, and SendAs on addresses that it sends as besides, in batches.
  - Mailboxes that do not exist are named all at once, before anything is changed.
options:
  unique_name:
    description: The application's unique name in Entra. Give this or O(app_id).
    type: str
  app_id:
    description: The application's client id.
    type: str
  display_name:
    description: The name in Exchange. A new registration gets the enterprise application's display name where this is left out.
    type: str
  full_access:
    description: Addresses of the mailboxes that the application signs in to SMTP as.
    type: list
    elements: str
  send_as:
    description: Addresses that the application sends as without signing in as them.
    type: list
    elements: str
  exclusive:
    description:
      - Whether to withdraw the application's rights on all other mailboxes.
      - Exchange cannot list them, so this reads every mailbox of the tenant, two commands a mailbox, ten commands a request.
    type: bool
    default: false
  state:
    description: Whether the application shall be registered.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailops.m365.entra_app
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
- name: Let the application send as two mailboxes, and as the sales address through the first
  mailops.m365.exchange_service_principal:
    unique_name: mailops-smtp-sender
    full_access:
      - erp@contoso.com
      - scanner@contoso.com
    send_as:
      - sales@contoso.com
"""

RETURN = r"""
---
service_principal:
  description: The registration as it is now (in check mode, as it will be). Null when absent.
  returned: success
  type: dict
  contains:
    app_id:
      description: The client id.
      type: str
    object_id:
      description: The enterprise application's object id.
      type: str
    display_name:
      description: The name in Exchange.
      type: str
    full_access:
      description: Mailboxes among those asked for that it has FullAccess on.
      type: list
      elements: str
    send_as:
      description: Addresses among those asked for that it has SendAs on.
      type: list
      elements: str
cost:
  description: What the task cost. One HTTP request each, those among them that were tries again, and seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of a failure's sentence, for machines. C(cause), C(remedy) and C(transient) come from the table of known errors.
    - C(problems) lists all that is wrong with the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import exchange_service_principal


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(exchange_service_principal.RESOURCE)


if __name__ == "__main__":
    main()
