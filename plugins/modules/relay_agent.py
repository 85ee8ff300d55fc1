#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_agent
short_description: Manage the agent of a relay host
description:
  - Installs the program C(mailops-relay) with the collection's files that it consists of. Obsolete files of an earlier version are removed.
  - The role relay_host uses it. The agent renews access tokens, checks Postfix's configuration, monitors deliveries, and reports the
    relay's status.
options:
  state:
    description: Whether the agent is installed.
    type: str
    choices: [present, absent]
    required: true
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Install the relay agent
  mailops.m365.relay_agent:
    state: present
"""

RETURN = r"""
---
files:
  description: Paths of the files that were written or removed.
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
from ..module_utils.resources import relay_agent


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_host_module(relay_agent.RESOURCE)


if __name__ == "__main__":
    main()
