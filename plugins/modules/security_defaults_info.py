#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: security_defaults_info
short_description: Gather information about Entra Security Defaults
description:
  - Reads whether Security Defaults, which block Basic authentication for SMTP, are enabled.
  - There is no module that turns them off; that is a decision about the whole tenant's security.
options: {}
seealso:
  - module: mailops.m365.smtp_auth
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read Security Defaults
  mailops.m365.security_defaults_info:
  register: tenant_security
"""

RETURN = r"""
---
security_defaults:
  description: What was read.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether they are on.
      type: bool
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
from ..module_utils.resources import security_defaults


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(security_defaults.INFO)


if __name__ == "__main__":
    main()
