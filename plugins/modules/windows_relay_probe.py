#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_relay_probe
short_description: Verify that senders can send through a Windows host
description:
  - Hands a test message of each sender to IIS SMTP Server (a file in its folder Pickup) or hMailServer (an object C(hMailServer.Message))
    on a Windows host, and follows it in the queue, the bad mail and the log until the reply of the upstream server.
  - The result of a failed sender names the hop where the message stopped, the reply of the upstream server, the reason and the remedy.
  - The message does not pass the host's firewall and its list of devices. C(verify_from) of a sender verifies this hop, see
    M(mailops.m365.smtp_probe).
  - With O(upstream=connector), a message to an external recipient shows that a connector accepts it. Of a message to an internal recipient
    it is not to be seen, so that the sender is C(not_verifiable).
  - hMailServer tries a message again that was deferred, and at the end one that remains is removed from its queue. IIS SMTP Server has no
    such functions. It keeps the message, and tries it again by its own schedule.
  - Check mode sends no message.
options:
  product:
    description: The product that relays on the host.
    type: str
    choices: [iis_smtp, hmailserver]
    required: true
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
        description: The address that the sender sends from.
        type: str
        required: true
      verify_recipient:
        description:
          - Recipient of the test message. Use an external recipient.
          - A sender without recipient is reported as C(not_verified).
        type: str
  upstream:
    description: What the host passes mail on to, C(connector), C(smarthost) or a hosted relay, as in C(relay_upstream) of role
      P(mailops.m365.relay_windows#role).
    type: str
    default: connector
  internal_domains:
    description: The accepted domains of the tenant, for O(upstream=connector). The domain of a sender is always internal.
    type: list
    elements: str
    default: []
  hosted_account:
    description:
      - The result of module M(mailops.m365.hosted_account_info), where the upstream is a hosted relay. The provider accepts mail to a
        suppressed address and mail of an SMTP user in the sandbox, and does not deliver it. Then no message is sent, and the sender is
        C(not_verifiable).
      - Without it, a message that the provider accepts is C(verified).
    type: dict
    default: {}
  hmailserver_admin_password:
    description: The administrator password of hMailServer.
    type: str
  timeout:
    description: How long the messages are followed, in seconds.
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
  - module: mailops.m365.relay_probe
  - module: mailops.m365.windows_relay_info
extends_documentation_fragment:
  - mailops.m365.windows
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Verify that the printers can send through the Windows host
  mailops.m365.windows_relay_probe:
    product: iis_smtp
    senders:
      - name: Printers
        address: printers@contoso.com
        verify_recipient: test@example.net
"""

RETURN = r"""
---
senders:
  description: One result per sender, in the order of O(senders), with the keys that M(mailops.m365.relay_probe) returns.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the sender.
      type: str
    status:
      description:
        - C(verified), C(failed), C(not_verifiable) (the upstream server's reply, or what it accepted the message by, is not to be seen) or
          C(not_verified) (no test message was to be sent, because of check mode or a missing recipient).
      type: str
      sample: verified
    accepted_by:
      description: What accepted the test message, C(connector), C(hosted_relay) or C(relay_host); empty if nothing did.
      type: str
      sample: connector
    reason:
      description: Why the sender is not verified. Of a verified sender of a hosted relay, the used quota.
      type: str
    remedy:
      description: What to do.
      type: str
    message_id:
      description: The Message-ID of the test message. hMailServer gives its messages another one.
      type: str
    stage:
      description:
        - The last hop that the message reached. C(relay) is the product on the host, C(queue) its queue, C(upstream) the upstream server.
      type: str
      sample: queue
    code:
      description: The reply code and the enhanced status code of the server.
      type: str
      sample: 535 5.7.8
    transient:
      description: Whether the same attempt may succeed later.
      type: bool
    seconds:
      description: The time until the upstream server's reply was seen, in seconds.
      type: float
    hops:
      description: The hops of the message.
      type: list
      elements: dict
      sample: [{from: IIS SMTP Server, to: Microsoft 365, event: accepted, seconds: 2.1, detail: 'contoso-com.mail.protection.outlook.com:
        250 2.6.0 Queued mail for delivery'}]
verified:
  description: The number of verified senders.
  returned: always
  type: int
total:
  description: The number of senders.
  returned: always
  type: int
cost:
  description: The number of scripts that were run on the host (C(requests)), and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 2.0}
failure:
  description: The parts of the error message as values. C(code) is PowerShell's C(FullyQualifiedErrorId).
  returned: failure
  type: dict
"""

from ..module_utils._entry_points.windows_module import run_windows_module
from ..module_utils.resources import windows_relay_probe


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_windows_module(windows_relay_probe.RESOURCE)


if __name__ == "__main__":
    main()
