#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_allow_list
short_description: Manage the IP allow list of a hosted relay
description:
  - Manages the addresses that may use SMTP, and at SendGrid and Mailgun also the API, of an account at a hosted relay.
  - A list that also decides on the API is never changed without the address of this controller in it, O(controller_address). Who is not in
    such a list can neither use the API nor the provider's console.
  - Entries are added before others are removed. Entries that the option does not list are kept, unless O(exclusive) is true.
options:
  service:
    description:
      - Which list of SMTP2GO, that for SMTP or that for its API.
      - SendGrid and Mailgun have one list for both.
    type: str
    choices: [smtp, api]
    default: smtp
  addresses:
    description: The entries.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: A public IP address or network, such as C(203.0.113.10) or C(203.0.113.0/24).
        type: str
        required: true
      description:
        description: The description, which SendGrid does not have. If omitted, an existing one is kept.
        type: str
      state:
        description: Whether the entry exists.
        type: str
        choices: [present, absent]
        default: present
  enabled:
    description:
      - Whether the list is applied. If omitted, it stays as it is.
      - The lists of SendGrid and Mailgun are applied as soon as they have an entry. There, false requires that no entry remains.
    type: bool
  controller_address:
    description:
      - The public IP address of this controller. It is added to a list that also decides on the API.
      - It is required for a change of such a list.
      - If omitted, the value of the host variable C(m365_controller_address) is used.
    type: str
  exclusive:
    description: Whether to remove entries that O(addresses) does not list.
    type: bool
    default: false
seealso:
  - module: mailops.m365.hosted_allow_list_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.hosted_relay
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Allow only the relay hosts to use SMTP
  mailops.m365.hosted_allow_list:
    provider: smtp2go
    api_key: "{{ vault_smtp2go_api_key }}"
    addresses:
      - address: 203.0.113.10
        description: relay host
    enabled: true

- name: Restrict API and SMTP of Mailgun
  mailops.m365.hosted_allow_list:
    provider: mailgun
    api_key: "{{ vault_mailgun_api_key }}"
    addresses:
      - address: 203.0.113.0/24
    controller_address: 198.51.100.7
"""

RETURN = r"""
---
enabled:
  description: Whether the list is applied. In check mode, whether it would be.
  returned: success
  type: bool
  sample: true
addresses:
  description: Its entries.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The IP address or network.
      type: str
    description:
      description: Its description; null where it has none.
      type: str
  sample: [{address: 203.0.113.10, description: relay host}]
governs_api:
  description: Whether the list also decides who may use the provider's API.
  returned: success
  type: bool
  sample: false
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 1, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: "401", cause: the provider does not accept the API key in this region, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import hosted_allow_list


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(hosted_allow_list.RESOURCE)


if __name__ == "__main__":
    main()
