#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: spoof_intelligence_info
short_description: Gather mail in the name of the own domains that failed authentication
description:
  - Reads the spoof intelligence insight of seven days, of internal spoofs only (the spoofed sender is in an accepted domain).
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options: {}
seealso:
  - module: mailops.m365.audit_info
  - module: mailops.m365.direct_send_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read who sends in the name of the domains
  mailops.m365.spoof_intelligence_info:
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
spoofs:
  description:
    - The spoofed addresses by sending infrastructure, those with the most messages first, at most 100.
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample: [{address: sales@contoso.com, infrastructure: 198.51.100.0/24, messages: 12, last: "2026-11-27", allowed: true}]
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
from ..module_utils.resources import spoof_intelligence


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(spoof_intelligence.INFO)


if __name__ == "__main__":
    main()
