# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft has announced for programs that send by SMTP, as data, and the state of an announcement on a date.

An announcement keeps the precision of its source: `when` is the source's own wording, and days are counted to the first possible day.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass

from .._planning.limits import BASIC_AUTH_END_DATE
from . import names

STALE_AFTER = 180  # days since a source was checked
_CHECKED = datetime.date(2026, 11, 28)
_BASIC = "Exchange Team Blog: Updated Exchange Online SMTP AUTH Basic Authentication Deprecation Timeline, version 3.0"
_BASIC_PUBLISHED = datetime.date(2026, 1, 29)


@dataclass(frozen=True)
class Announcement:
    """One announcement. `first_day` is the first possible day, None without a published date; `last_day` ends a period.

    `precision`: day, month, half-year, period or none. `wording`: a quotation of the source, where one is kept. `void`: withdrawn by a
    later announcement. `published`, `checked`: the dates of the source and of the last time that it was read.
    """

    id: str
    when: str
    what: str
    precision: str
    source: str
    published: datetime.date | None = None
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    wording: str = ""
    void: bool = False
    checked: datetime.date = _CHECKED

    def days(self, today: datetime.date) -> int | None:
        """The days until the first possible day, negative after it; None without a date."""
        return (self.first_day - today).days if self.first_day else None

    def status(self, today: datetime.date) -> str:
        """void, undated, planned, started (a period that has not ended) or done."""
        if self.void:
            return "void"
        if self.first_day is None:
            return "undated"
        if today < self.first_day:
            return "planned"
        return "started" if self.last_day and today <= self.last_day else "done"

    def is_stale(self, today: datetime.date) -> bool:
        """Whether the source was checked so long ago that the date of the check has to be shown."""
        return (today - self.checked).days > STALE_AFTER

    def as_result(self, today: datetime.date) -> dict[str, object]:
        values = {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in asdict(self).items()}
        return values | {"status": self.status(today), "days": self.days(today), "stale": self.is_stale(today)}


BASIC_OFF = Announcement(
    names.BASIC_OFF,
    "end of December 2026",
    "SMTP AUTH with Basic authentication is disabled by default in existing tenants; an administrator can enable it again.",
    "month",
    _BASIC,
    _BASIC_PUBLISHED,
    first_day=BASIC_AUTH_END_DATE,
    wording="SMTP AUTH Basic Authentication will be disabled by default for existing tenants. Administrators will still be able to enable "
    "it if needed.",
)
BASIC_REMOVAL = Announcement(
    "smtp_basic_removal_announced",
    "second half of 2027",
    "Microsoft announces the date on which SMTP AUTH with Basic authentication is removed; the removal itself has no date.",
    "half-year",
    _BASIC,
    _BASIC_PUBLISHED,
    first_day=datetime.date(2027, 7, 1),
    last_day=datetime.date(2027, 12, 31),
    wording="Microsoft will announce the final removal date for SMTP AUTH Basic Authentication.",
)
HVE_BILLING = Announcement(
    "hve_billing",
    "2026-06-01",
    "High Volume Email is metered; without a billing policy its delivery is interrupted.",
    "day",
    "Message center MC1243552",
    datetime.date(2026, 5, 20),
    first_day=datetime.date(2026, 6, 1),
)
EWS_OFF = Announcement(
    "ews_off",
    "2027-04-01",
    "Exchange Web Services end; they are blocked by default since 2026-10-01.",
    "day",
    "Exchange Team Blog, February 2026",
    datetime.date(2026, 6, 19),
    first_day=datetime.date(2027, 4, 1),
)
TIMETABLE = (
    BASIC_OFF,
    Announcement(
        "smtp_basic_off_new",
        "tenants created after December 2026",
        "SMTP AUTH with Basic authentication is unavailable by default in new tenants; OAuth is the supported method.",
        "month",
        _BASIC,
        _BASIC_PUBLISHED,
        first_day=datetime.date(2027, 1, 1),
        wording="SMTP AUTH Basic Authentication will be unavailable by default. OAuth will be the supported authentication method.",
    ),
    BASIC_REMOVAL,
    Announcement(
        "smtp_basic_former_dates",
        "September 2025; 2026-03-01 to 2026-04-30",
        "Former dates for the end of Basic authentication, which the timeline of January 2026 replaces.",
        "none",
        "Message center MC786329, all versions",
        datetime.date(2026, 1, 27),
        void=True,
    ),
    HVE_BILLING,
    Announcement(
        "direct_send_default",
        "no date published",
        "Microsoft intends to reject Direct Send by default in new tenants.",
        "none",
        "Exchange Team Blog: Introducing more control over Direct Send in Exchange Online",
        datetime.date(2025, 4, 28),
    ),
    Announcement(
        "legacy_tls_smtp",
        "no date published",
        "The endpoint smtp-legacy.office365.com for TLS 1.0 and 1.1 stays; Basic authentication on it ends with the rest.",
        "none",
        "Opt in to the Exchange Online endpoint for legacy TLS clients using SMTP AUTH",
    ),
    Announcement(
        "legacy_tls_pop_imap",
        "2026-07-01 to 2026-12-31",
        "TLS 1.0 and 1.1 end for POP3 and IMAP4.",
        "period",
        "Message center MC1293480",
        first_day=datetime.date(2026, 7, 1),
        last_day=datetime.date(2026, 12, 31),
    ),
    EWS_OFF,
    Announcement(
        "hve_ga",
        "2026-03-31",
        "High Volume Email is generally available.",
        "day",
        "Message center MC1243552",
        datetime.date(2026, 3, 4),
        first_day=datetime.date(2026, 3, 31),
    ),
    Announcement(
        "hve_external_ended",
        "June 2025",
        "High Volume Email delivers to internal recipients only; for external ones Microsoft names Azure Communication Services.",
        "month",
        "Petri: High Volume Email Service to Restrict Email Delivery to Internal Recipients Next Month, about Microsoft's announcement",
        first_day=datetime.date(2025, 6, 1),
        checked=datetime.date(2026, 11, 30),
    ),
    Announcement(
        "external_recipients_tenant",
        "April 2025; paused for tenants with more than 500 licences",
        "A tenant may send to 500 x licences^0.7 + 9,500 external recipients in 24 hours (5,000 in a trial); above: 550 5.7.233.",
        "day",
        "Exchange Team Blog, post 4372797",
        datetime.date(2025, 7, 14),
        first_day=datetime.date(2025, 4, 3),
    ),
    Announcement(
        "external_recipients_mailbox",
        "cancelled on 2026-01-07",
        "The limit of 2,000 external recipients a day for each mailbox. That of 10,000 recipients stays.",
        "none",
        "Exchange Team Blog, January 2026",
        datetime.date(2026, 1, 7),
        void=True,
    ),
    Announcement(
        "direct_send_option",
        "early September 2025",
        "An administrator can reject Direct Send (RejectDirectSend).",
        "month",
        "Message center MC1093237",
        first_day=datetime.date(2025, 9, 1),
    ),
    Announcement(
        "onmicrosoft_limit",
        "2026-06-01 to 2026-06-15",
        "Senders in an onmicrosoft.com domain reach 100 external recipients a day of the organization; above: 550 5.7.236.",
        "period",
        "Message center MC1302901",
        datetime.date(2026, 5, 6),
        first_day=datetime.date(2026, 6, 1),
        last_day=datetime.date(2026, 6, 15),
    ),
    Announcement(
        "mx_microsoft",
        "July 2026",
        "New accepted domains get their MX host under mx.microsoft; a migration of others has no date.",
        "month",
        "Message center MC1048624",
        datetime.date(2025, 4, 4),
        first_day=datetime.date(2026, 7, 1),
    ),
    Announcement(
        "reporting_web_service",
        "from 2026-04-06",
        "The message trace of the Reporting web service ends.",
        "day",
        "Exchange Team Blog, January 2026",
        datetime.date(2026, 1, 22),
        first_day=datetime.date(2026, 4, 6),
    ),
)
