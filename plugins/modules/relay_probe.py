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
  - Submits a test message of each sender to Postfix by a Unix socket and traces it in the system journal and in the queue until the
    final reply of the upstream server (Microsoft 365 or a smart host).
  - The result of a failed sender has the stage, the reply of the server, the reason, the remedy and whether waiting helps. Causes that
    Postfix does not see are read from the log of the submission proxy and from the status of the access token.
  - With upstream C(connector), a delivered message does not show that the connector accepted it, because internal recipients accept mail by
    Direct Send, too. Therefore the relay host then asks the same server, with Postfix's address and certificate and without a message, to
    relay to an external recipient. If it refuses, the sender is C(failed); if it cannot be asked, the sender is C(not_verifiable).
  - A test message that has not been delivered at the end is removed from the queue.
  - Runs on the relay host as root. Check mode sends no message.
options:
  senders:
    description: The senders to verify.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the sender in the result. Defaults to its address.
        type: str
      address:
        description: The address that the sender sends from. It must be a sender of one of the mailboxes of the relay host.
        type: str
        required: true
      verify_recipient:
        description:
          - Recipient of the test message. Use an external recipient where the sender sends to external recipients.
          - A sender without recipient is reported as C(not_verified).
        type: str
  hosted_account:
    description:
      - The result of module M(mailops.m365.hosted_account_info), where the upstream is a hosted relay. The provider accepts mail to a
        suppressed address and mail of an SMTP user in the sandbox, and does not deliver it. Then no message is sent, and the sender is
        C(not_verifiable).
      - Without it, a message that the provider accepts is C(verified).
    type: dict
    default: {}
  timeout:
    description: How long the messages are traced, in seconds. A message that is deferred for a transient reason is retried in this time.
    type: int
    default: 120
  required:
    description: Whether the task fails if a sender cannot send.
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
- name: Verify that the scanner can send through the relay host
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
  description: One result per sender, in the order of O(senders), with the keys that M(mailops.m365.smtp_probe) returns and C(hops).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the sender.
      type: str
    status:
      description:
        - C(verified), C(failed), C(not_verifiable) (this host cannot see what the method claims) or C(not_verified) (no test message was
          to be sent, because of check mode or a missing recipient).
      type: str
      sample: verified
    accepted_by:
      description:
        - What accepted the test message, C(connector), C(direct_send), C(submission), C(hosted_relay) or C(relay_host); empty if nothing
          did.
      type: str
      sample: connector
    reason:
      description: Why the sender is not verified. Of a verified sender of a hosted relay, the used quota.
      type: str
    remedy:
      description: What to do.
      type: str
    message_id:
      description: The Message-ID of the test message.
      type: str
    stage:
      description:
        - The last stage that the message reached. C(relay) is Postfix on the relay host, C(queue) its queue. The other stages are those of
          the session with the upstream server.
      type: str
      sample: sign-in
    code:
      description: The reply code and the enhanced status code of the server.
      type: str
      sample: 535 5.7.139
    transient:
      description: Whether the same attempt may succeed later.
      type: bool
    seconds:
      description: The time until the final reply, in seconds.
      type: float
    hops:
      description: The hops of the message, with the duration of each in seconds.
      type: list
      elements: dict
      sample: [{from: submission proxy, to: Microsoft 365, event: accepted, seconds: 0.12, detail: 'smtp.office365.com: 250 2.0.0 OK'}]
verified:
  description: The number of verified senders.
  returned: always
  type: int
total:
  description: The number of senders.
  returned: always
  type: int
cost:
  description: The number of HTTP requests and of retries, and the seconds spent waiting. This module sends no HTTP request.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 1.5}
failure:
  description: The parts of the error message as values. C(problems) lists all problems of the input.
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
