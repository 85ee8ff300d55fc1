"""Instances of WMI classes, typed: an unknown property or a value of another type is refused.

Sources: the classes' pages in Microsoft's WMI reference ("Win32_OperatingSystem class", "Win32_ComputerSystem class").
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Protocol

from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import Array, NetObject, Value, kind_of

RANGES = {
    "uint8": (0, 2**8 - 1), "uint16": (0, 2**16 - 1), "uint32": (0, 2**32 - 1), "uint64": (0, 2**64 - 1), "sint16": (-(2**15), 2**15 - 1),
    "sint32": (-(2**31), 2**31 - 1),
}  # fmt: skip


class WmiDateTime(NetObject):
    """System.DateTime. The host's time zone is UTC."""

    type_name = "System.DateTime"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def call(self, name: str, arguments: list[Value]) -> Value:
        moment = datetime.datetime.fromtimestamp(self.seconds, datetime.UTC)
        if name.lower() == "touniversaltime" and not arguments:
            return self
        if name.lower() == "tostring" and arguments == ["o"]:
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        if name.lower() == "tostring" and arguments == ["s"]:
            return moment.strftime("%Y-%m-%dT%H:%M:%S")
        return super().call(name, arguments)

    def text(self) -> str:
        raise OutsideSubsetError("a date as text, which depends on the culture; write ToString('o')")


class CimInstance(NetObject):
    """An instance of a class. `types`: property -> its WMI type, with [] for arrays."""

    def __init__(self, namespace: str, class_name: str, types: Mapping[str, str], values: dict[str, Value]) -> None:
        self.type_name = f"Microsoft.Management.Infrastructure.CimInstance#{namespace}/{class_name}"
        self.class_name, self.types, self.values = class_name, types, values

    def property_name(self, name: str) -> str:
        found = next((one for one in self.types if one.lower() == name.lower()), None)
        if found is None or found not in self.values:
            raise OutsideSubsetError(f"{self.class_name} has no property {name!r}" + (", or it is not emulated" if found else ""))
        return found

    def get(self, name: str) -> Value:
        return self.values[self.property_name(name)]

    def set(self, name: str, value: Value) -> None:
        found = self.property_name(name)
        if not fits(value, self.types[found]):
            raise OutsideSubsetError(f"{self.class_name}.{found} is a {self.types[found]}, not a {kind_of(value)}")
        self.values[found] = value

    def text(self) -> str:
        return self.class_name


def fits(value: Value, kind: str) -> bool:
    """Whether a value has the type of a property; $null fits every one."""
    if value is None:
        return True
    if kind.endswith("[]"):
        return isinstance(value, Array) and all(one is not None and fits(one, kind[:-2]) for one in value)
    if kind in RANGES:
        low, high = RANGES[kind]
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    kinds: dict[str, type] = {"string": str, "boolean": bool, "datetime": WmiDateTime}
    return kind in kinds and isinstance(value, kinds[kind])


_CONDITION = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(-?\d+)|(true|false))\s*", re.IGNORECASE)


def condition(text: str) -> list[tuple[str, Value]]:
    """The comparisons of a WQL filter: property = 'text', a number or a Boolean, several with AND (Querying with WQL)."""
    comparisons: list[tuple[str, Value]] = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise OutsideSubsetError(f"the WQL filter {text}")
        name, words, number, flag = match.groups()
        value: Value = re.sub(r"\\(.)", r"\1", words) if words is not None else int(number) if number else flag.lower() == "true"
        comparisons.append((name, value))
    return comparisons


class Typed(Protocol):
    """An instance of a class, by whichever interface."""

    class_name: str

    def get(self, name: str) -> Value: ...


def matches(instance: Typed, comparisons: list[tuple[str, Value]]) -> bool:
    for name, requested in comparisons:
        value = instance.get(name)
        if isinstance(value, str) and isinstance(requested, str):
            value, requested = value.lower(), requested.lower()
        elif value is not None and (type(value) is not type(requested)):
            raise OutsideSubsetError(f"{instance.class_name}.{name} compared with a {kind_of(requested)}")
        if value != requested:
            return False
    return True
