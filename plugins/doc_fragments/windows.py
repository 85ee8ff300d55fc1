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
