#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_status
short_description: Gather information about the status of a relay host
description:
  - Reads a relay's queue with the reasons from the error catalog, the last sent message and the daily quota of each mailbox, the access
    token's times, the expiry of certificates, the state of services, and the failed health checks.
  - Runs on the relay host as root. C(mailops-relay status) shows the same there.
  - The summary of a run lists every relay with its problems.
options:
  required:
    description: Whether the task fails where the relay has a problem of severity critical or high.
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
- name: Read the status of every relay
  mailops.m365.relay_status:
  become: true

- name: Fail if a relay has a critical or high problem
  mailops.m365.relay_status:
    required: true
  become: true
"""

RETURN = r"""
---
relay:
  description: The relay's status. All times are Unix times, null for what never happened.
  returned: success
  type: dict
  contains:
    hostname:
      description: The relay's host name.
      type: str
    upstream:
      description: The upstream that it sends mail to, as variable relay_upstream names it.
      type: str
      sample: oauth
    read_at:
      description: When the status was read.
      type: float
    queue:
      description:
        - C(messages), C(held), C(bytes), C(oldest), C(error) where it cannot be read, and C(reasons), one entry for each mailbox and
          reason with C(id), C(code), C(cause), C(remedy), C(transient), C(queue_policy), C(reply), C(mailbox), C(messages), C(held),
          C(bytes), C(oldest) and C(senders).
      type: dict
    mailboxes:
      description: Every mailbox with C(address), C(transport), C(senders), C(last_sent), C(last_refusal), C(recipients_24h) of
        C(recipients_per_day), C(quota_resumes) while its daily quota is reached, and C(suspensions), its suspended senders.
      type: list
      elements: dict
    token:
      description:
        - C(expires) and C(issued) of the access token, and C(failure), C(code) and C(failing_since) of its renewal. Never the token.
      type: dict
    certificates:
      description: Each with C(use), C(path) and C(expires).
      type: list
      elements: dict
    services:
      description: Each C(unit) with its C(state), C(result) and C(restarts).
      type: list
      elements: dict
    counters:
      description: The delivery monitor's counters since the relay was installed.
      type: dict
    last_event:
      description: The time of the last journal event that the delivery monitor read.
      type: float
    problems:
      description:
        - The failed health checks, the most severe first, each with C(subject), C(severity), C(cause), C(remedy), C(code) and C(messages).
        - The severity is critical, high, medium, low or info.
      type: list
      elements: dict
cost:
  description: Requests, retries and seconds waited. The module sends no request to Microsoft 365.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of an error message, for use in tasks.
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
