"""Bodies of POST and PATCH against the types: unknown, read-only and ill-typed properties are refused."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from emulator.graph.errors import GraphError, bad_request
from emulator.graph.types import ENUMS, TYPES

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")
PYTHON_TYPES: dict[str, type] = {"Boolean": bool, "Int32": int}
EXTENSION = re.compile(r"extension_[0-9a-f]{32}_\w+")


def check_body(body: dict[str, Any], type_name: str, read_only: Collection[str] = (), where: str = "") -> None:
    known = TYPES[type_name]
    for name, value in body.items():
        if name.startswith("@odata.") or EXTENSION.fullmatch(name):
            continue
        if name not in known:
            raise bad_request(f"Invalid property '{name}'.")
        if name in read_only:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        _check_value(value, known[name], f"{where}{name}")


def _check_value(value: Any, type_name: str, where: str) -> None:
    if type_name.startswith("["):
        if not isinstance(value, list):
            raise _ill_typed(where, type_name)
        for item in value:
            _check_value(item, type_name[1:-1], where)
    elif value is None:
        return
    elif type_name in TYPES:
        if not isinstance(value, dict):
            raise _ill_typed(where, type_name)
        check_body(value, type_name, where=f"{where}.")
    elif type_name in ENUMS:
        if not isinstance(value, str) or not set(value.split(",")) <= ENUMS[type_name]:
            raise _ill_typed(where, type_name)
    elif not _is(value, type_name):
        raise _ill_typed(where, type_name)


def _is(value: Any, type_name: str) -> bool:
    if type_name in PYTHON_TYPES:
        return isinstance(value, PYTHON_TYPES[type_name]) and (type_name == "Boolean") == isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if type_name == "Guid":
        return GUID.fullmatch(value) is not None
    if type_name == "DateTimeOffset":
        return DATE.fullmatch(value) is not None
    return True


def _ill_typed(where: str, type_name: str) -> GraphError:
    text = f"A value of an incorrect type was found: property '{where}' takes 'microsoft.graph.{type_name}'."
    return bad_request(text if type_name.strip("[]") in TYPES else text.replace("microsoft.graph.", "Edm."))


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """PATCH semantics: complex values merge, collections and simple values are replaced."""
    return old | {name: merge_value(old.get(name), value) for name, value in new.items()}


def merge_value(old: Any, new: Any) -> Any:
    return merge(old, new) if isinstance(old, dict) and isinstance(new, dict) else new


def parse_date(value: str | None) -> float:
    """Unix seconds of a DateTimeOffset; 0.0 for none."""
    if not value:
        return 0.0
    result = datetime.fromisoformat(value)
    return (result if result.tzinfo else result.replace(tzinfo=UTC)).timestamp()
