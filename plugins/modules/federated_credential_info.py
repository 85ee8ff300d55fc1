#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: federated_credential_info
short_description: Gather information about federated identity credentials
description:
  - Reads the federated credentials of an application in Entra.
options:
  unique_name:
    description: The application's unique name in the tenant. Give this or O(app_id).
    type: str
  app_id:
    description: The application's client id.
    type: str
seealso:
  - module: mailops.m365.federated_credential
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the federated credentials of the automation app
  mailops.m365.federated_credential_info:
    unique_name: mailops-automation
  register: read
"""

RETURN = r"""
---
credentials:
  description: The application's federated credentials, by name; null if the application does not exist.
  returned: success
  type: dict
  sample:
    github-main:
      issuer: https://token.actions.githubusercontent.com
      subject: repo:contoso/infrastructure:ref:refs/heads/main
      audience: api://AzureADTokenExchange
      description: ""
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
from ..module_utils.resources import federated_credential


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(federated_credential.INFO)


if __name__ == "__main__":
    main()
