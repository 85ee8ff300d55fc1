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
  - Installs, updates or removes the agent of a relay host, the program C(mailops-relay) in C(/usr/local/sbin) with its library in
    C(/usr/local/lib/mailops-relay). Files of an earlier version that are no longer part of the agent are removed.
  - The agent renews access tokens, validates the configuration of Postfix, monitors deliveries and reports the status of the relay host.
  - Runs on the relay host as root. The role relay_host uses this module and configures the services that run the agent.
options:
  state:
    description:
      - V(present) installs or updates the agent. V(absent) removes the program and its library.
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
- name: Install or update the agent of a relay host
  mailops.m365.relay_agent:
    state: present
  become: true

- name: Remove the agent of a relay host
  mailops.m365.relay_agent:
    state: absent
  become: true
"""

RETURN = r"""
---
files:
  description: The paths of the files that were written or removed; in check mode, of those that would be.
  returned: success
  type: list
  elements: str
cost:
  description: The number of HTTP requests and of retries, and the seconds spent waiting. This module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of the error message as values. C(problems) lists all problems of the input.
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
