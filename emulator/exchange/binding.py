"""Binding of parameters as PowerShell does it: names in any case, parameter sets, types, enumerations.

cmdlets.json holds Microsoft's cmdlet reference, without the parameters that only on-premises servers have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from emulator.exchange.errors import parameter_error, transformation_error

Document = dict[str, Any]
HASH_TABLE = "#Exchange.GenericHashTable"
INTEGERS = {"Int16", "Int32", "Int64", "UInt16", "UInt32"}
NULLABLE = {("Set-CASMailbox", "SmtpClientAuthenticationDisabled")}
STAND_INS = {("New-ServicePrincipal", "ObjectId"): "ServiceId"}  # the older name of a mandatory parameter


@dataclass(frozen=True)
class MultiValue:
    """A value for a multi-valued property: replace it, or add and remove."""

    replace: list[Any] | None = None
    add: tuple[Any, ...] = ()
    remove: tuple[Any, ...] = ()

    def apply(self, old: list[Any]) -> list[Any]:
        if self.replace is not None:
            return list(self.replace)
        if not self.add and not self.remove:
            return []  # a hash table without Add and Remove clears
        gone = {str(value).casefold() for value in self.remove}
        kept = [value for value in old if str(value).casefold() not in gone]
        known = {str(value).casefold() for value in kept}
        return kept + [value for value in self.add if str(value).casefold() not in known]


@cache
def reference() -> dict[str, Document]:
    """All cmdlets of the reference, by lower-case name, each with its `name`."""
    content = json.loads(Path(__file__).with_name("cmdlets.json").read_text(encoding="utf-8"))
    return {name.lower(): {"name": name} | entry for name, entry in content.items() if not name.startswith("_")}


def bind(entry: Document, values: Document) -> Document:
    """The parameters in the reference's spelling and with values of their types, else an ExchangeError."""
    known = {name.lower(): name for name in entry["parameters"]}
    unknown = [name for name in values if name.lower() not in known]
    if unknown:
        raise parameter_error(*unknown)
    spelled = {known[name.lower()]: value for name, value in values.items()}
    if len(spelled) != len(values):
        raise parameter_error(*values)
    _check_sets(entry, spelled)
    return {
        name: _value(entry["name"], name, entry["parameters"][name], value)
        for name, value in spelled.items()
        if not (name == "Identity" and value is None)  # null: as if left out
    }


def _check_sets(entry: Document, spelled: Document) -> None:
    for one, required in entry["sets"].items():
        fits = all(one in entry["parameters"][name].get("sets", (one,)) for name in spelled)
        if fits and all(_is_present(entry["name"], name, spelled) for name in required):
            return
    missing = {name for required in entry["sets"].values() for name in required if name not in spelled}
    raise parameter_error(*(spelled or sorted(missing)))


def _is_present(cmdlet: str, name: str, spelled: Document) -> bool:
    stand_in = STAND_INS.get((cmdlet, name))
    return spelled.get(name) is not None or (stand_in is not None and spelled.get(stand_in) is not None)


def _value(cmdlet: str, name: str, spec: Document, value: Any) -> Any:
    kind = spec["type"]
    if kind in ("Boolean", "SwitchParameter"):
        return _boolean(cmdlet, name, value, kind)
    if kind.endswith("[]") or kind in ("MultiValuedProperty", "ProxyAddressCollection"):
        return _multi_value(name, spec, value)
    if value is None:
        return None
    if isinstance(value, (dict, list, bool)):
        raise transformation_error(name, _display(value), kind, "The value is not of the expected kind.")
    if kind in INTEGERS:
        return _integer(name, value, kind)
    if kind == "Unlimited":
        return value if str(value).lower() == "unlimited" else _integer(name, value, kind)
    if "values" in spec:
        return _enumerator(name, spec, value)
    if kind.endswith("IdParameter") and value == "":
        raise transformation_error(name, value, kind, "The value can't be empty.")
    return str(value)


def _boolean(cmdlet: str, name: str, value: Any, kind: str) -> bool | None:
    if isinstance(value, bool) or (value is None and (cmdlet, name) in NULLABLE):
        return value
    reason = "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0."
    if value in (0, 1):
        return bool(value)
    raise transformation_error(name, _display(value), f"System.{kind}", reason)


def _integer(name: str, value: Any, kind: str) -> int:
    if isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdigit()):
        return int(value)
    raise transformation_error(name, value, f"System.{kind}", "Input string was not in a correct format.")


def _multi_value(name: str, spec: Document, value: Any) -> MultiValue:
    if isinstance(value, dict):
        if value.get("@odata.type") != HASH_TABLE or value.keys() - {"@odata.type", "Add", "Remove"}:
            raise transformation_error(name, _display(value), spec["type"], "The hash table holds unknown keys or lacks its type.")
        return MultiValue(add=tuple(_items(name, spec, value.get("Add"))), remove=tuple(_items(name, spec, value.get("Remove"))))
    return MultiValue(replace=_items(name, spec, value))


def _items(name: str, spec: Document, value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(item, (dict, list, bool)) or item is None for item in items):
        raise transformation_error(name, _display(value), spec["type"], "The value is not of the expected kind.")
    if "values" not in spec:
        return [str(item) for item in items]
    return [_enumerator(name, spec, part.strip()) for item in items for part in str(item).split(",")]


def _enumerator(name: str, spec: Document, value: Any) -> str:
    """An enumerator by its name or a unique beginning of it, in any case."""
    requested = str(value).lower()
    values: list[str] = spec["values"]
    result = [one for one in values if one.lower() == requested] or [one for one in values if one.lower().startswith(requested)]
    if len(result) == 1 and requested:
        return result[0]
    kind = spec["type"].removesuffix("[]")
    listed = ", ".join(values)
    reason = (
        f"Unable to match the identifier name {value} to a valid enumerator name. Specify one of the following enumerator "
        f"names and try again: {listed}"
    )
    raise transformation_error(name, value, f"Microsoft.Exchange.Data.{kind}", reason)


def _display(value: Any) -> str:
    return "System.Collections.Hashtable" if isinstance(value, dict) else str(value)
