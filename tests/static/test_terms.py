"""Names and texts use the terms of Microsoft's, Postfix's and Ansible's documentation (docs/glossary.md)."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .test_roles import specs, tasks
from .tree import PACKAGE, for_every_file, load, modules, roles, text, under

# A task name starts with one of these; an object follows.
VERBS = re.compile(
    r"(?:Sign in|Wait for|"
    r"Add|Allow|Assign|Build|Check|Compute|Configure|Converge|Copy|Create|Deploy|Derive|Disable|Drain|Enable|Evaluate|Export|Fail|Find|Flush|"
    r"Gather|Generate|Import|Include|Install|Load|Mask|Move|Plan|Publish|Read|Register|Reject|Reload|Remove|Renew|Report|Request|Reset|"
    r"Restart|Restore|Retire|Run|Save|Send|Set|Start|Stop|Switch|Unmask|Validate|Verify|Write"
    r") \S"
)
# Words that no class or public function has in its name: they say that something is a result, not what it is.
VAGUE = {"found", "told", "shown", "wanted", "work", "given", "said"}
# Words that no public option and no column has: docs/glossary.md has the terms to write instead.
REPLACED = VAGUE | set(
    re.findall(
        r"\w+",
        "because bridge desk door doors grave guard inside journey keeper known ledger notices off outside pair patiently places proof "
        "prove proven sink story stranger strangers tray watcher wave way ways wish wishes",
    )
)
# Of those, the ones that a name in tests may have: they are terms elsewhere (a key pair, SMTP AUTH off, smtp-sink).
USED_IN_TESTS = {"because", "inside", "known", "off", "outside", "pair", "sink"}
CODE = [path for folder in ("plugins", "emulator", "testbed", "scripts", "bench") for path in under(folder, ".py")]
YAML = [path for folder in ("roles", "playbooks", "molecule") for path in under(folder, ".yml")]
TASKS = [path for path in YAML if path.parent.name in ("tasks", "handlers") or "tasks" in path.parts or path.parts[-3] == "molecule"]
# Where tables are printed: their columns are strings of capitals.
TABLES = [
    *under("plugins/module_utils/_report", ".py"),
    *under("plugins/module_utils/_relay/agent", ".py"),
    *under("plugins/callback", ".py"),
]


def words(identifier: str) -> set[str]:
    """The words of an identifier in snake_case or CamelCase, in lower case."""
    # "Not found" is HTTP's own term.
    rest = re.sub(r"not_?found", "", identifier, flags=re.IGNORECASE)
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", rest)}


@for_every_file(TASKS)
def test_task_names_start_with_a_verb(path: Path) -> None:
    names = [str(task["name"]) for task in tasks(load(path)) if "name" in task and "hosts" not in task]
    wrong = [task for task in names if "import_playbook" not in task and not VERBS.match(task)]
    assert not wrong, wrong


@for_every_file(CODE)
def test_classes_and_public_functions_have_no_vague_name(path: Path) -> None:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = [node.name for node in ast.walk(ast.parse(text(path))) if isinstance(node, kinds) and not node.name.startswith("_")]
    wrong = [one for one in names if words(one) & VAGUE]
    assert not wrong, wrong


@for_every_file(under("tests", ".py"))
def test_functions_and_variables_of_tests_are_named_by_the_glossary(path: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    wrong = sorted(name for name in names if words(name) & (REPLACED - USED_IN_TESTS))
    assert not wrong, wrong


def options(spec: dict[str, Any], path: str = "") -> Iterator[str]:
    for option, content in spec.items():
        yield f"{path}{option}"
        yield from options(content.get("options") or {}, f"{path}{option}.")


def test_options_are_named_by_the_glossary() -> None:
    every: set[str] = set()
    for module in modules():
        file = importlib.import_module(f"{PACKAGE}.module_utils.resources.{module.removesuffix('_info')}")
        spec = (file.INFO if module.endswith("_info") else file.RESOURCE).spec.options
        every |= {f"{module}: {option}" for option in options(spec)}
    for role in roles():
        every |= {f"role {role}: {option}" for entry in specs(role).values() for option in options(entry)}
    wrong = sorted(option for option in every if words(option.rpartition(".")[2].rpartition(": ")[2]) & REPLACED)
    assert not wrong, "\n".join(wrong)


@for_every_file(TABLES)
def test_columns_are_named_by_the_glossary(path: Path) -> None:
    strings = [node.value for node in ast.walk(ast.parse(text(path))) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    wrong = [column for column in strings if column.isupper() and words(column) & (REPLACED | {"by"})]
    assert not wrong, wrong


def test_words_of_identifiers() -> None:
    assert words("object_not_found") == {"object"}
    assert words("NotFoundError") == {"error"}
    assert words("HTTPFound_wanted2") == {"http", "found", "wanted2"}
