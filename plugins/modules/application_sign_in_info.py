#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: application_sign_in_info
short_description: Gather sign-ins of the applications that may send with SMTP
description:
  - Reads the applications with SMTP.SendAsApp and the sender app, when each last signed in (at most 20), and which of its credentials it
    used, where it has several.
  - A sign-in says that a token was issued, not that SMTP was used.
  - Requires Microsoft Entra ID P1, AuditLog.Read.All, Directory.Read.All and Application.Read.All.
  - Changes nothing. A source that is not readable is no failure; RV(reason) says why not.
options:
  days:
    description:
      - How many days of the sign-in log to read, at most 30.
      - Falls back to the host variable C(audit_days).
    type: int
    default: 30
  app_unique_name:
    description:
      - The unique name of the sender app, which is listed even if it sends by RBAC for Applications.
      - Falls back to the host variable C(entra_app_unique_name).
    type: str
    default: mailops-smtp-sender
seealso:
  - module: mailops.m365.audit_info
  - module: mailops.m365.entra_app_info
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.tenant
  - mailops.m365.attributes.reading
"""

EXAMPLES = r"""
---
- name: Read when the applications signed in
  mailops.m365.application_sign_in_info:
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
    - The applications, each with C(last_sign_in), empty where none is known and null where it was not read, and C(credentials).
      C(used) of a credential is null where that is not known.
    - Null where it was not readable.
  returned: success
  type: list
  elements: dict
  sample:
    - app_id: 6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001
      display_name: ERP
      last_sign_in: '2026-11-27'
      credentials:
      - {kind: certificate, used: true}
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
from ..module_utils.resources import application_sign_in


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_module(application_sign_in.INFO)


if __name__ == "__main__":
    main()
