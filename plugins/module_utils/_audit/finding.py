# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding of an audit."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """One finding: `subject` is the object, `problem` and `remedy` are sentences. `severity`: one of names.SEVERITIES.

    `date`: the day on which it matters, if there is one.
    """

    id: str
    severity: str
    subject: str
    problem: str
    remedy: str
    date: datetime.date | None = None

    def as_result(self) -> dict[str, str | None]:
        return asdict(self) | {"date": self.date.isoformat() if self.date else None}
