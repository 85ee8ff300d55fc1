"""A file fits a few screens and a function one."""

from __future__ import annotations

import ast
from pathlib import Path

from .tree import for_every_file, functions, text, under

# Longest, in lines.
PYTHON_FILE = 340
TEST_FILE = 500
FUNCTION = 50
MODULE_CODE = 12  # besides its documentation
ROLE_TASKS = 60
PLAYBOOK = 60
SHELL = 80

CODE = [path for folder in ("plugins", "emulator", "scripts", "testbed", "roles", "bench", "molecule") for path in under(folder, ".py")]
# The checker of tests/contract comes with its data from elsewhere and stays as it is there.
TESTS = [path for path in under("tests", ".py") if path.name != "check_requests.py"]


def lines(path: Path) -> int:
    return len(text(path).splitlines())


@for_every_file(CODE)
def test_python_files(path: Path) -> None:
    assert lines(path) <= PYTHON_FILE


@for_every_file(TESTS)
def test_test_files(path: Path) -> None:
    assert lines(path) <= TEST_FILE


@for_every_file(CODE + TESTS)
def test_functions(path: Path) -> None:
    long = {f.name: size for f in functions(path) if (size := (f.end_lineno or 0) - f.lineno + 1) > FUNCTION}
    assert not long


@for_every_file(under("plugins/modules", ".py"))
def test_modules_are_documentation_and_a_few_lines(path: Path) -> None:
    body = ast.parse(text(path)).body
    documentation = [node for node in body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    code = [node for node in body if node not in documentation]
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in code) <= MODULE_CODE


@for_every_file([p for p in under("roles", ".yml") if p.parent.name in ("tasks", "handlers")])
def test_role_tasks(path: Path) -> None:
    assert lines(path) <= ROLE_TASKS


@for_every_file(under("playbooks", ".yml"))
def test_playbooks(path: Path) -> None:
    assert lines(path) <= PLAYBOOK


@for_every_file(under("scripts", ".sh"))
def test_shell_scripts(path: Path) -> None:
    assert lines(path) <= SHELL
