#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: entra_app_info
short_description: Gather information about Entra applications
description:
  - Reads an application with its permissions, consents and certificates by its unique name.
options:
  unique_name:
    description: The application's unique name in the tenant.
    type: str
    required: true
seealso:
  - module: mailops.m365.entra_app
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read the sender app
  mailops.m365.entra_app_info:
    unique_name: mailops-smtp-sender
  register: sender
"""

RETURN = r"""
---
app:
  description: The application in the form that M(mailops.m365.entra_app) returns, or null if it does not exist.
  returned: success
  type: dict
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
from ..module_utils.resources import entra_app


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(entra_app.INFO)


if __name__ == "__main__":
    main()
