# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The senders that playbook verify has verified, from the JSON report of its run (MAILOPS_REPORT)."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from .._core.errors import InvalidInput

FORMAT, VERIFIED = "mailops.report/1", "verified"  # as in _report and _verification, which are above this layer
MOST_BYTES = 256 * 1024 * 1024


def read(path: str) -> dict[str, datetime.date]:
    """The day on which a test message of each address, in lower case, was sent; of all tenants of the report.

    Raises InvalidInput with one sentence where the file is no such report.
    """
    file = Path(path).expanduser()
    wrong = f"audit_verify_report is {path}, which"
    advice = "give the file that playbook verify writes to MAILOPS_REPORT."
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{wrong} has more than {MOST_BYTES // 1024 // 1024} MiB: {advice}")
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{wrong} could not be read ({error.strerror}): {advice}") from error
    except ValueError as error:
        raise InvalidInput(f"{wrong} is no JSON: {advice}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInput(f"{wrong} is no report {FORMAT}: {advice}")
    try:
        day = datetime.datetime.fromisoformat(document["started"]).date()
        senders = [sender for task in document["tasks"] for sender in task["senders"]]
        return {str(one["address"]).lower(): day for one in senders if one["status"] == VERIFIED}
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{wrong} is no complete report {FORMAT}: {advice}") from error
