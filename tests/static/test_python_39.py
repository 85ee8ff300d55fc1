"""Code that runs on a relay host is valid for Python 3.9 and imports there.

The shipped code is the agent (resources/relay_agent.py installs it) and, for the modules that run on the relay host, everything that
Ansible sends with them: their import closure below plugins/.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ansible
import pytest
from ansible_collections.mailops.m365.plugins.module_utils.resources import relay_agent

from .tree import PACKAGE, REPO, for_every, imports, name, text

HOST_MODULES = ("mail_path_probe", "relay_agent", "relay_files", "relay_probe", "relay_status", "smtp_test_message")
OLDEST = (3, 9)
# What Python 3.10 and later added: the module and its names.
NEWER_NAMES = {
    "contextlib": {"aclosing", "chdir"},
    "dataclasses": {"KW_ONLY"},
    "datetime": {"UTC"},
    "enum": {"StrEnum", "EnumType", "verify", "member", "nonmember"},
    "hashlib": {"file_digest"},
    "inspect": {"get_annotations"},
    "itertools": {"pairwise", "batched"},
    "math": {"cbrt", "exp2", "sumprod"},
    "operator": {"call"},
    "types": {"NoneType", "EllipsisType", "UnionType"},
    "typing": {
        "Concatenate", "LiteralString", "Never", "NotRequired", "ParamSpec", "Required", "Self", "TypeAlias", "TypeGuard", "TypeVarTuple",
        "Unpack", "assert_never", "assert_type", "dataclass_transform", "override", "reveal_type",
    },
}  # fmt: skip
NEWER_MODULES = {"tomllib", "wsgiref.types"}
NEWER_BUILTINS = {"aiter", "anext", "BaseExceptionGroup", "ExceptionGroup", "EncodingWarning"}
NEWER_ARGUMENTS = {"zip": {"strict"}, "dataclass": {"slots", "kw_only", "match_args", "weakref_slot"}, "field": {"kw_only"}}
NEWER_METHODS = {"add_note", "bit_count", "hardlink_to", "is_junction"}
_TYPES = {"bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple", "type"}


def shipped_modules() -> list[Path]:
    """The files that Ansible sends for the host's modules, packages' __init__.py included."""
    pending = [REPO / "plugins" / "modules" / f"{module}.py" for module in HOST_MODULES]
    files: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in files:
            files.add(path)
            pending += [file for full in imports(path) for file in _files_of(full)]
    return sorted(files)


def _files_of(full: str) -> Iterator[Path]:
    """A module of ours with its packages; nothing for any other name."""
    if not full.startswith(f"{PACKAGE}."):
        return
    parts = full.removeprefix(f"{PACKAGE}.").split(".")
    for count in range(1, len(parts) + 1):
        path = REPO.joinpath("plugins", *parts[:count])
        yield from (file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file())


SHIPPED = shipped_modules()
AGENT = relay_agent.sources()


def newer_syntax(tree: ast.AST) -> Iterator[str]:
    """Constructs and names that Python 3.9 lacks at run time; annotations are not evaluated and may hold any."""
    annotations = set(_annotations(tree))
    for node in _without(tree, annotations):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and _is_type_union(node):
            yield f"line {node.lineno}: X | Y as a type at run time"
        elif isinstance(node, ast.Call):
            yield from _newer_arguments(node)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from _newer_imports(node)
        elif isinstance(node, ast.Attribute):
            newer = node.attr in NEWER_METHODS or (isinstance(node.value, ast.Name) and node.attr in NEWER_NAMES.get(node.value.id, ()))
            yield from [f"line {node.lineno}: {ast.unparse(node)}"] if newer else []
        elif isinstance(node, ast.Name) and node.id in NEWER_BUILTINS:
            yield f"line {node.lineno}: {node.id}"


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns


def _without(tree: ast.AST, excluded: set[ast.AST]) -> Iterator[ast.AST]:
    yield tree
    for child in ast.iter_child_nodes(tree):
        if child not in excluded:
            yield from _without(child, excluded)


def _is_type_union(node: ast.BinOp) -> bool:
    return any(
        (isinstance(side, ast.Constant) and side.value is None) or (isinstance(side, ast.Name) and side.id in _TYPES)
        for side in (node.left, node.right)
    )


def _newer_arguments(node: ast.Call) -> Iterator[str]:
    function = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    used = {keyword.arg for keyword in node.keywords} & NEWER_ARGUMENTS.get(function, set())
    yield from (f"line {node.lineno}: {function}({argument}=...)" for argument in sorted(str(argument) for argument in used))
    if function in ("isinstance", "issubclass") and any(isinstance(argument, ast.BinOp) for argument in node.args[1:]):
        yield f"line {node.lineno}: {function}() with X | Y"


def _newer_imports(node: ast.ImportFrom | ast.Import) -> Iterator[str]:
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        newer = names & NEWER_MODULES
    else:
        newer = {node.module} & NEWER_MODULES if node.module else set()
        newer |= names & NEWER_NAMES.get(node.module or "", set()) if not node.level else set()
    yield from (f"line {node.lineno}: import of {imported}" for imported in sorted(map(str, newer)))


def check(source: str) -> list[str]:
    """What Python 3.9 does not accept in a file."""
    try:
        tree = ast.parse(source, feature_version=OLDEST)
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    problems = list(newer_syntax(tree))
    if any(True for _ in _annotations(tree)) and "from __future__ import annotations" not in source:
        problems.append("annotations without: from __future__ import annotations")
    return problems


@for_every("path", SHIPPED, name)
def test_module_is_valid_for_python_39(path: Path) -> None:
    assert not (problems := check(text(path))), problems


@for_every("file", sorted(AGENT))
def test_agent_is_valid_for_python_39(file: str) -> None:
    assert not (problems := check(AGENT[file])), problems


@pytest.mark.parametrize(
    "source",
    [
        "match x:\n    case 1: pass", "x = int | None", "isinstance(x, int | str)", "zip(a, b, strict=True)", "from datetime import UTC",
        "import datetime\ndatetime.UTC", "@dataclass(slots=True)\nclass A: pass", "@dataclass(kw_only=True)\nclass A: pass",
        "from typing import Self", "import tomllib", "def f(x: int | None): pass", "from itertools import pairwise",
        "try: pass\nexcept* E: pass",
    ],
)  # fmt: skip
def test_check_detects_newer_python(source: str) -> None:
    assert check(source)


def test_syntax_for_ruffs_target() -> None:
    """ruff reports syntax that is newer than its target version."""
    ruff = shutil.which("ruff", path=Path(sys.executable).parent) or shutil.which("ruff")
    assert ruff
    command = [ruff, "check", "--isolated", "--no-cache", "--target-version", "py39", "--select", "E9", *map(str, SHIPPED)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


# -- a real interpreter -----------------------------------------------------------------------------------------------


def interpreter() -> str | None:
    """A python3.9 of this host, from PATH or pyenv, that runs."""
    installed = sorted((Path.home() / ".pyenv" / "versions").glob("3.9*/bin/python3.9"))
    candidates = [*map(str, installed), *filter(None, [shutil.which("python3.9")])]
    for candidate in candidates:
        if not subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode:
            return candidate
    return None


PYTHON_39 = interpreter()
needs_python_39 = pytest.mark.skipif(PYTHON_39 is None, reason="python3.9 is not installed")


def imported(library: Path, names: list[str]) -> str:
    """The errors of Python 3.9 that imports each of these modules; empty where there are none."""
    code = (
        f"import sys, importlib, traceback\nsys.path.insert(0, {str(library)!r})\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        importlib.import_module(name)\n"
        "    except BaseException:\n        traceback.print_exc()\n"
    )
    result = subprocess.run([str(PYTHON_39), "-I", "-c", code, *names], capture_output=True, text=True, check=False)
    return result.stderr


@needs_python_39
def test_agent_imports_on_python_39(tmp_path: Path) -> None:
    for file, source in AGENT.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(source)
    names = [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in AGENT]
    assert imported(tmp_path, names) == ""


@needs_python_39
def test_modules_import_on_python_39(tmp_path: Path) -> None:
    """With what Ansible sends, and nothing else of the collection or of other libraries."""
    plugins = tmp_path.joinpath(*PACKAGE.split("."))
    for path in SHIPPED:
        target = plugins / path.relative_to(REPO / "plugins")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text(path))
    (tmp_path / "ansible").mkdir()
    for part in ("__init__.py", "_vendor", "release.py", "module_utils"):
        (tmp_path / "ansible" / part).symlink_to(Path(ansible.__file__).parent / part)
    assert imported(tmp_path, [f"{PACKAGE}.modules.{module}" for module in HOST_MODULES]) == ""


@needs_python_39
def test_explain_runs_on_python_39(tmp_path: Path) -> None:
    """By its path, as docs/explain.md says."""
    command = [
        str(PYTHON_39),
        "-I",
        "-S",
        REPO / "plugins/module_utils/explain/mailops_explain.py",
        "550 5.7.64 Relay Access Denied ATTR36",
    ]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "  Remedy     Use a sender in an accepted domain.\n" in result.stdout
