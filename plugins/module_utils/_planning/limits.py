# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending limits that Microsoft publishes.

Sources: "Exchange Online limits"; "Introducing the Tenant External Recipient Rate Limit";
"How to set up a multifunction device or application to send email using Microsoft 365"; "Manage high volume emails for
Microsoft 365"; "Service limits for Azure Communication Services".
"""

from __future__ import annotations

import datetime

MESSAGES_A_MINUTE = 30  # of one mailbox; more are delayed
RECIPIENTS_A_DAY = 10_000  # of one mailbox, in any 24 hours
RECIPIENTS_A_MESSAGE = 1_000  # the maximum of a mailbox setting (500 by default)
HVE_RECIPIENTS_A_MESSAGE = 50
ACS_RECIPIENTS_A_MESSAGE = 50
ACS_MESSAGES_A_MINUTE = 30  # from a custom domain
INITIAL_DOMAIN_EXTERNAL_A_DAY = 100  # external recipients of all onmicrosoft.com senders together
TRIAL_EXTERNAL_A_DAY = 5_000
# Up to so many external recipients a day the limit of the tenant is not read: a fifth of the smallest one that is published.
FEW_EXTERNAL_A_DAY = TRIAL_EXTERNAL_A_DAY // 5
EXTERNAL_WARNING_PERCENT = 80  # of the tenant's limit
# The last day on which Basic authentication for SMTP is on by default. An administrator can turn it on again; the final date is to be
# announced in the second half of 2027. "Updated Exchange Online SMTP AUTH Basic Authentication Deprecation Timeline" (Exchange Team Blog,
# 2026-01-27: "end of December 2026").
BASIC_AUTH_END_DATE = datetime.date(2026, 12, 31)


def external_recipients_a_day(licences: int, *, trial: bool = False) -> int:
    """The tenant's external recipient rate limit (TERRL) in 24 hours, by its purchased mailbox licences."""
    return TRIAL_EXTERNAL_A_DAY if trial else int(500 * licences**0.7 + 9_500)
