# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values checked against a spec as Ansible does it, with all problems at once, each a sentence that names the user's own variable.

Source: ansible-core, "module_utils/common/arg_spec.py" (order of the checks) and "common/validation.py" (types). A value that is None
counts as unset, also inside lists of options.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from .spec import Option, Spec

_TRUE = ("y", "yes", "on", "1", "true", "t", "1.0")
_FALSE = ("n", "no", "off", "0", "false", "f", "0.0")
_LONGEST = 80  # characters of a value in a sentence
_KEYS = ("name", "address", "user", "username", "user_name", "host")  # the options that name an item of a list


def check(spec: Spec, values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> tuple[dict[str, object], list[str]]:
    """The values with their types and defaults, and the problems. `names`: option -> the inventory's variable, for the sentences.

    An option with a problem is None in the values.
    """
    variables = {option: option for option in spec.options} | dict(names or {})
    problems: list[str] = []
    filled = _options(spec.options, values, lambda option: variables.get(option, option), "", problems)
    present = {option for option, value in values.items() if value is not None}
    problems += _relations(spec, present, filled, variables)
    return filled, problems


def without_unset(value: Any) -> Any:
    """Options without those that are None, also inside mappings and lists of mappings: Ansible takes None for a text."""
    if isinstance(value, Mapping):
        return {name: without_unset(item) for name, item in value.items() if item is not None}
    return [without_unset(item) for item in value] if isinstance(value, list) else value


def nearest(name: str, names: Mapping[str, Any] | list[str]) -> str:
    """The name that is most like this one; "" where none is."""
    matches = get_close_matches(name, list(names), n=1, cutoff=0.7)
    return matches[0] if matches else ""


def range_problems(name: str, value: int | None, least: int, most: int) -> list[str]:
    """A sentence where a number is out of its range; None is unset."""
    return [] if value is None or least <= value <= most else [f"{name} is {value}: give a number from {least} to {most}."]


def item_label(item: Any, number: int) -> str:
    """What a sentence calls an item of a list: its name or address, else its number, which starts at 1."""
    values = [item.get(key) for key in _KEYS] if isinstance(item, Mapping) else []
    return next((" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), f"item {number}")


def _options(
    options: Mapping[str, Option], values: Mapping[str, Any], name_of: Callable[[str], str], label: str, problems: list[str]
) -> dict[str, object]:
    """`label`: what stands before each sentence, with its colon and space."""
    for key in values:
        if key not in options:
            problems.append(f"{label}{_unknown(str(key), options)}")
    filled: dict[str, object] = {}
    for option, declared in options.items():
        value = values.get(option)
        if value is None:
            value = declared.get("default")
            if value is None and declared.get("required"):
                problems.append(f"{label}{name_of(option)} is missing: set it.")
        filled[option] = None if value is None else _value(declared, value, name_of(option), label, problems)
    return filled


def _unknown(key: str, options: Mapping[str, Option]) -> str:
    near = nearest(key, options)
    remedy = f"did you mean {near}?" if near else f"the options are {', '.join(sorted(options))}."
    return f"{key} is no option: {remedy}"


def _value(declared: Option, value: Any, name: str, label: str, problems: list[str]) -> Any:
    kind = declared.get("type", "str")
    try:
        converted = _CONVERTERS[kind](value)
    except (ValueError, TypeError, OverflowError):
        what = f"{name} has another type" if declared.get("no_log") else f"{name} is {_shown(value)}"
        problems.append(f"{label}{what}: give {_EXPECTED[kind]}.")
        return None
    if kind == "list":
        return _list(declared, converted, name, label, problems)
    if kind == "dict" and "options" in declared:
        return _options(declared["options"], converted, lambda option: f"{name}.{option}", label, problems)
    choices = declared.get("choices")
    if choices and converted not in choices:
        problems.append(f"{label}{name} is {_shown(value)}: {_choose(str(converted), choices)}")
        return None
    return converted


def _list(declared: Option, values: list[Any], name: str, label: str, problems: list[str]) -> list[Any]:
    element: Option = {
        "type": declared.get("elements", "raw"),
        "no_log": declared.get("no_log", False),
        "choices": declared.get("choices", []),
    }
    filled = []
    for number, value in enumerate(values, 1):
        if element["type"] == "dict" and "options" in declared:
            prefix = f"{label}{name}: {item_label(value, number)}: "
            try:
                item = _mapping(value)
            except ValueError:
                problems.append(f"{label}{name} holds {_shown(value)}: give {_EXPECTED['dict']}.")
                continue
            filled.append(_options(declared["options"], item, str, prefix, problems))
        elif value is None:
            problems.append(f"{label}{name} holds an empty item: remove it.")
        else:
            filled.append(_value(element, value, f"item {number} of {name}", label, problems))
    return filled


def _choose(value: str, choices: list[Any]) -> str:
    near = nearest(value.lower(), [str(choice) for choice in choices])
    listed = ", ".join(str(choice) for choice in choices)
    return f"did you mean {near}? The choices are {listed}." if near else f"use one of {listed}."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


# -- types ------------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple, Mapping)):
        raise TypeError
    return str(value)


def _path(value: Any) -> str:
    return os.path.expanduser(os.path.expandvars(_text(value)))


def _boolean(value: Any) -> bool:
    text = _text(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value) if isinstance(value, (int, float)) else int(_text(value).strip())


def _float(value: Any) -> float:
    return float(_text(value))


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return list(value.split(","))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [str(value)]
    raise TypeError


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = json.loads(value)
    if isinstance(value, Mapping):
        return value
    raise ValueError


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "path": _path,
    "bool": _boolean,
    "int": _integer,
    "float": _float,
    "list": _sequence,
    "dict": _mapping,
    "raw": lambda value: value,
}
_EXPECTED = {
    "str": "a text",
    "path": "a path",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list": "a list",
    "dict": "options with their values (a mapping)",
}


# -- relations between options ----------------------------------------------------------------------------------------


def _relations(spec: Spec, present: set[str], filled: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[str]:
    def listed(options: tuple[str, ...] | list[str], word: str) -> str:
        return f" {word} ".join(variables[option] for option in options)

    for group in spec.mutually_exclusive:
        together = [option for option in group if option in present]
        if len(together) > 1:
            yield f"{listed(together, 'and')} are both set: set one of them."
    for group in spec.required_one_of:
        if not present & set(group):
            yield f"{listed(group, 'or')} is missing: set one of them."
    for group in spec.required_together:
        missing = [option for option in group if option not in present]
        if missing and len(missing) < len(group):
            yield f"{listed(missing, 'and')} is missing: {listed(group, 'and')} are set together."
    for option, value, needed, *_any in spec.required_if:
        missing = [name for name in needed if filled.get(name) is None]
        if filled.get(option) == value and missing:
            yield f"{listed(missing, 'and')} is missing: {variables[option]} is {value}."
