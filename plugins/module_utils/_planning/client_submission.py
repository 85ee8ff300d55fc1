# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client submission at Microsoft 365 by a user name and password as the upstream of a relay: a warning while Basic authentication is on.

Sources: see limits.BASIC_AUTH_END_DATE; the host names are those of client SMTP submission.
"""

from __future__ import annotations

import datetime

from .._core.errors import InvalidInput
from .._core.spec import Spec
from .limits import BASIC_AUTH_END_DATE

HOSTS = ("smtp.office365.com", "smtp-legacy.office365.com", "outlook.office365.com", "smtp.outlook.office365.com")
END_DATE = Spec(
    {"basic_auth_end_date": {"type": "str", "default": BASIC_AUTH_END_DATE.isoformat(), "variable": "m365_basic_auth_end_date"}}
)
_REMEDY = "use the tenant's MX host with an inbound connector, or a relay host on Linux, which signs in by OAuth."


def date_problems(text: str) -> list[str]:
    """What is wrong with the option basic_auth_end_date."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return [f"m365_basic_auth_end_date is {text!r}: give a date such as {BASIC_AUTH_END_DATE.isoformat()}."]
    return []


def without_user_problems(host: str) -> list[str]:
    """What is wrong with an upstream that has no user name."""
    if host.lower() not in HOSTS:
        return []
    return [f"upstream.host is {host}, which accepts only authenticated clients: {_REMEDY}"]


def warnings(host: str, end: str, now: float) -> list[str]:
    """A sentence where an upstream with a password is client submission. `now`: Unix seconds. InvalidInput after the end date."""
    if host.lower() not in HOSTS:
        return []
    sentence = f"upstream.host is {host}: Microsoft 365 refuses Basic authentication after {end}; {_REMEDY}"
    if datetime.datetime.fromtimestamp(now, datetime.UTC).date() > datetime.date.fromisoformat(end):
        raise InvalidInput(sentence)
    return [sentence]
