"""The options of a module and the fields of its parameter dataclass are the same, in name and type."""

from __future__ import annotations

from collections.abc import Iterator
from types import GenericAlias
from typing import Any, get_type_hints

from ansible_collections.mailops.m365.plugins.action.resource import resource_of
from ansible_collections.mailops.m365.plugins.module_utils._core.params import fields_of, nested_type
from ansible_collections.mailops.m365.plugins.module_utils._core.spec import JOURNAL, TENANT

from .tree import under

MODULES = [path.stem for path in under("plugins/modules", ".py")]
SCALARS = {"str": str, "path": str, "int": int, "float": float, "bool": bool}


def expected_type(option: dict[str, Any], nested: type[Any] | None) -> Any:
    """The field's type; an option that may be unset may be None."""
    kind = option.get("type", "str")
    if kind == "raw" or (kind == "dict" and not nested):
        return None  # any: the values have no schema
    if kind == "list":
        item = nested or SCALARS.get(option.get("elements", "raw"))
        made: Any = GenericAlias(tuple, (item, ...)) if item else None
    else:
        made = nested if kind == "dict" else SCALARS[kind]
    is_set = option.get("required") or option.get("default") is not None
    return made if is_set or made is None else made | None


def differences(name: str, params_type: type[Any], options: dict[str, Any]) -> Iterator[str]:
    hints = get_type_hints(params_type)
    if not params_type.__dataclass_params__.frozen:
        yield f"{name}: {params_type.__name__} is not frozen"
    fields = {one.name: nested_type(one) for one in fields_of(params_type)}
    if fields.keys() != options.keys():
        yield f"{name}: fields and options differ in {', '.join(sorted(fields.keys() ^ options.keys()))}"
        return
    for option, nested in fields.items():
        declared, suboptions = options[option], options[option].get("options")
        if bool(suboptions) != bool(nested):
            yield f"{name}.{option}: the option has suboptions, or the field is nested, but not both"
            continue
        expected = expected_type(declared, nested)
        if expected is not None and hints[option] != expected:
            yield f"{name}.{option}: the field is {hints[option]}, the option {expected}"
        if nested and suboptions:
            yield from differences(f"{name}.{option}", nested, suboptions)


def test_options_and_parameter_dataclasses_agree() -> None:
    wrong: list[str] = []
    for module in MODULES:
        resource = resource_of(module)
        names = {one.name for one in fields_of(resource.params_type)}
        shared = (TENANT.options.keys() | JOURNAL.options.keys()) - names
        wrong += differences(
            module, resource.params_type, {name: option for name, option in resource.spec.options.items() if name not in shared}
        )
    assert not wrong, "\n".join(wrong)
