# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Windows host: runs a script through the connection of the inventory (winrm or psrp), and reads its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import MailopsError
from .._core.json_types import JsonObject
from .._core.redaction import hide
from .._core.waiting import Clock, Cost, SystemClock
from .powershell import input_lines, script
from .remedies import ANY_TIMEOUTS, CONNECTION, Timeouts, remedy

_EXCERPT = 200


@dataclass(frozen=True)
class Answer:
    """What powershell.exe left: its exit code and its two streams."""

    code: int
    stdout: str
    stderr: str


def rows(host: str, document: JsonObject, name: str) -> list[JsonObject]:
    """A list of objects in an answer; MailopsError where it is something else."""
    found = document.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MailopsError(f"{host} answered {name} {found!r}, which is no list of objects.")
    return found


class Disconnected(Exception):  # noqa: N818 - what happened to the connection
    """The connection failed before a script's answer was there. The text is the connection plugin's, `timeouts` the connection's."""

    def __init__(self, text: str, timeouts: Timeouts = ANY_TIMEOUTS) -> None:
        super().__init__(text)
        self.timeouts = timeouts


class WindowsError(MailopsError):
    """A script failed on the host. `attempted` is a phrase ("read the facts of the host"), `code` PowerShell's FullyQualifiedErrorId."""

    def __init__(self, host: str, attempted: str, code: str, message: str, timeouts: Timeouts = ANY_TIMEOUTS) -> None:
        self.code, self.remedy = code, remedy(code, message, timeouts)
        answer = "the connection failed" if code == CONNECTION else f"Windows answered {code}"
        sentence = f"Could not {attempted} on {host}: {answer}: {' '.join(message.split())}"
        super().__init__(f"{sentence.rstrip('.')}. {self.remedy}" if self.remedy else sentence)

    def as_result(self) -> dict[str, object]:
        return {"code": self.code, "remedy": self.remedy}


# Runs a script on a host by Windows PowerShell: its text, and its lines of input ("" for none).
Execute = Callable[[str, str], Answer]


class WindowsHost:
    """`execute` carries scripts to the host, by the connection of the inventory."""

    def __init__(self, name: str, execute: Execute, clock: Clock | None = None) -> None:
        self.name, self._execute = name, execute
        self.clock = clock or SystemClock()
        self.cost = Cost()

    def run(self, name: str, attempted: str, request: Mapping[str, object] | None = None, secrets: Sequence[str] = ()) -> JsonObject:
        """The JSON object that a script writes in its last line. WindowsError where the script failed, or wrote none.

        `request` and `secrets` are the script's input (see powershell.py). The error has none of the secrets.
        """
        self.cost.count(requests=1)
        try:
            answer = self._execute(script(name), input_lines(request, secrets))
        except Disconnected as failure:
            raise WindowsError(self.name, attempted, CONNECTION, hide(str(failure), secrets), failure.timeouts) from failure
        document = _document(answer.stdout)
        if answer.code or document is None:
            text = " ".join(hide(f"{answer.stdout} {answer.stderr}", secrets).split())[:_EXCERPT]
            raise WindowsError(self.name, attempted, f"exit code {answer.code} instead of JSON", text or "no output")
        error = document.get("error")
        if isinstance(error, dict):
            code, message = (hide(str(error.get(part)), secrets) for part in ("id", "message"))
            code = code.partition(",")[0]  # what follows is the cmdlet's class
            raise WindowsError(self.name, attempted, code, message)
        return document

    def check_credential(self) -> None:
        """The connection signs in."""

    def close(self) -> None:
        """The connection is closed by Ansible."""


def _document(stdout: str) -> JsonObject | None:
    """The object in the last line. What a profile or a module wrote before it is left out."""
    lines = stdout.strip().splitlines()
    try:
        document = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
