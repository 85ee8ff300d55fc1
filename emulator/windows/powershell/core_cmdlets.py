"""Cmdlets of the engine and of Microsoft.PowerShell.Utility."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from emulator.windows.powershell import operators
from emulator.windows.powershell.binding import Call, Cmdlet, Parameter
from emulator.windows.powershell.errors import OutsideSubsetError
from emulator.windows.powershell.values import (
    Array,
    EnumValue,
    Hashtable,
    Members,
    NetObject,
    NotedText,
    PSObject,
    Value,
    get_member,
    items_of,
    kind_of,
    plain,
    text,
    truth,
)

MOST_DEPTH = 100


def _to_json(call: Call) -> Iterable[Value]:
    """JSON as Windows PowerShell 5.1 writes it (ConvertTo-Json): what is deeper than -Depth is text, <, >, & and ' are escaped."""
    if not call.get("Compress", False):
        raise OutsideSubsetError("ConvertTo-Json without -Compress")
    if call.piped is None:
        value = call.get("InputObject")
    else:
        value = call.piped[0] if len(call.piped) == 1 else Array(call.piped)
        if not call.piped:
            return []
    return [_json(value, call.get("Depth", 2), 0)]


def _json(value: Value, depth: int, level: int) -> str:
    value = plain(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, EnumValue):
        return str(value.number)
    if isinstance(value, (int, float)):
        return text(value)
    if isinstance(value, NotedText):
        raise OutsideSubsetError('ConvertTo-Json of a line of Get-Content, which has properties: write "$_"')
    if isinstance(value, str):
        return _json_text(value)
    if level > depth:
        return _json_text(text(value))
    if isinstance(value, Array):
        return "[" + ",".join(_json(one, depth, level + 1) for one in value) + "]"
    return "{" + ",".join(f"{_json_text(text(key))}:{_json(one, depth, level + 1)}" for key, one in _properties(value)) + "}"


def _properties(value: Value) -> list[tuple[Any, Value]]:
    if isinstance(value, Hashtable):
        return list(value.entries.items())
    if isinstance(value, PSObject):
        return list(value.properties.items())
    document = value.document() if isinstance(value, NetObject) else None
    if document is None:
        raise OutsideSubsetError(f"ConvertTo-Json of a {kind_of(value)}")
    return list(document.items())


def _json_text(value: str) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return re.sub("[<>&'\x7f\x85\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", written)


def _from_json(call: Call) -> Iterable[Value]:
    """The objects of JSON text (ConvertFrom-Json). Windows PowerShell 5.1 writes an array as one object."""
    source = "\n".join(call.piped) if call.piped is not None else call.get("InputObject")
    try:
        document = json.loads(source, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except ValueError:
        word = re.sub(r"\s.*", "", source.strip(), flags=re.DOTALL)[:40]
        raise call.failure(f"Invalid JSON primitive: {word}.", "System.ArgumentException", exception="ArgumentException") from None
    return [_arrays(document)]


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _pairs(pairs: list[tuple[str, Any]]) -> PSObject:
    names = [name.lower() for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("the same name twice")
    return PSObject(Members({name: _arrays(value) for name, value in pairs}))


def _arrays(value: Any) -> Value:
    if isinstance(value, list):
        return Array([_arrays(one) for one in value])
    if isinstance(value, int) and not isinstance(value, bool) and value not in operators.INT64:
        raise OutsideSubsetError("a whole number beyond 64 bits in JSON")
    if isinstance(value, float) and not math.isfinite(value):
        raise OutsideSubsetError("a number in JSON that is too large")
    return value


def _where(call: Call) -> Iterable[Value]:
    """The objects for which the block is true (Where-Object)."""
    kept: list[Value] = []
    for item in call.piped or []:
        result: list[Value] = []
        call.get("FilterScript").invoke(item, result.append)
        if truth(result[0] if len(result) == 1 else Array(result)):
            kept.append(item)
    return kept


def _for_each(call: Call) -> Iterable[Value]:
    """What the block writes for each object (ForEach-Object)."""
    items: list[Value] = []
    for item in call.piped or []:
        call.get("Process").invoke(item, lambda value: items.extend(items_of(value)))
    return items


def _select(call: Call) -> Iterable[Value]:
    """Select-Object with -Property, -ExpandProperty and -First."""
    items = (call.piped or [])[: call.get("First", len(call.piped or []))]
    if call.has("ExpandProperty"):
        return [one for item in items for one in items_of(get_member(item, call.get("ExpandProperty"), strict=True))]
    if not call.has("Property"):
        return items
    names = call.get("Property")
    made = [Members({name: plain(get_member(item, name)) for name in names}) for item in items]
    return [PSObject(one, "Selected.System.Management.Automation.PSCustomObject") for one in made]


def _sort(call: Call) -> Iterable[Value]:
    """Sort-Object by one property, or the objects themselves: ascending, without regard to case."""
    name = call.get("Property")

    def compare(left: Value, right: Value) -> int:
        pair = [left, right] if name is None else [get_member(one, name) for one in (left, right)]
        if operators.BINARY["-eq"](*pair):
            return 0
        return -1 if operators.BINARY["-lt"](*pair) else 1

    items = sorted(call.piped or [], key=functools.cmp_to_key(compare))
    return list(reversed(items)) if call.get("Descending", False) else items


def _new_object(call: Call) -> Iterable[Value]:
    """New-Object -ComObject, or of a .NET type of the machine."""
    if call.has("ComObject"):
        if call.session.new_com_object is None:
            raise OutsideSubsetError("New-Object -ComObject on this host")
        return [call.session.new_com_object(call.get("ComObject"))]
    if not call.has("TypeName") or call.session.new_object is None:
        raise OutsideSubsetError(f"New-Object {text(call.get('TypeName'))}")
    return [call.session.new_object(call.get("TypeName"), items_of(call.get("ArgumentList", Array())))]


def _strict_mode(call: Call) -> Iterable[Value]:
    call.session.strict = not call.get("Off", False)
    return []


def _out_string(call: Call) -> Iterable[Value]:
    """Out-String of text and numbers; the formatting of other objects is outside of the subset."""
    lines = [line for item in call.piped or [] for line in console_text(item).split("\r\n")]
    return lines if call.get("Stream", False) else ["".join(f"{line}\r\n" for line in lines)]


def console_text(value: Value) -> str:
    """A value as the console shows it: text, numbers and Booleans. Tables and lists are outside of the subset."""
    value = plain(value)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return text(value)
    raise OutsideSubsetError(f"the console's format of a {kind_of(value)}; write it with ConvertTo-Json")


INPUT = Parameter("InputObject", "object", pipeline=True)
CMDLETS = (
    Cmdlet(
        "ConvertTo-Json",
        _to_json,
        (Parameter("InputObject", "object", 0, pipeline=True), Parameter("Compress", "switch"), Parameter("Depth", "int")),
    ),
    Cmdlet("ConvertFrom-Json", _from_json, (Parameter("InputObject", "string", 0, mandatory=True, pipeline=True),)),
    Cmdlet("Where-Object", _where, (Parameter("FilterScript", "scriptblock", 0, mandatory=True), INPUT)),
    Cmdlet("ForEach-Object", _for_each, (Parameter("Process", "scriptblock", 0, mandatory=True), INPUT)),
    Cmdlet(
        "Select-Object",
        _select,
        (Parameter("Property", "string[]", 0), Parameter("ExpandProperty"), Parameter("First", "int"), INPUT),
    ),
    Cmdlet("Sort-Object", _sort, (Parameter("Property", "string", 0), Parameter("Descending", "switch"), INPUT)),
    Cmdlet(
        "Write-Output",
        lambda call: items_of(call.get("InputObject")) if call.piped is None else call.piped,
        (Parameter("InputObject", "object", 0, pipeline=True),),
    ),
    Cmdlet("Out-Null", lambda call: [], (INPUT,)),
    Cmdlet("Out-String", _out_string, (Parameter("Stream", "switch"), INPUT)),
    Cmdlet(
        "New-Object",
        _new_object,
        (Parameter("TypeName", "string", 0), Parameter("ArgumentList", "object", 1), Parameter("ComObject")),
    ),
    Cmdlet("Set-StrictMode", _strict_mode, (Parameter("Version", choices=("2.0", "3.0", "Latest")), Parameter("Off", "switch"))),
)
