#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: smtp_test_message
short_description: Send prepared test messages from a host
description:
  - Sends the test messages that M(mailops.m365.smtp_probe) has prepared on the control node. That module runs this one on the host that
    its task is delegated to, such as the host in C(verify_from) of a sender. Playbooks do not call it.
  - Needs Python 3.9 and no other library. The host gets no credential of the automation app, and of each sender only what it signs in with,
    an access token or its password.
options:
  prepared:
    description: The test messages, with servers and credentials. Neither the log nor the result contains them.
    type: dict
    required: true
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
seealso:
  - module: mailops.m365.smtp_probe
extends_documentation_fragment:
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
# What smtp_probe runs on the host, in short.
- name: Send no test message
  mailops.m365.smtp_test_message:
    prepared:
      context: {domains: [contoso.com], mx_host: contoso-com.mail.protection.outlook.com, check_mode: false, reachability: false}
      cloud: {authority: https://login.microsoftonline.com}
      ca_certificates: ""
      tokens: {}
      senders: []
"""

RETURN = r"""
---
senders:
  description: Every sender's result, with the keys that M(mailops.m365.smtp_probe) returns.
  returned: always
  type: list
  elements: dict
cost:
  description: The number of HTTP requests and of retries, and the seconds spent waiting. This module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values.
  returned: failure
  type: dict
  sample: {problems: []}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import smtp_test_message


def main() -> None:
    """The entry point as a module; Ansible sends it to the host."""
    run_host_module(smtp_test_message.RESOURCE)


if __name__ == "__main__":
    main()
