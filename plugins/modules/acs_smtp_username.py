#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: acs_smtp_username
short_description: Manage SMTP usernames of Azure Communication Services
description:
  - Binds SMTP usernames to Entra applications, and gives these the Azure role that they need on the resource to send.
  - The password that clients use is a client secret of the application; this module neither makes nor reads one.
  - By hand remain the resource itself, the DNS records that verify a domain, sender usernames, and higher limits, which Microsoft
    reviews. What of it is missing is in the result's notes.
options:
  subscription_id:
    description: The Azure subscription's id.
    type: str
    required: true
  resource_group:
    description: The resource group of the Communication Services resource.
    type: str
    required: true
  communication_service:
    description: The name of the Communication Services resource, which exists already and has a linked e-mail domain.
    type: str
    required: true
  usernames:
    description: The SMTP usernames.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the resource, of letters, digits and hyphens.
        type: str
        required: true
      username:
        description: What clients sign in with, free of choice or a mail address. Required where it is to be present.
        type: str
      app:
        description: The application, by unique name or client id, in place of the task's O(app).
        type: str
      state:
        description: Whether the username exists.
        type: str
        choices: [present, absent]
        default: present
  app:
    description: The application of the usernames that name none themselves, by unique name or client id.
    type: str
  assign_role:
    description: Whether the applications get the role Communication and Email Service Owner where no role lets them send.
    type: bool
    default: true
  exclusive:
    description: Whether usernames that are not listed are removed.
    type: bool
    default: false
seealso:
  - module: mailops.m365.acs_smtp_username_info
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
- name: Let the web shop send its invoices
  mailops.m365.acs_smtp_username:
    subscription_id: 4a5b6c7d-0000-4000-8000-000000000001
    resource_group: mail
    communication_service: contoso-mail
    app: mailops-smtp-sender
    usernames:
      - {name: invoices, username: invoices@contoso.com}
"""

RETURN = r"""
---
acs:
  description:
    - The usernames as they are now (in check mode, would be), and in C(senders) the addresses that may be sent from.
    - C(may_send) are the task's applications that a role lets send.
  returned: success
  type: dict
  sample:
    usernames: {invoices: {username: invoices@contoso.com, app: mailops-smtp-sender}}
    senders: [donotreply@contoso.com, invoices@contoso.com]
    may_send: [mailops-smtp-sender]
notes:
  description: What keeps mail from being sent and is done by hand, such as a domain that is not verified.
  returned: when there is something to note
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
from ..module_utils.resources import acs_smtp_username


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(acs_smtp_username.RESOURCE)


if __name__ == "__main__":
    main()
