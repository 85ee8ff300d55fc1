#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: device_settings
short_description: Write the settings sheets of a tenant's senders
description:
  - Writes for each sender what to type into its device or program, in the words of its menus and files, as printable HTML and as Markdown.
    Each word is marked by whether it was read in a source of the maker.
  - A sheet has what OAuth needs, a sample for programs, what to mind and how to test. It never has a secret; it says where that is kept.
  - A tenant with printers has a page with the migration paths of its fleet side by side (firmware with OAuth, relay host, hosted relay).
  - Sheets of senders that are no longer in O(plan) are removed. Sends no request.
options:
  directory:
    description: An existing directory on the host that the module runs on.
    type: path
    required: true
  tenant_name:
    description: The tenant's name in the inventory. The sheets are in the folder of this name, and the page with all senders beside it.
    type: str
    required: true
  plan:
    description: The result C(plan) of M(mailops.m365.tenant) or M(mailops.m365.sender_plan).
    type: list
    elements: dict
    required: true
  sender_app_client_id:
    description: The client ID of the sender app, which the result of M(mailops.m365.sender_plan) lacks.
    type: str
    default: ""
seealso:
  - module: mailops.m365.sender_plan
  - module: mailops.m365.tenant
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Plan the sending method of each sender
  mailops.m365.sender_plan:
    senders:
      - name: Scanner, third floor
        kind: scanner
        product: Kyocera
        address: scanner@contoso.com
        relay_host: relay1.contoso.com
  register: planned

- name: Write the settings sheets
  mailops.m365.device_settings:
    directory: /srv/settings
    tenant_name: contoso
    plan: "{{ planned.plan }}"
  delegate_to: localhost
"""

RETURN = r"""
---
files:
  description: The files of the tenant, below O(directory).
  returned: success
  type: list
  elements: str
  sample: [contoso.md, contoso/index.html, contoso/index.md, contoso/scanner-third-floor.html, contoso/scanner-third-floor.md]
paths:
  description: Those of them that were written, and those that were removed.
  returned: success
  type: list
  elements: str
cost:
  description: Requests, retries and seconds waited. The module sends no request to Microsoft 365.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of an error message, for use in tasks.
  returned: failure
  type: dict
  sample: {problems: []}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import device_settings


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_host_module(device_settings.RESOURCE)


if __name__ == "__main__":
    main()
