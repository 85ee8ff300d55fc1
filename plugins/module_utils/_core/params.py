# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters: the options of a module as a frozen dataclass.

A resource declares its options twice: as a Spec, which Ansible validates, and as a frozen dataclass with types, which the resource reads.
tests/static/test_params.py holds the two together. `make_params` turns the validated options into the dataclass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import partial
from typing import Any, TypeVar

P = TypeVar("P")
_NESTED = "nested"


def nested(params_type: type[Any]) -> Any:
    """The default of a field whose option has suboptions: `connectors: tuple[Connector, ...] = nested(Connector)`.

    It holds for `type: dict` and for `type: list` with `elements: dict`. The field stays required.
    """
    return partial(field, metadata={_NESTED: params_type})()


def fields_of(params_type: Any) -> tuple[Field[Any], ...]:
    """The fields of a parameter dataclass."""
    return fields(params_type)


def nested_type(one: Field[Any]) -> type[Any] | None:
    """The dataclass of a field's suboptions; None for a field without suboptions."""
    params_type: type[Any] | None = one.metadata.get(_NESTED)
    return params_type


def make_params(params_type: type[P], options: Mapping[str, Any]) -> P:
    """The dataclass filled with validated options: lists become tuples, suboptions their dataclass, and an unset option is None.

    TypeError where options and fields differ: that is a defect in the resource, not in the user's input.
    """
    declared = {one.name: one for one in fields_of(params_type)}
    differing = sorted(declared.keys() ^ options.keys())
    if differing:
        raise TypeError(f"{params_type.__name__} and its options differ in {', '.join(differing)}")
    return params_type(**{name: _value(nested_type(one), options[name]) for name, one in declared.items()})


def _value(params_type: type[Any] | None, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_value(params_type, item) for item in value)
    if params_type and isinstance(value, Mapping):
        return make_params(params_type, value)
    return value


@dataclass(frozen=True)
class NoParams:
    """The parameters of a module without options of its own."""
