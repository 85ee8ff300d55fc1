"""A mapping of the state file, with the path that every error sentence begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KINDS: dict[type, str] = {
    str: "text",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
    int: "a whole number",
    float: "a number",
    type(None): "nothing",
}


class StateError(Exception):
    """A state document that cannot be used: one sentence that begins with the path of the bad value."""


@dataclass(frozen=True)
class Location:
    """A path in the document, such as tenants[0].mailboxes[2].address."""

    path: str = ""

    def key(self, name: str) -> Location:
        return Location(".".join(part for part in (self.path, name) if part))

    def item(self, number: int) -> Location:
        return Location(f"{self.path}[{number}]")

    def error(self, text: str) -> StateError:
        return StateError(f"{self.path}: {text}" if self.path else text)

    def expect(self, value: Any, kind: type) -> Any:
        """The value, where it is of this kind."""
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            raise self.error(f"must be {KINDS[kind]}, not {KINDS.get(type(value), type(value).__name__)}")
        return value


class Node:
    """A mapping and its place. Every key is taken once; the keys that are left are unknown."""

    def __init__(self, value: Any, location: Location | None = None) -> None:
        self.location = location or Location()
        self._left: dict[str, Any] = {str(name): item for name, item in self.location.expect(value, dict).items()}

    def has(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, default: Any = None) -> Any:
        return self._left.pop(name, default)

    def items(self, name: str) -> list[tuple[Any, Location]]:
        """The items of a list, each with its place; none where the key is missing or null."""
        location, value = self.location.key(name), self.take(name)
        return [(item, location.item(number)) for number, item in enumerate(location.expect(value if value is not None else [], list))]

    def rest(self) -> dict[str, Any]:
        left, self._left = self._left, {}
        return left

    def done(self, known: Callable[[], list[str]]) -> None:
        """Refuse the keys that are left. `known`: returns the keys to name in the error."""
        if self._left:
            raise self.location.key(min(self._left)).error(f"is not known here; known: {', '.join(known())}")
