"""Reads and writes the state's dataclasses by their types and the metadata of their fields (emulator/state/keys.py)."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from emulator.state.keys import At, Key
from emulator.state.tenant import Tenant
from emulator.statefile.dns import ZonesForm
from emulator.statefile.forms import (
    Base64Form,
    Dated,
    Form,
    Indexed,
    ListOf,
    LowerText,
    MapOf,
    MomentForm,
    Optional,
    ReplicatingForm,
    Scalar,
    converted,
)
from emulator.statefile.reader import Location, Node

Document = dict[str, Any]
MARKED: dict[str, Form] = {
    "lower": LowerText(),
    "moment": MomentForm(),
    "base64": Base64Form(),
    "replicating": ReplicatingForm(),
    "zones": ZonesForm(),
}


@dataclass(frozen=True)
class Special:
    """A field whose keys are read and written by functions of their own: `read` of the owner's mapping, `write` of the owner."""

    read: Callable[[Node, At], Any]
    write: Callable[[Any], Document]
    kind: str = "a list of mappings"
    keys: tuple[tuple[str, str, str], ...] = ()  # further keys that it reads: name, kind and meaning


SPECIAL: dict[tuple[type, str], Special] = {}
_SLOTS: dict[type, list[Slot]] = {}


def tenant_of(at: At) -> Tenant:
    """The tenant that a value belongs to."""
    if not isinstance(at.tenant, Tenant):
        raise LookupError("a part outside of a tenant")
    return at.tenant


class Record(Form):
    """A dataclass, as a mapping."""

    kind = "a mapping"

    def __init__(self, of: type[Any]) -> None:
        self.of = of

    def read(self, value: Any, location: Location, at: At) -> Any:
        node = Node(value, location)
        result = self.take(node, at)
        node.done(lambda: known(self.of))
        return result

    def take(self, node: Node, at: At, **more: Any) -> Any:
        """The object; what its fields do not take stays in the node. `more`: fields that are not in the file."""
        inner = At(at.base, {}, at, at.owning_tenant)
        slots = slots_of(self.of)
        for slot in slots:
            if not slot.key.late and (not slot.plain or node.has(slot.name)):
                inner.values[slot.field.name] = slot.read(node, inner)
        result = self.of(**inner.values, **more)
        if isinstance(result, Tenant):
            inner.owning_tenant = result
        for slot in slots:
            if slot.key.late:
                inner.values[slot.field.name] = slot.read(node, inner)
                setattr(result, slot.field.name, inner.values[slot.field.name])
        return result

    def write(self, value: Any) -> Document:
        return {name: item for slot in slots_of(self.of) for name, item in slot.write(value).items()}


@dataclass(frozen=True)
class Slot:
    """A field of a dataclass, and its keys in the file."""

    name: str
    field: Field[Any]
    key: Key
    form: Form
    special: Special | None
    plain: bool  # the dataclass's own default is that of the file

    @property
    def required(self) -> bool:
        return self.key.derive is None and self.field.default is MISSING and self.field.default_factory is MISSING

    def read(self, node: Node, at: At) -> Any:
        if self.special:
            return self.special.read(node, at)
        if self.key.inline and isinstance(self.form, Record):
            return self.form.take(node, at)
        if self.key.rest:
            return self._checked(node.rest(), node.location, at)
        name = self._present_key(node) if self.key.instead else self.name
        if not node.has(name):
            return self._default(node, at)
        value, location = node.take(name), node.location.key(name)
        if value is None and self.key.derive:
            return self._default(node, at)
        if name in self.key.instead:
            return converted(self.key.instead[name], location.expect(value, str), location, at)
        return self._checked(value, location, at)

    def _present_key(self, node: Node) -> str:
        """The one key of several that is there."""
        names = (self.name, *self.key.instead)
        values = [name for name in names if node.has(name)]
        if len(values) != 1:
            raise node.location.error(f"needs exactly one of {', '.join(names)}")
        return values[0]

    def _default(self, node: Node, at: At) -> Any:
        value = self.default(at)
        if value is MISSING:
            raise node.location.key(self.name).error("is required")
        return value

    def default(self, at: At) -> Any:
        """The value of a key that is left out; MISSING where it is required."""
        if self.key.derive:
            value = self.key.derive(at)
            return MISSING if value is None else value
        return self.field.default if self.field.default_factory is MISSING else self.field.default_factory()

    def _checked(self, value: Any, location: Location, at: At) -> Any:
        result = self.form.read(value, location, at)
        if self.key.choices:
            self._check_choices(result, location)
        self._check_bounds(result, location)
        if self.key.convert and not isinstance(self.form, Dated):
            return converted(self.key.convert, result, location, at)
        return result

    def _check_choices(self, value: Any, location: Location) -> None:
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one not in self.key.choices:
                raise location.error(f"must be one of {', '.join(filter(None, self.key.choices))}, not {one!r}")

    def _check_bounds(self, value: Any, location: Location) -> None:
        if self.key.least is not None and value < self.key.least:
            raise location.error(f"must be at least {self.key.least}, not {value}")
        if self.key.most is not None and value > self.key.most:
            raise location.error(f"must be at most {self.key.most}, not {value}")

    def write(self, owner: Any) -> Document:
        if self.special:
            return self.special.write(owner)
        value = getattr(owner, self.field.name)
        if self.key.inline or self.key.rest:
            return dict(self.form.write(value))
        if self.key.omit and value == self.default(At(Path(), vars(owner))):
            return {}
        write = self.key.write if self.key.write and not isinstance(self.form, Dated) else self.form.write
        return {self.name: write(value)}


def form_of(hint: Any, key: Key) -> Form:
    """The form of a type. The key's index and entry say how a dict is a list in the file."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return MARKED[arguments[1]]
    if origin in (Union, types.UnionType):
        return Optional(form_of(next(one for one in arguments if one is not type(None)), key))
    if origin in (list, deque):
        return ListOf(form_of(arguments[0], key))
    if origin is dict and key.entry:
        return Dated(key)
    if origin is dict:
        inner = form_of(arguments[1], Key(""))
        return Indexed(inner, key) if key.index else MapOf(inner, key.keys)
    if is_dataclass(hint) and isinstance(hint, type):
        return Record(hint)
    return Form() if hint is Any else Scalar(hint)


def slots_of(of: type[Any]) -> list[Slot]:
    """The fields that are in the file, in the order of reading."""
    if of not in _SLOTS:
        hints = get_type_hints(of, include_extras=True)
        keys: list[tuple[Field[Any], Key]] = [(one, one.metadata["key"]) for one in fields(of) if "key" in one.metadata]
        _SLOTS[of] = sorted((_slot(of, one, key, form_of(hints[one.name], key)) for one, key in keys), key=_reading_order)
    return _SLOTS[of]


def _slot(of: type[Any], one: Field[Any], key: Key, form: Form) -> Slot:
    special = SPECIAL.get((of, one.name))
    required = one.default is MISSING and one.default_factory is MISSING
    plain = not (special or required or key.derive or key.instead or key.inline or key.rest or key.late or key.index)
    return Slot(key.name or one.name, one, key, form, special, plain)


def _reading_order(slot: Slot) -> int:
    """Plain values first, then derived ones, then the parts that refer to them."""
    key, form = slot.key, slot.form
    if key.late:
        return 0  # in the order of the dataclass
    if key.rest or key.after:
        return 4 if key.rest else 3
    if isinstance(form, Record) or (isinstance(form, ListOf) and isinstance(form.form, Record)):
        return 2
    return 1 if key.derive else 0


def known(of: type[Any]) -> list[str]:
    """The keys of a dataclass."""
    matches: list[str] = []
    for slot in slots_of(of):
        inline = slot.form.of if slot.key.inline and isinstance(slot.form, Record) else None
        matches += known(inline) if inline else [] if slot.key.rest else [slot.name, *slot.key.instead]
        matches += [name for name, _kind, _meaning in slot.special.keys] if slot.special else []
    return sorted(matches)
