# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The option of the modules that look for mailboxes before they write."""

    DOCUMENTATION = r"""
options:
  expected_mailboxes:
    description:
      - Addresses of mailboxes that an earlier task creates in a normal run. In check mode they count as new mailboxes, not as missing.
      - Falls back to the host variable C(m365_expected_mailboxes).
    type: list
    elements: str
    default: []
"""
