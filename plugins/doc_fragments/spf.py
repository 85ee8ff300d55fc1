# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/resources/spf.py, WANTED."""

    DOCUMENTATION = r"""
options:
  domains:
    description:
      - The mail domains to look at, accepted ones or sub-domains of them.
      - Left out, all accepted domains of the tenant but Microsoft's own (C(onmicrosoft.com)).
    type: list
    elements: str
  ip4:
    description: IPv4 addresses and networks that send for the domains besides Microsoft 365, as others see them.
    type: list
    elements: str
    default: []
  ip6:
    description: The same for IPv6.
    type: list
    elements: str
    default: []
  includes:
    description: Domains of third parties that send for the domains, C(sendgrid.net) for example.
    type: list
    elements: str
    default: []
  cloud_include:
    description: Whether Microsoft 365 sends for the domains, so that the record includes what O(cloud) names for its servers.
    type: bool
    default: true
  policy:
    description:
      - What the record says of everybody else.
      - With V(keep), what it says now; a domain without a record gets V(softfail), because it may have senders that nobody knows of yet.
    type: str
    choices: [keep, hardfail, softfail, neutral]
    default: keep
  exclusive:
    description: Whether mechanisms that others put into the record are removed. Left out, they are kept, in their order.
    type: bool
    default: false
"""
