# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay host: what its settings mean, and what its own program does.

Private to the collection. The role copies this package, errors.py and error_table/ to the relay, where the distribution's Python runs
it: only the standard library (msal inside tokens.py), and nothing newer than Python 3.9.
"""
