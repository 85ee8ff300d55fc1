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
    A registration with another object id (such as that of the app registration) is replaced.
  - Grants it FullAccess on the mailboxes that it authenticates as, and SendAs on further sender addresses, in batches.
  - If mailboxes do not exist, the module fails with a list of all of them before any change.
options:
  unique_name:
    description: The application's unique name in Entra. Give this or O(app_id).
    type: str
  app_id:
    description: The application's client id.
    type: str
  display_name:
    description: The name in Exchange. A new registration gets the enterprise application's display name if this is omitted.
    type: str
  full_access:
    description: Addresses of the mailboxes that the application authenticates to SMTP as.
    type: list
    elements: str
  send_as:
    description: Further addresses that the application sends as.
    type: list
    elements: str
  revoked:
    description:
      - Addresses of mailboxes on which the application keeps only the listed permissions. A mailbox that does not exist is ignored.
    type: list
    elements: str
    default: []
  kept_full_access:
    description:
      - Mailboxes of O(revoked) on which FullAccess stays, because P(mailops.m365.rbac_for_applications#module) revokes it at the end of a
        migration.
    type: list
    elements: str
    default: []
  exclusive:
    description:
      - Whether to remove the application's permissions on all other mailboxes.
      - Exchange cannot list them, so this reads every mailbox of the tenant, two commands a mailbox, ten commands a request.
    type: bool
    default: false
  state:
    description: Whether the application is registered.
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
- name: Assign mailbox permissions to the sender app
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
attention:
  description:
    - The user mailboxes on which FullAccess is granted, each with C(kind), C(subject), C(problem) and C(remedy).
  returned: success, where there are some
  type: list
  elements: dict
  sample:
    - kind: permission
      subject: FullAccess of mailops-smtp-sender on jane@contoso.com
      problem: "This is a user mailbox: with FullAccess the application can read and delete all mail of its user."
      remedy: "Let the sender use a shared mailbox, or set entra_app_authorization: rbac, which allows sending only."
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
      description: The listed mailboxes on which it has FullAccess.
      type: list
      elements: str
    send_as:
      description: The listed addresses on which it has SendAs.
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
from ..module_utils.resources import exchange_service_principal


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(exchange_service_principal.RESOURCE)


if __name__ == "__main__":
    main()
