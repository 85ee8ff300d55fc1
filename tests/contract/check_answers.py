"""Hold answers of the hosted relays' APIs against what the providers publish (hosted-relays.json).

An answer of a known operation with a status below 300 must have the published status, every required property, only known properties, and
values of the published types. Refusals stand once, in `http`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}
ANYTHING = ("any", "object")


@cache
def contract() -> dict[str, Any]:
    """The document."""
    return dict(json.loads(Path(__file__).with_name("hosted-relays.json").read_text("utf-8")))


def operation(service: str, method: str, path: str) -> dict[str, Any] | None:
    """The published operation of a request; None where there is none."""
    listed = contract()["operations"][service]
    matches = [one for one in listed if one["method"] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one["path"]), path)]
    return min(matches, key=lambda one: one["path"].count("{"), default=None)


def answer_problems(service: str, method: str, path: str, status: int, body: Any) -> list[str]:
    """One sentence for each difference from the published answer. `body`: decoded JSON, None for none."""
    published, where = operation(service, method, path), f"{service}: {method} {path}"
    if published is None:
        return [f"{where}: no operation that this project may use"]
    responses = published["responses"]
    if f"{status}" not in responses:
        return [f"{where}: status {status}, which the provider does not publish ({', '.join(responses)})"]
    return [*_differences(body, responses[f"{status}"], where)]


def _differences(value: Any, declared: Any, where: str) -> Iterator[str]:
    if declared is None:
        if value is not None:
            yield f"{where}: a body, where the provider has none"
    elif isinstance(declared, dict):
        yield from _object_differences(value, declared, where)
    elif isinstance(declared, list):
        yield from _list_differences(value, declared[0], where)
    elif declared not in ANYTHING and not _fits(value, declared):
        yield f"{where} is {type(value).__name__} {value!r}, where the provider has {declared}"


def _object_differences(value: Any, declared: dict[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is {type(value).__name__}, where the provider has an object"
        return
    known = {name.rstrip("?"): inner for name, inner in declared.items()}
    required = {name for name in declared if not name.endswith("?")}
    yield from (f"{where}.{name} is missing" for name in sorted(required - value.keys()))
    yield from (f"{where}.{name} is not published" for name in sorted(value.keys() - known.keys()))
    for name in value.keys() & known.keys():
        yield from _differences(value[name], known[name], f"{where}.{name}")


def _list_differences(value: Any, declared: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where} is {type(value).__name__}, where the provider has a list"
        return
    for number, item in enumerate(value):
        yield from _differences(item, declared, f"{where}[{number}]")


def _fits(value: Any, declared: str) -> bool:
    """`declared`: a type, types with | between, or `string: a|b` with the values."""
    kinds, _, values = declared.partition(": ")
    if values:
        return value in values.split("|")
    return any(isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind != "boolean") for kind in kinds.split("|"))
