#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: shared_mailbox_info
short_description: Gather information about shared mailboxes in Exchange Online
description:
  - Reads the shared mailboxes that are listed, or all. Addresses of other recipients are omitted from the result.
options:
  mailboxes:
    description: Addresses. Without them, all shared mailboxes are read.
    type: list
    elements: str
seealso:
  - module: mailops.m365.shared_mailbox
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read all shared mailboxes
  mailops.m365.shared_mailbox_info:
  register: read
"""

RETURN = r"""
---
shared_mailboxes:
  description: The shared mailboxes, by address.
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
    run_module(shared_mailbox.INFO)


if __name__ == "__main__":
    main()
