"""Types that scripts may name: conversions ([int]), and the static members of .NET that are allowed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from emulator.windows.powershell.errors import OutsideSubsetError, ScriptError, script_error
from emulator.windows.powershell.values import (
    NOTHING,
    Array,
    EnumValue,
    Hashtable,
    Members,
    NetObject,
    PSObject,
    Value,
    kind_of,
    plain,
    text,
    truth,
)

# Accelerators and full names (about_Type_Accelerators); a leading "System." is left out before.
NAMES = {
    "int": "int", "int32": "int", "long": "long", "int64": "long", "string": "string", "bool": "bool", "boolean": "bool", "byte": "byte",
    "uint32": "uint32", "object": "object", "array": "array", "void": "void", "pscustomobject": "pscustomobject", "ordered": "ordered",
    "hashtable": "hashtable", "collections.hashtable": "hashtable", "double": "double", "uint16": "uint16", "uint64": "uint64",
}  # fmt: skip
RANGES = {
    "int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1), "byte": (0, 255), "uint16": (0, 2**16 - 1), "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}  # fmt: skip


def type_name(written: str) -> str:
    """The canonical name of a type in brackets; an array's ends with []."""
    name = re.sub(r"\s", "", written).lower().removeprefix("system.")
    element, brackets, _ = name.partition("[]")
    if element not in NAMES:
        raise OutsideSubsetError(f"the type [{written}]")
    return NAMES[element] + brackets


NET_NAMES = {"int": "Int32", "long": "Int64", "byte": "Byte", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64"}


def _cannot(value: Value, name: str) -> ScriptError:
    message = f'Cannot convert value "{text(value)}" to type "System.{name}". Error: "Input string was not in a correct format."'
    return script_error(message, "InvalidCastFromStringToInteger", category="InvalidArgument", exception="RuntimeException")


def convert(value: Value, name: str) -> Value:
    """An explicit conversion (about_Type_Conversion) to a type of `type_name`."""
    if name == "void":
        return NOTHING
    value = plain(value)
    if name.endswith("[]"):
        return _array(value, name[:-2])
    if name == "object":
        return value
    if name == "array":
        return value if isinstance(value, Array) else Array([] if value is None else [value])
    if name == "string":
        return text(value)
    if name == "bool":
        return truth(value)
    if name in RANGES:
        return _whole(value, name)
    if name == "double" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Hashtable) and name in ("pscustomobject", "hashtable"):
        return PSObject(Members(dict(value.entries.items()))) if name == "pscustomobject" else value
    raise OutsideSubsetError(f"[{name}] of a {kind_of(value)}")


def _array(value: Value, element: str) -> Array:
    if value is None:
        raise OutsideSubsetError(f"[{element}[]]$null")
    values = value if isinstance(value, Array) else [value]
    return Array([convert(one, element) for one in values], element)


def _whole(value: Value, name: str) -> int:
    low, high = RANGES[name]
    if value is None:
        return 0
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?\d+\s*", value):
            raise _cannot(value, NET_NAMES[name])
        value = int(value)
    if isinstance(value, float):
        value = round(value)  # to even, as the conversion does
    if not low <= int(value) <= high:
        message = f'Cannot convert value "{value}" to type "System.{NET_NAMES[name]}". Error: "Value was either too large or too small."'
        raise script_error(message, "InvalidCastIConvertible", category="InvalidArgument")
    return int(value)


def is_type(value: Value, name: str) -> bool:
    """The operator -is (about_Type_Operators)."""
    kind = kind_of(value)
    if name in ("array", "object[]") and isinstance(value, Array):
        return True
    if name == "object":
        return value is not None
    return kind == name


class Encoding(NetObject):
    """System.Text.Encoding: text to bytes and back."""

    type_name = "System.Text.Encoding"

    def __init__(self, codec: str) -> None:
        self._codec = codec

    def call(self, name: str, arguments: list[Value]) -> Value:
        if name.lower() == "getbytes" and len(arguments) == 1 and isinstance(arguments[0], str):
            return Array(arguments[0].encode(self._codec, "replace"), "byte")
        if name.lower() == "getstring" and len(arguments) == 1 and _is_bytes(arguments[0]):
            return bytes(arguments[0]).decode(self._codec, "replace")
        return super().call(name, arguments)


def _is_bytes(value: Value) -> bool:
    return isinstance(value, Array) and value.element == "byte"


def _from_base64(value: Value) -> Array:
    if not isinstance(value, str):
        raise OutsideSubsetError(f"FromBase64String of a {kind_of(value)}")
    try:
        return Array(base64.b64decode(re.sub(r"\s", "", value), validate=True), "byte")
    except binascii.Error:
        inner = "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, "
        message = (
            f'Exception calling "FromBase64String" with "1" argument(s): "{inner}or an illegal character among the padding characters. "'
        )
        raise script_error(message, "FormatException", exception="MethodInvocationException") from None


def _to_base64(value: Value) -> str:
    if not _is_bytes(value):
        raise OutsideSubsetError(f"ToBase64String of a {kind_of(value)}")
    return base64.b64encode(bytes(value)).decode("ascii")


STATIC_PROPERTIES: dict[tuple[str, str], Callable[[], Value]] = {
    ("text.encoding", "utf8"): lambda: Encoding("utf-8"),
    ("text.encoding", "ascii"): lambda: Encoding("ascii"),
    ("text.encoding", "unicode"): lambda: Encoding("utf-16-le"),
    ("net.securityprotocoltype", "tls12"): lambda: EnumValue("System.Net.SecurityProtocolType", "Tls12", 3072),
    ("environment", "newline"): lambda: "\r\n",
    ("int", "maxvalue"): lambda: 2**31 - 1,
}
STATIC_METHODS: dict[tuple[str, str], Callable[..., Value]] = {
    ("convert", "frombase64string"): _from_base64,
    ("convert", "tobase64string"): _to_base64,
    ("string", "isnullorempty"): lambda value: text(value) == "",
    ("string", "isnullorwhitespace"): lambda value: text(value).strip() == "",
    ("math", "max"): max,
    ("math", "min"): min,
}


def text_method(value: str, name: str, arguments: list[Value]) -> Value:
    """Methods of System.String that scripts need."""
    name = name.lower()
    if all(isinstance(one, str) for one in arguments):
        one_text: dict[str, Callable[[str], Value]] = {
            "startswith": value.startswith, "endswith": value.endswith, "contains": lambda part: part in value, "indexof": value.find
        }  # fmt: skip
        if len(arguments) == 1 and name in one_text:
            return one_text[name](arguments[0])
        if len(arguments) == 2 and name == "replace":
            return value.replace(arguments[0], arguments[1])
        none: dict[str, Callable[[], str]] = {
            "trim": value.strip,
            "tolower": value.lower,
            "toupper": value.upper,
            "tostring": lambda: value,
        }
        if not arguments and name in none:
            return none[name]()
    if name == "split" and len(arguments) == 1 and isinstance(arguments[0], str) and len(arguments[0]) == 1:
        return Array(value.split(arguments[0]), "string")
    if name == "substring" and all(isinstance(one, int) for one in arguments) and len(arguments) in (1, 2):
        start, end = arguments[0], arguments[0] + arguments[1] if len(arguments) == 2 else len(value)
        if not 0 <= start <= end <= len(value):
            message = 'Exception calling "Substring": "Index and length must refer to a location within the string."'
            raise script_error(message, "ArgumentOutOfRangeException", exception="MethodInvocationException")
        return value[start:end]
    raise OutsideSubsetError(f"string has no method {name}({', '.join(kind_of(one) for one in arguments)})")
