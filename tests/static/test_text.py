"""What no file of the product says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from .tree import REPO, files, for_every_file, text, under

HERE = REPO / "tests" / "static"  # these tests have to name what they look for
EVERY = [path for path in files() if HERE not in path.parents and text(path)]
PYTHON = [path for path in EVERY if path.suffix == ".py"]
PRODUCT = [path for path in EVERY if (REPO / "tests") not in path.parents]

# Which registry a machine uses is for its own settings to say.
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|galaxy\.ansible\.com|automation-hub|docker\.io|quay\.io|ghcr\.io|registry\.redhat|mcr\.microsoft"
    r"|npmjs|(deb|archive|security|snapshot)\.(debian|ubuntu)\.(org|com)|proxy\.golang"
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@for_every_file(PRODUCT)
def test_no_reference_outside_the_repository(path: Path) -> None:
    for mention in re.findall(r"(?:\.\./)+[\w.-]+", text(path)):
        assert (path.parent / mention).resolve().is_relative_to(REPO), mention
    assert "/work/" not in text(path)


@for_every_file(EVERY)
def test_no_registry_is_named(path: Path) -> None:
    match = REGISTRIES.search(text(path))
    assert not match, match


@for_every_file(EVERY)
def test_no_unfinished_marker(path: Path) -> None:
    match = UNFINISHED.search(text(path))
    assert not match, match


@for_every_file([path for path in PYTHON if path in PRODUCT])
def test_silences_no_type_checker(path: Path) -> None:
    match = re.search(r"#\s*(type: ignore|mypy: ignore|pylint: disable)", text(path))
    assert not match, match


@for_every_file(PYTHON)
def test_catches_only_what_it_names(path: Path) -> None:
    for node in ast.walk(ast.parse(text(path))):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {kind.id for kind in caught if isinstance(kind, ast.Name)}
        assert node.type is not None, f"line {node.lineno} catches everything"
        assert not names & {"Exception", "BaseException"}, f"line {node.lineno} catches everything"


@for_every_file(under("plugins", ".py"))
def test_has_a_licence_line(path: Path) -> None:
    assert "SPDX-License-Identifier: GPL-3.0-or-later" in "\n".join(text(path).splitlines()[:6])


@for_every_file(EVERY)
def test_ends_with_one_newline_and_has_no_trailing_blanks(path: Path) -> None:
    content = text(path)
    assert content.endswith("\n")
    assert not content.endswith("\n\n")
    if path.name != "LICENSE":
        assert not re.search(r"[ \t]+$", content, re.MULTILINE)
