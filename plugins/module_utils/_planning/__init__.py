# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The intent: who sends, and what that needs. Pure functions; nothing here reads or writes anything.

Private to the collection. `decision` chooses how a sender sends, by the `rules`; `totals` looks at all senders of a
tenant together; `variables` turns the decisions into what the roles take, `settings` into what is typed into a device.
"""
