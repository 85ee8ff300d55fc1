# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding of an audit."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """One finding: `subject` is the object, `problem` and `remedy` are sentences. `severity`: one of names.SEVERITIES."""

    id: str
    severity: str
    subject: str
    problem: str
    remedy: str

    def as_result(self) -> dict[str, str]:
        return asdict(self)
