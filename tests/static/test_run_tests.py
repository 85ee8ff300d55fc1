"""The closing summary of a tier: what it counts, and the skips that it does not accept."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import test_parts
from scripts.run_tests import parts, summarize
from scripts.test_parts import Part

REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="test_one[x]" time="1.5"/>
<testcase classname="tests.a" name="test_one[y]" time="0.5"/>
<testcase classname="tests.a" name="test_two@group" time="1"><skipped message="Skipped: {reason}"/></testcase>
</testsuite></testsuites>"""


def finished(directory: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> Part:
    """A part whose report has two cases of one function, and a test that was skipped for this reason."""
    monkeypatch.setattr(test_parts, "REPORTS", directory)
    (directory / "unit.xml").write_text(REPORT.format(reason=reason), encoding="utf-8")
    part = Part("unit", [])
    part._read()
    return part


def test_a_skip_for_a_reason_of_the_list_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = finished(tmp_path, monkeypatch, "dig is not installed")
    assert not summarize("test", [part], 2.0)
    lines = capsys.readouterr().out.splitlines()
    assert "2 distinct test functions, 3 cases" in lines
    assert lines[-1] == f"{'=' * 20} 2 passed, 1 skipped in 2.00s {'=' * 20}"


def test_a_skip_for_another_reason_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    part = finished(tmp_path, monkeypatch, "no time today")
    assert summarize("test", [part], 2.0)
    output = capsys.readouterr().out
    assert "FAILED unit: skipped for a reason that tests/allowed_skips.txt lacks: no time today" in output
    assert "1 failed, 2 passed, 1 skipped in 2.00s" in output.splitlines()[-1]


def test_every_folder_of_tests_is_in_the_largest_tier() -> None:
    folders = {path.name for path in Path(__file__).parents[1].iterdir() if list(path.glob("**/test_*.py"))}
    assert {f"tests/{folder}" for folder in folders} <= {argument for part in parts("all") for argument in part.arguments}
