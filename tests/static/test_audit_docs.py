"""docs/audit.md has a row for each finding and each source of an audit, and for nothing else."""

from __future__ import annotations

import ast
import re

from ansible_collections.mailops.m365.plugins.module_utils._audit.sources import LABELS

from .tree import REPO, text, under

PAGE = REPO / "docs" / "audit.md"


def first_cells(heading: str) -> list[str]:
    """The names in code font in the first column of the tables of a section, without its subsections."""
    section = text(PAGE).partition(f"\n## {heading}\n")[2]
    section = re.split(r"\n##+ ", section)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [name for row in rows if not row.startswith("| `id`") for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]


def finding_ids() -> set[str]:
    """The first argument of each Finding(..) in the code."""
    calls = [
        node
        for path in under("plugins/module_utils/_audit", ".py")
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
    return {str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant)}


def test_each_finding_has_a_row() -> None:
    documented = first_cells("Findings")
    assert len(documented) == len(set(documented))
    assert set(documented) == finding_ids()


def test_each_source_has_a_row() -> None:
    assert sorted(first_cells("Sources")) == sorted(LABELS)
