# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning: from the senders of a tenant to the variables of its roles. Pure functions, without input or output.

`methods` is the table of sending methods; `sending_plan` chooses one for each sender by the `rules`; `tenant_limits` checks all senders
together; `role_variables`, `connectors` and `relay_hosts` derive what the roles configure; `device_settings` is for the devices.
"""
