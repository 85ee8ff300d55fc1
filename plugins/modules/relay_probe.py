#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_probe
short_description: Verify that senders can send through a relay host
description:
  - Submits a test message of every sender to the relay's Postfix on 127.0.0.1, port 25, and traces it in the journal and the queue until
    the final reply of Microsoft 365, or of the upstream server that the relay sends to.
  - A failure has the stage, the server's reply, the reason, the remedy and whether waiting helps. Causes that Postfix does not see are read
    from the submission proxy's log and from the status of the relay's access token.
  - A test message that is not delivered is removed from the queue.
  - Runs on the relay host as root. In check mode no message is sent.
options:
  senders:
    description: The senders to verify.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The sender's name in the result; its address by default.
        type: str
      address:
        description: The address that it sends from; the relay has to serve it.
        type: str
        required: true
      verify_recipient:
        description:
          - Recipient of the test message. Use an external recipient where the sender sends to external recipients.
          - A sender without recipient is reported as C(not_verified).
        type: str
  timeout:
    description: How many seconds the messages are traced. A message that is deferred for a transient reason is tried again meanwhile.
    type: int
    default: 120
  required:
    description: Whether the task fails where a sender cannot send.
    type: bool
    default: true
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
- name: Verify that the scanner can send through the relay
  mailops.m365.relay_probe:
    senders:
      - name: Scanner, third floor
        address: scanner@contoso.com
        verify_recipient: test@example.net
  become: true
"""

RETURN = r"""
---
senders:
  description: Every sender's result, in the order of the option, with the keys of module M(mailops.m365.smtp_probe) and C(hops).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The sender's name.
      type: str
    status:
      description:
        - C(verified), C(failed), C(not_verifiable) (this host cannot see what the method claims) or C(not_verified) (no test message was
          to be sent, because of check mode or a missing recipient).
      type: str
      sample: verified
    accepted_by:
      description: What accepted the test message, C(connector), C(direct_send), C(submission) or C(relay_host); empty if nothing did.
      type: str
      sample: connector
    reason:
      description: Why the sender is not verified.
      type: str
    remedy:
      description: What to do.
      type: str
    message_id:
      description: The Message-ID of the test message.
      type: str
    stage:
      description: The stage that was reached. C(relay) is the relay's own Postfix, C(queue) its queue; the others are the upstream's.
      type: str
      sample: sign-in
    code:
      description: The server's code.
      type: str
      sample: 535 5.7.139
    transient:
      description: Whether the same attempt may succeed later.
      type: bool
    seconds:
      description: How many seconds the message took.
      type: float
    hops:
      description: The hops of the message, each with its duration.
      type: list
      elements: dict
      sample: [{from: submission proxy, to: Microsoft 365, event: accepted, seconds: 0.12, detail: 'smtp.office365.com: 250 2.0.0 OK'}]
verified:
  description: How many senders were verified.
  returned: always
  type: int
total:
  description: How many senders there are.
  returned: always
  type: int
cost:
  description: Requests, retries and seconds waited. The module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 1.5}
failure:
  description: The parts of an error message, for use in tasks; C(problems) lists all invalid options.
  returned: failure
  type: dict
  sample: {problems: ['timeout is 0: give seconds, at least 1.']}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import relay_probe


def main() -> None:
    """The entry point as a module; Ansible sends it to the relay host."""
    run_host_module(relay_probe.RESOURCE)


if __name__ == "__main__":
    main()
