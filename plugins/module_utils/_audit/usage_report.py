# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usage report of email apps: which user sent with SMTP in 180 days, by Basic authentication or OAuth. No Entra ID P1 is required.

Source: Microsoft Graph v1.0, "reportRoot: getEmailAppUsageUserDetail" (header line, periods); "Microsoft 365 admin center activity reports"
(names may be concealed: a hash stands for each).
"""

from __future__ import annotations

import csv
import io

from .._core.errors import InvalidInput

PATH = "/reports/getEmailAppUsageUserDetail(period='D180')"
_USER, _SMTP = "User Principal Name", "SMTP App"
_NO = ("", "no", "false", "0")
_CONCEALED = (
    "the names in the usage report are concealed: an administrator can show them (Microsoft 365 admin center, Org settings, Services, "
    "Reports)."
)


def parse(content: bytes) -> dict[str, bool]:
    """Whether each user, by user principal name in lower case, sent with SMTP. Raises InvalidInput where the file does not say that."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeError, csv.Error) as error:
        raise InvalidInput(f"the usage report is no CSV file ({error}).") from error
    if rows and not {_USER, _SMTP} <= rows[0].keys():
        raise InvalidInput(f"the usage report has no columns {_USER} and {_SMTP}.")
    if rows and not any("@" in (row[_USER] or "") for row in rows):
        raise InvalidInput(_CONCEALED)
    return {row[_USER].strip().lower(): (row[_SMTP] or "").strip().lower() not in _NO for row in rows if row[_USER]}
