#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: direct_send
short_description: Manage the rejection of Direct Send in Exchange Online
description:
  - Sets whether Exchange Online rejects Direct Send, which is unauthenticated mail from the tenant's own domains to its own
    recipients that matches no connector.
  - The setting takes effect after up to 30 minutes. Forwarded mail that keeps its envelope sender is rejected, too.
options:
  rejected:
    description: Whether Direct Send is rejected.
    type: bool
    required: true
  senders:
    description:
      - Addresses that rely on Direct Send, printers and alarms for example. While there is one, V(true) for O(rejected) is refused
        before anything is read or changed.
      - A sender that uses an inbound connector or SMTP AUTH is not listed here.
    type: list
    elements: str
    default: []
seealso:
  - module: mailops.m365.direct_send_info
  - module: mailops.m365.inbound_connector
  - module: mailops.m365.smtp_auth
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
- name: Reject Direct Send
  mailops.m365.direct_send:
    rejected: true
"""

RETURN = r"""
---
direct_send:
  description: The setting as it is now (in check mode, as it will be).
  returned: success
  type: dict
  contains:
    rejected:
      description: Whether Direct Send is rejected.
      type: bool
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
from ..module_utils.resources import direct_send


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(direct_send.RESOURCE)


if __name__ == "__main__":
    main()
