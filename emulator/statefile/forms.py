"""Forms of values: how a type of the state is read from the state file, checked, and written to it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from datetime import datetime
from typing import Any

from emulator.state.keys import At, Convert, Key, UnfitError
from emulator.statefile.reader import KINDS, Location, Node


class Form:
    """Reads a value at a place and writes it. This one takes any value. `kind`: what it takes, for the documentation."""

    kind = "any value"

    def read(self, value: Any, location: Location, at: At) -> Any:
        return value

    def write(self, value: Any) -> Any:
        return value


def converted(convert: Convert, value: Any, location: Location, at: At) -> Any:
    """What `convert` makes of a value; StateError where the value does not fit."""
    try:
        return convert(value, at)
    except UnfitError as error:
        raise location.key(error.key).error(str(error)) from None


class Scalar(Form):
    def __init__(self, of: type) -> None:
        self._type, self.kind = of, KINDS[of]

    def read(self, value: Any, location: Location, at: At) -> Any:
        location.expect(value, self._type)
        return float(value) if self._type is float else value


class LowerText(Scalar):
    def __init__(self) -> None:
        super().__init__(str)

    def read(self, value: Any, location: Location, at: At) -> str:
        return str(super().read(value, location, at)).lower()


class MomentForm(Form):
    """Unix seconds, or ISO 8601."""

    kind = "a date or Unix seconds"

    def read(self, value: Any, location: Location, at: At) -> float:
        try:
            result = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            raise location.error(f"{value!r} is no date") from None
        if isinstance(result, datetime):
            return result.timestamp()
        if isinstance(result, bool) or not isinstance(result, (int, float)):
            raise location.error(f"must be a date or Unix seconds, not {KINDS.get(type(value), type(value).__name__)}")
        return float(result)


class Base64Form(Form):
    kind = "text in base64"

    def read(self, value: Any, location: Location, at: At) -> bytes:
        try:
            return base64.b64decode(location.expect(value, str), validate=True)
        except binascii.Error:
            raise location.error("must be text in base64") from None

    def write(self, value: Any) -> str:
        return base64.b64encode(value).decode()


class Optional(Form):
    def __init__(self, form: Form) -> None:
        self._form, self.kind = form, f"{form.kind} or null"

    def read(self, value: Any, location: Location, at: At) -> Any:
        return None if value is None else self._form.read(value, location, at)

    def write(self, value: Any) -> Any:
        return None if value is None else self._form.write(value)


class ListOf(Form):
    def __init__(self, form: Form) -> None:
        self.form, self.kind = form, f"a list of {plural(form.kind)}"

    def read(self, value: Any, location: Location, at: At) -> list[Any]:
        return [self.form.read(item, location.item(number), at) for number, item in enumerate(location.expect(value, list))]

    def write(self, value: Any) -> list[Any]:
        return [self.form.write(item) for item in value]


class MapOf(Form):
    """A mapping; `keys`: those that are allowed, where not every key is."""

    def __init__(self, form: Form, keys: Collection[str] = ()) -> None:
        self.form, self._keys = form, keys
        self.kind = "a mapping" if type(form) is Form else f"a mapping to {plural(form.kind)}"

    def read(self, value: Any, location: Location, at: At) -> dict[str, Any]:
        items = {str(name): item for name, item in location.expect(value, dict).items()}
        for name in items:
            if self._keys and name not in self._keys:
                raise location.key(name).error(f"is not known; known: {', '.join(self._keys)}")
        return {name: self.form.read(item, location.key(name), at) for name, item in items.items()}

    def write(self, value: Any) -> dict[str, Any]:
        return {name: self.form.write(item) for name, item in value.items()}


class Indexed(ListOf):
    """A dict by an attribute of its values, which the file holds as a list."""

    def __init__(self, form: Form, key: Key) -> None:
        super().__init__(form)
        self._key = key

    def index(self, item: Any) -> str:
        name = str(getattr(item, self._key.index))
        return name.lower() if self._key.fold else name

    def read(self, value: Any, location: Location, at: At) -> Any:
        return self.indexed(super().read(value, location, at), location)

    def indexed(self, items: list[Any], location: Location) -> dict[str, Any]:
        """The items by their index; each may be there once."""
        result: dict[str, Any] = {}
        for number, item in enumerate(items):
            if self.index(item) in result:
                raise location.item(number).key(self._key.index).error(f"{self.index(item)} is there twice")
            result[self.index(item)] = item
        return result

    def write(self, value: Any) -> list[Any]:
        return super().write(value.values())


class Dated(Form):
    """A dict of moments, which the file holds as a list of names, or of {entry: name, effective_from: moment}."""

    def __init__(self, key: Key) -> None:
        self._key, self.kind = key, f"a list of texts or of mappings with `{key.entry}` and `effective_from`"

    def read(self, value: Any, location: Location, at: At) -> dict[str, float]:
        result: dict[str, float] = {}
        for number, item in enumerate(location.expect(value, list)):
            inner = Node(item if isinstance(item, dict) else {self._key.entry: item}, location.item(number))
            name = inner.location.expect(inner.take(self._key.entry), str)
            moment = MomentForm().read(inner.take("effective_from", 0.0), inner.location.key("effective_from"), at)
            inner.done(lambda: [self._key.entry, "effective_from"])
            result[converted(self._key.convert, name, inner.location, at) if self._key.convert else name] = moment
        return result

    def write(self, value: Any) -> list[dict[str, Any]]:
        name = self._key.write or str
        return [{self._key.entry: name(one), "effective_from": moment} for one, moment in value.items()]


class ReplicatingForm(Form):
    """Old values that the mail services still use: {name: {until, value}}."""

    kind = "a mapping to mappings with `until` and `value`"

    def read(self, value: Any, location: Location, at: At) -> dict[str, tuple[float, Any]]:
        result = {}
        for name, item in location.expect(value, dict).items():
            inner = Node(item, location.key(name))
            result[name] = (MomentForm().read(inner.take("until", 0.0), inner.location.key("until"), at), inner.take("value"))
            inner.done(lambda: ["until", "value"])
        return result

    def write(self, value: Any) -> dict[str, Any]:
        return {name: {"until": until, "value": old} for name, (until, old) in value.items()}


def plural(kind: str) -> str:
    """`a mapping` as the items of a list: mappings."""
    first, _, rest = kind.removeprefix("a ").partition(" ")
    return kind if not kind.startswith(("a ", "text")) else " ".join(part for part in (f"{first}s", rest) if part)
