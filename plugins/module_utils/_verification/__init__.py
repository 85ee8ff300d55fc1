# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of sending: one class a method of sending, what they share, and one attempt.

Private to the collection. To add a method: a subclass of Method in its table (methods.py); the options that it needs stand
in the module smtp_probe.
"""
