# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of plugins/module_utils/_core/spec.py, JOURNAL."""

    DOCUMENTATION = r"""
options:
  journal_dir:
    description:
      - The directory of the journal, which records the previous values of a change before the change is made, in one file for each tenant.
      - The default directory is C(~/.local/state/mailops/journal).
      - If omitted, the value of the host variable C(m365_journal_dir) is used, then the environment variable
        E(MAILOPS_JOURNAL_DIR).
    type: path
"""
