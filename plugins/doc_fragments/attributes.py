# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module supports."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Reports the changes without making them.
  diff_mode:
    support: full
    description: Shows the values before and after the changes.
  idempotent:
    support: full
    description: A second run changes nothing.
  action_group:
    support: full
    description: Use C(group/mailops.m365.all) in C(module_defaults) to set options for all modules.
    membership: [mailops.m365.all]
  async:
    support: none
    description: Tasks of this collection do not run in the background.
"""

    READING = r"""
attributes:
  check_mode:
    support: full
    description: The module changes nothing in the tenant.
  diff_mode:
    support: N/A
    description: The module makes no changes.
  idempotent:
    support: full
    description: The module changes nothing in the tenant.
  action_group:
    support: full
    description: Use C(group/mailops.m365.all) in C(module_defaults) to set options for all modules.
    membership: [mailops.m365.all]
  async:
    support: none
    description: Tasks of this collection do not run in the background.
"""
