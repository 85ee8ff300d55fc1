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
  - Assigns or removes what an application requires besides the permission C(Exchange.ManageAsApp) (module M(mailops.m365.entra_app)) to
    manage Exchange
    Online, which is either a directory role or membership in role groups of Exchange.
  - Assigning directory roles takes the Graph permission C(RoleManagement.ReadWrite.Directory); role groups take an identity that
    manages Exchange already.
  - Permission propagation in Microsoft 365 takes some minutes.
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
  permissions:
    description:
      - The permissions that a later task registers the application with (option O(mailops.m365.entra_app#module:permissions)).
      - Where the application does not exist yet, the task names in one refusal every permission that this sign-in lacks to register it, to
        consent to them and to assign its roles. A task in check mode therefore checks them before the first change.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The permission's name, such as V(Exchange.ManageAsApp).
        type: str
        required: true
      api:
        description: V(exchange) (Office 365 Exchange Online), V(graph) (Microsoft Graph) or an API's application id.
        type: str
        default: exchange
      type:
        description: Whether the application has the permission itself, or a signed-in user gives it.
        type: str
        choices: [application, delegated]
        default: application
  exclusive:
    description: Whether to remove other directory roles (if O(directory_roles) is set) and other role groups (if O(role_groups) is set).
    type: bool
    default: false
  state:
    description: Whether the application has the listed roles and role groups. V(absent) removes only the listed ones.
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
- name: Assign a directory role to the automation app
  mailops.m365.automation_access:
    unique_name: mailops-automation
    directory_roles: [Exchange Administrator]

- name: Assign a role group of Exchange to an auditing application
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
attention:
  description: What needs attention, listed in the summary of the run, each with C(kind), C(subject), C(problem) and C(remedy).
  returned: when the run signs in as another application
  type: list
  elements: dict
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
from ..module_utils.resources import automation_access


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(automation_access.RESOURCE)


if __name__ == "__main__":
    main()
