# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed access to the role's variables. A reader collects one sentence for each problem: variable, value, what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Values as they come from an inventory: any type, also the wrong one.
Variables = Mapping[str, Any]

HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
_MAXIMUM = 100 * _SECONDS["d"]  # postconf(5), maximal_queue_lifetime: qmgr does not start with a longer one
_TRUE = ("yes", "on", "1", "true", "y", "t")


def is_integer(value: object) -> bool:
    """Whether a value is a whole number, or the text of one, as extra variables are."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.strip().isdecimal())


class Reader:
    """Reads variables by name. Methods return a usable value also after a problem, so that all problems are found in one pass."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.problems: list[str] = []

    def report(self, *problems: str) -> None:
        self.problems.extend(problems)

    def value(self, name: str) -> Any:
        return self.variables.get(name)

    def text(self, name: str) -> str:
        """The value as text; empty where there is none."""
        return str(self.variables.get(name) or "")

    def flag(self, name: str) -> bool:
        """The value as Ansible's filter `bool` reads it."""
        return str(self.variables.get(name)).strip().lower() in _TRUE

    def choice(self, name: str, *choices: str) -> str:
        """One of the choices; the first one where there is no value."""
        value = self.text(name) or choices[0]
        if value not in choices:
            self.report(f"{name} is {value!r}: use {', '.join(choices[:-1])} or {choices[-1]}.")
        return value

    def integer(self, name: str, minimum: int, maximum: int) -> int:
        value = self.variables.get(name)
        if is_integer(value) and minimum <= int(str(value)) <= maximum:
            return int(str(value))
        self.report(f"{name} is {value!r}: use a whole number from {minimum} to {maximum}.")
        return minimum

    def duration(self, name: str) -> str:
        """A number with a unit, as Postfix reads it."""
        value = self.variables.get(name)
        match = _DURATION.fullmatch(str(value))
        if not match:
            self.report(f"{name} is {value!r}: use a number with a unit, such as 30m, 4h or 2d.")
        elif int(match[1]) * _SECONDS[match[2]] > _MAXIMUM:
            self.report(f"{name} is {value}: Postfix supports at most 100d; use a shorter time.")
        return str(value)

    def host(self, name: str) -> str:
        value = self.text(name)
        if value and not HOST.fullmatch(value):
            self.report(f"{name} is {value!r}: use a host name, without brackets or a port.")
        return value

    def path(self, name: str, *, of_service: bool = False) -> str:
        """An absolute path. `of_service`: services with ProtectHome= read or write it."""
        value = self.text(name)
        if value and not re.fullmatch(r"/[\w./+@-]+", value):
            self.report(f"{name} is {value!r}: use an absolute path on the relay, without blanks or commas.")
        if of_service and value.startswith(("/home/", "/root/", "/run/user/")):
            self.report(f"{name} is {value}: services cannot access /home and /root; use a directory elsewhere.")
        return value
