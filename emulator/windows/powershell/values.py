"""The values that a script handles, and their documented conversions to text and truth.

A value is None ($null), bool, int, float, str, Array, Hashtable, PSObject, ScriptBlock, or an object of .NET, CIM or COM (NetObject).
There is no other conversion between kinds: where Windows would convert, the interpreter refuses (docs/emulator.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from emulator.windows.powershell.errors import OutsideSubsetError, script_error

Value = Any
INT32 = range(-(2**31), 2**31)


class _Nothing:
    """What a command without output returns (System.Management.Automation.Internal.AutomationNull): $null that a pipeline skips."""


NOTHING = _Nothing()


def plain(value: Value) -> Value:
    return None if value is NOTHING else value


class Array(list[Value]):
    """An array. `element`: the type of its elements, object for those that a script makes (about_Arrays)."""

    def __init__(self, values: Iterable[Value] = (), element: str = "object") -> None:
        super().__init__(values)
        self.element = element


class Members:
    """Names that are found without regard to case and keep the case in which they were made."""

    def __init__(self, values: dict[Any, Value] | None = None) -> None:
        self._values: dict[Any, tuple[Any, Value]] = {}
        for name, value in (values or {}).items():
            self[name] = value

    def __contains__(self, name: object) -> bool:
        return _folded(name) in self._values

    def __getitem__(self, name: Any) -> Value:
        return self._values[_folded(name)][1]

    def __setitem__(self, name: Any, value: Value) -> None:
        kept = self._values[_folded(name)][0] if name in self else name
        self._values[_folded(name)] = (kept, value)

    def __delitem__(self, name: Any) -> None:
        self._values.pop(_folded(name), None)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: Any, default: Value = None) -> Value:
        return self._values[_folded(name)][1] if name in self else default

    def items(self) -> Iterator[tuple[Any, Value]]:
        return iter(list(self._values.values()))


def _folded(name: Any) -> Any:
    return name.lower() if isinstance(name, str) else name


class Hashtable:
    """A hash table; names are found without regard to case (about_Hash_Tables). `ordered`: made by [ordered]."""

    def __init__(self, entries: Members | None = None, *, ordered: bool = False) -> None:
        self.entries = entries or Members()
        self.ordered = ordered


class PSObject:
    """A PSCustomObject, or the object that a cmdlet made: named properties (about_PSCustomObject)."""

    def __init__(self, properties: Members | None = None, type_name: str = "System.Management.Automation.PSCustomObject") -> None:
        self.properties = properties or Members()
        self.type_name = type_name


class ScriptBlock:
    """A script block; `invoke` runs it with $_ and hands each output to `emit`."""

    def __init__(self, invoke: Callable[[Value, Callable[[Value], None]], None], text: str) -> None:
        self.invoke, self.text = invoke, text


class NotedText(str):
    """A line of Get-Content: text with properties such as PSPath, which Windows PowerShell 5.1 writes into JSON. "$_" leaves them out."""

    __slots__ = ()


class NetObject:
    """An object of .NET, CIM or COM. A subclass says its members; any other name ends the script."""

    type_name = "System.Object"

    def get(self, name: str) -> Value:
        raise OutsideSubsetError(f"{self.type_name} has no property {name!r}")

    def set(self, name: str, value: Value) -> None:
        raise OutsideSubsetError(f"{self.type_name} has no property {name!r} that can be set")

    def call(self, name: str, arguments: list[Value]) -> Value:
        raise OutsideSubsetError(f"{self.type_name} has no method {name!r}")

    def index(self, key: Value) -> Value:
        raise OutsideSubsetError(f"{self.type_name} has no index")

    def enumerated(self) -> list[Value] | None:
        """The items where the object is a collection that a pipeline takes apart, else None."""
        return None

    def text(self) -> str:
        return self.type_name

    def document(self) -> dict[str, Value] | None:
        """The properties that ConvertTo-Json writes; None: the object cannot be written."""
        return None


class EnumValue(NetObject):
    """A member of an enumeration: compared with its name, written as its number by ConvertTo-Json (about_Enum)."""

    def __init__(self, type_name: str, name: str, number: int) -> None:
        self.type_name, self.name, self.number = type_name, name, number

    def get(self, name: str) -> Value:
        if name.lower() == "value__":
            return self.number
        return super().get(name)

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "tostring" and not arguments:
            return self.name
        return super().call(name, arguments)

    def text(self) -> str:
        return self.name


def items_of(value: Value) -> list[Value]:
    """What a pipeline takes of a value: the items of a collection, nothing of NOTHING, else the value (about_Pipelines)."""
    if value is NOTHING:
        return []
    if isinstance(value, Array):
        return list(value)
    if isinstance(value, NetObject):
        items = value.enumerated()
        if items is not None:
            return items
    return [value]


def collected(items: list[Value]) -> Value:
    """What an assignment receives of a command's output: nothing, the one object, or an array (about_Arrays)."""
    if not items:
        return NOTHING
    return items[0] if len(items) == 1 else Array(items)


def truth(value: Value) -> bool:
    """Conversion to Boolean (about_Booleans)."""
    value = plain(value)
    if isinstance(value, Array):
        if len(value) == 1:
            return truth(value[0])
        return len(value) > 0
    if isinstance(value, EnumValue):
        return value.number != 0
    if isinstance(value, (bool, int, float, str)):
        return bool(value)
    return value is not None


def text(value: Value) -> str:
    """Conversion to String, as in an expandable string (about_Quoting_Rules; $OFS is a blank)."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, (bool, int, str)):
        return str(value)
    if isinstance(value, Array):
        return " ".join(text(item) for item in value)
    if isinstance(value, NetObject):
        return value.text()
    if isinstance(value, Hashtable):
        return "System.Collections.Specialized.OrderedDictionary" if value.ordered else "System.Collections.Hashtable"
    if isinstance(value, PSObject):
        return "@{" + "; ".join(f"{name}={text(item)}" for name, item in value.properties.items()) + "}"
    if isinstance(value, ScriptBlock):
        return value.text
    raise OutsideSubsetError(f"a {kind_of(value)} as text")


def kind_of(value: Value) -> str:
    """The name of a value's type, as about_Type_Accelerators has it."""
    value = plain(value)
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "bool"), (float, "double"), (str, "string"), (Hashtable, "hashtable"), (ScriptBlock, "scriptblock"),
    )  # fmt: skip
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if value in INT32 else "long"
    if isinstance(value, Array):
        return f"{value.element}[]"
    if isinstance(value, PSObject):
        return "pscustomobject"
    if isinstance(value, NetObject):
        return value.type_name
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def get_member(value: Value, name: str, *, strict: bool = False) -> Value:
    """A property (about_Properties). A missing one is $null without strict mode; that of a typed object ends the script."""
    value = plain(value)
    if isinstance(value, NetObject):
        return value.get(name)
    if isinstance(value, PSObject) and name in value.properties:
        return value.properties[name]
    if isinstance(value, Hashtable):
        return _of_hashtable(value, name, strict=strict)
    if isinstance(value, str) and name.lower() == "length":
        return len(value.encode("utf-16-le", "surrogatepass")) // 2  # .NET counts UTF-16 code units
    if isinstance(value, Array) and name.lower() in ("count", "length"):
        return len(value)
    if isinstance(value, Array):
        return collected([get_member(item, name, strict=strict) for item in value])  # member access enumeration
    if name.lower() in ("count", "length") and not strict and not isinstance(value, PSObject):
        return 0 if value is None else 1  # about_Properties: scalar objects and $null; in 5.1 not a PSCustomObject
    return _missing(name, strict=strict)


def _of_hashtable(value: Hashtable, name: str, *, strict: bool) -> Value:
    if name in value.entries:
        return value.entries[name]
    if name.lower() == "count":
        return len(value.entries)
    if name.lower() in ("keys", "values"):
        pairs = list(value.entries.items())
        return Array([key if name.lower() == "keys" else item for key, item in pairs])
    return _missing(name, strict=strict)


def _missing(name: str, *, strict: bool) -> None:
    if strict:
        message = f"The property '{name}' cannot be found on this object. Verify that the property exists."
        raise script_error(message, "PropertyNotFoundStrict", exception="PropertyNotFoundException")


def set_member(value: Value, name: str, new: Value) -> None:
    value = plain(value)
    if isinstance(value, NetObject):
        value.set(name, plain(new))
    elif isinstance(value, Hashtable):
        value.entries[name] = plain(new)
    elif isinstance(value, PSObject) and name in value.properties:
        value.properties[name] = plain(new)
    else:
        message = f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set."
        raise script_error(message, "PropertyNotFound", category="InvalidOperation")


def get_index(value: Value, key: Value) -> Value:
    """An element (about_Arrays): negative positions count from the end, one beyond the end is $null."""
    value = plain(value)
    if isinstance(key, Array):
        return Array([get_index(value, one) for one in key])
    if value is None:
        raise script_error("Cannot index into a null array.", "NullArray", category="InvalidOperation")
    if isinstance(value, Hashtable):
        return value.entries.get(key)
    if isinstance(value, NetObject):
        return value.index(key)
    if isinstance(value, (Array, str)) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if -len(value) <= key < len(value) else None
    raise OutsideSubsetError(f"[{text(key)}] of a {kind_of(value)}")


def set_index(value: Value, key: Value, new: Value) -> None:
    value = plain(value)
    if isinstance(value, Hashtable):
        value.entries[key] = plain(new)
    elif isinstance(value, Array) and isinstance(key, int) and not isinstance(key, bool):
        if not -len(value) <= key < len(value):
            raise script_error("Index was outside the bounds of the array.", "System.IndexOutOfRangeException", category="OperationStopped")
        value[key] = plain(new)
    else:
        raise OutsideSubsetError(f"an assignment to [{text(key)}] of a {kind_of(value)}")
