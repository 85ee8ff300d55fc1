"""The repository's files as the static tests see them."""

from __future__ import annotations

import ast
import functools
import inspect
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).resolve().parent.parent.parent
PACKAGE = "ansible_collections.mailops.m365.plugins"


@functools.cache
def files() -> tuple[Path, ...]:
    """What git tracks or would add; the tracked link to ourselves is left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True).stdout
    paths = {REPO / name for name in listed.split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file() and not path.is_symlink()))


def under(folder: str, suffix: str = "") -> list[Path]:
    """The files in a folder and below, by name's end."""
    return [path for path in files() if path.is_relative_to(REPO / folder) and path.name.endswith(suffix)]


def name(path: Path) -> str:
    """A file's name for a test's id and for messages."""
    return path.relative_to(REPO).as_posix()


def text(path: Path) -> str:
    """The file's text; nothing for a binary file."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


class _Loader(yaml.SafeLoader):
    """Ansible's tags (!vault, !unsafe) read as the plain values they stand before."""


_LOADED_TAGS = ("!vault", "!unsafe")
for _tag in _LOADED_TAGS:
    _Loader.add_constructor(_tag, lambda loader, node: loader.construct_scalar(node))


def load(path: Path) -> Any:
    return yaml.load(text(path), _Loader)  # noqa: S506 - a SafeLoader


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> set[str]:
    """The modules that a Python file imports, anywhere in it, by full name.

    `from x import y` counts as x and as x.y, because y may be a module.
    """
    package = path.relative_to(REPO).with_suffix("").parts[:-1]
    imported: set[str] = set()
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(("ansible_collections", "mailops", "m365", *package)[: len(package) + 4 - node.level]) if node.level else ""
            whole = ".".join(part for part in (base, node.module) if part)
            imported |= {whole, *(f"{whole}.{alias.name}" for alias in node.names)}
    return imported


def modules() -> list[str]:
    return sorted(path.stem for path in under("plugins/modules", ".py"))


def roles() -> list[str]:
    return sorted({path.relative_to(REPO / "roles").parts[0] for path in under("roles")})


Test = Callable[..., None]


def for_every(argument: str, items: Iterable[Any], label: Callable[[Any], str] = str) -> Callable[[Test], Test]:
    """Decorate a test of one item: it becomes one test of all items, which fails with every item's violation in its message."""

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def test_all(**fixtures: Any) -> None:
            violations = []
            for item in items:
                try:
                    test(**{argument: item}, **fixtures)
                except AssertionError as error:
                    violations.append(f"{label(item)}: {error}")
            assert not violations, "\n".join(violations)

        signature = inspect.signature(test)
        rest = [parameter for parameter in signature.parameters.values() if parameter.name != argument]
        vars(test_all)["__signature__"] = signature.replace(parameters=rest)
        return test_all

    return decorate


def for_every_file(paths: Iterable[Path]) -> Callable[[Test], Test]:
    """The same for files, as the argument `path`."""
    return for_every("path", paths, name)
