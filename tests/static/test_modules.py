"""Every module is there in all the places that belong to it, and says the same in each.

That documentation and spec agree on types, choices and the like, ansible-test's validate-modules sees (test_sanity.py).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import yaml

from .tree import PACKAGE, REPO, for_every, load, modules

RUNTIME = load(REPO / "meta/runtime.yml")
ACTION = "mailops.m365.resource"
each_module = for_every("module", modules())


def resource(module: str) -> Any:
    file = importlib.import_module(f"{PACKAGE}.module_utils.resources.{module.removesuffix('_info')}")
    return file.INFO if module.endswith("_info") else file.RESOURCE


def options(spec: dict[str, dict[str, Any]], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All options with those inside them, by path."""
    for name, option in spec.items():
        yield f"{path}{name}", option
        yield from options(option.get("options") or {}, f"{path}{name}.")


def documented(options: dict[str, dict[str, Any]], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in options.items():
        yield f"{path}{name}", option
        yield from documented(option.get("suboptions") or {}, f"{path}{name}.")


# Modules without `_info` in their name that write nothing: they plan or verify.
READING = ("mail_path_probe", "relay_probe", "relay_status", "sender_plan", "smtp_probe", "smtp_test_message", "windows_relay_probe")


@each_module
def test_has_a_resource(module: str) -> None:
    target = resource(module)
    assert target.name == module
    assert target.spec.writes != (module.endswith("_info") or module in READING), "an info module writes nothing"
    for step in ("validate" if hasattr(target, "params_type") else "check", "plan", "apply"):
        assert callable(getattr(target, step))


def test_every_resource_has_a_module() -> None:
    files = {path.stem for path in (REPO / "plugins/module_utils/resources").glob("*.py") if path.stem != "__init__"}
    assert files == {module.removesuffix("_info") for module in modules()}


def test_the_action_group_is_all_modules() -> None:
    assert RUNTIME["action_groups"] == {"all": modules()}


def test_every_module_is_routed_to_the_action() -> None:
    assert RUNTIME["plugin_routing"]["modules"] == {module: {"action_plugin": ACTION} for module in modules()}


@each_module
def test_documentation_is_whole(module: str, documentation: dict[str, dict[str, Any]]) -> None:
    page = documentation[module]
    doc = page["doc"]
    assert doc["module"] == module
    assert not doc["short_description"].endswith(".")
    assert set(doc["attributes"]) == {"check_mode", "diff_mode", "idempotent", "action_group", "async"}
    assert {"cost", "failure"} <= set(page["return"])
    for other in doc.get("seealso", []):
        assert other["module"].removeprefix("mailops.m365.") in modules()


@each_module
def test_examples_use_the_module_with_options_that_exist(module: str, documentation: dict[str, dict[str, Any]]) -> None:
    tasks = yaml.safe_load(documentation[module]["examples"])
    used = [task for task in tasks if f"mailops.m365.{module}" in task]
    assert used, "no example uses the module"
    for task in used:
        assert set(task[f"mailops.m365.{module}"] or {}) <= set(resource(module).spec.options)


@each_module
def test_documentation_names_each_fallback(module: str, documentation: dict[str, dict[str, Any]]) -> None:
    """Host variables as C(...) and environment variables as E(...): all that the spec has, and no other."""
    spec = resource(module).spec.options
    for name, option in documentation[module]["doc"]["options"].items():
        description = " ".join([option["description"]] if isinstance(option["description"], str) else option["description"])
        assert set(re.findall(r"E\((\w+)\)", description)) == set(spec[name].get("env", ())), name
        variable = {spec[name]["variable"]} if "variable" in spec[name] else set()
        assert set(re.findall(r"host variable C\((\w+)\)", description)) == variable, name


@each_module
def test_documentation_and_spec_have_the_same_defaults(module: str, documentation: dict[str, dict[str, Any]]) -> None:
    spec = dict(options(resource(module).spec.options))
    doc = dict(documented(documentation[module]["doc"]["options"]))
    assert set(spec) == set(doc)
    assert {path: option.get("default") for path, option in spec.items()} == {path: option.get("default") for path, option in doc.items()}


def _text(description: str | list[str]) -> str:
    return " ".join([description] if isinstance(description, str) else description)


def _contradictions(module: dict[str, Any], info: dict[str, Any], path: str = "") -> Iterator[str]:
    """Values of other types, and those inside them that the info module describes by other than the beginning of the module's text."""
    for name in module.keys() & info.keys():
        one, other = module[name], info[name]
        kinds = [[value.get(key) for key in ("type", "elements")] for value in (one, other)]
        described = not path or _text(one["description"]).startswith(_text(other["description"]).rstrip("."))
        if kinds[0] != kinds[1] or not described:
            yield f"{path}{name}"
        yield from _contradictions(one.get("contains") or {}, other.get("contains") or {}, f"{path}{name}.")


@for_every("info", [name for name in modules() if name.endswith("_info") and name.removesuffix("_info") in modules()])
def test_info_module_describes_values_as_its_module(info: str, documentation: dict[str, dict[str, Any]]) -> None:
    """ansible-core has documentation fragments for options only, so that return values are written in both files."""
    texts = [documentation[name]["return"] for name in (info.removesuffix("_info"), info)]
    assert [*_contradictions(*texts)] == []


@each_module
def test_a_secret_is_not_logged(module: str) -> None:
    """An option whose name sounds like a secret has to say no_log, either way; one that holds a name, a path or a policy has not."""
    for path, option in options(resource(module).spec.options):
        last = path.rpartition(".")[2]
        names = last.endswith(("_variable", "_store", "_file")) or last == "update_password"
        sounds = re.search(r"secret|password|passphrase|token|(^|_)key($|_)", last) and option.get("type") in (None, "str", "raw", "dict")
        if sounds and not names:
            assert option.get("no_log") is True, f"{path} holds a secret and lacks no_log: true"
        else:
            assert option.get("no_log") is not True, f"{path}: no_log would blank out harmless output"


def test_every_spec_in_the_code_is_a_module_spec() -> None:
    """A literal with a secret's name outside the specs above would escape the test before this one."""
    literal = re.compile(r'"(?!update_password")(\w*(?:secret|password|passphrase)\w*)": \{"type": "str"(?!.*"no_log": True)')
    for path in (REPO / "plugins").rglob("*.py"):
        match = literal.search(path.read_text("utf-8"))
        assert not match, f"{path.name}: {match and match[1]} lacks no_log"
