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
  - Assigns SMTP usernames to Entra applications, and assigns the Azure role that an application requires to send to it.
  - The password that clients use is a client secret of the application; this module neither creates nor reads one.
  - The module does not manage the resource itself, the DNS records that verify a domain, sender usernames, and higher limits, which
    Microsoft reviews. RV(notes) lists which of them are missing.
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
        description: The username with which clients authenticate, any text or an email address. Required with O(usernames[].state=present).
        type: str
      app:
        description: The application, by unique name or client id. Defaults to O(app).
        type: str
      state:
        description: Whether the username exists.
        type: str
        choices: [present, absent]
        default: present
  app:
    description: The application of the usernames without O(usernames[].app), by unique name or client id.
    type: str
  assign_role:
    description: Whether applications without a role that allows sending are assigned the role Communication and Email Service Owner.
    type: bool
    default: true
  revoked_apps:
    description:
      - Applications, by unique name, that lose the role that this module has assigned to them. Roles that they have otherwise stay.
    type: list
    elements: str
    default: []
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
- name: Configure the SMTP username of the web shop
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
    - The current usernames (in check mode, the predicted ones), and in C(senders) the available sender addresses.
    - C(may_send) lists the applications of the task that have a role that allows sending.
  returned: success
  type: dict
  sample:
    usernames: {invoices: {username: invoices@contoso.com, app: mailops-smtp-sender}}
    senders: [donotreply@contoso.com, invoices@contoso.com]
    may_send: [mailops-smtp-sender]
notes:
  description: Conditions that prevent sending and require manual steps, such as a domain that is not verified.
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
from ..module_utils.resources import acs_smtp_username


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(acs_smtp_username.RESOURCE)


if __name__ == "__main__":
    main()
