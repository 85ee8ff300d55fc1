#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: hosted_allow_list_info
short_description: Gather information about the IP allow list of a hosted relay
description:
  - Reads the addresses that may use SMTP, and at SendGrid and Mailgun also the API, of an account at a hosted relay.
options:
  service:
    description:
      - Which list of SMTP2GO, that for SMTP or that for its API.
      - SendGrid and Mailgun have one list for both.
    type: str
    choices: [smtp, api]
    default: smtp
seealso:
  - module: mailops.m365.hosted_allow_list
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.hosted_relay
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read who may use SMTP at SMTP2GO
  mailops.m365.hosted_allow_list_info:
    provider: smtp2go
    api_key: "{{ vault_smtp2go_api_key }}"
  register: read
"""

RETURN = r"""
---
enabled:
  description: Whether the list is applied.
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
    run_module(hosted_allow_list.INFO)


if __name__ == "__main__":
    main()
