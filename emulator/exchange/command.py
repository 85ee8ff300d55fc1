"""A command of the Exchange admin API, its result, and the table of emulated cmdlets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.exchange.binding import MultiValue
from emulator.platform import Platform
from emulator.state import Tenant

Document = dict[str, Any]


@dataclass
class Result:
    """Rows, and the function that makes a row's document: it is called for the rows of a sent page only."""

    rows: Sequence[Any] = ()
    show: Callable[[Any], Document] = dict
    warnings: list[str] = field(default_factory=list)


@dataclass
class Command:
    platform: Platform
    tenant: Tenant
    name: str  # as the reference spells it
    raw_parameters: Document  # parameters as they came
    parameters: Document  # parameters as they were bound, in the reference's spelling
    fault: str | None = None  # a named fault that the cmdlet itself applies

    def text(self, name: str) -> str | None:
        value = self.parameters.get(name)
        return None if value is None else str(value)

    def multi_value(self, name: str) -> MultiValue:
        value = self.parameters.get(name)
        return value if isinstance(value, MultiValue) else MultiValue([])

    def limit(self, rows: Sequence[Any], warnings: list[str]) -> Sequence[Any]:
        """The rows that ResultSize leaves (1000 without it)."""
        size = self.parameters.get("ResultSize", 1000)
        if str(size).lower() == "unlimited" or len(rows) <= int(size):
            return rows
        warnings.append(
            "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter."
        )
        return rows[: int(size)]

    def listed(self, rows: Sequence[Any], show: Callable[[Any], Document]) -> Result:
        warnings: list[str] = []
        return Result(self.limit(rows, warnings), show, warnings)

    def writes(self, *apart: str) -> Document:
        """The parameters that change something: without those named and the ones of every cmdlet."""
        return {k: v for k, v in self.parameters.items() if k not in {"Confirm", "WhatIf", "Force", "Identity", *apart}}


Cmdlet = Callable[[Command], Result]
CMDLETS: dict[str, Cmdlet] = {}


def cmdlet(name: str) -> Callable[[Cmdlet], Cmdlet]:
    """Register the function of a cmdlet; its parameters are in cmdlets.json."""

    def register(function: Cmdlet) -> Cmdlet:
        CMDLETS[name] = function
        return function

    return register


def unchanged(identity: str) -> str:
    return f"The command completed successfully but no settings of '{identity}' have been modified."


def update(stored: Document, current: Document, requested: Document) -> bool:
    """Store what differs from the current values; whether anything did."""
    changes = {}
    for name, value in requested.items():
        after = value.apply(current.get(name) or []) if isinstance(value, MultiValue) else value
        if after != current.get(name):
            changes[name] = after
    stored.update(changes)
    return bool(changes)
