#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: delegated_application_info
short_description: Gather applications that send as a user who signed in
description:
  - Reads the applications with the delegated permission SMTP.Send, such as those of printer makers, and whether all users or some have
    consented.
  - Requires Directory.Read.All or DelegatedPermissionGrant.Read.All.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options: {}
seealso:
  - module: mailops.m365.audit_info
  - module: mailops.m365.delegated_sign_in
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read which applications have delegated SMTP.Send
  mailops.m365.delegated_application_info:
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
applications:
  description:
    - The applications. C(foreign) is one of another organization, C(printer_maker) one whose name is that of a maker of printers.
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample:
    - app_id: 6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0002
      display_name: Ricoh Mail
      publisher: Ricoh
      foreign: true
      printer_maker: true
      consent: {all_users: true, users: 0}
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
from ..module_utils.resources import delegated_application


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(delegated_application.INFO)


if __name__ == "__main__":
    main()
