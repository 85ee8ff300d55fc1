#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: message_trace_info
short_description: Gather which addresses send from which IP addresses from the message trace
description:
  - Reads the message trace of mail from the accepted domains, in queries of ten days and 5,000 rows, at most 90.
  - Subjects are not requested, recipients are only counted as internal or external, and Microsoft's own servers are no sources.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options:
  days:
    description:
      - How many days to read, at most 90.
      - Falls back to the host variable C(audit_trace_days).
    type: int
    default: 10
seealso:
  - module: mailops.m365.audit_info
  - module: mailops.m365.inbound_connector_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.dns
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read who sends from where
  mailops.m365.message_trace_info:
    days: 30
  register: read
"""

RETURN = r"""
---
readable:
  description: Whether all of it was readable.
  returned: success
  type: bool
reason:
  description: Why it, or a part of it, was not readable; empty otherwise.
  returned: success
  type: str
  sample: "Could not read the sign-in log: the tenant has no licence of Microsoft Entra ID P1."
senders:
  description:
    - The addresses, with C(messages), C(recipients), C(external_recipients), C(recipients_per_day), C(last) and C(sources).
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample:
    - address: scan@contoso.com
      messages: 12
      recipients: 12
      external_recipients: 0
      recipients_per_day: 3
      last: '2026-11-27'
      sources: [203.0.113.9]
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
from ..module_utils.resources import message_trace


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(message_trace.INFO)


if __name__ == "__main__":
    main()
