# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of verdicts and severities, each in its order, for the audit and for its reports, which import no more of it."""

from __future__ import annotations

BREAKS, REFUSED, EXPIRES, UNKNOWN, SAFE = "breaks", "refused", "expires", "unknown", "safe"
UNLISTED, OUTDATED, UNVERIFIED, UNUSED = "unlisted", "outdated", "unverified", "unused"
VERDICTS = (BREAKS, REFUSED, EXPIRES, UNKNOWN, UNLISTED, OUTDATED, UNVERIFIED, UNUSED, SAFE)
TO_CHECK = (UNLISTED, OUTDATED, UNVERIFIED, UNUSED)  # nothing stops, and something is to be decided
SEVERITIES = ("critical", "high", "medium", "low", "info")
BASIC_OFF = "smtp_basic_off_existing"  # the announcement that the verdicts are about


def not_readable(reason: str) -> str:
    """The reason why a source was not readable as a problem, which says that once."""
    known = reason.startswith("Could not ") or "not readable" in reason or "not be read" in reason
    return reason if known else f"Not readable: {reason}"
