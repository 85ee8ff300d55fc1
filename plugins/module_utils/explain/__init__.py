# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explanations of pasted error texts, from the error catalog: the command `mailops-explain` and the filter `mailops.m365.explain`.

The command needs Python and nothing else. `python3 .../plugins/module_utils/explain/mailops_explain.py` runs it.
"""
