# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/_core/spec.py, DNS."""

    DOCUMENTATION = r"""
options:
  dns_servers:
    description:
      - The name servers to query, each as C(address) or C(address:port). By default the name servers of the host that the task runs on.
      - If omitted, the value of the host variable C(m365_dns_servers) is used.
    type: list
    elements: str
requirements:
  - dnspython
"""
