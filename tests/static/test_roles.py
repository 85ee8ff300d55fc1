"""A role is composition: no requests, no waiting, no programs in Jinja; and its interface is said once, twice the same."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .tree import PACKAGE, REPO, for_every, for_every_file, load, roles, text, under

each_role = for_every("role", roles())
YAML = [path for folder in ("roles", "playbooks", "molecule", "inventories") for path in under(folder, ".yml")]
TASKS = [path for path in YAML if path.parent.name in ("tasks", "handlers") or path.is_relative_to(REPO / "playbooks")]
# What a role's variables begin with, where it is not the role's name.
PREFIXES = {"relay_host": "relay_", "relay_windows": "relay_"}
# Modules that speak a protocol: that is a client's business (plugins/module_utils).
HTTP = {"uri", "get_url", "slurp_url", "win_uri", "mail"}
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "path": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "list": (list,),
    "dict": (dict,),
    "raw": (object,),
}


def tasks(content: Any) -> Iterator[dict[str, Any]]:
    """Every task in a file of tasks or plays, in blocks too."""
    for item in content or []:
        if isinstance(item, dict):
            yield item
            for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"):
                yield from tasks(item.get(key))


def specs(role: str) -> dict[str, dict[str, Any]]:
    """Entry point -> its options."""
    path = REPO / "roles" / role / "meta/argument_specs.yml"
    content = load(path)["argument_specs"] if path.exists() else {}
    return {entry: spec.get("options") or {} for entry, spec in content.items()}


def defaults(role: str) -> dict[str, Any]:
    path = REPO / "roles" / role / "defaults/main.yml"
    return (load(path) or {}) if path.exists() else {}


@each_role
@for_every("file", ["README.md", "tasks/main.yml", "meta/main.yml", "meta/argument_specs.yml"])
def test_role_has_its_required_files(role: str, file: str) -> None:
    assert (REPO / "roles" / role / file).exists()


@each_role
def test_role_is_in_the_list_of_the_readme(role: str) -> None:
    listed = text(REPO / "README.md").partition("## Roles")[2].partition("\n## ")[0]
    assert f"| [{role}](https://github.com/mailops/m365/blob/main/roles/{role}/README.md) |" in listed


# Run by a playbook of a scenario (relay_host, verify), or by one that e2e test_bootstrap runs (automation_access).
NO_SCENARIO = {"relay_host", "verify", "automation_access"}


@for_every("role", [role for role in roles() if role not in NO_SCENARIO])
def test_role_has_a_molecule_scenario(role: str) -> None:
    converges = [text(path) for path in REPO.glob("molecule/*/converge.yml")]
    assert any(re.search(rf"mailops\.m365\.{role}\b", content) for content in converges)


@each_role
def test_defaults_and_argument_specs_agree(role: str) -> None:
    options = {option: spec for entry in specs(role).values() for option, spec in entry.items()}
    default_values = defaults(role)
    assert set(default_values) <= set(options), "a default that the role's interface does not have"
    # A connection option's default is the modules' own (spec.py), so that a task without the role has it, too.
    declared = {option: spec["default"] for option, spec in options.items() if "default" in spec and not option.startswith("m365_")}
    assert set(declared) <= set(default_values), "defaults/main.yml lacks what argument_specs.yml promises"
    for option, value in default_values.items():
        assert not options[option].get("required"), f"{option} is required and has a default"
        templated = isinstance(value, str) and "{{" in value
        if option in declared:
            assert declared[option] == value, option
        elif not templated and value is not None:
            # Ansible refuses an empty (null) variable whose spec has a default or choices: its description has the default instead.
            described = re.search(
                rf"Defaults to {re.escape(_yaml(value))}\b|\b{re.escape(_yaml(value))} \(the default\)", _description(options[option])
            )
            assert value in ("", [], {}) or described, f"{option}: argument_specs.yml does not tell its default"
        if not templated and value is not None:
            assert isinstance(value, TYPES[options[option].get("type", "str")]), f"{option} is of another type than its default"


def _description(option: dict[str, Any]) -> str:
    lines = option["description"]
    return " ".join([lines] if isinstance(lines, str) else lines)


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@each_role
def test_variables_have_the_roles_prefix(role: str) -> None:
    for option in [option for entry in specs(role).values() for option in entry]:
        assert option.startswith((PREFIXES.get(role, f"{role}_"), "m365_")), option


@each_role
def test_facts_set_by_a_role_have_its_prefix(role: str) -> None:
    """Defaults, vars, registered results and facts: ansible-lint's var-naming[no-role-prefix], which knows the role's name only."""
    prefix = PREFIXES.get(role, f"{role}_")
    named = set(defaults(role))
    for path in under(f"roles/{role}/vars", ".yml"):
        named |= set(load(path) or {})
    for path in under(f"roles/{role}/tasks", ".yml"):
        for task in tasks(load(path)):
            named |= {task["register"]} if "register" in task else set()
            named |= set(task.get("ansible.builtin.set_fact") or {}) - {"cacheable"}
    assert not {variable for variable in named if not variable.lstrip("_").startswith((prefix, "m365_"))}


@each_role
def test_a_secret_is_not_logged(role: str) -> None:
    def check(options: dict[str, Any]) -> None:
        for option, spec in options.items():
            if re.search(r"(secret|(?<!update_)password|token)(?!.*_variable$)", option) and spec.get("type") == "str":
                assert spec.get("no_log") is True, option
            check(spec.get("options") or {})

    for options in specs(role).values():
        check(options)


@each_role
def test_every_option_is_described(role: str) -> None:
    path = REPO / "roles" / role / "meta/argument_specs.yml"
    for entry, spec in load(path)["argument_specs"].items():
        assert spec.get("short_description"), entry
        assert spec.get("description"), entry

    def described(options: dict[str, Any]) -> None:
        for option, content in options.items():
            assert content.get("description"), option
            assert content.get("type"), option
            described(content.get("options") or {})

    for options in specs(role).values():
        described(options)


def test_shared_options_are_the_same_in_all_roles() -> None:
    first: dict[str, tuple[str, Any]] = {}
    for role in roles():
        for entry in specs(role).values():
            for option, spec in entry.items():
                if option.startswith("m365_"):
                    where, seen = first.setdefault(option, (role, spec))
                    assert spec == seen, f"{option} differs between {where} and {role}"


def test_connection_options_are_the_modules_own() -> None:
    """What a host variable means in a role is what it means in a task."""
    spec = importlib.import_module(f"{PACKAGE}.module_utils._core.spec")
    known = {option["variable"]: option for part in (spec.TENANT, spec.JOURNAL) for option in part.options.values()}
    for role in roles():
        for entry in specs(role).values():
            for option, content in entry.items():
                if option in known:
                    assert content.get("type") == known[option]["type"], f"{role}: {option}"
                    assert content.get("default", known[option].get("default")) == known[option].get("default"), f"{role}: {option}"


@for_every_file(TASKS)
def test_no_requests_and_no_waiting_in_tasks(path: Path) -> None:
    for task in tasks(load(path)):
        assert not {key.rpartition(".")[2] for key in task} & HTTP, f"{task.get('name')}: a request belongs into a client"
        assert not {"retries", "until", "delay"} & set(task), f"{task.get('name')}: waiting belongs into a resource"
        command = str(task.get("ansible.builtin.command") or task.get("ansible.builtin.shell") or "")
        assert not re.search(r"\b(curl|wget)\b", command), f"{task.get('name')}: a request belongs into a client"


@for_every_file(YAML)
def test_no_programs_in_jinja(path: Path) -> None:
    """An expression stands on one line, and has no loop: the rest is a filter's, with a unit test."""
    content = text(path)
    assert "{%" not in content
    for number, line in enumerate(content.splitlines(), 1):
        assert line.count("{{") == line.count("}}"), f"line {number}: an expression over several lines"


@each_role
def test_public_booleans_are_converted_in_conditions(role: str) -> None:
    """An INI inventory and -e give a text, which is no result of a condition."""
    booleans = {option for entry in specs(role).values() for option, spec in entry.items() if spec.get("type") == "bool"}
    for path in under(f"roles/{role}/tasks", ".yml"):
        for task in tasks(load(path)):
            conditions = task.get("when", [])
            for condition in conditions if isinstance(conditions, list) else [conditions]:
                bare = re.sub(r"\b\w+ is none\b|\b\w+(?:\s*\|\s*default\([^()]*\))?\s*\|\s*bool\b", "", str(condition))
                assert not booleans & set(re.findall(r"\w+", bare)), f"{path.name}: {condition}: add | bool"


@for_every_file(TASKS)
def test_every_task_has_a_name(path: Path) -> None:
    for task in tasks(load(path)):
        assert task.get("name") or "ansible.builtin.import_playbook" in task, task


@for_every_file([path for path in TASKS if path.is_relative_to(REPO / "roles")])
def test_read_only_roles_are_described_as_read_only(path: Path) -> None:
    """A command that changes nothing runs in check mode as well, else everything after it compares with nothing."""
    for task in tasks(load(path)):
        if task.get("changed_when") is False and {"ansible.builtin.command", "ansible.builtin.shell"} & set(task):
            assert task.get("check_mode") is False, task["name"]


@for_every_file([path for path in under("playbooks", ".yml") if not path.name.endswith(".meta.yml")])
def test_tenants_are_hosts_and_facts_are_not_gathered_for_them(path: Path) -> None:
    for play in load(path):
        if "ansible.builtin.import_playbook" not in play:
            assert "gather_facts" in play, "say whether facts are needed: for tenants they are not"


@each_role
def test_every_distribution_of_a_role_has_the_same_variables(role: str) -> None:
    """One file of vars/ each, besides main.yml: a variable that only one has would be undefined on the others."""
    by_distribution = {path.name: set(load(path)) for path in under(f"roles/{role}/vars", ".yml") if path.name != "main.yml"}
    every = set().union(*by_distribution.values())
    assert {name: every - variables for name, variables in by_distribution.items() if every - variables} == {}
