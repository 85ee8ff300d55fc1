# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd journal of Postfix and of the submission proxy, as `journalctl -o json` prints it.

A line holds MESSAGE, SYSLOG_IDENTIFIER (postfix/m365-1/smtp), _SYSTEMD_UNIT, __REALTIME_TIMESTAMP in microseconds, __CURSOR.
Source: systemd, "Journal JSON Format".
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...._core.errors import MailopsError

PROXY_UNIT = "mailops-relay-proxy.service"
POSTFIX_UNITS = ("postfix.service", "postfix@-.service")  # Debian 13 and 12
OPTIONS = ("--quiet", "--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT")
# Matches on one field are alternatives (journalctl(1)).
MATCHES = tuple(f"_SYSTEMD_UNIT={unit}" for unit in (*POSTFIX_UNITS, PROXY_UNIT))
COMMAND = ("/usr/bin/journalctl", *OPTIONS)


class JournalError(MailopsError):
    """journalctl failed, or the user may not read the journal."""


@dataclass(frozen=True)
class JournalEntry:
    """`timestamp`: Unix time in seconds. `identifier`: the syslog identifier."""

    cursor: str
    timestamp: float
    unit: str
    identifier: str
    message: str


def parse_line(line: str) -> JournalEntry | None:
    """The entry of a line; None where the line holds no JSON object."""
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    return JournalEntry(
        str(document.get("__CURSOR") or ""),
        int(document.get("__REALTIME_TIMESTAMP") or 0) / 1e6,
        _text(document.get("_SYSTEMD_UNIT")),
        _text(document.get("SYSLOG_IDENTIFIER")),
        _text(document.get("MESSAGE")),
    )


def _text(value: Any) -> str:
    """The journal prints text that is not UTF-8 as a list of bytes, and a field that is too long as null."""
    if isinstance(value, list):
        return bytes(byte for byte in value if isinstance(byte, int) and 0 <= byte < 256).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


class JournalReader:
    """The journal from a moment (Unix time) on; each `read` returns the entries since the one before."""

    def __init__(self, since: float, command: Iterable[str] = COMMAND) -> None:
        self._command, self._position = list(command), f"--since=@{since:.6f}"

    def read(self) -> list[JournalEntry]:
        """The entries in their order. Raises JournalError."""
        command = [*self._command, self._position, *MATCHES]
        try:
            result = subprocess.run(command, capture_output=True, timeout=60, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JournalError(f"Could not read the relay's journal: {error}.") from error
        # Exit status 1: there is no entry.
        if result.returncode not in (0, 1) or (result.returncode and result.stderr.strip()):
            detail = " ".join(result.stderr.decode("utf-8", "replace").split())[:300]
            raise JournalError(f"Could not read the relay's journal: {detail}. Run this as root.")
        parsed = (parse_line(line) for line in result.stdout.decode("utf-8", "replace").split("\n"))
        entries = [entry for entry in parsed if entry and entry.cursor]
        if entries:
            self._position = f"--after-cursor={entries[-1].cursor}"
        return entries
