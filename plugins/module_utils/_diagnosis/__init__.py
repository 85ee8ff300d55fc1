# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""**PRIVATE** to the collection. The network between a host and the mail servers: what is observed, and the causes that this shows.

Runs on any host with Python 3.9 and no other library. `observe` opens connections and judges nothing; `findings` judges observations and
opens no connection.
"""
