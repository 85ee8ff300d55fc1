# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of a Windows host requires."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - pywinrm >= 0.5 with the connection C(winrm), or pypsrp with the connection C(psrp), on the control node (C(pip install pywinrm pypsrp))
notes:
  - The host is reached by the connection variables of the inventory, as for every other Windows host (C(ansible_connection),
    C(ansible_user), C(ansible_password), C(ansible_port)). The account has to be a local administrator.
  - The module runs on the control node and sends fixed scripts for Windows PowerShell 5.1 to the host. C(become) is not supported.
"""

    # The options that both products have.
    RELAY = r"""
options:
  update_password:
    description:
      - When the upstream's password is written. The host does not reveal it, so that it cannot be compared.
      - V(when_changed) keeps a salted digest of the password beside the journal on the control node, and writes when it differs or is
        missing.
      - V(on_create) writes when the upstream's host, port or user name changes, V(always) on every run.
      - The password is part of every write, whatever its reason.
    type: str
    choices: [when_changed, on_create, always]
    default: when_changed
  drain_timeout:
    description:
      - How many seconds O(state=absent) waits for an empty queue. After that the task fails and the relay stays, closed to devices.
    type: int
    default: 600
  basic_auth_end_date:
    description:
      - The last day on which smtp.office365.com accepts a user name and password.
      - If omitted, the value of the host variable C(m365_basic_auth_end_date) is used.
    type: str
    default: "2026-12-31"
"""
