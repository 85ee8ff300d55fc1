#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_status
short_description: Tell a relay host's state
description:
  - Tells what waits in a relay's queue and why, in the words of the table of known errors; when each mailbox last sent and how much of its
    day is used; the access token's times, the certificates' ends and the services' states; and what of all this is wrong.
  - Runs on the relay, as root. The program C(mailops-relay status) tells the same there.
  - The summary of a run shows every relay with its problems.
options:
  required:
    description: Whether the task fails where somebody has to do something. What heals by itself is no such problem.
    type: bool
    default: false
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Look at every relay
  mailops.m365.relay_status:
  become: true

- name: Fail where a relay needs somebody
  mailops.m365.relay_status:
    required: true
  become: true
"""

RETURN = r"""
---
relay:
  description: The relay's state. All times are Unix times, null for what never was.
  returned: success
  type: dict
  contains:
    hostname:
      description: The relay's name.
      type: str
    upstream:
      description: The way that its mail leaves.
      type: str
      sample: oauth
    at:
      description: When this was read.
      type: float
    queue:
      description:
        - C(messages), C(held), C(bytes), C(oldest), and C(reasons), one entry a mailbox and reason with C(id), C(code), C(cause),
          C(remedy), C(wait_helps), C(said), C(messages), C(held), C(oldest) and C(senders).
      type: dict
    mailboxes:
      description: Every mailbox with C(last_sent), C(used) of C(recipients_per_day), C(full_until), C(refused) and C(held_back).
      type: list
      elements: dict
    token:
      description: The access token's C(expires) and C(got), and the C(failure) of the last request. Never the token.
      type: dict
    certificates:
      description: Each with C(use), C(path) and C(expires).
      type: list
      elements: dict
    services:
      description: Each C(unit) with its C(state), C(result) and C(restarts).
      type: list
      elements: dict
    counts:
      description: What the watcher has counted since the relay was made.
      type: dict
    watched_at:
      description: The time of the last event that the watcher has read.
      type: float
    problems:
      description: What is wrong, the gravest first, each with C(subject), C(cause), C(remedy), C(code), C(messages) and C(grave).
      type: list
      elements: dict
cost:
  description: What the task cost. Nothing is asked of Microsoft 365.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of a failure's sentence, for machines.
  returned: failure
  type: dict
  sample: {}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import relay_status


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_host_module(relay_status.RESOURCE)


if __name__ == "__main__":
    main()
