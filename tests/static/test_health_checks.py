"""Each health check of the relay's agent is described in docs/what-can-go-wrong.md, and the page is linked."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._relay.agent import health

REPO = Path(__file__).resolve().parent.parent.parent
PAGE = REPO / "docs" / "what-can-go-wrong.md"
COLUMNS = 6


def rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] not in ("Failure", "---")]


def test_each_health_check_has_a_row() -> None:
    documented = [name for row in rows() for name in re.findall(r"`(\w+)`", row[1])]
    assert set(documented) == set(health.CHECKS)


def test_each_row_says_all() -> None:
    for row in rows():
        assert len(row) == COLUMNS, row
        assert all(row), row


def test_each_problem_names_its_check() -> None:
    """The names in the source are those of CHECKS, each in a problem."""
    tree = ast.parse(Path(health.__file__).read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in health.CHECKS]
    assert set(Counter(texts)) == set(health.CHECKS)
    assert min(Counter(texts).values()) == 2, "in CHECKS and in a problem"


@pytest.mark.parametrize("page", ["README.md", "roles/relay_host/README.md", "docs/errors.md"])
def test_page_is_linked(page: str) -> None:
    assert "what-can-go-wrong.md" in (REPO / page).read_text(encoding="utf-8")
