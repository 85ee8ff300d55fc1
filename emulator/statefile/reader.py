"""Reading a state document with a path for every complaint."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any


class StateError(Exception):
    """A state document that cannot be used: one sentence that begins with the path of the bad value."""


class Node:
    """A mapping of the document and where it stands; every key is taken once, what is left over is unknown."""

    def __init__(self, value: Any, path: str) -> None:
        self.path = path
        if not isinstance(value, dict):
            raise self.error(f"must be a mapping, not {_kind(value)}")
        self._left: dict[str, Any] = {str(key): item for key, item in value.items()}

    def error(self, text: str, key: str = "") -> StateError:
        where = ".".join(part for part in (self.path, key) if part)
        return StateError(f"{where}: {text}" if where else text)

    def has(self, key: str) -> bool:
        return key in self._left

    def raw(self, key: str, default: Any = None) -> Any:
        return self._left.pop(key, default)

    def take(self, key: str, kind: type, default: Any = ...) -> Any:
        """The value of `key`, which must be of `kind`; with a default the key may be missing."""
        if key not in self._left:
            if default is ...:
                raise self.error("is required", key)
            return default
        value = self._left.pop(key)
        if value is None and default is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(f"must be {_NAMES[kind]}, not {_kind(value)}", key)
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        return self.take(key, str, default)

    def flag(self, key: str, default: Any = ...) -> Any:
        return self.take(key, bool, default)

    def moment(self, key: str, default: float = 0.0) -> float:
        """A point in time: Unix seconds, or ISO 8601."""
        value = self._left.pop(key, default)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value).timestamp()
            except ValueError:
                raise self.error(f"{value!r} is no date", key) from None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"must be a date or Unix seconds, not {_kind(value)}", key)
        return float(value)

    def texts(self, key: str) -> list[str]:
        found = self.take(key, list, [])
        for number, item in enumerate(found):
            if not isinstance(item, str):
                raise self.error(f"must be text, not {_kind(item)}", f"{key}[{number}]")
        return list(found)

    def nodes(self, key: str) -> Iterator[Node]:
        for number, item in enumerate(self.take(key, list, None) or []):
            yield Node(item, self._path_of(f"{key}[{number}]"))

    def node(self, key: str) -> Node | None:
        value = self._left.pop(key, None)
        return None if value is None else Node(value, self._path_of(key))

    def rest(self) -> dict[str, Any]:
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        """Refuse what nobody took."""
        if self._left:
            raise self.error("is not known here", min(self._left))

    def _path_of(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


_NAMES = {str: "text", bool: "true or false", dict: "a mapping", list: "a list", int: "a whole number", object: "a value"}


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return _NAMES.get(type(value), type(value).__name__)
