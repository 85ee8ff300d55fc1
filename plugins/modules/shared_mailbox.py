#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: shared_mailbox
short_description: Manage shared mailboxes in Exchange Online
description:
  - Creates, updates and removes shared mailboxes, many in one task.
  - A mailbox of another kind is refused by name. It is never converted and never removed.
options:
  mailboxes:
    description: The mailboxes. Options that are omitted are not changed.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description:
          - The mailbox's address, in an accepted domain. The name and alias of a new one come from its local part.
          - Where another recipient has them, they come from the whole address.
        type: str
        required: true
      was:
        description:
          - The former address. The mailbox that has it gets O(mailboxes[].address) as the primary address and keeps the former one as a
            secondary address. Without such a mailbox the option has no effect; where both addresses are mailboxes, it is refused.
        type: str
      display_name:
        description: The display name. A new mailbox without one gets the local part of its address.
        type: str
      message_copy_for_sent_as:
        description: Whether the mailbox keeps a copy of messages that others send as it.
        type: bool
      message_copy_for_send_on_behalf:
        description: Whether the mailbox keeps a copy of messages that others send on its behalf.
        type: bool
      send_as:
        description:
          - Users, by address, who may send as the mailbox. Other users keep the permission, unless O(exclusive=true).
          - The module M(mailops.m365.exchange_service_principal) manages the rights of applications.
        type: list
        elements: str
      send_on_behalf:
        description:
          - Users, by address, who may send on behalf of the mailbox (GrantSendOnBehalfTo). Others keep it, unless O(exclusive=true).
        type: list
        elements: str
      state:
        description: V(absent) removes the mailbox, with its mail, if it is a shared one.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description: Whether to withdraw O(mailboxes[].send_as) and O(mailboxes[].send_on_behalf), where set, from users that are not listed.
    type: bool
    default: false
seealso:
  - module: mailops.m365.shared_mailbox_info
  - module: mailops.m365.smtp_auth
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.journal
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Create a mailbox for the web shop that stores sent messages
  mailops.m365.shared_mailbox:
    mailboxes:
      - address: shop@contoso.com
        display_name: Web shop
        message_copy_for_sent_as: true

- name: Assign SendAs and SendOnBehalf on the mailbox of the web shop
  mailops.m365.shared_mailbox:
    mailboxes:
      - address: shop@contoso.com
        send_as: [ada@contoso.com]
        send_on_behalf: [bob@contoso.com]
    exclusive: true
"""

RETURN = r"""
---
shared_mailboxes:
  description: The mailboxes of the task as they are now (in check mode, would be), by address. Rights are shown where they were asked for.
  returned: success
  type: dict
  sample: {shop@contoso.com: {display_name: Web shop, message_copy_for_sent_as: true, message_copy_for_send_on_behalf: false}}
cost:
  description: The number of HTTP requests and of retries among them, and the seconds spent waiting.
  returned: always
  type: dict
  sample: {requests: 6, retries: 0, waited: 0.0}
failure:
  description:
    - The parts of the error message as values. C(cause), C(remedy) and C(transient) come from the error catalog (docs/errors.md).
    - C(problems) lists all problems of the input.
  returned: failure
  type: dict
  sample: {code: AADSTS7000215, cause: the client secret is wrong, transient: false}
"""

from ..module_utils._entry_points.module import run_module
from ..module_utils.resources import shared_mailbox


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(shared_mailbox.RESOURCE)


if __name__ == "__main__":
    main()
