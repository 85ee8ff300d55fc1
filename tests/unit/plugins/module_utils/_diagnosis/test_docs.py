"""docs/diagnose.md lists every cause and every threshold."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.m365.plugins.module_utils._diagnosis import thresholds
from ansible_collections.mailops.m365.plugins.module_utils._diagnosis.causes import CAUSES

PAGE = (Path(__file__).resolve().parents[5] / "docs" / "diagnose.md").read_text(encoding="utf-8")


def test_every_cause_is_listed() -> None:
    assert [name for name in CAUSES if f"`{name}`" not in PAGE] == []


def test_the_thresholds_are_those_of_the_code() -> None:
    assert f"loss: {round(100 * thresholds.LOSS)} percent of the packets, and at least {thresholds.LOST_SEGMENTS}" in PAGE
    assert f"latency: {thresholds.LATENCY:.0f} ms" in PAGE
    assert f"at least {thresholds.FAILURES_AT_END} sessions" in PAGE
    assert f"{thresholds.MISSING_KEYWORDS} of the keywords {', '.join(thresholds.EXPECTED_KEYWORDS[:-1])}" in PAGE
    assert f"segments of {thresholds.SEGMENTS[0]} to {thresholds.SEGMENTS[-1]} bytes" in PAGE
