#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: automation_access
short_description: Manage directory roles and role groups of the automation app
description:
  - Gives an application what it needs beside the permission C(Exchange.ManageAsApp) (module M(mailops.m365.entra_app)) to manage Exchange
    Online, which is either a directory role or membership in role groups of Exchange, or takes it away.
  - Assigning directory roles takes the Graph permission C(RoleManagement.ReadWrite.Directory); role groups take an identity that
    manages Exchange already.
  - Microsoft takes some minutes to follow.
options:
  unique_name:
    description: The application's unique name in the tenant. Give this or O(app_id).
    type: str
  app_id:
    description: The client id of the application, or of a managed identity.
    type: str
  directory_roles:
    description:
      - Directory roles, for the whole tenant.
      - By name C(Exchange Administrator), C(Exchange Recipient Administrator), C(Global Administrator), C(Global Reader) or
        C(Security Reader), all others by the id of their template.
    type: list
    elements: str
  role_groups:
    description: Role groups of Exchange, by name, C(Organization Management) for example. The application is registered in Exchange for it.
    type: list
    elements: str
  exclusive:
    description: Whether to take other directory roles (where O(directory_roles) is given) and role groups (O(role_groups)) away.
    type: bool
    default: false
  state:
    description: Whether the application has what is listed. V(absent) takes only that away.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailops.m365.entra_app
  - module: mailops.m365.federated_credential
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
- name: Let the automation manage Exchange by a directory role
  mailops.m365.automation_access:
    unique_name: mailops-automation
    directory_roles: [Exchange Administrator]

- name: Let an auditing application read, by a role group of Exchange alone
  mailops.m365.automation_access:
    unique_name: mailops-audit
    role_groups: [View-Only Organization Management]
    exclusive: true
"""

RETURN = r"""
---
access:
  description: What the application has now (in check mode, would have), of what was asked about.
  returned: success
  type: dict
  contains:
    app_id:
      description: The application's client id; null where a check run found no application yet.
      type: str
    directory_roles:
      description: Its directory roles.
      type: list
    role_groups:
      description: The role groups that it is in, of those that are listed (with O(exclusive), of all).
      type: list
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
from ..module_utils.resources import automation_access


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(automation_access.RESOURCE)


if __name__ == "__main__":
    main()
