#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_agent
short_description: Install a relay host's own program
description:
  - Puts the program C(mailops-relay) and the collection's files that it is made of on the host. Files of an earlier version that are
    no longer needed are removed.
  - The role relay_host uses it. The program renews tokens, checks Postfix's settings, and watches the queue.
options:
  state:
    description: Whether the program is there.
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
- name: Install the relay's own program
  mailops.m365.relay_agent:
    state: present
"""

RETURN = r"""
---
files:
  description: The files that were written or removed.
  returned: success
  type: list
  elements: str
cost:
  description: What the task cost. Nothing is asked of Microsoft 365.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of a failure's sentence, for machines.
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
