"""The sample outputs in README.md and docs/getting-started.md are those of the sample inventory."""

from __future__ import annotations

from pathlib import Path

from scripts.generate_sample_output import PAGES, SAMPLES, block, blocks, comparable, play, summary


def test_sample_outputs_are_those_of_the_example_inventory(tmp_path: Path) -> None:
    """To write them again: python scripts/generate_sample_output.py"""
    readme, getting_started = (blocks(page.read_text(encoding="utf-8")) for page in PAGES)
    assert (list(readme), list(getting_started)) == (["output"], list(SAMPLES))
    expected = {sample: comparable(block(summary(output))) for sample, output in play(tmp_path / "sandbox").items()}
    for samples in (readme, getting_started):
        for sample, text in samples.items():
            assert comparable(text) == expected[sample]
