#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_probe
short_description: Prove by a real message that senders can send through a relay host
description:
  - For every sender, hands the relay's Postfix a message with a unique id on 127.0.0.1, port 25, and follows it through the journal and the
    queue until Microsoft 365, or whatever server the relay passes mail on to, has given its final reply.
  - Where that fails, says at which stage, what the server answered, what the cause is, what to do and whether waiting helps. What the
    bridge hides from Postfix is read from its own log and from the state of the relay's token.
  - A message that does not get through is taken out of the queue again.
  - Runs on the relay host, as root. In check mode nothing is sent.
options:
  senders:
    description: The senders to prove.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the sender is called in the result.
        type: str
      address:
        description: The address that it sends from, one that the relay serves.
        type: str
        required: true
      verify_recipient:
        description: Recipient of the test message. Use an external recipient where the sender sends to external recipients.
        type: str
        required: true
  timeout:
    description: For how many seconds the messages are followed. One that is deferred for a reason that passes is tried again meanwhile.
    type: int
    default: 120
  required:
    description: Whether the task fails when a sender cannot send.
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
- name: Prove that the scanner's mail gets through the relay
  mailops.m365.relay_probe:
    senders:
      - name: Scanner, third floor
        address: scanner@contoso.com
        verify_recipient: proof@example.net
  become: true
"""

RETURN = r"""
---
senders:
  description: Every sender's result, in the order of the option; as module M(mailops.m365.smtp_probe) tells it, and C(hops) besides.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What the sender is called.
      type: str
    verified:
      description: Whether its message was accepted by the server that the relay passes it on to; null in check mode.
      type: bool
    message_id:
      description: The Message-ID of the proof.
      type: str
    stage:
      description: The stage that was reached. C(relay) is the relay's own Postfix, C(queue) its queue; the others are the upstream's.
      type: str
      sample: sign-in
    code:
      description: The server's code.
      type: str
      sample: 535 5.7.139
    cause:
      description: What is wrong.
      type: str
    remedy:
      description: What to do.
      type: str
    wait_helps:
      description: Whether the same attempt may pass later.
      type: bool
    seconds:
      description: How long the message took.
      type: float
    hops:
      description: The message's way, one entry a hop, with its seconds.
      type: list
      elements: dict
      sample: [{from: bridge, to: Microsoft 365, what: accepted, seconds: 0.12, detail: 'smtp.office365.com: 250 2.0.0 OK'}]
verified:
  description: How many senders were proven.
  returned: always
  type: int
total:
  description: How many senders there are.
  returned: always
  type: int
cost:
  description: What the task cost. It makes no HTTP requests; seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 1.5}
failure:
  description: The parts of a failure's sentence, for machines; C(problems) lists all that is wrong with the input.
  returned: failure
  type: dict
  sample: {problems: ['timeout is 0: give seconds, at least 1.']}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import relay_probe


def main() -> None:
    """Runs on the relay itself: the action ships it there."""
    run_host_module(relay_probe.RESOURCE)


if __name__ == "__main__":
    main()
