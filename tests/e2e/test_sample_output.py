"""The sample output in README.md is that of the sample inventory."""

from __future__ import annotations

from pathlib import Path

from scripts.generate_sample_output import README, block, comparable, play, split, summary


def test_sample_output_is_that_of_the_example_inventory(tmp_path: Path) -> None:
    """To write it again: python scripts/generate_sample_output.py"""
    _head, text, _tail = split(README.read_text(encoding="utf-8"))
    assert comparable(text) == comparable(block(summary(play(tmp_path / "sandbox"))))
