# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/resources/spf.py, DESIRED."""

    DOCUMENTATION = r"""
options:
  domains:
    description:
      - The mail domains, each an accepted domain or a subdomain of one.
      - By default all accepted domains of the tenant except Microsoft's own (C(onmicrosoft.com)).
    type: list
    elements: str
  ip4:
    description: Public IPv4 addresses and networks that send for the domains besides Microsoft 365.
    type: list
    elements: str
    default: []
  ip6:
    description: Public IPv6 addresses and networks that send for the domains besides Microsoft 365.
    type: list
    elements: str
    default: []
  includes:
    description: Domains of third parties that send for the domains, C(spf.news.example) for example.
    type: list
    elements: str
    default: []
  cloud_include:
    description: Whether Microsoft 365 sends for the domains, so that the record includes the SPF domain of the O(cloud).
    type: bool
    default: true
  policy:
    description:
      - The policy of the record for all other hosts (C(all)).
      - V(keep) keeps the current policy. A domain without a record gets V(softfail), because it may have senders that are not listed yet.
    type: str
    choices: [keep, hardfail, softfail, neutral]
    default: keep
  exclusive:
    description: Whether other mechanisms are removed from the record. By default they are kept, in order.
    type: bool
    default: false
"""
