"""The checker of recorded requests: which requests it accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract import run_checker

DELETED = "/v1.0/directory/deletedItems"


@pytest.mark.parametrize(
    ("path", "query", "violation"),
    [
        (f"{DELETED}/microsoft.graph.application", "$select=id,uniqueName", ""),
        (f"{DELETED}/microsoft.graph.application", "$select=colour", "$select=colour: no such property on microsoft.graph.application"),
        (DELETED, "$select=uniqueName", "no such property on microsoft.graph.directoryObject"),
        ("/v1.0/directory/microsoft.graph.application", "", "is nothing on microsoft.graph.directory"),
    ],
)
def test_type_cast_changes_the_type_of_a_path(path: str, query: str, violation: str, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    record.write_text(json.dumps({"service": "graph", "method": "GET", "path": path, "query": query, "body": None}) + "\n")
    result = run_checker(record)
    assert (violation in result.stdout) if violation else result.returncode == 0, result.stdout
    assert result.returncode == bool(violation)
