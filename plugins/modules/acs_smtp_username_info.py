#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: acs_smtp_username_info
short_description: Gather information about SMTP usernames of Azure Communication Services
description:
  - Reads the SMTP usernames of a Communication Services resource and the available sender addresses.
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
seealso:
  - module: mailops.m365.acs_smtp_username
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the SMTP usernames
  mailops.m365.acs_smtp_username_info:
    subscription_id: 4a5b6c7d-0000-4000-8000-000000000001
    resource_group: mail
    communication_service: contoso-mail
  register: read
"""

RETURN = r"""
---
acs:
  description: The usernames, and in C(senders) the available sender addresses. Applications are listed by client id.
  returned: success
  type: dict
  sample:
    usernames: {invoices: {username: invoices@contoso.com, app: mailops-smtp-sender}}
    senders: [donotreply@contoso.com, invoices@contoso.com]
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
    run_module(acs_smtp_username.INFO)


if __name__ == "__main__":
    main()
